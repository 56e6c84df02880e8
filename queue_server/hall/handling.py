"""Handling a ticket outside of call and service: who may do it, and the step that follows the one that ends.

A clerk handles the ticket at their own counter, and those that wait, are held or were missed in the queues that their
counter is able to serve, unless they are for another counter or clerk. Managers handle any.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal
from queue_server.hall.states import StepState
from queue_server.hall.visits import Addressee, Origin, Step, Ticket

if TYPE_CHECKING:
    from queue_server.hall.counters import CounterSession
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class TicketCommand(Command):
    """An act on a ticket; `seen` is the version of the ticket that its maker saw."""

    ticket: str
    seen: int


@dataclass(frozen=True, kw_only=True)
class StepOpened(Event):
    """The next step of a visit begins: waiting, or (with `session`) in service at once. `planned`: what follows it."""

    kind: ClassVar[str] = "step_opened"

    ticket: str
    step: str
    service: str
    queue: str
    origin: Origin
    order_key: int
    addressee: Addressee | None = None
    deferred: bool = False
    planned: tuple[str, ...] = ()
    session: str | None = None
    counter: str | None = None


def handled(hall: "Hall", command: TicketCommand) -> Ticket | Refusal:
    """The ticket as its handler saw it, where they may handle it."""
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if command.seen != ticket.version:
        return refusals.StaleVersion(seen=command.seen, now=ticket.version)
    return (_not_by_clerk(hall, command.by.id, ticket) if command.by.kind == "clerk" else None) or ticket


def _not_by_clerk(hall: "Hall", clerk: str, ticket: Ticket) -> Refusal | None:
    session = hall.session_of(clerk)
    if session is None:
        return refusals.NotOnDuty(clerk=clerk)
    if ticket.at_session not in (None, session.id):
        return refusals.TicketAtOtherCounter(number=ticket.number, counter=hall.counter_number(ticket))
    if ticket.at_session is None and not within_reach(hall, session, ticket):
        return refusals.TicketNotForCounter(number=ticket.number, queue=ticket.queue)
    return None


def within_reach(hall: "Hall", session: "CounterSession", ticket: Ticket) -> bool:
    """Whether a session may call or handle a ticket that is at no counter."""
    step = ticket.step
    for_whom = {StepState.HELD: step.pool, StepState.WAITING: step.addressee}.get(step.state)
    mine = (None, Addressee("counter", session.counter), Addressee("clerk", session.clerk))
    return for_whom in mine and step.queue in hall.configuration.class_queues(session.counter)


def addressee_refusal(hall: "Hall", addressee: Addressee | None, queue: str) -> Refusal | None:
    """Why a ticket of a queue cannot be left to this counter or clerk; None where it can."""
    if addressee is None:
        return None
    if addressee.kind == "counter":
        if hall.configuration.counter(addressee.id) is None:
            return refusals.CounterUnknown(counter=addressee.id)
        session = hall.session_at(addressee.id)
        if session is None:
            return refusals.CounterNotOpen(counter=addressee.id)
    else:
        session = hall.session_of(addressee.id)
        if session is None:
            return refusals.NotOnDuty(clerk=addressee.id)
    if queue not in hall.configuration.class_queues(session.counter):
        return refusals.QueueNotOfCounter(queue=queue, counter=session.counter)
    return None


def next_step_id(ticket: Ticket, more: int = 1) -> str:
    """The id of the step that follows: the ticket's and a number, so that nobody has to make one up."""
    return f"{ticket.id}.{len(ticket.steps) + more}"


def step_opened(store: "Store", event: StepOpened) -> None:
    ticket = store.tickets.get(event.ticket)
    if ticket is None or event.step in {step.id for step in ticket.steps}:
        raise CorruptHistory(f"step {event.step} opened for ticket {event.ticket}")
    step = Step(
        id=event.step,
        service=event.service,
        queue=event.queue,
        origin=event.origin,
        order_key=event.order_key,
        opened_at=event.at,
        addressee=event.addressee,
        deferred=event.deferred,
    )
    if event.session is not None:
        step = replace(
            step,
            state=StepState.SERVING,
            session=event.session,
            counter=event.counter,
            calls=1,
            called_at=event.at,
            last_call_at=event.at,
            started_at=event.at,
        )
    steps = (*ticket.steps, step)
    store.put_ticket(replace(ticket, steps=steps, planned=event.planned, version=ticket.version + 1))
    if event.session is not None:
        store.occupy_session(event.session, event.ticket)


DECIDE: dict[type[Command], Callable[..., Outcome]] = {}
EVOLVE = {StepOpened: step_opened}
