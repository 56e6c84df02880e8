"""No-shows, holds, undo, pauses and take-overs, rule by rule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from queue_server.hall import (
    Actor,
    Addressee,
    CallNext,
    CallTicket,
    Complete,
    ContinueCounter,
    Hold,
    NoShow,
    NoShowRule,
    PauseCounter,
    Recall,
    Reinstate,
    Resume,
    StartService,
    StepState,
    TakeOver,
    Ticket,
    Undo,
    refusals,
)
from queue_server.hall.opening import Calendar
from tests.queue_server.hall.scene import KIOSK, MANAGER, Scene, sample

LI = Actor("clerk", "clerk-1")


def hall(**rule: Any) -> Scene:
    return Scene(sample(rules=replace(sample().rules, no_show=NoShowRule(**rule))))


def line(scene: Scene) -> list[str]:
    return [ticket.id for ticket in scene.hall.waiting("household", scene.now)]


def arrivals(scene: Scene, count: int) -> list[Ticket]:
    found = []
    for _ in range(count):
        found.append(scene.issue())
        scene.later(minutes=1)
    return found


def test_q23_a_no_show_comes_back_at_the_documented_place_for_any_counter(scene: Scene):
    first, *rest = arrivals(scene, 6)
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    scene.do(Reinstate(by=MANAGER, ticket=first.id, seen=scene.ticket(first).version))
    assert line(scene) == [rest[0].id, rest[1].id, rest[2].id, first.id, rest[3].id, rest[4].id]
    for ticket in rest[:3]:
        assert scene.serve_next(session, minutes=1).id == ticket.id
    assert scene.call_next(session).id == first.id


def test_the_holder_comes_back_once_at_a_terminal_and_in_time(scene: Scene):
    ticket = scene.issue()
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    back = Reinstate(by=KIOSK, ticket=ticket.id, seen=scene.ticket(ticket).version)
    scene.later(minutes=31)
    assert scene.refused(back) == refusals.ReinstateAtDesk(number=ticket.number)
    scene.later(minutes=-2)
    scene.do(back)
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    again = replace(back, seen=scene.ticket(ticket).version)
    assert scene.refused(again) == refusals.ReinstateAtDesk(number=ticket.number)
    scene.do(replace(again, by=MANAGER))


def test_an_unanswered_number_is_put_back_behind_so_many_and_ends_after_so_many_times():
    scene = hall(then="reinsert", behind=2, times=2)
    first, *rest = arrivals(scene, 4)
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    assert line(scene) == [rest[0].id, rest[1].id, first.id, rest[2].id]
    for state in (StepState.WAITING, StepState.NO_SHOW):
        scene.do(scene.at(CallTicket, session, ticket=first.id))
        scene.do(scene.at(NoShow, session))
        assert scene.ticket(first).state is state


def test_an_unanswered_number_backs_off_twice_as_long_each_time():
    scene = hall(then="back_off", back_off_s=120, times=2)
    ticket = scene.issue()
    session = scene.open()
    for minutes in (2, 4):
        scene.call_next(session)
        scene.do(scene.at(NoShow, session))
        assert scene.hall.deferred("household", scene.now) == [scene.ticket(ticket)]
        scene.later(minutes=minutes, seconds=-1)
        assert scene.refused(scene.at(CallNext, session)) == refusals.NobodyWaiting()
        scene.later(seconds=1)
        assert line(scene) == [ticket.id]


def test_a_no_show_waits_for_the_recalls_that_the_hall_asks_for():
    scene = hall(recalls_first=1)
    ticket = scene.issue()
    session = scene.open()
    scene.call_next(session)
    assert scene.refused(scene.at(NoShow, session)) == refusals.RecallFirst(number=ticket.number, recalls=1)
    scene.later(seconds=15)
    scene.do(scene.at(Recall, session))
    scene.do(scene.at(NoShow, session))


def test_what_is_held_is_called_by_hand_only_and_goes_back_to_its_place(scene: Scene):
    first, second = arrivals(scene, 2)
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.do(Hold(by=LI, ticket=first.id, seen=scene.ticket(first).version))
    assert line(scene) == [second.id]
    scene.do(Resume(by=LI, ticket=first.id, seen=scene.ticket(first).version))
    assert line(scene) == [first.id, second.id]
    scene.do(Hold(by=LI, ticket=first.id, seen=scene.ticket(first).version))
    scene.do(scene.at(CallTicket, session, ticket=first.id))
    assert scene.ticket(first).state is StepState.CALLED


def test_what_is_parked_with_a_clerk_is_out_of_others_reach(scene: Scene):
    ticket = scene.issue("social-card")
    mine, other = scene.open("counter-1", "clerk-1"), scene.open("counter-2", "clerk-2")
    scene.do(Hold(by=LI, ticket=ticket.id, seen=1, pool=Addressee("clerk", "clerk-1")))
    assert scene.refused(scene.at(CallTicket, other, ticket=ticket.id)).code == "ticket_not_for_counter"
    theirs = Resume(by=Actor("clerk", "clerk-2"), ticket=ticket.id, seen=2)
    assert scene.refused(theirs).code == "ticket_not_for_counter"
    scene.do(scene.at(CallTicket, mine, ticket=ticket.id))


def test_q25_an_undone_call_leaves_the_ticket_at_its_place_and_no_display_shows_it(scene: Scene):
    first, second = arrivals(scene, 2)
    session = scene.open()
    scene.call_next(session)
    scene.later(seconds=11)
    scene.do(scene.at(Recall, session))
    assert [call.ticket for call in scene.hall.last_calls("east", 5)] == [first.id]
    scene.do(scene.at(Undo, session))
    assert scene.hall.last_calls("east", 5) == []
    assert line(scene) == [first.id, second.id]
    assert scene.refused(scene.at(Undo, session)) == refusals.NothingToUndo()


@pytest.mark.parametrize("rule", ["end", "reinsert", "back_off"])
def test_an_undone_no_show_is_called_at_its_counter_again(rule: str):
    scene = hall(then=rule)
    ticket, _ = arrivals(scene, 2)
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(NoShow, session))
    scene.later(seconds=59)
    scene.do(scene.at(Undo, session))
    assert scene.ticket(ticket).at_session == session.id
    assert scene.ticket(ticket).state is StepState.CALLED
    assert len(scene.ticket(ticket).steps) == 1


def test_a_completion_is_undone_within_a_minute_and_not_after(scene: Scene):
    ticket = scene.issue("social-card", planned=("id-card",))
    session = scene.open("counter-2")
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.do(scene.at(Complete, session))
    assert scene.ticket(ticket).service == "id-card"
    scene.later(seconds=61)
    assert scene.refused(scene.at(Undo, session)) == refusals.UndoTooLate(number=ticket.number, within=60)
    scene.later(seconds=-1)
    scene.do(scene.at(Undo, session))
    assert scene.ticket(ticket).state is StepState.SERVING
    assert scene.ticket(ticket).planned == ("id-card",)


def test_what_others_have_called_meanwhile_is_not_undone(scene: Scene):
    ticket = scene.issue("social-card", planned=("id-card",))
    session, other = scene.open("counter-2", "clerk-1"), scene.open("counter-4", "clerk-2")
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.do(scene.at(Complete, session))
    assert scene.call_next(other).id == ticket.id
    assert scene.refused(scene.at(Undo, session)) == refusals.NothingToUndo()


def test_a_pausing_counter_calls_nobody_and_says_why(scene: Scene):
    ticket = scene.issue()
    session = scene.open()
    assert scene.refused(scene.at(PauseCounter, session, reason="nap")) == refusals.PauseReasonUnknown(reason="nap")
    scene.do(scene.at(PauseCounter, session, reason="meal"))
    assert scene.refused(scene.at(CallNext, session)) == refusals.CounterPaused(counter="counter-4")
    assert scene.refused(scene.at(CallTicket, session, ticket=ticket.id)).code == "counter_paused"
    scene.do(scene.at(ContinueCounter, session))
    assert scene.refused(scene.at(ContinueCounter, session)).code == "counter_not_paused"
    scene.call_next(session)
    assert scene.refused(scene.at(PauseCounter, session, reason="meal")).code == "ticket_still_called"


def test_a_supervisor_takes_over_and_the_other_session_is_closed(scene: Scene):
    ticket = scene.issue()
    session = scene.open()
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    clerk = TakeOver(by=Actor("clerk", "clerk-2"), session="new", counter="counter-4")
    assert scene.refused(clerk) == refusals.TakeOverNotAllowed(counter="counter-4")
    scene.do(replace(clerk, by=MANAGER))
    new = scene.hall.session_at("counter-4")
    assert new is not None
    assert (new.clerk, new.ticket) == (MANAGER.id, ticket.id)
    assert scene.refused(scene.at(Complete, session)) == refusals.SessionClosed(session=session.id)
    scene.do(scene.at(Complete, new))
    assert scene.refused(replace(clerk, by=MANAGER, session="x", counter="counter-1")).code == "counter_not_open"


def test_a_service_without_counter_is_refused_with_when_its_hours_begin_again():
    rules = replace(sample().rules, close_when_no_counter=True)
    hours = Calendar(id="office", week=(("09:00-12:00", "13:30-17:00"),) * 5 + ((), ()))
    scene = Scene(sample(rules=rules, calendars=(hours,), hours="office"))
    scene.later(minutes=30)
    refused = scene.refused(scene.issuing("id-card"))
    assert isinstance(refused, refusals.ServiceClosed)
    assert refused.opens_at == "2026-03-02T05:30:00+00:00"
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert (state.reason, state.opens_at) == ("service_closed", scene.now.replace(hour=5, minute=30) + timedelta(0))
    scene.open("counter-4")
    scene.issue("id-card")
