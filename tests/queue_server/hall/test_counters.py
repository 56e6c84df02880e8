"""Counter sessions."""

from dataclasses import replace

from queue_server.hall import Actor, CallNext, CloseCounter, NoShow, Recall, StartService, refusals
from tests.queue_server.hall.scene import MANAGER, Scene


def test_a_counter_is_held_by_one_clerk_and_a_clerk_holds_one_counter(scene: Scene):
    session = scene.open("counter-1", "clerk-1")
    assert scene.refused(scene.opening("counter-1", "clerk-2")) == refusals.CounterTaken(
        counter="counter-1", clerk="clerk-1", session=session.id
    )
    assert scene.refused(scene.opening("counter-2", "clerk-1")) == refusals.ClerkAtOtherCounter(
        counter="counter-1", session=session.id
    )
    assert scene.refused(scene.opening("counter-1", "clerk-1")).code == "counter_taken"
    scene.open("counter-2", "clerk-2")
    assert [s.clerk for s in scene.hall.sessions()] == ["clerk-1", "clerk-2"]
    assert [s.counter for s in scene.hall.serving("social-security").sessions] == ["counter-1", "counter-2"]


def test_unknown_counters_sessions_and_ids_are_refused(scene: Scene):
    session = scene.open("counter-1", "clerk-1")
    assert scene.refused(scene.opening("counter-99", "clerk-2")) == refusals.CounterUnknown(counter="counter-99")
    again = replace(scene.opening("counter-2", "clerk-2"), session=session.id)
    assert scene.refused(again) == refusals.IdAlreadyUsed(id=session.id)
    assert scene.refused(CloseCounter(by=MANAGER, session="none")) == refusals.SessionUnknown(session="none")


def test_a_closed_counter_can_be_taken_by_another_clerk(scene: Scene):
    session = scene.open("counter-1", "clerk-1")
    closing = CloseCounter(by=MANAGER, session=session.id)
    scene.do(closing)
    assert scene.refused(closing) == refusals.SessionClosed(session=session.id)
    assert scene.refused(scene.at(CallNext, session)) == refusals.SessionClosed(session=session.id)
    assert scene.hall.sessions() == []
    scene.open("counter-1", "clerk-2")
    scene.open("counter-2", "clerk-1")


def test_only_the_own_session_can_be_closed_by_a_clerk(scene: Scene):
    session = scene.open("counter-1", "clerk-1")
    other = CloseCounter(by=Actor("clerk", "clerk-2"), session=session.id)
    assert scene.refused(other) == refusals.SessionOfOther(session=session.id)
    scene.do(replace(other, by=Actor("clerk", "clerk-1")))


def test_a_counter_with_a_ticket_does_not_close(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    closing = CloseCounter(by=MANAGER, session=session.id)
    assert scene.refused(closing) == refusals.TicketStillCalled(number="H001")
    scene.do(scene.at(StartService, session))
    assert scene.refused(closing) == refusals.TicketStillServed(number="H001")


def test_the_version_grows_with_every_event_that_touches_the_session(scene: Scene):
    scene.issue()
    session = scene.open()
    versions = [session.version]
    scene.issue()
    versions.append(scene.session(session).version)
    for kind in (CallNext, Recall, NoShow):
        scene.later(minutes=1)
        scene.do(scene.at(kind, session))
        versions.append(scene.session(session).version)
    assert versions == [1, 1, 2, 3, 4]
