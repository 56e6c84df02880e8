"""Random histories with all that counters do: transfer, hold, no-show rules, pause, take-over, caps, ratios, undo."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from queue_server.hall import (
    Actor,
    Addressee,
    AnotherService,
    CallNext,
    CallTicket,
    ChooseProfile,
    Complete,
    ContinueCounter,
    CounterSession,
    HallConfiguration,
    Hold,
    NoShow,
    NoShowRule,
    PauseCounter,
    PauseReason,
    ProfileQueue,
    Reclassify,
    Refusal,
    Reinstate,
    Resume,
    StartService,
    StepState,
    TakeOver,
    Text,
    Ticket,
    Transfer,
    Undo,
    WorkProfile,
    pick,
)
from queue_server.hall.placing import micros
from queue_server.hall.refusals import NothingToUndo
from tests.queue_server.hall.scene import KIOSK, MANAGER
from tests.queue_server.hall.test_histories import ALLOWED, CLASSES, CLERKS, COUNTERS, SERVICES, Histories

NAME = Text("名", "name")
PROFILES = (
    WorkProfile(
        id="weighted",
        name=NAME,
        queues=(ProfileQueue(queue="housing-fund", weight=3), ProfileQueue(queue="social-security")),
    ),
    WorkProfile(
        id="all",
        name=NAME,
        queues=tuple(ProfileQueue(queue=queue) for queue in ("social-security", "housing-fund", "household")),
    ),
)
NO_SHOWS = (
    NoShowRule(),
    NoShowRule(then="reinsert", behind=2, times=2),
    NoShowRule(then="back_off", back_off_s=120, times=2),
    NoShowRule(then="reinsert", behind=0, recalls_first=1),
)
ADDRESSEES = (
    None,
    *(Addressee("counter", counter) for counter in COUNTERS),
    *(Addressee("clerk", clerk) for clerk in CLERKS),
)


class CounterHistories(Histories):
    allowed = ALLOWED | {
        ("waiting", "held"),
        ("called", "held"),
        ("serving", "held"),
        ("held", "waiting"),
        ("held", "called"),
        ("held", "cancelled"),
        ("held", "expired"),
        ("called", "waiting"),  # put back by the no-show rule, sent on, or called by mistake
        ("serving", "waiting"),  # sent on, or the next service of the visit
        ("no_show", "waiting"),
        ("no_show", "called"),
        ("waiting", "called"),
        ("waiting", "serving"),  # the completion before it is undone
        ("completed", "serving"),
    }

    def ruled(self, configuration: HallConfiguration, data: st.DataObject) -> HallConfiguration:
        caps = data.draw(st.sampled_from([{}, {"ordinary": 1800}, {"ordinary": 600, "elderly": 900, "fast": 3600}]))
        classes = tuple(
            replace(c, cap_s=caps.get(c.id), share=1 if c.id == "ordinary" else 2)
            for c in configuration.priority_classes
        )
        rules = replace(
            configuration.rules,
            calling=data.draw(st.sampled_from(["accumulating", "ratio"])),
            no_show=data.draw(st.sampled_from(NO_SHOWS)),
            transfer_keeps_place=data.draw(st.booleans()),
        )
        return replace(
            configuration,
            rules=rules,
            priority_classes=classes,
            work_profiles=(*configuration.work_profiles, *PROFILES),
            pause_reasons=(PauseReason(id="tea", name=NAME),),
        )

    def tickets_in(self, *states: StepState) -> list[str]:
        return sorted(ticket.id for ticket in self.hall.tickets() if ticket.state in states)

    def on_ticket(self, kind: Any, data: st.DataObject, *states: StepState, **fields: Any) -> Any:
        """A command on some ticket of these states, by its clerk, another clerk or a manager."""
        found = self.hall.ticket(data.draw(st.sampled_from(self.tickets_in(*states) or ["no-such"])))
        by = data.draw(st.sampled_from([MANAGER, *(Actor("clerk", clerk) for clerk in CLERKS)]))
        if found is None:
            return kind(by=by, ticket="no-such", seen=1, **fields)
        return kind(by=by, ticket=found.id, seen=found.version - data.draw(st.sampled_from([0, 0, 0, 1])), **fields)

    # --- what counters do with tickets

    @rule(data=st.data(), service=st.sampled_from([None, *SERVICES]), addressee=st.sampled_from(ADDRESSEES))
    def transfer(self, data: st.DataObject, service: str | None, addressee: Addressee | None) -> None:
        states = (StepState.SERVING, StepState.CALLED, StepState.WAITING, StepState.HELD)
        command = self.on_ticket(Transfer, data, *states, service=service, addressee=addressee)
        before = self.hall.ticket(command.ticket)
        if isinstance(self.act(command), tuple) and before is not None:
            after = self.scene.ticket(before)
            assert (after.number, after.arrived_at, after.visit) == (before.number, before.arrived_at, before.visit)
            if self.hall.configuration.rules.transfer_keeps_place:
                assert after.step.order_key == before.step.order_key

    @rule(data=st.data(), pool=st.sampled_from(ADDRESSEES))
    def hold(self, data: st.DataObject, pool: Addressee | None) -> None:
        states = (StepState.SERVING, StepState.CALLED, StepState.WAITING)
        self.act(self.on_ticket(Hold, data, *states, pool=pool))

    @precondition(lambda self: self.tickets_in(StepState.HELD))
    @rule(data=st.data(), calling=st.booleans())
    def take_up_again(self, data: st.DataObject, calling: bool) -> None:
        if calling and self.hall.sessions():
            session = data.draw(st.sampled_from(self.hall.sessions()))
            held = data.draw(st.sampled_from(self.tickets_in(StepState.HELD)))
            self.act(self.scene.at(CallTicket, session, ticket=held))
        else:
            self.act(self.on_ticket(Resume, data, StepState.HELD))

    @precondition(lambda self: self.tickets_in(StepState.NO_SHOW))
    @rule(data=st.data(), at_terminal=st.booleans())
    def reinstate(self, data: st.DataObject, at_terminal: bool) -> None:
        command = self.on_ticket(Reinstate, data, StepState.NO_SHOW)
        before = self.hall.ticket(command.ticket)
        outcome = self.act(replace(command, by=KIOSK) if at_terminal else command)
        if isinstance(outcome, tuple) and before is not None:
            self.stands_behind(before, self.hall.configuration.rules.no_show.reinstate_behind)

    def stands_behind(self, before: Ticket, behind: int) -> None:
        """The ticket has come back where the rule says, and not before the place that it had."""
        ticket = self.scene.ticket(before)
        assert ticket.step.order_key >= before.step.order_key
        line = self.hall.waiting(ticket.queue, self.scene.now)
        if self.hall.configuration.rules.calling == "ratio":
            line = [other for other in line if other.priority_class == ticket.priority_class]
        if (place := [other.id for other in line].index(ticket.id)) != min(behind, len(line) - 1):
            assert place > behind or ticket.step.order_key == before.step.order_key

    @rule(
        data=st.data(),
        service=st.sampled_from([None, *SERVICES]),
        priority_class=st.sampled_from([None, *CLASSES]),
        companions=st.sampled_from([None, 0, 3, 99]),
    )
    def reclassify(self, data: st.DataObject, **fields: Any) -> None:
        self.act(self.on_ticket(Reclassify, data, StepState.CALLED, StepState.SERVING, StepState.WAITING, **fields))

    @precondition(lambda self: self.tickets_in(StepState.SERVING))
    @rule(data=st.data(), service=st.sampled_from(SERVICES), here=st.booleans())
    def another_service(self, data: st.DataObject, service: str, here: bool) -> None:
        serving = self.scene.ticket(data.draw(st.sampled_from(self.tickets_in(StepState.SERVING))))
        session = self.hall.session(serving.at_session or "")
        assert session is not None
        self.act(self.scene.at(AnotherService, session, service=service, here=here))

    # --- what becomes of counters

    @precondition(lambda self: self.hall.sessions())
    @rule(data=st.data(), profile=st.sampled_from([None, "weighted", "all", "household", "no-such"]))
    def choose_profile(self, data: st.DataObject, profile: str | None) -> None:
        self.act(self.scene.at(ChooseProfile, data.draw(st.sampled_from(self.hall.sessions())), profile=profile))

    @precondition(lambda self: self.hall.sessions())
    @rule(data=st.data())
    def pause_and_continue(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.hall.sessions()))
        if session.paused_since is not None:
            self.act(self.scene.at(ContinueCounter, session))
        elif isinstance(self.act(self.scene.at(PauseCounter, session, reason="tea")), tuple):
            assert isinstance(self.act(self.scene.at(CallNext, session)), Refusal)

    @rule(counter=st.sampled_from(COUNTERS), by=st.sampled_from([MANAGER, Actor("clerk", "clerk-1")]))
    def take_over(self, counter: str, by: Actor) -> None:
        before = self.hall.session_at(counter)
        outcome = self.act(TakeOver(by=by, session=self.scene.id("session"), counter=counter))
        if isinstance(outcome, tuple) and before is not None:
            now = self.hall.session_at(counter)
            assert now is not None
            assert (now.clerk, now.ticket) == (by.id, before.ticket)
            assert self.scene.session(before).closed_at is not None

    # --- undo

    @precondition(lambda self: self.hall.sessions())
    @rule(data=st.data(), kind=st.sampled_from([CallNext, Complete, NoShow, CallTicket, StartService]))
    def act_and_undo(self, data: st.DataObject, kind: Any) -> None:
        """What is undone at once leaves the hall as it was."""
        session = data.draw(st.sampled_from(self.hall.sessions()))
        fields = {}
        if kind is CallTicket:
            callable_ = self.tickets_in(StepState.WAITING, StepState.HELD)
            fields["ticket"] = data.draw(st.sampled_from(callable_ or ["no-such"]))
        before = self.facts()
        if not isinstance(self.act(self.scene.at(kind, session, **fields)), tuple):
            return
        self.scene.later(seconds=data.draw(st.sampled_from([0, 30, 3600])))
        outcome = self.act(self.scene.at(Undo, session))
        late = self.hall.open_day is None or self.facts() != before
        if isinstance(outcome, tuple):
            assert self.facts() == before
        elif kind is StartService:
            assert isinstance(outcome, NothingToUndo)
        else:
            assert late

    @precondition(lambda self: self.hall.sessions())
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.act(self.scene.at(Undo, data.draw(st.sampled_from(self.hall.sessions()))))

    def facts(self) -> Any:
        """The hall without what counts how often it changed."""
        facts = self.hall.copy().store.facts()
        return replace(
            facts,
            version=0,
            updated_at=None,
            turns={priority_class: credit for priority_class, credit in facts.turns.items() if credit},
            counter_seconds={queue: seconds for queue, seconds in facts.counter_seconds.items() if seconds},
            tickets={ticket.id: replace(ticket, version=0) for ticket in facts.tickets.values()},
            sessions={s.id: replace(s, version=0, last_ticket=None, free_since=None) for s in facts.sessions.values()},
        )

    # --- what always holds

    def call_next(self, session: CounterSession, doubled: bool) -> None:
        chosen = pick(self.hall, session, self.scene.now)
        over = [] if session.paused_since else self.over_cap(session)
        super().call_next(session, doubled)
        called = self.scene.session(session).ticket
        if chosen is None or called != chosen.ticket.id:
            return
        if over:
            assert called == min(over)[1]
        if self.hall.configuration.rules.calling == "accumulating" and not over:
            weights = self.hall.weights_of(session)
            heaviest = max(weights[c.queue] if c.addressee is None else max(weights.values()) for c in self.eligible)
            assert chosen.considered[0].weight == heaviest

    def over_cap(self, session: CounterSession) -> list[tuple[int, str]]:
        """Who has waited longer than the cap allows and may be called by the session, by deadline."""
        instant = micros(self.scene.now)
        weights = self.hall.weights_of(session)
        mine = (Addressee("counter", session.counter), Addressee("clerk", session.clerk))
        waiting = [ticket for ticket in self.hall.tickets() if ticket.state is StepState.WAITING]
        self.eligible = [
            ticket.step
            for ticket in waiting
            if (ticket.queue in weights if ticket.step.addressee is None else ticket.step.addressee in mine)
            and (not ticket.step.deferred or ticket.step.order_key <= instant)
        ]
        found = []
        for ticket in waiting:
            cap = self.hall.class_of(ticket).cap_s
            deadline = ticket.step.order_key + (cap or 0) * 1_000_000
            if cap is not None and ticket.step in self.eligible and deadline <= instant:
                found.append((deadline, ticket.id))
        return found

    @invariant()
    def what_is_held_is_in_no_line(self) -> None:
        for session in self.hall.sessions():
            for ticket in self.hall.waiting(session, self.scene.now):
                assert ticket.state is StepState.WAITING
        assert set(self.hall.store.held) == set(self.tickets_in(StepState.HELD))

    @invariant()
    def the_list_of_a_counter_is_the_order_of_its_calls(self) -> None:
        for session in self.hall.sessions():
            listed = [ticket.id for ticket in self.hall.waiting(session, self.scene.now, 4)]
            twin = self.hall.copy()
            for expected in listed:
                chosen = pick(twin, session, self.scene.now)
                assert chosen is not None
                assert chosen.ticket.id == expected
                self.take_away(twin, chosen)

    def take_away(self, hall: Any, chosen: Any) -> None:
        """As if it were called: out of its line, its turn accounted for."""
        hall.store.put_ticket(
            replace(chosen.ticket, steps=(replace(chosen.ticket.step, state=StepState.CANCELLED),), version=99)
        )
        if chosen.turn:
            credit, shares = hall.store.turns, hall.configuration.shares
            for each in chosen.turn:
                credit[each] = credit.get(each, 0) + shares[each]
            credit[chosen.ticket.priority_class] -= sum(shares[each] for each in chosen.turn)

    @invariant()
    def what_is_for_somebody_is_for_somebody_who_is_there(self) -> None:
        for ticket in self.hall.tickets():
            addressee = ticket.step.addressee if ticket.state is StepState.WAITING else None
            addressee = ticket.step.pool if ticket.state is StepState.HELD else addressee
            if addressee is not None:
                found = self.hall.session_at if addressee.kind == "counter" else self.hall.session_of
                assert found(addressee.id) is not None

    @invariant()
    def no_two_waiting_tickets_have_one_place(self) -> None:
        keys = [t.step.order_key for t in self.hall.tickets() if t.state in (StepState.WAITING, StepState.HELD)]
        assert len(keys) == len(set(keys))

    @invariant()
    def steps_follow_each_other(self) -> None:
        over = {StepState.COMPLETED, StepState.NO_SHOW, StepState.TRANSFERRED}
        for ticket in self.hall.tickets():
            assert all(step.state in over for step in ticket.steps[:-1])
            assert ticket.state is not StepState.TRANSFERRED
            assert len({step.id for step in ticket.steps}) == len(ticket.steps)


TestCounterHistories = CounterHistories.TestCase
TestCounterHistories.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
