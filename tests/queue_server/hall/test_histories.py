"""Random histories: whatever people, clerks, managers and clocks do, the hall's promises hold."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queue_server.hall import (
    AcknowledgeHelp,
    AskForHelp,
    CallNext,
    CallTicket,
    CancelTicket,
    CloseCounter,
    CloseDay,
    Complete,
    Configure,
    CounterSession,
    Event,
    Hall,
    HallConfiguration,
    NoShow,
    OpenDay,
    PriorityClass,
    Recall,
    Refusal,
    StartService,
    StepState,
    TicketCalled,
    TicketIssued,
    Withdraw,
    dump,
    event_from_json,
    event_to_json,
    evolve,
    load,
    pick,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER, Scene, sample

SERVICES = ("social-card", "fund-withdraw", "id-card")
CLASSES = ("ordinary", "elderly", "fast")
COUNTERS = ("counter-1", "counter-2", "counter-3", "counter-4")
CLERKS = ("clerk-1", "clerk-2", "clerk-3")
LAST = 12
STARTS = (
    ("Asia/Shanghai", datetime(2026, 3, 2, 1, 0, tzinfo=UTC)),
    ("America/Los_Angeles", datetime(2026, 3, 8, 9, 30, tzinfo=UTC)),  # half an hour before the clocks go on
    ("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # half an hour before the clocks go back
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 30, tzinfo=UTC)),  # a change of half an hour
)
ALLOWED = {
    (None, "waiting"),
    ("waiting", "called"),
    ("waiting", "cancelled"),
    ("waiting", "expired"),
    ("called", "serving"),
    ("called", "no_show"),
    ("called", "cancelled"),
    ("called", "expired"),
    ("serving", "completed"),
}
"""Every change of state that a visitor or clerk may cause, written down apart from the core's table."""


def configured(zone: str, day_ends_at: str, close_when_no_counter: bool, closes_counters: bool) -> HallConfiguration:
    hall = sample(time_zone=zone, day_ends_at=day_ends_at)
    rules = replace(
        hall.rules, close_when_no_counter=close_when_no_counter, day_end_closes_counters=closes_counters, recall_limit=2
    )
    fast = PriorityClass(id="fast", name=hall.name, rate=2.5)
    queues = tuple(replace(queue, last=LAST, digits=2) for queue in hall.queues)
    return replace(hall, rules=rules, queues=queues, priority_classes=(*hall.priority_classes, fast))


ENDINGS = (
    (StartService, Complete),
    (StartService,),
    (Complete,),
    (NoShow,),
    (Recall, StartService, Complete),
    (Recall, Recall, Recall, NoShow),
)
_OPEN = datetime(1, 1, 1, tzinfo=UTC)
"""Sorts open sessions to the front, where draws shrink to."""


