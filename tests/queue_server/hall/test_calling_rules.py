"""Caps, weights and ratios: who is called, and why, where the hall's rules say more than waiting."""

from dataclasses import replace
from datetime import timedelta

import pytest

from queue_server.hall import (
    ChooseProfile,
    HallConfiguration,
    PriorityClass,
    refusals,
    words,
)
from queue_server.hall.turns import next_turn, take_turn, turns_before
from tests.queue_server.hall.scene import Scene, sample


def ruled(calling: str = "accumulating", **classes: dict[str, object]) -> HallConfiguration:
    changed = tuple(replace(c, **classes.get(c.id, {})) for c in sample().priority_classes)
    return sample(rules=replace(sample().rules, calling=calling), priority_classes=changed)


@pytest.mark.parametrize("calling", ["accumulating", "ratio"])
def test_q17_nobody_waits_past_the_cap_while_a_counter_calls_and_each_choice_is_explained(calling: str):
    scene = Scene(ruled(calling, ordinary={"cap_s": 2400}, elderly={"rate": 9.0, "head_start_s": 3600, "share": 9}))
    session = scene.open()
    ordinary = [scene.issue("id-card") for _ in range(5)]
    called: list[str] = []
    for minute in range(120):
        if minute % 2 == 0:
            scene.issue("id-card", "elderly")
        if minute % 3 == 0:
            called.append(scene.serve_next(session, minutes=0).id)
            why = words(scene.history[-3].why, "zh", scene.hall.configuration)
            assert scene.history[-3].number in why
        scene.later(minutes=1)
    over = [event.why.code for event in scene.history if event.kind == "ticket_called"]
    assert {ticket.id for ticket in ordinary} <= set(called)
    assert "over_cap" in over
    for ticket in ordinary:
        served = scene.ticket(ticket).step.called_at
        assert served is not None
        assert served - ticket.arrived_at <= timedelta(seconds=2400) + len(ordinary) * timedelta(minutes=3)


def test_the_cap_goes_over_every_weight_earliest_deadline_first():
    scene = Scene(ruled(ordinary={"cap_s": 1800}, elderly={"cap_s": 600}))
    session = scene.open("counter-1")
    scene.do(scene.at(ChooseProfile, session, profile="insurance-weighted"))
    fund = scene.issue("fund-loan")
    scene.later(minutes=21)
    elderly = scene.issue("fund-loan", "elderly")
    scene.later(minutes=10)
    heavy = scene.issue("social-card")
    order = [scene.serve_next(session, minutes=0).id for _ in range(3)]
    assert order == [fund.id, elderly.id, heavy.id]


def test_a_queue_of_a_higher_weight_is_called_first_and_the_reason_says_so(scene: Scene):
    session = scene.open("counter-1")
    scene.do(scene.at(ChooseProfile, session, profile="insurance-weighted"))
    fund = scene.issue("fund-loan")
    scene.later(minutes=9)
    card = scene.issue("social-card")
    assert scene.call_next(session).id == card.id
    why = scene.history[-1].why
    assert why.code == "higher_weight"
    assert "社保医保" in words(why, "zh", scene.hall.configuration)
    assert fund.number in words(why, "en", scene.hall.configuration)


def test_a_profile_holds_only_what_the_counters_class_is_able_to_serve(scene: Scene):
    session = scene.open("counter-7")
    refused = scene.refused(scene.at(ChooseProfile, session, profile="household"))
    assert refused == refusals.ProfileBeyondClass(profile="household", counter="counter-7")
    assert scene.refused(scene.at(ChooseProfile, session, profile="x")) == refusals.ProfileUnknown(profile="x")


def test_by_ratio_the_classes_alternate_in_their_shares():
    scene = Scene(ruled("ratio", elderly={"share": 2}))
    for _ in range(6):
        scene.issue("id-card", "elderly")
        scene.issue("id-card")
    session = scene.open()
    listed = [ticket.priority_class for ticket in scene.hall.waiting(session, scene.now, 6)]
    called = [scene.serve_next(session, minutes=0).priority_class for _ in range(6)]
    assert called == listed
    assert called.count("elderly") == 4
    assert "turn_of_class" in {e.why.code for e in scene.history if e.kind == "ticket_called"}


def test_a_class_that_nobody_waits_in_saves_up_no_turns():
    scene = Scene(ruled("ratio", elderly={"share": 1}))
    session = scene.open()
    for _ in range(20):
        scene.issue("id-card")
        scene.serve_next(session, minutes=0)
    for _ in range(4):
        scene.issue("id-card", "elderly")
        scene.issue("id-card")
    called = [scene.serve_next(session, minutes=0).priority_class for _ in range(4)]
    assert called.count("elderly") == 2


def test_people_ahead_by_turns_are_counted_as_they_are_called_however_long_the_line():
    shares, waiting = {"a": 3, "b": 2, "c": 1}, {"a": 40, "b": 7, "c": 23}
    credit: dict[str, int] = {"a": 2, "b": -2}
    left, order = dict(waiting), []
    twin = dict(credit)
    while left:
        chosen = next_turn(twin, shares, left)
        take_turn(twin, shares, left, chosen)
        order.append((chosen, waiting[chosen] - left[chosen]))
        left[chosen] -= 1
        if not left[chosen]:
            del left[chosen]
    for index, (mine, place) in enumerate(order):
        assert turns_before(credit, shares, waiting, mine, place) == index
    assert turns_before({}, {"a": 2, "b": 1}, {"a": 10**9, "b": 10**9}, "b", 10**8) > 10**8


def test_a_class_of_another_rate_keeps_the_order_of_its_own_line():
    fast = PriorityClass(id="fast", name=sample().name, rate=3.0, cap_s=600)
    scene = Scene(sample(priority_classes=(*sample().priority_classes, fast)))
    tickets = []
    for _ in range(4):
        tickets.append(scene.issue("id-card", "fast"))
        scene.later(minutes=4)
    assert [t.id for t in scene.hall.waiting("household", scene.now)] == [t.id for t in tickets]
