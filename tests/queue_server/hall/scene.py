"""A hall with a clock and hands: sends commands, applies their events, and keeps the history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from queue_server.hall import (
    Actor,
    CallNext,
    CancelTicket,
    Command,
    Complete,
    Configure,
    CounterSession,
    Event,
    Hall,
    HallConfiguration,
    Issue,
    OpenCounter,
    Refusal,
    StartService,
    Ticket,
    TicketIssued,
    configuration_from_json,
    decide,
    evolve,
)

SAMPLE = Path(__file__).parents[3] / "assets" / "halls" / "sample.json"
MANAGER = Actor("manager", "manager-1")
KIOSK = Actor("device", "kiosk-1")
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai


def sample(**changes: Any) -> HallConfiguration:
    """The sample hall, with changes."""
    return replace(configuration_from_json(SAMPLE.read_text()), **changes)


class Scene:
    def __init__(self, configuration: HallConfiguration | None = None, now: datetime = MORNING) -> None:
        self.hall = Hall("sample")
        self.now = now
        self.history: list[Event] = []
        self._ids = count(1)
        self.do(Configure(by=MANAGER, configuration=configuration or sample()))

    def id(self, kind: str) -> str:
        return f"{kind}-{next(self._ids)}"

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def ask(self, command: Command) -> tuple[Event, ...] | Refusal:
        """Decides and, if accepted, applies."""
        outcome = decide(self.hall, command, self.now)
        if not isinstance(outcome, Refusal):
            for event in outcome:
                evolve(self.hall, event)
                self.history.append(event)
        return outcome

    def do(self, command: Command) -> tuple[Event, ...]:
        """Asks for what must be accepted."""
        outcome = self.ask(command)
        assert not isinstance(outcome, Refusal), outcome
        return outcome

    def refused(self, command: Command) -> Refusal:
        """Asks for what must be refused."""
        outcome = self.ask(command)
        assert isinstance(outcome, Refusal), outcome
        return outcome

    # --- the usual acts

    def issuing(self, service: str = "id-card", priority_class: str = "ordinary", **fields: Any) -> Issue:
        ids = {name: self.id(name) for name in ("visit", "ticket", "step", "follow_token")}
        return Issue(**{"by": KIOSK, "service": service, "priority_class": priority_class, **ids, **fields})

    def issue(self, service: str = "id-card", priority_class: str = "ordinary", **fields: Any) -> Ticket:
        events = self.do(self.issuing(service, priority_class, **fields))
        (issued,) = (event for event in events if isinstance(event, TicketIssued))
        return self.ticket(issued.ticket)

    def ticket(self, ticket: Ticket | str) -> Ticket:
        found = self.hall.ticket(ticket if isinstance(ticket, str) else ticket.id)
        assert found is not None
        return found

    def session(self, session: CounterSession) -> CounterSession:
        found = self.hall.session(session.id)
        assert found is not None
        return found

    def opening(self, counter: str, clerk: str) -> OpenCounter:
        return OpenCounter(by=Actor("clerk", clerk), session=self.id("session"), counter=counter, clerk=clerk)

    def open(self, counter: str = "counter-4", clerk: str = "clerk-1") -> CounterSession:
        self.do(self.opening(counter, clerk))
        session = self.hall.session_at(counter)
        assert session is not None
        return session

    def at(self, kind: Any, session: CounterSession, **fields: Any) -> Any:
        """A clerk's command in a session, having seen its latest version."""
        if "call" in kind.__dataclass_fields__:
            fields.setdefault("call", self.id("call"))
        fields.setdefault("seen", self.session(session).version)
        return kind(by=Actor("clerk", session.clerk), session=session.id, **fields)

    def call_next(self, session: CounterSession) -> Ticket:
        self.do(self.at(CallNext, session))
        called = self.session(session).ticket
        assert called is not None
        return self.ticket(called)

    def serve_next(self, session: CounterSession, minutes: float = 5) -> Ticket:
        ticket = self.call_next(session)
        self.do(self.at(StartService, session))
        self.later(minutes=minutes)
        self.do(self.at(Complete, session))
        return self.ticket(ticket)

    def cancelling(self, ticket: Ticket) -> CancelTicket:
        return CancelTicket(by=MANAGER, ticket=ticket.id, seen=self.ticket(ticket).version)
