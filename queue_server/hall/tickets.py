"""Visits, tickets and steps: taking a number, withdrawing it, cancelling it."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.numbers import next_serial
from queue_server.hall.states import AT_COUNTER, FINISHED, INITIAL, Act, StepState, after

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

_PERSON = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One service within a visit. `order_key` is the instant (µs since 1970) from which it accrues, made unique."""

    id: str
    service: str
    queue: str
    order_key: int
    state: StepState = INITIAL
    session: str | None = None
    counter: str | None = None
    calls: int = 0
    """How often it was called, recalls included."""
    called_at: datetime | None = None
    last_call_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A number and the steps that it stands for; its state is its current (last) step's."""

    id: str
    visit: str
    number: str
    prefix: str
    serial: int
    business_date: date
    priority_class: str
    arrived_at: datetime
    follow_token: str
    device: str | None
    person: str | None
    """HMAC-SHA256 of the person, made in the terminal; never an ID number."""
    steps: tuple[Step, ...]
    version: int = 1

    @property
    def step(self) -> Step:
        return self.steps[-1]

    @property
    def state(self) -> StepState:
        return self.step.state

    @property
    def service(self) -> str:
        return self.step.service

    @property
    def queue(self) -> str:
        return self.step.queue

    @property
    def at_session(self) -> str | None:
        """The counter session that calls or serves it now."""
        return self.step.session if self.state in AT_COUNTER else None

    @property
    def since(self) -> datetime:
        """When it came into its state."""
        step = self.step
        return step.ended_at or step.started_at or step.called_at or self.arrived_at

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True, kw_only=True)
class Visit:
    """The whole stay of one person: one ticket."""

    id: str
    ticket: str
    began_at: datetime


@dataclass(frozen=True, kw_only=True)
class Issue(Command):
    """Take a number for a service; `follow_token` opens the ticket's live page."""

    visit: str
    ticket: str
    step: str
    service: str
    follow_token: str
    priority_class: str = "ordinary"
    person: str | None = None
    device: str | None = None


@dataclass(frozen=True, kw_only=True)
class Withdraw(Command):
    """The citizen left before the answer came, or goes without being served. Of no effect once service began."""

    ticket: str


@dataclass(frozen=True, kw_only=True)
class CancelTicket(Command):
    """Staff void a ticket; `seen` is the ticket's version."""

    ticket: str
    seen: int


@dataclass(frozen=True, kw_only=True)
class TicketIssued(Event):
    """A number is given. `skipped`: serials passed over because a number of an earlier day still lives."""

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
    if refusal := _malformed(hall, command):
        return refusal
    if configuration.rules.close_when_no_counter and not hall.open_counters(queue.id):
        return refusals.ServiceClosed(service=service.id)
    given = next_serial(store, queue, day)
    if given is None:
        return refusals.NumbersExhausted(queue=queue.id, last=queue.last)
    serial, skipped = given
    return (
        TicketIssued(
            at=now,
            by=command.by,
            why=Why("requested"),
            visit=command.visit,
            ticket=command.ticket,
            step=command.step,
            service=service.id,
            queue=queue.id,
            priority_class=command.priority_class,
            number=queue.number(serial),
            prefix=queue.prefix,
            serial=serial,
            skipped=skipped,
            business_date=day,
            order_key=store.next_order_key(now),
            follow_token=command.follow_token,
            device=command.device,
            person=command.person,
        ),
    )


def _malformed(hall: "Hall", command: Issue) -> Refusal | None:
    store = hall.store
    if hall.configuration.priority_class(command.priority_class) is None:
        return refusals.PriorityClassUnknown(priority_class=command.priority_class)
    if command.person is not None and _PERSON.fullmatch(command.person) is None:
        return refusals.PersonNotKeyed()
    if command.ticket in store.tickets:
        return refusals.IdAlreadyUsed(id=command.ticket)
    if command.visit in store.visits:
        return refusals.IdAlreadyUsed(id=command.visit)
    if command.follow_token in store.ticket_by_token:
        return refusals.IdAlreadyUsed(id=command.ticket)  # the token itself opens a page and is not repeated
    return None


def withdraw(hall: "Hall", command: Withdraw, now: datetime) -> Outcome:
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if after(ticket.state, Act.CANCEL) is None:
        return ()
    return (_cancelled(ticket, command, now, "citizen_left"),)


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
    step = Step(id=event.step, service=event.service, queue=event.queue, order_key=event.order_key)
    store.visits[event.visit] = Visit(id=event.visit, ticket=event.ticket, began_at=event.at)
    store.note_serial(event.business_date, event.prefix, event.serial)
    store.order_key = max(store.order_key, event.order_key)
    store.put_ticket(
        Ticket(
            id=event.ticket,
            visit=event.visit,
            number=event.number,
            prefix=event.prefix,
            serial=event.serial,
            business_date=event.business_date,
            priority_class=event.priority_class,
            arrived_at=event.at,
            follow_token=event.follow_token,
            device=event.device,
            person=event.person,
            steps=(step,),
        )
    )


def cancelled(store: "Store", event: TicketCancelled) -> None:
    act(store, event.ticket, Act.CANCEL, ended_at=event.at)
    if event.session is not None:
        store.free_session(event.session, event.at)


def act(store: "Store", ticket_id: str, what: Act, **changes: object) -> Ticket:
    """Moves the ticket's current step by the transition table, with `changes` to the step; the ticket as it is now."""
    ticket = store.tickets.get(ticket_id)
    state = after(ticket.state, what) if ticket else None
    if ticket is None or state is None:
        raise CorruptHistory(f"{what.value} of ticket {ticket_id} in state {ticket.state if ticket else None}")
    step = replace(ticket.step, state=state, **changes)  # type: ignore[arg-type]  # field names checked by replace
    moved = replace(ticket, steps=(*ticket.steps[:-1], step), version=ticket.version + 1)
    store.put_ticket(moved)
    return moved


DECIDE = {Issue: issue, Withdraw: withdraw, CancelTicket: cancel_ticket}
EVOLVE = {TicketIssued: issued, TicketCancelled: cancelled}
