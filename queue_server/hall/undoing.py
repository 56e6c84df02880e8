"""Undo: a mistaken call, completion or no-show is taken back within a minute, as an event of its own.

It takes back the last of these acts of a counter session. Everything is as it was before: the place in line, the
counter's ticket, the services that follow, the ratio's turns and the observed times.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from queue_server.hall import refusals
from queue_server.hall.base import CorruptHistory, Outcome, Refusal, Why
from queue_server.hall.counters import CounterSession, SessionCommand, StepEvent, seen_session
from queue_server.hall.states import Act, StepState, after
from queue_server.hall.turns import give_turn_back
from queue_server.hall.visits import Step, Ticket, act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

Undone = Literal["call", "completion", "no_show"]


@dataclass(frozen=True, kw_only=True)
class Undo(SessionCommand):
    """Take back the session's last call, completion or no-show."""


@dataclass(frozen=True, kw_only=True)
class ActUndone(StepEvent):
    """`step`: the one that is as before; steps that had followed it are gone."""

    kind: ClassVar[str] = "act_undone"

    number: str
    undone: Undone


def undo(hall: "Hall", command: Undo, now: datetime) -> Outcome:
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    found = undoable(hall, session)
    if found is None:
        return refusals.NothingToUndo()
    ticket, step, undone, when = found
    within = hall.configuration.rules.undo_s
    if now > when + timedelta(seconds=within):
        return refusals.UndoTooLate(number=ticket.number, within=within)
    return (
        ActUndone(
            at=now,
            by=command.by,
            why=Why(f"undone_{undone}", {"number": ticket.number}),
            ticket=ticket.id,
            step=step.id,
            session=session.id,
            counter=session.counter,
            number=ticket.number,
            undone=undone,
        ),
    )


def undoable(hall: "Hall", session: CounterSession) -> tuple[Ticket, Step, Undone, datetime] | None:
    """What of a session's acts could be undone, and when it was done; None where nothing can."""
    ticket = hall.ticket(session.ticket or session.last_ticket or "")
    if ticket is None:
        return None
    if session.ticket is not None:
        called = ticket.step
        return (ticket, called, "call", called.called_at) if _is_called(called) and called.called_at else None
    if hall.open_day is None or ticket.business_date != hall.open_day:
        return None
    step = ticket.step
    if step.state is StepState.WAITING and len(ticket.steps) > 1 and step.origin in ("next_service", "came_back"):
        step = ticket.steps[-2]
    if step.session != session.id or step.ended_at is None:
        return None
    if after(step.state, Act.UNDO_COMPLETE):
        return ticket, step, "completion", step.ended_at
    return (ticket, step, "no_show", step.ended_at) if after(step.state, Act.UNDO_MISS) else None


def _is_called(step: Step) -> bool:
    return step.state is StepState.CALLED


def undone(store: "Store", event: ActUndone) -> None:
    if event.undone == "call":
        _uncall(store, event)
    else:
        _return_to_counter(store, event)


def _uncall(store: "Store", event: ActUndone) -> None:
    ticket = store.tickets[event.ticket]
    step = ticket.step
    if step.turn:
        give_turn_back(store.turns, store.shares, step.turn, ticket.priority_class)
    was_held = step.held_at is not None
    act(
        store,
        event.ticket,
        Act.HOLD if was_held else Act.UNDO_CALL,
        session=None,
        counter=None,
        calls=0,
        called_at=None,
        last_call_at=None,
        turn=(),
    )
    store.forget_calls(event.ticket, step.calls)
    session = store.open_session(event.session)
    store.put_session(replace(session, ticket=None, free_since=event.at, version=session.version + 1))


def _return_to_counter(store: "Store", event: ActUndone) -> None:
    ticket = store.tickets[event.ticket]
    if ticket.step.id != event.step:
        ticket = store.drop_last_step(ticket)
    step = ticket.step
    if step.id != event.step or step.ended_at is None:
        raise CorruptHistory(f"step {event.step} of ticket {event.ticket} is not the one to go back to")
    act(
        store,
        event.ticket,
        Act.UNDO_COMPLETE if event.undone == "completion" else Act.UNDO_MISS,
        ended_at=None,
    )
    if step.called_at is not None and step.ended_at >= step.called_at:
        store.forget_counter_time(ticket.queue, step.ended_at - step.called_at)
    store.occupy_session(event.session, event.ticket)


DECIDE = {Undo: undo}
EVOLVE = {ActUndone: undone}
