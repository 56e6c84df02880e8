"""Calling: next, this one, recall."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Outcome, Refusal, Why
from queue_server.hall.calls import Call
from queue_server.hall.choice import Choice, Considered, pick
from queue_server.hall.counters import CounterSession, SessionCommand, StepEvent, at_counter, seen_session, still_busy
from queue_server.hall.handling import within_reach
from queue_server.hall.states import AT_COUNTER, Act, after
from queue_server.hall.turns import take_turn
from queue_server.hall.visits import act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class CallNext(SessionCommand):
    call: str


@dataclass(frozen=True, kw_only=True)
class CallTicket(SessionCommand):
    """Call this one, out of order; the trail says who chose it."""

    ticket: str
    call: str


@dataclass(frozen=True, kw_only=True)
class Recall(SessionCommand):
    """Call the same ticket once more, under a call id of its own."""

    call: str


@dataclass(frozen=True, kw_only=True)
class TicketCalled(StepEvent):
    """`considered`: the heads that were compared, best first. `revision`: the configuration whose rule chose.

    `turn`: the classes that took part in the ratio's turn, where one decided.
    """

    kind: ClassVar[str] = "ticket_called"

    call: str
    number: str
    counter_number: str
    zone: str
    considered: tuple[Considered, ...]
    revision: int
    turn: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TicketRecalled(StepEvent):
    """`times`: how often the ticket has been recalled now."""

    kind: ClassVar[str] = "ticket_recalled"

    call: str
    number: str
    counter_number: str
    zone: str
    times: int


def call_next(hall: "Hall", command: CallNext, now: datetime) -> Outcome:
    session = _free_session(hall, command)
    if isinstance(session, Refusal):
        return session
    choice = pick(hall, session, now)
    if choice is None:
        return refusals.NobodyWaiting()
    return _called(hall, session, command, choice, now)


def call_ticket(hall: "Hall", command: CallTicket, now: datetime) -> Outcome:
    session = _free_session(hall, command)
    if isinstance(session, Refusal):
        return session
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if ticket.state in AT_COUNTER:
        return refusals.TicketAlreadyCalled(number=ticket.number, counter=hall.counter_number(ticket))
    if after(ticket.state, Act.CALL) is None:
        return refusals.TicketNotWaiting(number=ticket.number, state=ticket.state.value)
    if not within_reach(hall, session, ticket):
        return refusals.TicketNotForCounter(number=ticket.number, queue=ticket.queue)
    best = pick(hall, session, now)
    params: dict[str, str | int] = {"number": ticket.number, "clerk": command.by.id}
    why = Why("chosen_by_clerk", params)
    if best is not None and best.ticket is not ticket:
        why = Why("chosen_over", params | {"other": best.ticket.number})
    choice = Choice(ticket=ticket, why=why, considered=best.considered if best else ())
    return _called(hall, session, command, choice, now)


def recall(hall: "Hall", command: Recall, now: datetime) -> Outcome:
    found = at_counter(hall, command, Act.RECALL)
    if isinstance(found, Refusal):
        return found
    session, ticket = found
    counter, rules = hall.configuration.counter(session.counter), hall.configuration.rules
    if ticket.step.calls > rules.recall_limit:
        return refusals.RecallLimitReached(number=ticket.number, limit=rules.recall_limit)
    last = ticket.step.last_call_at
    left = last + timedelta(seconds=rules.recall_interval_s) - now if last and now >= last else timedelta(0)
    if left > timedelta(0):
        return refusals.RecallTooSoon(number=ticket.number, retry_after=left.total_seconds())
    if hall.call(command.call) is not None:
        return refusals.IdAlreadyUsed(id=command.call)
    if counter is None:
        return refusals.CounterUnknown(counter=session.counter)
    return (
        TicketRecalled(
            at=now,
            by=command.by,
            why=Why("recalled", {"number": ticket.number, "times": ticket.step.calls}),
            ticket=ticket.id,
            step=ticket.step.id,
            session=session.id,
            counter=counter.id,
            call=command.call,
            number=ticket.number,
            counter_number=counter.number,
            zone=counter.zone,
            times=ticket.step.calls,
        ),
    )


def _free_session(hall: "Hall", command: CallNext | CallTicket) -> CounterSession | Refusal:
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    if hall.call(command.call) is not None:
        return refusals.IdAlreadyUsed(id=command.call)
    if session.paused_since is not None:
        return refusals.CounterPaused(counter=session.counter)
    return still_busy(hall, session) or session


def _called(
    hall: "Hall", session: CounterSession, command: CallNext | CallTicket, choice: Choice, now: datetime
) -> Outcome:
    counter = hall.configuration.counter(session.counter)
    if counter is None:
        return refusals.CounterUnknown(counter=session.counter)
    ticket = choice.ticket
    return (
        TicketCalled(
            at=now,
            by=command.by,
            why=choice.why,
            ticket=ticket.id,
            step=ticket.step.id,
            session=session.id,
            counter=counter.id,
            call=command.call,
            number=ticket.number,
            counter_number=counter.number,
            zone=counter.zone,
            considered=choice.considered,
            revision=hall.configuration.revision,
            turn=choice.turn,
        ),
    )


def called(store: "Store", event: TicketCalled) -> None:
    store.occupy_session(event.session, event.ticket)
    ticket = act(
        store,
        event.ticket,
        Act.CALL,
        session=event.session,
        counter=event.counter,
        calls=1,
        called_at=event.at,
        last_call_at=event.at,
        turn=event.turn,
    )
    if event.turn:
        take_turn(store.turns, store.shares, event.turn, ticket.priority_class)
    _announce(store, event, recall=False)


def recalled(store: "Store", event: TicketRecalled) -> None:
    act(store, event.ticket, Act.RECALL, calls=event.times + 1, last_call_at=event.at)
    store.touch_session(event.session)
    _announce(store, event, recall=True)


def _announce(store: "Store", event: TicketCalled | TicketRecalled, *, recall: bool) -> None:
    store.note_call(
        Call(
            id=event.call,
            ticket=event.ticket,
            number=event.number,
            counter=event.counter,
            counter_number=event.counter_number,
            zone=event.zone,
            at=event.at,
            recall=recall,
        )
    )


DECIDE = {
    CallNext: call_next,
    CallTicket: call_ticket,
    Recall: recall,
}
EVOLVE = {
    TicketCalled: called,
    TicketRecalled: recalled,
}
