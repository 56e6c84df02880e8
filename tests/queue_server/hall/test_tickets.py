"""Visits, tickets and steps; number series."""

from dataclasses import replace

import pytest

from queue_server.hall import (
    Actor,
    CallNext,
    CancelTicket,
    Complete,
    Hall,
    Issue,
    NoShow,
    StartService,
    StepState,
    TicketIssued,
    Withdraw,
    decide,
    refusals,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, Scene, sample

PERSON = "ab" * 32


def test_a_visit_has_one_ticket_whose_state_is_its_steps(scene: Scene):
    ticket = scene.issue("id-card", person=PERSON)
    visit = scene.hall.visit(ticket.visit)
    assert visit is not None
    assert visit.ticket == ticket.id
    assert (ticket.number, ticket.queue, ticket.service) == ("H001", "household", "id-card")
    assert [step.state for step in ticket.steps] == [StepState.WAITING] == [ticket.state]
    assert scene.hall.ticket_by_token(ticket.follow_token) == ticket
    assert scene.hall.ticket_by_token("another") is None


def test_q01_all_numbers_are_distinct_and_in_order_when_eight_terminals_issue_at_once(scene: Scene):
    numbers = [
        scene.issue("invoice", by=Actor("device", f"kiosk-{kiosk}")).number for _ in range(50) for kiosk in range(8)
    ]
    assert numbers == [f"L{serial:03d}" for serial in range(1, 401)]


def test_q01_the_same_ids_never_make_two_tickets(scene: Scene):
    command = scene.issuing()
    scene.do(command)
    assert scene.refused(command) == refusals.IdAlreadyUsed(id=command.ticket)
    assert scene.refused(replace(command, ticket="new")) == refusals.IdAlreadyUsed(id=command.visit)
    token_again = replace(command, ticket="new", visit="new")
    assert scene.refused(token_again) == refusals.IdAlreadyUsed(id="new")
    assert scene.hall.waiting_count("household") == 1


def test_q03_kiosk_and_counter_desk_share_one_series(scene: Scene):
    desk = Actor("clerk", "clerk-1")
    assert [scene.issue(by=by).number for by in (KIOSK, desk, KIOSK)] == ["H001", "H002", "H003"]


def test_each_queue_has_its_own_series(scene: Scene):
    assert [scene.issue(s).number for s in ("invoice", "id-card", "deed-tax")] == ["L001", "H001", "L002"]


def test_an_exhausted_series_refuses_and_never_wraps():
    queues = tuple(replace(queue, first=98, last=99, digits=2) for queue in sample().queues)
    scene = Scene(sample(queues=queues))
    first = scene.issue()
    assert [first.number, scene.issue().number] == ["H98", "H99"]
    assert scene.refused(scene.issuing()) == refusals.NumbersExhausted(queue="household", last=99)
    scene.do(Withdraw(by=KIOSK, ticket=first.id))
    assert scene.refused(scene.issuing()).code == "numbers_exhausted"
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert (state.open, state.reason) == (False, "numbers_exhausted")
    assert scene.issue("invoice").number == "L98"


def test_what_cannot_be_issued_is_refused_by_name(scene: Scene):
    assert scene.refused(scene.issuing("no-such")) == refusals.ServiceUnknown(service="no-such")
    assert scene.refused(scene.issuing("id-card", "vip")) == refusals.PriorityClassUnknown(priority_class="vip")
    assert scene.history[1:] == []


@pytest.mark.parametrize("person", ["110101199003070011", "AB" * 32, "ab" * 31, "", "x" * 64])
def test_a_person_that_is_no_keyed_hash_is_refused(scene: Scene, person: str):
    assert scene.refused(scene.issuing(person=person)) == refusals.PersonNotKeyed()


def test_nothing_is_issued_before_the_hall_is_configured():
    command = Issue(by=KIOSK, visit="v", ticket="t", step="s", service="id-card", follow_token="f")
    assert decide(Hall("new"), command, MORNING) == refusals.HallNotConfigured()


def test_a_service_without_open_counter_is_refused_where_the_rule_says_so():
    scene = Scene(sample(rules=replace(sample().rules, close_when_no_counter=True)))
    closed = refusals.ServiceClosed(service="id-card")
    assert scene.refused(scene.issuing()) == closed
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert (state.open, state.reason, state.counters) == (False, "service_closed", ())
    scene.open("counter-4")
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert (state.open, state.reason, state.counters) == (True, None, ("4",))
    scene.issue()
    assert scene.refused(scene.issuing("invoice")).code == "service_closed"
    assert scene.hall.service_state("no-such", scene.now) is None


def test_a_withdrawn_ticket_is_void_and_a_second_withdrawal_changes_nothing(scene: Scene):
    ticket = scene.issue()
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert scene.ticket(ticket).state is StepState.CANCELLED
    assert scene.do(Withdraw(by=KIOSK, ticket=ticket.id)) == ()
    assert scene.refused(Withdraw(by=KIOSK, ticket="none")) == refusals.TicketUnknown(ticket="none")


def test_withdrawing_a_called_ticket_frees_the_counter(scene: Scene):
    scene.issue(), scene.issue()
    session = scene.open()
    called = scene.call_next(session)
    before = scene.session(session).version
    scene.do(Withdraw(by=KIOSK, ticket=called.id))
    assert scene.session(session).ticket is None
    assert scene.session(session).version == before + 1
    assert scene.call_next(session).number == "H002"


@pytest.mark.parametrize("ending", [(StartService,), (StartService, Complete), (NoShow,)])
def test_withdrawing_what_is_served_or_over_changes_nothing(scene: Scene, ending: tuple[type, ...]):
    scene.issue()
    session = scene.open()
    ticket = scene.call_next(session)
    for kind in ending:
        scene.do(scene.at(kind, session))
    before = scene.ticket(ticket)
    assert scene.do(Withdraw(by=KIOSK, ticket=ticket.id)) == ()
    assert scene.ticket(ticket) == before


def test_staff_cancel_what_they_saw(scene: Scene):
    scene.issue()
    session = scene.open()
    ticket = scene.issue()
    stale = scene.cancelling(ticket)
    first = scene.call_next(session)
    assert scene.refused(replace(stale, ticket=first.id)) == refusals.StaleVersion(seen=1, now=2)
    scene.do(stale)
    assert scene.refused(scene.cancelling(ticket)) == refusals.TicketFinished(number="H002", state="cancelled")
    scene.do(scene.cancelling(first))
    assert scene.session(session).ticket is None
    assert scene.refused(CancelTicket(by=MANAGER, ticket="none", seen=1)).code == "ticket_unknown"


def test_a_ticket_in_service_is_not_cancelled_under_its_clerk(scene: Scene):
    scene.issue()
    session = scene.open()
    ticket = scene.call_next(session)
    scene.do(scene.at(StartService, session))
    assert scene.refused(scene.cancelling(ticket)) == refusals.TicketStillServed(number="H001")


def test_people_ahead_are_those_called_before(scene: Scene):
    first, second = scene.issue(), scene.issue()
    elderly = scene.issue("id-card", "elderly")
    ahead = [scene.hall.people_ahead(ticket, scene.now) for ticket in (elderly, first, second)]
    assert ahead == [0, 1, 2]
    session = scene.open()
    called = scene.call_next(session)
    assert scene.hall.people_ahead(called, scene.now) == 0
    assert scene.hall.people_ahead(second, scene.now) == 1


def test_a_ticket_tells_since_when_it_is_as_it_is(scene: Scene):
    ticket = scene.issue()
    times = [ticket.since]
    session = scene.open()
    for kind in (CallNext, StartService, Complete):
        scene.later(minutes=1)
        scene.do(scene.at(kind, session))
        times.append(scene.ticket(ticket).since)
    assert [(time - MORNING).total_seconds() for time in times] == [0, 60, 120, 180]


def test_a_withdrawn_number_is_not_given_again(scene: Scene):
    ticket = scene.issue()
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert scene.issue().number == "H002"
    assert [e.serial for e in scene.history if isinstance(e, TicketIssued)] == [1, 2]
