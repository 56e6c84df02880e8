"""Visits, tickets and steps: taking a number, withdrawing it, cancelling it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from queue_server.hall import limits, opening, refusals
from queue_server.hall.admission import class_refusal, is_person, visit_refusal
from queue_server.hall.appointments import CITIZEN_LEFT, given_up, reopen
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why, quick
from queue_server.hall.handling import TicketCommand
from queue_server.hall.numbers import next_serial
from queue_server.hall.placing import key_at, key_now
from queue_server.hall.states import Act, after
from queue_server.hall.visits import Step, Ticket, Visit, act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


class Number(NamedTuple):
    """A number to give: as it is printed, and its place in the series of its prefix on a business day."""

    text: str
    prefix: str
    serial: int
    skipped: tuple[int, ...]
    business_date: date


@quick
class Issue(Command):
    """Take a number for a service; `follow_token` opens the ticket's live page.

    `planned`: further services of the same visit. `arrived_at`: when the person came, where that is not now (a number
    taken offline; `uncertain_s` says by how much the clock that says so may be wrong). `accrues_from`: from when the
    ticket accrues priority, where that is not its arrival (an appointment); until then it is not called.
    """

    visit: str
    ticket: str
    step: str
    service: str
    follow_token: str
    priority_class: str = "ordinary"
    evidence: str | None = None
    planned: tuple[str, ...] = ()
    companions: int = 0
    person: str | None = None
    device: str | None = None
    appointment: str | None = None
    client: str | None = None
    booked_for: datetime | None = None
    arrived_at: datetime | None = None
    uncertain_s: int = 0
    accrues_from: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Withdraw(Command):
    """The citizen left before the answer came, or goes without being served. Of no effect once service began."""

    ticket: str


@dataclass(frozen=True, kw_only=True)
class CancelTicket(TicketCommand):
    """Staff void a ticket."""


@quick
class TicketIssued(Event):
    """A number is given. `skipped`: serials passed over because a number of an earlier day still lives.

    `accrues_from`: the instant of the order key, where it is not the event's own.
    """

    kind: ClassVar[str] = "ticket_issued"

    visit: str
    ticket: str
    step: str
    service: str
    queue: str
    priority_class: str
    number: str
    prefix: str
    serial: int
    skipped: tuple[int, ...]
    business_date: date
    order_key: int
    follow_token: str
    device: str | None
    person: str | None
    evidence: str | None = None
    planned: tuple[str, ...] = ()
    companions: int = 0
    appointment: str | None = None
    client: str | None = None
    booked_for: datetime | None = None
    arrived_at: datetime | None = None
    uncertain_s: int = 0
    accrues_from: datetime | None = None
    deferred: bool = False
    may_close_at: datetime | None = None
    """The closing time before which the person may not be reached, as told to them."""
    printed: str | None = None
    """The number on a slip that was given offline; where `number` differs, the printed one was in other hands."""
    lease: str | None = None
    """The block of numbers that it comes from; None: the terminal's own series, or the queue's."""


@dataclass(frozen=True, kw_only=True)
class TicketCancelled(Event):
    """A ticket is void; a counter session that had called it is free again."""

    kind: ClassVar[str] = "ticket_cancelled"

    ticket: str
    step: str
    session: str | None


def issue(hall: "Hall", command: Issue, now: datetime) -> Outcome:
    store, configuration = hall.store, hall.configuration
    service = configuration.service(command.service)
    queue = configuration.queue(service.queue) if service else None
    day = store.open_day
    if service is None or queue is None:
        return refusals.ServiceUnknown(service=command.service)
    if day is None:
        return refusals.DayNotOpen(business_date=str(configuration.business_date(now)))
    if refusal := _malformed(hall, command) or limits.refusal(hall, service, queue, command, now):
        return refusal
    without_counter = configuration.rules.close_when_no_counter and command.appointment is None
    if without_counter and not hall.serving(queue.id).sessions:
        opens_at = limits.instant_text(opening.opens_next(configuration, service, now))
        return refusals.ServiceClosed(service=service.id, opens_at=opens_at)
    given = next_serial(store, queue, day)
    if given is None:
        return refusals.NumbersExhausted(queue=queue.id, last=queue.last)
    serial, skipped = given
    number = Number(queue.number(serial), queue.prefix, serial, skipped, day)
    event = ticket_issued(
        hall, command, queue.id, number, now, may_close_at=limits.may_close_at(hall, service, queue, now)
    )
    return (event, *limits.repetitions(hall, command, now, event.ticket, event.number))


def ticket_issued(
    hall: "Hall", command: Issue, queue: str, number: Number, now: datetime, *, may_close_at: datetime | None = None
) -> TicketIssued:
    """The event that gives `number` to an admissible command, in its place."""
    store = hall.store
    arrived_at = None if command.arrived_at is None else min(command.arrived_at, now)
    accrues_from = command.accrues_from or arrived_at
    return TicketIssued(
        at=now,
        by=command.by,
        why=Why("requested"),
        visit=command.visit,
        ticket=command.ticket,
        step=command.step,
        service=command.service,
        queue=queue,
        priority_class=command.priority_class,
        number=number.text,
        prefix=number.prefix,
        serial=number.serial,
        skipped=number.skipped,
        business_date=number.business_date,
        order_key=key_now(store, now) if accrues_from is None else key_at(store, accrues_from),
        follow_token=command.follow_token,
        device=command.device,
        person=command.person,
        evidence=command.evidence,
        planned=command.planned,
        companions=command.companions,
        appointment=command.appointment,
        client=command.client,
        booked_for=command.booked_for,
        arrived_at=arrived_at,
        uncertain_s=command.uncertain_s,
        accrues_from=accrues_from,
        deferred=accrues_from is not None and accrues_from > now,
        may_close_at=may_close_at,
    )


def _malformed(hall: "Hall", command: Issue) -> Refusal | None:
    store = hall.store
    if refused := class_refusal(hall.configuration, command.by, command.priority_class, command.evidence):
        return refused
    if (command.planned or command.companions) and (
        refused := visit_refusal(hall.configuration, command.planned, command.companions)
    ):
        return refused
    if command.person is not None and not is_person(command.person):
        return refusals.PersonNotKeyed()
    if command.visit in store.visits and command.ticket not in store.tickets:
        return refusals.IdAlreadyUsed(id=command.visit)
    if command.ticket in store.tickets or command.follow_token in store.ticket_by_token:
        return refusals.IdAlreadyUsed(id=command.ticket)  # the token itself opens a page and is not repeated
    return None


def withdraw(hall: "Hall", command: Withdraw, now: datetime) -> Outcome:
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if after(ticket.state, Act.CANCEL) is None:
        return ()
    withdrawn = _cancelled(ticket, command, now, CITIZEN_LEFT)
    return withdrawn, *(given_up(hall, ticket.appointment, command, now) if ticket.appointment is not None else ())


def cancel_ticket(hall: "Hall", command: CancelTicket, now: datetime) -> Outcome:
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if command.seen != ticket.version:
        return refusals.StaleVersion(seen=command.seen, now=ticket.version)
    if ticket.finished:
        return refusals.TicketFinished(number=ticket.number, state=ticket.state.value)
    if after(ticket.state, Act.CANCEL) is None:
        return refusals.TicketStillServed(number=ticket.number)
    return (_cancelled(ticket, command, now, "cancelled_by_staff"),)


def _cancelled(ticket: Ticket, command: Command, now: datetime, reason: str) -> TicketCancelled:
    return TicketCancelled(
        at=now, by=command.by, why=Why(reason), ticket=ticket.id, step=ticket.step.id, session=ticket.at_session
    )


def issued(store: "Store", event: TicketIssued) -> None:
    if event.ticket in store.tickets:
        raise CorruptHistory(f"ticket issued twice: {event.ticket}")
    step = Step(
        id=event.step,
        service=event.service,
        queue=event.queue,
        order_key=event.order_key,
        opened_at=event.arrived_at or event.at,
        deferred=event.deferred,
    )
    store.visits[event.visit] = Visit(id=event.visit, ticket=event.ticket, began_at=event.at)
    if event.number != event.printed:
        store.note_serial(event.business_date, event.prefix, event.serial)
    if event.accrues_from is None:
        store.order_key = max(store.order_key, event.order_key)
    ticket = Ticket(
        id=event.ticket,
        visit=event.visit,
        number=event.number,
        prefix=event.prefix,
        serial=event.serial,
        business_date=event.business_date,
        priority_class=event.priority_class,
        evidence=event.evidence,
        arrived_at=event.arrived_at or event.at,
        follow_token=event.follow_token,
        device=event.device,
        person=event.person,
        steps=(step,),
        planned=event.planned,
        companions=event.companions,
        appointment=event.appointment,
        client=event.client,
        booked_for=event.booked_for,
        uncertain_s=event.uncertain_s,
        printed=event.printed,
    )
    if event.number == event.printed:
        store.note_offline(ticket, event.lease)
    store.put_ticket(ticket)
    store.tally.note(ticket, limits.half_of_ticket(store, ticket))


def cancelled(store: "Store", event: TicketCancelled) -> None:
    ticket = act(store, event.ticket, Act.CANCEL, ended_at=event.at)
    store.tally.give_back(ticket, limits.half_of_ticket(store, ticket))
    if ticket.appointment is not None and event.why.code == CITIZEN_LEFT:
        reopen(store, ticket.appointment)
    if event.session is not None:
        store.free_session(event.session, event.at)


DECIDE = {Issue: issue, Withdraw: withdraw, CancelTicket: cancel_ticket}
EVOLVE = {TicketIssued: issued, TicketCancelled: cancelled}
