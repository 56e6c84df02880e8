"""Calling: next, this one, recall, start, complete, no-show."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall import (
    Actor,
    CallNext,
    CallTicket,
    Complete,
    NoShow,
    PriorityClass,
    Recall,
    StartService,
    StepState,
    TicketCalled,
    TicketRecalled,
    Withdraw,
    choice,
    decide,
    refusals,
    words,
)
from tests.queue_server.hall.scene import KIOSK, Scene, sample


def test_fifo_within_queue_and_class(scene: Scene):
    tickets = [scene.issue() for _ in range(5)]
    session = scene.open()
    assert [scene.serve_next(session).number for _ in tickets] == ["H001", "H002", "H003", "H004", "H005"]


def test_fifo_holds_when_the_clock_is_set_back_between_arrivals(scene: Scene):
    first = scene.issue()
    scene.later(hours=-2)
    second = scene.issue()
    assert [t.id for t in scene.hall.waiting("household", scene.now)] == [first.id, second.id]


def test_q05_double_click_on_next_is_refused_and_releases_nobody(scene: Scene):
    first, second = scene.issue(), scene.issue()
    session = scene.open()
    click = scene.at(CallNext, session)
    scene.do(click)
    assert scene.refused(replace(click, call="again")) == refusals.StaleVersion(seen=1, now=2)
    other_tab = scene.at(CallNext, session)
    assert scene.refused(other_tab) == refusals.TicketStillCalled(number="H001")
    scene.do(scene.at(StartService, session))
    assert scene.refused(scene.at(CallNext, session)) == refusals.TicketStillServed(number="H001")
    assert scene.ticket(first).state is StepState.SERVING
    assert scene.ticket(second).state is StepState.WAITING
    assert scene.session(session).ticket == first.id


def test_q19_the_printed_number_is_called_to_the_counter_that_called_it():
    scene = Scene()
    for _ in range(111):
        printed = scene.issue("social-card")
    assert printed.number == "A111"
    one, other = scene.open("counter-1", "clerk-1"), scene.open("counter-2", "clerk-2")
    scene.do(scene.at(CallNext, one))
    (event,) = scene.do(scene.at(CallTicket, other, ticket=printed.id))
    assert isinstance(event, TicketCalled)
    assert (event.number, event.counter, event.counter_number) == ("A111", "counter-2", "2")
    shown = scene.hall.last_calls("east", 5)
    assert [(call.number, call.counter_number) for call in shown] == [("A111", "2"), ("A001", "1")]
    assert scene.hall.counter_number(scene.ticket(printed)) == "2"
    assert scene.session(other).ticket == printed.id


def test_a_called_ticket_cannot_be_called_by_another_counter(scene: Scene):
    ticket = scene.issue("social-card")
    one, other = scene.open("counter-1", "clerk-1"), scene.open("counter-2", "clerk-2")
    scene.do(scene.at(CallNext, one))
    assert scene.refused(scene.at(CallTicket, other, ticket=ticket.id)) == refusals.TicketAlreadyCalled(
        number="A001", counter="1"
    )
    assert scene.refused(scene.at(CallNext, other)) == refusals.NobodyWaiting()


def test_a_counter_calls_from_its_own_queues_only(scene: Scene):
    tax = scene.issue("invoice")
    session = scene.open("counter-4")
    assert scene.refused(scene.at(CallNext, session)) == refusals.NobodyWaiting()
    assert scene.refused(scene.at(CallTicket, session, ticket=tax.id)).code == "ticket_not_for_counter"


def test_a_counter_with_several_queues_takes_who_came_first(scene: Scene):
    arrivals = [scene.issue(service) for service in ("invoice", "company-setup", "invoice", "company-setup")]
    session = scene.open("counter-7")
    assert [scene.serve_next(session).id for _ in arrivals] == [ticket.id for ticket in arrivals]


@pytest.mark.parametrize(("minutes_later", "overtakes"), [(9.9, True), (10, False), (10.1, False)])
def test_with_equal_rates_priority_is_a_pure_head_start(scene: Scene, minutes_later: float, overtakes: bool):
    ordinary = scene.issue()
    scene.later(minutes=minutes_later)
    elderly = scene.issue("id-card", "elderly")
    scene.later(hours=1)
    order = scene.hall.waiting("household", scene.now)
    assert [t.id for t in order] == ([elderly.id, ordinary.id] if overtakes else [ordinary.id, elderly.id])


def test_a_faster_rate_overtakes_while_people_wait():
    classes = (*sample().priority_classes, PriorityClass(id="fast", name=sample().name, rate=2.0))
    scene = Scene(sample(priority_classes=classes))
    ordinary = scene.issue()
    scene.later(minutes=10)
    fast = scene.issue("id-card", "fast")
    scene.later(minutes=9)
    assert scene.hall.waiting("household", scene.now)[0].id == ordinary.id
    scene.later(minutes=2)
    session = scene.open()
    assert scene.call_next(session).id == fast.id
    assert scene.history[-1].why.code == "higher_score"


@given(st.lists(st.tuples(st.sampled_from(["ordinary", "elderly", "pregnant", "fast", "slow"]), st.integers(0, 900))))
def test_the_list_is_the_order_of_repeated_picks(arrivals: list[tuple[str, int]]):
    extra = [PriorityClass(id=name, name=sample().name, rate=rate) for name, rate in (("fast", 1.73), ("slow", 0.31))]
    scene = Scene(sample(priority_classes=(*sample().priority_classes, *extra)))
    for index, (priority_class, seconds) in enumerate(arrivals):
        scene.later(seconds=seconds)
        scene.issue("invoice" if index % 3 else "company-setup", priority_class)
    session = scene.open("counter-7")
    listed = [ticket.id for ticket in scene.hall.waiting(session, scene.now)]
    for queue in ("tax", "market"):
        order = scene.hall.waiting(queue, scene.now)
        assert [scene.hall.people_ahead(ticket, scene.now) for ticket in order] == list(range(len(order)))
    picked = []
    while chosen := choice.pick(scene.hall, session, scene.now):
        picked.append(chosen.ticket.id)
        scene.do(Withdraw(by=KIOSK, ticket=chosen.ticket.id))
    assert listed == picked
    assert len(listed) == len(arrivals)


@pytest.mark.parametrize("waiting", [100, 5_000])
def test_the_choice_compares_heads_however_long_the_line(waiting: int, monkeypatch: pytest.MonkeyPatch):
    scene = Scene(sample(queues=tuple(replace(q, last=9999, digits=4) for q in sample().queues)))
    for _ in range(waiting):
        scene.issue("id-card", "elderly" if _ % 2 else "ordinary")
    session = scene.open()
    ranked = []
    plain = choice.rank
    monkeypatch.setattr(choice, "rank", lambda *a: ranked.append(a) or plain(*a))
    decide(scene.hall, scene.at(CallNext, session), scene.now)
    assert len(ranked) == 2


def test_each_call_says_why_in_words(scene: Scene):
    scene.issue()
    scene.later(minutes=7)
    scene.issue("id-card", "elderly")
    chosen = scene.issue("id-card", "ordinary")
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    scene.do(scene.at(CallTicket, session, ticket=chosen.id))
    said = [words(e.why, "zh", scene.hall.configuration) for e in scene.history if isinstance(e, TicketCalled)]
    assert said == [
        "H002 属于“老年人”,按规则提前 10 分钟,已等 0 分钟,因此先于 H001。",
        "H001 在本窗口可叫的号票中等候最久,已等 7 分钟。",
        "窗口人员 clerk-1 指定叫 H003。",
    ]
    english = [words(e.why, "en", scene.hall.configuration) for e in scene.history]
    assert not any("{" in sentence for sentence in english)


def test_a_call_stores_the_heads_that_were_compared(scene: Scene):
    scene.issue()
    scene.later(minutes=20)
    scene.issue("id-card", "elderly")
    scene.call_next(scene.open())
    (called,) = [event for event in scene.history if isinstance(event, TicketCalled)]
    assert [(c.number, c.waited_s, c.score) for c in called.considered] == [("H001", 1200, 1200), ("H002", 0, 600)]
    assert called.revision == 1


def test_a_recall_is_a_call_with_its_own_id_after_the_interval(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    early = scene.refused(scene.at(Recall, session))
    assert (early.code, early.retry_after) == ("recall_too_soon", 10.0)
    scene.later(seconds=10)
    (event,) = scene.do(scene.at(Recall, session))
    assert isinstance(event, TicketRecalled)
    calls = scene.hall.store.calls
    assert [call.recall for call in calls] == [False, True]
    assert calls[0].id != calls[1].id
    assert [call.id for call in scene.hall.last_calls("east", 5)] == [event.call]


def test_recalls_end_at_the_halls_limit(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    for _ in range(3):
        scene.later(seconds=10)
        scene.do(scene.at(Recall, session))
    scene.later(seconds=10)
    assert scene.refused(scene.at(Recall, session)) == refusals.RecallLimitReached(number="H001", limit=3)


def test_a_clock_set_back_does_not_block_the_recall(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    scene.later(days=-1)
    scene.do(scene.at(Recall, session))


def test_a_call_id_is_used_once(scene: Scene):
    scene.issue(), scene.issue()
    session = scene.open()
    scene.do(scene.at(CallNext, session, call="the-call"))
    scene.do(scene.at(NoShow, session))
    assert scene.refused(scene.at(CallNext, session, call="the-call")) == refusals.IdAlreadyUsed(id="the-call")


def test_start_complete_and_no_show_need_their_state(scene: Scene):
    scene.issue(), scene.issue()
    session = scene.open()
    for kind in (StartService, NoShow, Recall):
        assert scene.refused(scene.at(kind, session)) == refusals.TicketNotCalled()
    assert scene.refused(scene.at(Complete, session)) == refusals.TicketNotServed()
    scene.call_next(session)
    assert scene.refused(scene.at(Complete, session)) == refusals.TicketNotServed()
    scene.do(scene.at(StartService, session))
    for kind in (StartService, NoShow, Recall):
        assert scene.refused(scene.at(kind, session)) == refusals.TicketStillServed(number="H001")
    scene.do(scene.at(Complete, session))
    assert scene.call_next(session).number == "H002"
    scene.do(scene.at(NoShow, session))
    assert scene.session(session).ticket is None
    states = [ticket.state.value for ticket in scene.hall.tickets()]
    assert sorted(states) == ["completed", "no_show"]


def test_every_act_at_a_counter_needs_the_version_that_was_seen(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    for kind in (StartService, NoShow, Recall, CallNext, Complete):
        assert scene.refused(scene.at(kind, session, seen=1)).code == "stale_version"


def test_a_clerk_acts_in_the_own_session_only(scene: Scene):
    scene.issue()
    session = scene.open()
    command = replace(scene.at(CallNext, session), by=Actor("clerk", "somebody-else"))
    assert scene.refused(command) == refusals.SessionOfOther(session=session.id)


def test_a_number_that_left_is_gone_from_the_board(scene: Scene):
    scene.issue()
    session = scene.open()
    ticket = scene.call_next(session)
    assert scene.hall.last_calls("east", 5)
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert scene.hall.last_calls("east", 5) == []
    assert scene.hall.last_calls("west", 5) == []


def test_time_at_the_counter_is_observed_per_queue(scene: Scene):
    scene.issue(), scene.issue()
    session = scene.open()
    scene.serve_next(session, minutes=6)
    scene.call_next(session)
    scene.now += timedelta(seconds=45)
    scene.do(scene.at(NoShow, session))
    assert scene.hall.counter_seconds("household") == (360, 45)
    assert scene.hall.counter_seconds("tax") == ()
