"""The hall's configuration: its rules and names as one checked value that an event carries."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from queue_server.hall.slots import AppointmentRules, SlotPlan

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Text:
    """A text in both languages."""

    __pydantic_config__ = _STRICT

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The English text for `en`, the Chinese one for anything else."""
        return self.en if language == "en" else self.zh

    def by_language(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class Materials:
    """What to have ready, one line each, in both languages."""

    __pydantic_config__ = _STRICT

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def in_language(self, language: str) -> tuple[str, ...]:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A part of the hall with its own displays and voice."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text


@dataclass(frozen=True, kw_only=True)
class Group:
    """Services that belong together; icon id and colour (`#rrggbb`) stay the same everywhere."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    icon: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A line with its own number series: `prefix` and `first` to `last`, padded to `digits`.

    People of the queue wait in `zone`.
    """

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    prefix: str
    first: int = 1
    last: int = 999
    digits: int = 3
    zone: str

    def number(self, serial: int) -> str:
        """The number as it is printed, shown and spoken: `A036`."""
        return f"{self.prefix}{serial:0{self.digits}d}"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a citizen queues for. `minutes` is the expected time at the counter."""

    __pydantic_config__ = _STRICT

    id: str
    group: str
    name: Text
    queue: str
    minutes: float
    materials: Materials = Materials()
    card: Literal["required", "optional"] = "optional"
    common: bool = False
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A window: `number` is what is spoken and shown; it serves `queues`; `seat` says where to find it."""

    __pydantic_config__ = _STRICT

    id: str
    number: str
    name: Text
    queues: tuple[str, ...]
    zone: str
    seat: Text = Text("", "")


@dataclass(frozen=True, kw_only=True)
class PriorityClass:
    """How a class of people accrues priority.

    `rate`: priority gained per second of waiting, in hundredths at most (1 = ordinary). `head_start_s`: seconds of
    waiting that the class is given on arrival. With all rates equal the order never changes while people wait.
    """

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    rate: float = 1.0
    head_start_s: int = 0

    @cached_property
    def hundredths(self) -> int:
        """The rate in whole hundredths: scores are exact integers."""
        return round(self.rate * 100)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The hall's own choices.

    `recall_limit`: recalls after the first call. `close_when_no_counter`: a service that no open counter serves gives
    no numbers. `day_end_closes_counters`: the end of the day closes counters that serve nobody (not in a hall that is
    open round the clock).
    """

    __pydantic_config__ = _STRICT

    recall_interval_s: int = 10
    recall_limit: int = 3
    close_when_no_counter: bool = False
    day_end_closes_counters: bool = True


@dataclass(frozen=True, kw_only=True)
class HallConfiguration:
    """Everything that makes one hall differ from another. `day_ends_at` is wall time `HH:MM` in `time_zone`."""

    __pydantic_config__ = _STRICT

    revision: int
    name: Text
    time_zone: str
    day_ends_at: str
    zones: tuple[Zone, ...]
    groups: tuple[Group, ...]
    queues: tuple[Queue, ...]
    services: tuple[Service, ...]
    counters: tuple[Counter, ...]
    priority_classes: tuple[PriorityClass, ...]
    rules: Rules = Rules()
    slot_plans: tuple[SlotPlan, ...] = ()
    appointments: AppointmentRules = field(default_factory=AppointmentRules)
    notice: Text = Text("", "")
    passed_rule: Text = Text("", "")
    """What happens to a number whose holder does not come; printed on the slip."""

    def queue(self, queue: str) -> Queue | None:
        return self._queues.get(queue)

    def service(self, service: str) -> Service | None:
        return self._services.get(service)

    def counter(self, counter: str) -> Counter | None:
        return self._counters.get(counter)

    def priority_class(self, priority_class: str) -> PriorityClass | None:
        return self._classes.get(priority_class)

    def business_date(self, now: datetime) -> date:
        """The business date of the instant `now`.

        A day that ends before noon ends on the next calendar day (`00:00` is midnight, `04:00` suits a hall open late);
        one that ends at noon or later ends on its own calendar day. The ends are instants, so that a clock change
        never leads back to an earlier date.
        """
        day = now.astimezone(self._zone).date() - timedelta(days=1)
        while self.day_ends(day) <= now:
            day += timedelta(days=1)
        return day

    def day_ends(self, business_date: date) -> datetime:
        """The instant at which `business_date` ends (the first one, where a clock change repeats the wall time)."""
        end = self._day_end
        day = business_date + timedelta(days=1) if end.hour < 12 else business_date
        return datetime.combine(day, end, self._zone).astimezone(_UTC)

    @cached_property
    def _queues(self) -> dict[str, Queue]:
        return {queue.id: queue for queue in self.queues}

    @cached_property
    def _services(self) -> dict[str, Service]:
        return {service.id: service for service in self.services}

    @cached_property
    def _counters(self) -> dict[str, Counter]:
        return {counter.id: counter for counter in self.counters}

    @cached_property
    def _classes(self) -> dict[str, PriorityClass]:
        return {priority_class.id: priority_class for priority_class in self.priority_classes}

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _day_end(self) -> time:
        return time.fromisoformat(self.day_ends_at)


_UTC = ZoneInfo("UTC")
