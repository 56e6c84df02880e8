"""The hall's configuration: its rules and names as one checked value that an event carries."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from statistics import fmean
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from queue_server.hall.limits import Limits, Quota
from queue_server.hall.numbers import Numbering
from queue_server.hall.offline_numbers import LeasedRange, OfflineRules
from queue_server.hall.opening import Calendar, Stretch
from queue_server.hall.rules import EvidenceKind, PriorityClass, Rules
from queue_server.hall.slots import AppointmentRules, SlotPlan
from queue_server.hall.texts import NO_TEXT, Text
from queue_server.hall.workplaces import Counter, CounterClass, PauseReason, WorkProfile

_STRICT = ConfigDict(extra="forbid")


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
    """A line with its own number series: `prefix` and `first` (the start number) to `last`, padded to `digits`.

    When `last` is given out the series goes on to `extended_to`, and staff hear of it; without it people are refused.
    People of the queue wait in `zone`.
    """

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    prefix: str
    first: int = 1
    last: int = 999
    extended_to: int | None = None
    digits: int = 3
    zone: str
    leased: LeasedRange | None = None
    """Numbers beyond the series that terminals may hold for bad times; None: they use their own series alone."""

    @property
    def limit(self) -> int:
        """The last number that can be given."""
        return self.last if self.extended_to is None else self.extended_to

    def number(self, serial: int) -> str:
        """The number as it is printed, shown and spoken: `A036`."""
        return f"{self.prefix}{serial:0{self.digits}d}"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a citizen queues for. `minutes` is the expected time at the counter; `hours` is a calendar of its own."""

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
    hours: str | None = None
    quota: Quota = field(default_factory=Quota)


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
    counter_classes: tuple[CounterClass, ...]
    work_profiles: tuple[WorkProfile, ...]
    counters: tuple[Counter, ...]
    priority_classes: tuple[PriorityClass, ...]
    evidence_kinds: tuple[EvidenceKind, ...] = ()
    pause_reasons: tuple[PauseReason, ...] = ()
    rules: Rules = field(default_factory=Rules)
    calendars: tuple[Calendar, ...] = ()
    hours: str | None = None
    """The calendar of all services that have none of their own; None: numbers are given at any hour."""
    numbering: Numbering = field(default_factory=Numbering)
    limits: Limits = field(default_factory=Limits)
    offline: OfflineRules = field(default_factory=OfflineRules)
    slot_plans: tuple[SlotPlan, ...] = ()
    appointments: AppointmentRules = field(default_factory=AppointmentRules)
    notice: Text = NO_TEXT
    passed_rule: Text = NO_TEXT
    """What happens to a number whose holder does not come; printed on the slip."""

    def queue(self, queue: str) -> Queue | None:
        return self._queues.get(queue)

    def service(self, service: str) -> Service | None:
        return self._services.get(service)

    def counter(self, counter: str) -> Counter | None:
        return self._counters.get(counter)

    def counter_class(self, counter_class: str) -> CounterClass | None:
        return self._counter_classes.get(counter_class)

    def work_profile(self, profile: str) -> WorkProfile | None:
        return self._profiles.get(profile)

    def pause_reason(self, reason: str) -> PauseReason | None:
        return self._pause_reasons.get(reason)

    def class_queues(self, counter: str) -> tuple[str, ...]:
        """The queues that a counter's class is able to serve; none for an unknown counter."""
        found = self._counters.get(counter)
        counter_class = self._counter_classes.get(found.counter_class) if found else None
        return counter_class.queues if counter_class else ()

    @cached_property
    def shares(self) -> dict[str, int]:
        """Tickets per round, by priority class, where the hall calls by ratio."""
        return {priority_class.id: priority_class.share for priority_class in self.priority_classes}

    def priority_class(self, priority_class: str) -> PriorityClass | None:
        return self._classes.get(priority_class)

    def minutes_of(self, queue: str) -> float:
        """Minutes that a service of the queue is expected to take: the mean of its services', or of all."""
        return self._minutes.get(queue) or fmean(service.minutes for service in self.services)

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
        ends = self._day_ends.get(business_date)
        if ends is None:
            end = self._day_end
            day = business_date + timedelta(days=1) if end.hour < 12 else business_date
            ends = self._day_ends[business_date] = datetime.combine(day, end, self._zone).astimezone(_UTC)
        return ends

    @cached_property
    def _minutes(self) -> dict[str, float]:
        of = {queue.id: [s.minutes for s in self.services if s.queue == queue.id] for queue in self.queues}
        return {queue: fmean(minutes) for queue, minutes in of.items() if minutes}

    @cached_property
    def open_stretches(self) -> dict[str, Stretch]:
        """The stretch last found open, by calendar: `opening.standing` keeps it, so that no number costs a search."""
        return {}

    def calendar(self, calendar: str) -> Calendar | None:
        return self._calendars.get(calendar)

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {calendar.id: calendar for calendar in self.calendars}

    @cached_property
    def _day_ends(self) -> dict[date, datetime]:
        """Ends of days that were asked for before."""
        return {}

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
    def _counter_classes(self) -> dict[str, CounterClass]:
        return {counter_class.id: counter_class for counter_class in self.counter_classes}

    @cached_property
    def _profiles(self) -> dict[str, WorkProfile]:
        return {profile.id: profile for profile in self.work_profiles}

    @cached_property
    def _pause_reasons(self) -> dict[str, PauseReason]:
        return {reason.id: reason for reason in self.pause_reasons}

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
