"""Limits of issue: who may take a number now, and what looks like hoarding.

A person is known by the keyed hash that the terminal made. Staff are bound by one live number a person alone: opening
hours, quotas and the closing time are for everybody else but those with an appointment.
"""

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from queue_server.hall import opening, refusals
from queue_server.hall.base import ActorKind, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.forecast import wait_range

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration, Queue, Service
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store
    from queue_server.hall.tickets import Issue
    from queue_server.hall.visits import Ticket

_STRICT = ConfigDict(extra="forbid")
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
WITHOUT_CARD_KEPT = 200
"""No more numbers of a terminal are remembered, so no threshold lies above."""
STAFF: frozenset[ActorKind] = frozenset({"clerk", "manager", "technician", "system"})

Half = Literal["morning", "afternoon"]
Repetition = Literal["person", "device", "offline"]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Numbers of a service in each half of a business day; None: as many as the series has."""

    __pydantic_config__ = _STRICT

    morning: int | None = None
    afternoon: int | None = None

    def of(self, half: Half) -> int | None:
        return self.morning if half == "morning" else self.afternoon


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The hall's choices about who may take a number.

    `one_live`: a person holds one live number in this scope. `numbers_per_person`: a business day, given-up ones
    included. `afternoon_from` (`HH:MM`) parts the quotas. `stop_before_close_minutes`: numbers end so long before the
    hours do. `not_reached`: what is done where the forecast says that the hours may end before the person's turn:
    `warn` when its upper end lies behind closing, `refuse` when its lower end does (and `warn` before that).

    `flag_person_numbers`: a person who takes so many numbers a day is reported to staff; `flag_device_numbers`: so are
    as many numbers without a card at one terminal within `flag_device_s` seconds. 0: never.
    """

    __pydantic_config__ = _STRICT

    one_live: Literal["service", "queue", "hall", "none"] = "service"
    numbers_per_person: int | None = None
    afternoon_from: str = "12:00"
    stop_before_close_minutes: int = 0
    not_reached: Literal["issue", "warn", "refuse"] = "warn"
    flag_person_numbers: int = 6
    flag_device_numbers: int = 20
    flag_device_s: int = 300


@dataclass(frozen=True, kw_only=True)
class RepetitionFlagged(Event):
    """Numbers are taken in a way that staff should look at; nothing is refused for it.

    `pattern`: `person` (one person takes `count` numbers in a day), `device` (a terminal gives `count` numbers without
    a card in a short time), `offline` (a person took a second number for a service while terminals were offline).
    """

    kind: ClassVar[str] = "repetition_flagged"

    pattern: Repetition
    ticket: str
    number: str
    count: int
    device: str | None
    person: str | None


@dataclass(kw_only=True)
class Tally:
    """What limits count. All but `given` is of the open business day."""

    given: dict[date, dict[str, int]] = field(default_factory=dict)
    """Numbers that count against a quota, by business date and `service/half`; given-up ones are taken off."""
    by_person: dict[str, int] = field(default_factory=dict)
    without_card: dict[str, list[datetime]] = field(default_factory=dict)
    """The latest instants at which terminals gave numbers without a card, by device, in order."""

    def copy(self) -> "Tally":
        return Tally(
            given={day: counts.copy() for day, counts in self.given.items()},
            by_person=self.by_person.copy(),
            without_card={device: times.copy() for device, times in self.without_card.items()},
        )

    def begin_afresh(self, days: Collection[date]) -> None:
        """A business day ended; only the counts of `days` are kept."""
        self.given = {day: counts for day, counts in self.given.items() if day in days}
        self.by_person = {}
        self.without_card = {}

    def note(self, ticket: "Ticket", half: Half) -> None:
        """Count a new ticket against its quota, its person and its terminal."""
        self._count(ticket, half, 1)
        if ticket.person is not None:
            self.by_person[ticket.person] = self.by_person.get(ticket.person, 0) + 1
        elif ticket.device is not None:
            times = self.without_card.setdefault(ticket.device, [])
            # not always the latest: a number that was taken offline is heard of later
            insort(times, ticket.arrived_at)
            del times[:-WITHOUT_CARD_KEPT]

    def give_back(self, ticket: "Ticket", half: Half) -> None:
        """A given-up number leaves its place in the quota to somebody else."""
        self._count(ticket, half, -1)

    def _count(self, ticket: "Ticket", half: Half, by: int) -> None:
        counts = self.given.setdefault(ticket.business_date, {})
        name = f"{ticket.steps[0].service}/{half}"
        counts[name] = counts.get(name, 0) + by


def half_of(configuration: "HallConfiguration", business_date: date, now: datetime) -> Half:
    """The half of the business day: its afternoon begins at the hall's wall time on the date itself."""
    begins = _afternoon(configuration.time_zone, configuration.limits.afternoon_from, business_date)
    return "afternoon" if now >= begins else "morning"


@lru_cache(maxsize=64)
def _afternoon(time_zone: str, begins: str, business_date: date) -> datetime:
    return datetime.combine(business_date, time.fromisoformat(begins), ZoneInfo(time_zone)).astimezone(UTC)


def half_of_ticket(store: "Store", ticket: "Ticket") -> Half:
    """The half of the day in which its holder came."""
    if store.configuration is None:
        raise CorruptHistory("a ticket before the first configuration")
    return half_of(store.configuration, ticket.business_date, ticket.arrived_at)


