"""What happens to a counter session between open and close: pause, another work profile, take-over by a supervisor."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.counters import CounterSession, SessionCommand, profile_refusal, seen_session, still_busy
from queue_server.hall.visits import Addressee

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class PauseCounter(SessionCommand):
    """Stop calling for a while; `reason` is one of the hall's."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ContinueCounter(SessionCommand):
    """Call again after a pause."""


@dataclass(frozen=True, kw_only=True)
class ChooseProfile(SessionCommand):
    """Work by another profile of the counter's class; None: the counter's own."""

    profile: str | None


@dataclass(frozen=True, kw_only=True)
class TakeOver(Command):
    """A supervisor takes a counter over, with whoever is called or served there; the other session is closed."""

    session: str
    counter: str


@dataclass(frozen=True, kw_only=True)
class SessionEvent(Event):
    """Something happened to a counter session that concerns no ticket."""

    session: str
    counter: str
    clerk: str


@dataclass(frozen=True, kw_only=True)
class CounterPaused(SessionEvent):
    kind: ClassVar[str] = "counter_paused"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CounterContinued(SessionEvent):
    kind: ClassVar[str] = "counter_continued"


@dataclass(frozen=True, kw_only=True)
class ProfileChosen(SessionEvent):
    kind: ClassVar[str] = "profile_chosen"

    profile: str | None


@dataclass(frozen=True, kw_only=True)
class CounterTakenOver(SessionEvent):
    """`session` and `clerk` are the new ones, `closed` and `from_clerk` those that end; `ticket` goes along."""

    kind: ClassVar[str] = "counter_taken_over"

    closed: str
    from_clerk: str
    ticket: str | None


def pause_counter(hall: "Hall", command: PauseCounter, now: datetime) -> Outcome:
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    if hall.configuration.pause_reason(command.reason) is None:
        return refusals.PauseReasonUnknown(reason=command.reason)
    if session.paused_since is not None:
        return refusals.CounterPaused(counter=session.counter)
    if busy := still_busy(hall, session):
        return busy
    why = Why("counter_paused", {"reason": command.reason})
    return (CounterPaused(**_about(session, command, now, why), reason=command.reason),)


def continue_counter(hall: "Hall", command: ContinueCounter, now: datetime) -> Outcome:
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    if session.paused_since is None:
        return refusals.CounterNotPaused(counter=session.counter)
    return (CounterContinued(**_about(session, command, now, Why("requested"))),)


def choose_profile(hall: "Hall", command: ChooseProfile, now: datetime) -> Outcome:
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    if refused := profile_refusal(hall, command.profile, session.counter):
        return refused
    if command.profile == session.profile:
        return ()
    return (ProfileChosen(**_about(session, command, now, Why("requested")), profile=command.profile),)


def take_over(hall: "Hall", command: TakeOver, now: datetime) -> Outcome:
    store, clerk = hall.store, command.by.id
    if hall.configuration.counter(command.counter) is None:
        return refusals.CounterUnknown(counter=command.counter)
    session = store.session_at(command.counter)
    if session is None:
        return refusals.CounterNotOpen(counter=command.counter)
    if command.by.kind != "manager":
        return refusals.TakeOverNotAllowed(counter=command.counter)
    if command.session in store.sessions:
        return refusals.IdAlreadyUsed(id=command.session)
    if elsewhere := store.session_of(clerk):
        return refusals.ClerkAtOtherCounter(counter=elsewhere.counter, session=elsewhere.id)
    return (
        CounterTakenOver(
            at=now,
            by=command.by,
            why=Why("taken_over", {"clerk": clerk}),
            session=command.session,
            counter=command.counter,
            clerk=clerk,
            closed=session.id,
            from_clerk=session.clerk,
            ticket=session.ticket,
        ),
    )


def paused(store: "Store", event: CounterPaused) -> None:
    _change(store, event.session, paused_since=event.at, pause_reason=event.reason)


def continued(store: "Store", event: CounterContinued) -> None:
    _change(store, event.session, paused_since=None, pause_reason=None)


def profile_chosen(store: "Store", event: ProfileChosen) -> None:
    _change(store, event.session, profile=event.profile)


def taken_over(store: "Store", event: CounterTakenOver) -> None:
    old = store.open_session(event.closed)
    if old.ticket != event.ticket or event.session in store.sessions or store.session_of(event.clerk):
        raise CorruptHistory(f"counter session {event.session} takes over {event.closed} as it was not")
    store.put_session(replace(old, ticket=None, closed_at=event.at, free_since=None, version=old.version + 1))
    store.release_addressed(Addressee("clerk", event.from_clerk))
    store.put_session(
        CounterSession(
            id=event.session,
            counter=event.counter,
            clerk=event.clerk,
            opened_at=event.at,
            profile=old.profile,
            ticket=event.ticket,
            free_since=None if event.ticket else event.at,
        )
    )
    if event.ticket is not None:
        ticket = store.tickets[event.ticket]
        step = replace(ticket.step, session=event.session)
        store.put_ticket(replace(ticket, steps=(*ticket.steps[:-1], step), version=ticket.version + 1))


def _about(session: CounterSession, command: Command, now: datetime, why: Why) -> dict[str, Any]:
    return {
        "at": now,
        "by": command.by,
        "why": why,
        "session": session.id,
        "counter": session.counter,
        "clerk": session.clerk,
    }


def _change(store: "Store", session_id: str, **changes: object) -> None:
    session = store.open_session(session_id)
    store.put_session(replace(session, version=session.version + 1, **changes))  # type: ignore[arg-type]  # field names checked by replace


DECIDE = {
    PauseCounter: pause_counter,
    ContinueCounter: continue_counter,
    ChooseProfile: choose_profile,
    TakeOver: take_over,
}
EVOLVE = {
    CounterPaused: paused,
    CounterContinued: continued,
    ProfileChosen: profile_chosen,
    CounterTakenOver: taken_over,
}
