"""Numbers taken offline join: by the time at which they were taken, on their own business day, each once.

Nothing is refused here that a person already holds on paper. A number whose day is over is recorded as expired (or
waits on, where the hall carries numbers over). A number that is in somebody else's hand already gets a new one: two
machines gave it out, and staff must find its holder. The machines are stopped, unless one was renewed since: staff have
chosen it, and what it still tells of the time before is no news.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.admission import is_person
from queue_server.hall.base import Command, Event, Outcome, Why
from queue_server.hall.day import TicketExpired, outlives
from queue_server.hall.limits import RepetitionFlagged
from queue_server.hall.numbers import next_serial
from queue_server.hall.offline_granting import OfflineHoldersClashed
from queue_server.hall.tickets import Issue, Number, TicketIssued, ticket_issued

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration, Queue, Service
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class JoinOffline(Command):
    """A terminal tells of a number that it gave while the hall was away.

    `ticket` and `follow_token` are the terminal's own; `number` is as printed, made of `prefix` and `serial`; `lease`
    names the block that it comes from (None: the terminal's own series). `taken_at` is the terminal's best knowledge,
    wrong by `uncertain_s` seconds at most; `business_date` is the date at that instant.
    """

    visit: str
    ticket: str
    step: str
    follow_token: str
    service: str
    queue: str
    number: str
    prefix: str
    serial: int
    lease: str | None
    business_date: date
    taken_at: datetime
    uncertain_s: int
    priority_class: str = "ordinary"
    person: str | None = None
    device: str


@dataclass(frozen=True, kw_only=True)
class OfflineTicketRefused(Event):
    """A number taken offline that the hall has no line for any more; staff must find its holder."""

    kind: ClassVar[str] = "offline_ticket_refused"

    device: str
    number: str
    service: str


def opens_day(hall: "Hall", command: JoinOffline, now: datetime) -> bool:
    """Whether the number is the first of a business day that nobody has opened yet."""
    today = hall.configuration.business_date(now)
    day = hall.store.open_day
    return command.business_date >= today and not hall.store.is_past(today) and (day is None or day < today)


def join_offline(hall: "Hall", command: JoinOffline, now: datetime) -> Outcome:
    """Raises nothing and refuses only what cannot be understood."""
    if command.person is not None and not is_person(command.person):
        return refusals.PersonNotKeyed()
    if command.ticket in hall.store.tickets:
        return ()
    found = _line(hall.configuration, command)
    if found is None:
        return (
            OfflineTicketRefused(
                at=now,
                by=command.by,
                why=Why("service_gone", {"number": command.number}),
                device=command.device,
                number=command.number,
                service=command.service,
            ),
        )
    service, queue = found
    day = min(command.business_date, hall.business_date(now))
    issue = _issue(hall, command, service, now)
    if _is_taken(hall, command):
        issued = _with_new_number(hall, issue, queue, now)
    else:
        number = Number(command.number, command.prefix, command.serial, (), day)
        issued = ticket_issued(hall, issue, queue.id, number, now)
    late = command.uncertain_s > hall.configuration.offline.tolerance_s
    why = Why("taken_offline_uncertain" if late else "taken_offline", {"uncertain_s": command.uncertain_s})
    issued = replace(issued, why=why, printed=command.number, lease=command.lease)
    events: tuple[Event, ...] = (issued, *_consequences(hall, command, issued, service, now))
    if _is_over(hall, day, now):
        events += (
            TicketExpired(
                at=now,
                by=command.by,
                why=Why("joined_after_day_end"),
                ticket=issued.ticket,
                step=issued.step,
                session=None,
            ),
        )
    return events


def _line(configuration: "HallConfiguration", command: JoinOffline) -> "tuple[Service, Queue] | None":
    """Where the number waits; a service that is gone since is replaced by another one of the same queue."""
    service = configuration.service(command.service) or next(
        (service for service in configuration.services if service.queue == command.queue), None
    )
    queue = configuration.queue(service.queue) if service else None
    return (service, queue) if service and queue else None


def _issue(hall: "Hall", command: JoinOffline, service: "Service", now: datetime) -> Issue:
    """What the person would have asked for; placed by the time of taking, or the latest time it can have been."""
    configuration = hall.configuration
    known = configuration.priority_class(command.priority_class) is not None
    taken_at = min(command.taken_at, now)
    late = command.uncertain_s > configuration.offline.tolerance_s
    latest = min(now, taken_at + timedelta(seconds=command.uncertain_s)) if late else taken_at
    return Issue(
        by=command.by,
        visit=command.visit,
        ticket=command.ticket,
        step=command.step,
        service=service.id,
        follow_token=command.follow_token,
        priority_class=command.priority_class if known else "ordinary",
        person=command.person,
        device=command.device,
        arrived_at=taken_at,
        uncertain_s=command.uncertain_s,
        accrues_from=latest,
    )


def _is_taken(hall: "Hall", command: JoinOffline) -> bool:
    """Whether the printed number is another ticket's, or was never in this machine's hand."""
    store = hall.store
    if (command.prefix, command.serial) in store.live_numbers:
        return True
    if store.is_forgotten(command.business_date):
        return False
    if command.number in store.offline.joined.get(command.business_date, {}):
        return True
    if command.lease is not None:
        lease = store.offline.leases.get(command.lease)
        return lease is None or lease.device != command.device or command.serial not in lease.bound
    return any(own.prefix == command.prefix and own.device != command.device for own in store.offline.series.values())


def _with_new_number(hall: "Hall", issue: Issue, queue: "Queue", now: datetime) -> TicketIssued:
    """A number of the open day for a slip whose number is in two hands; beyond the range if need be."""
    day = hall.business_date(now)
    given = next_serial(hall.store, queue, day)
    serial, skipped = given or (max(hall.store.series.get(day, {}).get(queue.prefix, 0), queue.limit) + 1, ())
    return ticket_issued(hall, issue, queue.id, Number(queue.number(serial), queue.prefix, serial, skipped, day), now)


def _consequences(
    hall: "Hall", command: JoinOffline, issued: TicketIssued, service: "Service", now: datetime
) -> tuple[Event, ...]:
    found: tuple[Event, ...] = ()
    last = hall.configuration.offline.last
    given_up = hall.store.offline.is_given_up(command.device, command.serial, command.lease, last)
    if issued.number != command.number and not given_up:
        found += (
            OfflineHoldersClashed(
                at=now,
                by=command.by,
                why=Why("number_held_twice", {"printed": command.number, "number": issued.number}),
                device=command.device,
                sign="number_twice",
                number=command.number,
            ),
        )
    held = hall.store.live_tickets_of(command.person) if command.person else []
    if any(ticket.service == service.id for ticket in held):
        found += (
            RepetitionFlagged(
                at=now,
                by=command.by,
                why=Why("repetition_offline", {"number": issued.number}),
                pattern="offline",
                ticket=issued.ticket,
                number=issued.number,
                count=len(held) + 1,
                device=command.device,
                person=command.person,
            ),
        )
    return found


def _is_over(hall: "Hall", day: date, now: datetime) -> bool:
    """Whether nobody of that business day is called any more."""
    today = hall.business_date(now)
    if hall.store.open_day == day:
        return False
    if day == today:
        return hall.store.is_past(day) and not outlives(hall.configuration, day, day)
    return not outlives(hall.configuration, day, today - timedelta(days=1))


def refused(_store: "Store", _event: OfflineTicketRefused) -> None:
    """Remembered by the ledger, for the alert and for whoever looks for the person."""


DECIDE = {JoinOffline: join_offline}
EVOLVE = {OfflineTicketRefused: refused}
