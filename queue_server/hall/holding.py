"""Holding and parking: set aside with intent to go on. What is held is never called but by somebody's own hand.

A ticket is held by the hall, or parked with a counter or a clerk; who may see it there may call it or put it back into
its line, at the place that it had.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Event, Outcome, Refusal, Why
from queue_server.hall.handling import TicketCommand, addressee_refusal, handled
from queue_server.hall.states import Act, StepState, after
from queue_server.hall.visits import Addressee, act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class Hold(TicketCommand):
    """Set aside; `pool` None: any counter of its class may take it up again."""

    pool: Addressee | None = None


@dataclass(frozen=True, kw_only=True)
class Resume(TicketCommand):
    """Put a held ticket back into its line."""


@dataclass(frozen=True, kw_only=True)
class TicketHeld(Event):
    kind: ClassVar[str] = "ticket_held"

    ticket: str
    step: str
    session: str | None
    pool: Addressee | None


@dataclass(frozen=True, kw_only=True)
class TicketResumed(Event):
    kind: ClassVar[str] = "ticket_resumed"

    ticket: str
    step: str


def hold(hall: "Hall", command: Hold, now: datetime) -> Outcome:
    ticket = handled(hall, command)
    if isinstance(ticket, Refusal):
        return ticket
    if after(ticket.state, Act.HOLD) is None:
        return refusals.TicketNotHoldable(number=ticket.number, state=ticket.state.value)
    if hall.open_day is None:
        return refusals.DayNotOpen(business_date=str(hall.business_date(now)))
    if refused := addressee_refusal(hall, command.pool, ticket.queue):
        return refused
    return (
        TicketHeld(
            at=now,
            by=command.by,
            why=Why("held" if command.pool is None else "parked", {"number": ticket.number}),
            ticket=ticket.id,
            step=ticket.step.id,
            session=ticket.at_session,
            pool=command.pool,
        ),
    )


def resume(hall: "Hall", command: Resume, now: datetime) -> Outcome:
    ticket = handled(hall, command)
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.state is not StepState.HELD:
        return refusals.TicketNotHeld(number=ticket.number, state=ticket.state.value)
    return (
        TicketResumed(
            at=now,
            by=command.by,
            why=Why("resumed", {"number": ticket.number}),
            ticket=ticket.id,
            step=ticket.step.id,
        ),
    )


def held(store: "Store", event: TicketHeld) -> None:
    act(
        store,
        event.ticket,
        Act.HOLD,
        session=None,
        counter=None,
        turn=(),
        held_at=event.at,
        pool=event.pool,
    )
    if event.session is not None:
        store.free_session(event.session, event.at)


def resumed(store: "Store", event: TicketResumed) -> None:
    act(
        store,
        event.ticket,
        Act.RESUME,
        calls=0,
        called_at=None,
        last_call_at=None,
        started_at=None,
        held_at=None,
        pool=None,
    )


DECIDE = {Hold: hold, Resume: resume}
EVOLVE = {TicketHeld: held, TicketResumed: resumed}