class Histories(RuleBasedStateMachine):
    allowed = ALLOWED

    @initialize(
        start=st.sampled_from(STARTS),
        end=st.sampled_from(["00:00", "02:00", "02:30", "04:00", "17:30"]),
        rules=st.tuples(st.booleans(), st.booleans()),
        data=st.data(),
    )
    def begin(self, start: tuple[str, datetime], end: str, rules: tuple[bool, bool], data: st.DataObject) -> None:
        self.scene = Scene(self.ruled(configured(start[0], end, *rules), data), start[1])
        self.hall = self.scene.hall
        self.numbers: Counter[tuple[date, str]] = Counter()
        self.arrivals: list[str] = []
        self.states: dict[str, str] = {}
        self.snapshot: tuple[str, int] = (dump(self.hall), len(self.scene.history))
        self.open_counters([("counter-1", "clerk-1"), ("counter-4", "clerk-2")])

    def ruled(self, configuration: HallConfiguration, data: st.DataObject) -> HallConfiguration:
        """The hall with further rules of its own."""
        return configuration

    def act(self, command: Any) -> tuple[Event, ...] | Refusal:
        """Sends a command; whatever comes of it, deciding alone has changed nothing, and no state was skipped."""
        twin = self.hall.copy()
        seen = {session.id: session for session in self.hall.sessions()}
        outcome = self.scene.ask(command)
        if isinstance(outcome, Refusal):
            assert self.hall.store.facts() == twin.store.facts()
            assert all(isinstance(value, str | int) for value in outcome.params().values())
            return outcome
        for event in outcome:
            evolve(twin, event)
            if isinstance(event, TicketIssued):
                self.numbers[event.business_date, event.number] += 1
                self.arrivals.append(event.ticket)
        assert self.hall.store.facts() == twin.store.facts()
        for session in self.hall.sessions():
            was_so = seen.get(session.id, session)
            assert (session == was_so) == (session.version == was_so.version)
        for ticket in self.hall.tickets():
            was = self.states.get(ticket.id)
            assert was == ticket.state or (was, ticket.state.value) in self.allowed
            self.states[ticket.id] = ticket.state.value
        return outcome

    def some_ticket(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from([*sorted(ticket.id for ticket in self.hall.tickets()), "no-such"]))

    def some_session(self, data: st.DataObject) -> Any:
        sessions = sorted(
            self.hall.store.sessions.values(), key=lambda session: (session.closed_at or _OPEN, session.id)
        )
        return data.draw(st.sampled_from(sessions))

    # --- what people do

    @rule(arrivals=st.lists(st.tuples(st.sampled_from(SERVICES), st.sampled_from(CLASSES)), min_size=1, max_size=5))
    def issue(self, arrivals: list[tuple[str, str]]) -> None:
        for service, priority_class in arrivals:
            state = self.hall.service_state(service, self.scene.now)
            assert state is not None
            crossing = self.hall.open_day != self.hall.business_date(self.scene.now)
            outcome = self.act(self.scene.issuing(service, priority_class))
            refused = outcome.code if isinstance(outcome, Refusal) else None
            assert refused == state.reason or crossing
            self.scene.later(seconds=90)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.act(Withdraw(by=KIOSK, ticket=self.some_ticket(data)))

    @rule(data=st.data(), stale=st.booleans())
    def cancel(self, data: st.DataObject, stale: bool) -> None:
        ticket = self.hall.ticket(found := self.some_ticket(data))
        self.act(CancelTicket(by=MANAGER, ticket=found, seen=(ticket.version if ticket else 1) - stale))

    @rule(data=st.data(), device=st.sampled_from(["kiosk-1", "kiosk-2"]), asking=st.booleans())
    def help(self, data: st.DataObject, device: str, asking: bool) -> None:
        if asking:
            self.act(AskForHelp(by=KIOSK, help=self.scene.id("help"), device=device, screen="home"))
        else:
            help_id = data.draw(st.sampled_from([*sorted(self.hall.store.helps), "no-such"]))
            self.act(AcknowledgeHelp(by=MANAGER, help=help_id, clerk="clerk-1"))

    # --- what clerks do

    @rule(shifts=st.lists(st.tuples(st.sampled_from(COUNTERS), st.sampled_from(CLERKS)), min_size=1, max_size=3))
    def open_counters(self, shifts: list[tuple[str, str]]) -> None:
        for counter, clerk in shifts:
            self.act(self.scene.opening(counter, clerk))

    @precondition(lambda self: len(self.hall.sessions()) > 1)
    @rule(data=st.data())
    def close_counter(self, data: st.DataObject) -> None:
        self.act(CloseCounter(by=MANAGER, session=self.some_session(data).id))

    @precondition(lambda self: self.hall.sessions() and any(t.state is StepState.WAITING for t in self.hall.tickets()))
    @rule(data=st.data(), rounds=st.integers(1, 6))
    def work(self, data: st.DataObject, rounds: int) -> None:
        """Some rounds of the usual: Next (perhaps with a double click), then what becomes of the called ticket."""
        for _ in range(rounds):
            self.call_next(data.draw(st.sampled_from(self.hall.sessions())), data.draw(st.booleans()))
            if data.draw(st.booleans()):
                self.serve(data)

    def call_next(self, session: CounterSession, doubled: bool) -> None:
        listed = self.hall.waiting(session, self.scene.now)
        best = pick(self.hall, session, self.scene.now)
        waiting = {ticket.id: ticket for ticket in self.hall.tickets() if ticket.state is StepState.WAITING}
        click = self.scene.at(CallNext, session)
        outcome = self.act(click)
        if isinstance(outcome, tuple):
            (event,) = outcome
            assert isinstance(event, TicketCalled)
            assert best is not None
            assert event.ticket == best.ticket.id == listed[0].id
            called = waiting[event.ticket]
            assert called.queue in self.hall.queues_of(session) or called.step.addressee is not None
        if doubled:
            assert isinstance(self.act(replace(click, call=self.scene.id("call"))), Refusal)

    @precondition(lambda self: self.hall.store.sessions)
    @rule(data=st.data())
    def call_this_one(self, data: st.DataObject) -> None:
        self.act(self.scene.at(CallTicket, self.some_session(data), ticket=self.some_ticket(data)))

    @precondition(lambda self: self.hall.store.sessions)
    @rule(data=st.data(), kind=st.sampled_from([Recall, StartService, Complete, NoShow]))
    def click_anything(self, data: st.DataObject, kind: type) -> None:
        self.act(self.scene.at(kind, self.some_session(data)))

    @precondition(lambda self: any(session.ticket for session in self.hall.sessions()))
    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        busy = [session for session in self.hall.sessions() if session.ticket]
        if not busy:
            return
        session = data.draw(st.sampled_from(busy))
        for kind in data.draw(st.sampled_from(ENDINGS)):
            self.scene.later(seconds=15)
            self.act(self.scene.at(kind, session))

    # --- what managers and clocks do

    @rule(seconds=st.sampled_from([1, 15, 600, 1800, 3600, -1, -1800, -7200, 7 * 3600, 86_400, -86_400]))
    def clock(self, seconds: int) -> None:
        self.scene.now += timedelta(seconds=seconds)

    @precondition(lambda self: len(self.scene.history) > 20 or self.hall.open_day is None)
    @rule(days=st.sampled_from([0, 0, 1]))
    def day(self, days: int) -> None:
        reopen = self.hall.open_day is None
        date_ = (self.hall.open_day or self.hall.business_date(self.scene.now)) + timedelta(days=days)
        self.act((OpenDay if reopen else CloseDay)(by=MANAGER, business_date=date_))

    @precondition(lambda self: self.hall.configuration.revision < 3)
    @rule(head_start_s=st.sampled_from([0, 600, 3600]), prefix=st.sampled_from(["A", "Q"]))
    def reconfigure(self, head_start_s: int, prefix: str) -> None:
        now = self.hall.configuration
        queues = (replace(now.queues[0], prefix=prefix), *now.queues[1:])
        classes = tuple(replace(c, head_start_s=head_start_s if c.id == "elderly" else 0) for c in now.priority_classes)
        self.act(
            Configure(
                by=MANAGER,
                configuration=replace(now, revision=now.revision + 1, queues=queues, priority_classes=classes),
            )
        )

    @rule()
    def take_snapshot(self) -> None:
        self.snapshot = (dump(self.hall), len(self.scene.history))

    # --- what always holds

    @invariant()
    def numbers_are_given_once_a_day_and_live_once(self) -> None:
        assert set(self.numbers.values()) <= {1}
        alive = [ticket.number for ticket in self.hall.tickets() if not ticket.finished]
        assert len(alive) == len(set(alive))

    @invariant()
    def a_ticket_is_at_one_counter_and_a_counter_has_one_clerk_and_ticket(self) -> None:
        sessions = [session for session in self.hall.store.sessions.values() if session.closed_at is None]
        assert sorted(s.id for s in sessions) == sorted(s.id for s in self.hall.sessions())
        for held in ([s.counter for s in sessions], [s.clerk for s in sessions]):
            assert len(held) == len(set(held))
        by_session = {s.id: s.ticket for s in sessions if s.ticket}
        by_ticket = {t.at_session: t.id for t in self.hall.tickets() if t.at_session}
        assert by_session == by_ticket
        assert len(set(by_session.values())) == len(by_session)

    @invariant()
    def every_waiting_ticket_stands_in_its_line_once_and_knows_its_place(self) -> None:
        for queue in ("social-security", "housing-fund", "household"):
            line = [*self.hall.waiting(queue, self.scene.now), *self.hall.deferred(queue, self.scene.now)]
            expected = {t.id for t in self.hall.tickets() if t.state is StepState.WAITING and t.queue == queue}
            assert {ticket.id for ticket in line} == expected
            assert len(line) == len(expected) == self.hall.waiting_count(queue)
            assert [self.hall.people_ahead(ticket, self.scene.now) for ticket in line] == list(range(len(line)))
            for priority_class in CLASSES:
                same = [t.id for t in line if t.priority_class == priority_class and t.step.origin == "arrived"]
                assert same == sorted(same, key=self.arrivals.index)

    @invariant()
    def nobody_waits_when_no_day_is_open(self) -> None:
        if self.hall.open_day is None:
            assert all(t.finished or t.state is StepState.SERVING for t in self.hall.tickets())

    @invariant()
    def a_device_has_one_open_request(self) -> None:
        devices = [request.device for request in self.hall.open_helps()]
        assert len(devices) == len(set(devices))

    def teardown(self) -> None:
        if not hasattr(self, "scene"):
            return
        texts = [event_to_json(event) for event in self.scene.history]
        replayed = Hall(self.hall.id)
        for text in texts:
            evolve(replayed, event_from_json(text))
        text, length = self.snapshot
        resumed = load(text)
        for line in texts[length:]:
            evolve(resumed, event_from_json(line))
        assert dump(replayed) == dump(resumed) == dump(self.hall)
        assert resumed.version == len(texts)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