def refusal(hall: "Hall", service: "Service", queue: "Queue", command: "Issue", now: datetime) -> Refusal | None:
    """Why `command` (by a device, a channel or staff) may not take a number for `service` at `now`."""
    person = command.person
    if person is not None and (refused := _of_person(hall, service, queue, person)):
        return refused
    if command.by.kind in STAFF or command.appointment is not None:
        return None
    return closed(hall, service, queue, now)


def closed(hall: "Hall", service: "Service", queue: "Queue", now: datetime) -> Refusal | None:
    """Why nobody gets a number for `service` at `now`, by hours, quota and closing time."""
    limits = hall.configuration.limits
    standing = opening.standing(hall.configuration, service, now)
    if standing.open and standing.closes_at is not None:
        last = standing.closes_at - timedelta(minutes=limits.stop_before_close_minutes)
        if last <= now:
            after = opening.standing(hall.configuration, service, standing.closes_at)
            opens_at = standing.closes_at if after.open else after.opens_at
            return refusals.OutsideHours(service=service.id, opens_at=instant_text(opens_at))
    if not standing.open:
        kind = refusals.OutsideHours if standing.later_today else refusals.NotToday
        return kind(service=service.id, opens_at=instant_text(standing.opens_at))
    if refused := _of_quota(hall, service, now):
        return refused
    if limits.not_reached == "refuse" and (closes_at := standing.closes_at) is not None:
        wait = wait_range(hall, queue.id, now)
        if wait is not None and now + timedelta(minutes=wait.low) > closes_at:
            return refusals.NotReachableToday(service=service.id, closes_at=instant_text(closes_at))
    return None


def may_close_at(hall: "Hall", service: "Service", queue: "Queue", now: datetime) -> datetime | None:
    """The closing time before which somebody who joins `queue` now may not be reached; None: nothing to warn of."""
    if hall.configuration.limits.not_reached == "issue":
        return None
    closes_at = opening.standing(hall.configuration, service, now).closes_at
    wait = wait_range(hall, queue.id, now) if closes_at is not None else None
    return closes_at if wait is not None and closes_at and now + timedelta(minutes=wait.high) > closes_at else None


def _of_person(hall: "Hall", service: "Service", queue: "Queue", person: str) -> Refusal | None:
    limits, store = hall.configuration.limits, hall.store
    for ticket in store.live_tickets_of(person):
        same = {"service": ticket.service == service.id, "queue": ticket.queue == queue.id, "hall": True, "none": False}
        if same[limits.one_live]:
            return refusals.AlreadyHolding(number=ticket.number, service=ticket.service)
    taken, most = store.tally.by_person.get(person, 0), limits.numbers_per_person
    return refusals.TooManyNumbers(limit=most) if most is not None and taken >= most else None


def _of_quota(hall: "Hall", service: "Service", now: datetime) -> Refusal | None:
    if service.quota.morning is None and service.quota.afternoon is None:
        return None
    day = hall.business_date(now)
    half = half_of(hall.configuration, day, now)
    limit = service.quota.of(half)
    if limit is None or hall.store.tally.given.get(day, {}).get(f"{service.id}/{half}", 0) < limit:
        return None
    return refusals.QuotaReached(service=service.id, half=half, limit=limit)


def repetitions(hall: "Hall", command: "Issue", now: datetime, ticket: str, number: str) -> tuple[Event, ...]:
    """What follows the issue of a ticket: flags, each once when its threshold is reached."""
    limits, tally = hall.configuration.limits, hall.store.tally
    pattern: Repetition
    if command.person is not None:
        pattern, threshold = "person", limits.flag_person_numbers
        count = 1 + tally.by_person.get(command.person, 0)
    elif command.device is not None:
        pattern, threshold = "device", limits.flag_device_numbers
        times = tally.without_card.get(command.device, ())
        count = 1 + len(times) - bisect_right(times, now - timedelta(seconds=limits.flag_device_s))
    else:
        return ()
    if count != threshold:
        return ()
    return (
        RepetitionFlagged(
            at=now,
            by=command.by,
            why=Why(f"repetition_{pattern}", {"count": count, "number": number}),
            pattern=pattern,
            ticket=ticket,
            number=number,
            count=count,
            device=command.device,
            person=command.person,
        ),
    )


def flagged(_store: "Store", _event: RepetitionFlagged) -> None:
    """Remembered by the ledger; the hall itself does nothing with it."""


def check_limits(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that the limits break: code and place."""
    limits = c.limits
    if not _WALL_TIME.fullmatch(limits.afternoon_from):
        yield "not_a_wall_time", "limits.afternoon_from"
    if limits.numbers_per_person is not None and limits.numbers_per_person < 1:
        yield "limit_not_positive", "limits.numbers_per_person"
    if limits.flag_device_s < 1:
        yield "limit_not_positive", "limits.flag_device_s"
    if limits.flag_device_numbers > WITHOUT_CARD_KEPT:
        yield "limit_too_high", "limits.flag_device_numbers"
    for name in ("stop_before_close_minutes", "flag_person_numbers", "flag_device_numbers"):
        if getattr(limits, name) < 0:
            yield "negative", f"limits.{name}"
    for service in c.services:
        if any(limit is not None and limit < 0 for limit in (service.quota.morning, service.quota.afternoon)):
            yield "negative", f"services[{service.id}].quota"


def instant_text(instant: datetime | None) -> str:
    """RFC 3339 in UTC, for the parameters of a refusal; empty where there is no such instant."""
    return "" if instant is None else instant.isoformat(timespec="seconds")


DECIDE: dict[type, Callable[["Hall", Any, datetime], Outcome]] = {}
EVOLVE = {RepetitionFlagged: flagged}
