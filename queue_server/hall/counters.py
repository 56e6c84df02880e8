"""Counter sessions: one clerk at one counter, from open to close."""

import collections
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.states import Act, StepState, after
from queue_server.hall.visits import Addressee, Ticket

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class CounterSession:
    """One clerk at one counter. `version` grows with each event that touches it; `ticket` is called or served.

    `profile`: the work profile it was given; None: the counter's own. `last_ticket`: whom it served before, to undo.
    """

    id: str
    counter: str
    clerk: str
    opened_at: datetime
    profile: str | None = None
    version: int = 1
    ticket: str | None = None
    last_ticket: str | None = None
    paused_since: datetime | None = None
    pause_reason: str | None = None
    free_since: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """The open sessions that call from a queue, those that pause included, in the configuration's order, and what a
    forecast asks of them."""

    sessions: tuple[CounterSession, ...]
    numbers: tuple[str, ...]
    """Of their counters, in the same order."""
    free: int
    """How many could call somebody now."""
    shares: tuple[tuple[tuple[str, ...], int], ...]
    """How many of those that do not pause call from the same queues, by these queues; where all pause, of all."""

    @classmethod
    def of(cls, found: Iterable[tuple[CounterSession, str, tuple[str, ...]]]) -> "Serving":
        """From sessions with the number of their counter and the queues from which they call."""
        rows = tuple(found)
        # where all pause, they will go on: the wait is at least that of all of them
        calling = [row for row in rows if row[0].paused_since is None] or rows
        return cls(
            tuple(session for session, _, _ in rows),
            tuple(number for _, number, _ in rows if number),
            sum(session.ticket is None and session.paused_since is None for session, _, _ in rows),
            tuple(collections.Counter(queues for _, _, queues in calling).items()),
        )


@dataclass(frozen=True, kw_only=True)
class OpenCounter(Command):
    session: str
    counter: str
    clerk: str
    profile: str | None = None


@dataclass(frozen=True, kw_only=True)
class CloseCounter(Command):
    session: str


@dataclass(frozen=True, kw_only=True)
class SessionCommand(Command):
    """A clerk's act; `seen` is the version of the counter session that the clerk saw."""

    session: str
    seen: int


@dataclass(frozen=True, kw_only=True)
class CounterOpened(Event):
    """`profile` None: the counter's own."""

    kind: ClassVar[str] = "counter_opened"

    session: str
    counter: str
    clerk: str
    profile: str | None = None


@dataclass(frozen=True, kw_only=True)
class CounterClosed(Event):
    """A counter session ends; what waited for this counter or clerk alone, or was parked there, is the hall's now."""

    kind: ClassVar[str] = "counter_closed"

    session: str
    counter: str
    clerk: str


@dataclass(frozen=True, kw_only=True)
class StepEvent(Event):
    """Something happened to a step at a counter."""

    ticket: str
    step: str
    session: str
    counter: str


def open_counter(hall: "Hall", command: OpenCounter, now: datetime) -> Outcome:
    store = hall.store
    if hall.configuration.counter(command.counter) is None:
        return refusals.CounterUnknown(counter=command.counter)
    if command.session in store.sessions:
        return refusals.IdAlreadyUsed(id=command.session)
    if refused := profile_refusal(hall, command.profile, command.counter):
        return refused
    if taken := store.session_at(command.counter):
        return refusals.CounterTaken(counter=taken.counter, clerk=taken.clerk, session=taken.id)
    if elsewhere := store.session_of(command.clerk):
        return refusals.ClerkAtOtherCounter(counter=elsewhere.counter, session=elsewhere.id)
    return (
        CounterOpened(
            at=now,
            by=command.by,
            why=Why("requested"),
            session=command.session,
            counter=command.counter,
            clerk=command.clerk,
            profile=command.profile,
        ),
    )


def profile_refusal(hall: "Hall", profile: str | None, counter: str) -> Refusal | None:
    """Why a counter cannot work by this profile; None where it can, and for None: its own."""
    if profile is None:
        return None
    found = hall.configuration.work_profile(profile)
    if found is None:
        return refusals.ProfileUnknown(profile=profile)
    if not set(found.weights) <= set(hall.configuration.class_queues(counter)):
        return refusals.ProfileBeyondClass(profile=profile, counter=counter)
    return None


def close_counter(hall: "Hall", command: CloseCounter, now: datetime) -> Outcome:
    session = own_session(hall, command.session, command)
    if isinstance(session, Refusal):
        return session
    if busy := still_busy(hall, session):
        return busy
    return (closing(session, command, now, Why("requested")),)


def closing(session: CounterSession, command: Command, now: datetime, why: Why) -> CounterClosed:
    return CounterClosed(
        at=now, by=command.by, why=why, session=session.id, counter=session.counter, clerk=session.clerk
    )


def own_session(hall: "Hall", session_id: str, command: Command) -> CounterSession | Refusal:
    """The open counter session in which the asker may act."""
    session = hall.store.sessions.get(session_id)
    if session is None:
        return refusals.SessionUnknown(session=session_id)
    if session.closed_at is not None:
        return refusals.SessionClosed(session=session_id)
    if command.by.kind == "clerk" and command.by.id != session.clerk:
        return refusals.SessionOfOther(session=session_id)
    return session


def seen_session(hall: "Hall", command: SessionCommand) -> CounterSession | Refusal:
    """The asker's session, as the asker saw it."""
    session = own_session(hall, command.session, command)
    if isinstance(session, CounterSession) and command.seen != session.version:
        return refusals.StaleVersion(seen=command.seen, now=session.version)
    return session


def at_counter(hall: "Hall", command: SessionCommand, what: Act) -> tuple[CounterSession, Ticket] | Refusal:
    """The session and its ticket, where the ticket's state allows `what`."""
    session = seen_session(hall, command)
    if isinstance(session, Refusal):
        return session
    ticket = hall.ticket(session.ticket) if session.ticket else None
    if ticket is not None and after(ticket.state, what) is not None:
        return session, ticket
    if what is Act.COMPLETE:
        return refusals.TicketNotServed()
    if ticket is not None and ticket.state is StepState.SERVING:
        return refusals.TicketStillServed(number=ticket.number)
    return refusals.TicketNotCalled()


def still_busy(hall: "Hall", session: CounterSession) -> Refusal | None:
    """Why the session may not take another ticket or close; None where it is free."""
    ticket = hall.ticket(session.ticket) if session.ticket else None
    if ticket is None:
        return None
    if ticket.state is StepState.CALLED:
        return refusals.TicketStillCalled(number=ticket.number)
    return refusals.TicketStillServed(number=ticket.number)


def opened(store: "Store", event: CounterOpened) -> None:
    if event.session in store.sessions or store.session_at(event.counter) or store.session_of(event.clerk):
        raise CorruptHistory(f"counter session {event.session} opened over another")
    store.put_session(
        CounterSession(
            id=event.session,
            counter=event.counter,
            clerk=event.clerk,
            opened_at=event.at,
            profile=event.profile,
            free_since=event.at,
        )
    )


def closed(store: "Store", event: CounterClosed) -> None:
    session = store.open_session(event.session)
    if session.ticket is not None:
        raise CorruptHistory(f"counter session {event.session} closed with ticket {session.ticket}")
    store.put_session(replace(session, closed_at=event.at, free_since=None, version=session.version + 1))
    store.release_addressed(Addressee("counter", session.counter))
    store.release_addressed(Addressee("clerk", session.clerk))


DECIDE = {OpenCounter: open_counter, CloseCounter: close_counter}
EVOLVE = {CounterOpened: opened, CounterClosed: closed}
