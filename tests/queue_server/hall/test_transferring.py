"""Visits and steps: sending on, several services under one number, companions, evidence, ratings."""

from dataclasses import replace

import pytest

from queue_server.hall import (
    Actor,
    Addressee,
    AnotherService,
    CallTicket,
    CloseCounter,
    Complete,
    RateItem,
    RateVisit,
    Reclassify,
    StartService,
    StepState,
    Transfer,
    refusals,
    words,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER, Scene, sample

LI, WANG = Actor("clerk", "clerk-1"), Actor("clerk", "clerk-2")


def test_r05_a_consultation_is_sent_on_without_losing_number_or_arrival(scene: Scene):
    asker = scene.issue("advice")
    scene.later(minutes=5)
    later = scene.issue("social-card")
    desk, counter = scene.open("counter-9", "clerk-1"), scene.open("counter-2", "clerk-2")
    scene.call_next(desk)
    scene.do(scene.at(StartService, desk))
    scene.later(minutes=4)
    scene.do(Transfer(by=LI, ticket=asker.id, seen=scene.ticket(asker).version, service="social-card"))
    moved = scene.ticket(asker)
    assert (moved.number, moved.arrived_at, moved.step.order_key) == (
        asker.number,
        asker.arrived_at,
        asker.step.order_key,
    )
    assert [step.state for step in moved.steps] == [StepState.TRANSFERRED, StepState.WAITING]
    assert [t.id for t in scene.hall.waiting(counter, scene.now)] == [asker.id, later.id]
    assert scene.session(desk).ticket is None


def test_where_the_hall_says_so_a_transfer_waits_from_the_move():
    rules = replace(sample().rules, transfer_keeps_place=False)
    scene = Scene(sample(rules=rules))
    first = scene.issue("social-card")
    scene.later(minutes=5)
    second = scene.issue("social-card")
    scene.do(Transfer(by=MANAGER, ticket=first.id, seen=1))
    assert [t.id for t in scene.hall.waiting("social-security", scene.now)] == [second.id, first.id]


@pytest.mark.parametrize("to", [Addressee("counter", "counter-2"), Addressee("clerk", "clerk-2")])
def test_a_ticket_sent_to_a_counter_or_clerk_is_theirs_until_they_close(scene: Scene, to: Addressee):
    first, second = scene.open("counter-1", "clerk-1"), scene.open("counter-2", "clerk-2")
    ticket = scene.issue("social-card")
    scene.do(Transfer(by=MANAGER, ticket=ticket.id, seen=1, addressee=to))
    assert scene.hall.next_for(first, scene.now) is None
    assert scene.refused(scene.at(CallTicket, first, ticket=ticket.id)).code == "ticket_not_for_counter"
    choice = scene.hall.next_for(second, scene.now)
    assert choice is not None
    assert choice.ticket.id == ticket.id
    scene.do(CloseCounter(by=WANG, session=second.id))
    choice = scene.hall.next_for(first, scene.now)
    assert choice is not None
    assert choice.ticket.id == ticket.id


def test_nobody_is_sent_where_nobody_can_serve_them(scene: Scene):
    scene.open("counter-4", "clerk-1")
    ticket = scene.issue("social-card")
    asked = Transfer(by=MANAGER, ticket=ticket.id, seen=1)
    nobody = replace(asked, addressee=Addressee("counter", "counter-2"))
    assert scene.refused(nobody) == refusals.CounterNotOpen(counter="counter-2")
    wrong = replace(asked, service="invoice", addressee=Addressee("counter", "counter-4"))
    assert scene.refused(wrong) == refusals.QueueNotOfCounter(queue="tax", counter="counter-4")
    assert scene.refused(replace(asked, seen=9)) == refusals.StaleVersion(seen=9, now=1)
    assert scene.refused(replace(asked, by=WANG)) == refusals.NotOnDuty(clerk="clerk-2")


def test_one_visit_has_several_services_under_one_number(scene: Scene):
    ticket = scene.issue("social-card", planned=("id-card",))
    session, other = scene.open("counter-2", "clerk-1"), scene.open("counter-4", "clerk-2")
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.do(scene.at(AnotherService, session, service="medical-remote", here=True))
    scene.do(scene.at(AnotherService, session, service="invoice", here=False))
    assert scene.ticket(ticket).service == "medical-remote"
    assert scene.ticket(ticket).planned == ("id-card", "invoice")
    scene.do(scene.at(Complete, session))
    assert scene.hall.waiting("household", scene.now)[0].id == ticket.id
    assert scene.serve_next(other).planned == ()
    last = scene.ticket(ticket)
    assert (last.service, last.state, last.number) == ("invoice", StepState.WAITING, ticket.number)
    assert [step.service for step in last.steps] == ["social-card", "medical-remote", "id-card", "invoice"]


def test_a_priority_class_is_given_on_its_evidence_only(scene: Scene):
    assert scene.refused(scene.issuing("id-card", "military")).code == "evidence_missing"
    assert scene.issue("id-card", "military", evidence="veteran-card").evidence == "veteran-card"
    classes = tuple(replace(c, granted_by=("clerk",)) if c.id == "elderly" else c for c in sample().priority_classes)
    strict = Scene(sample(priority_classes=classes))
    assert strict.refused(strict.issuing("id-card", "elderly")).code == "class_not_granted"


def test_a_clerk_corrects_what_a_ticket_is_for_and_its_place_stays(scene: Scene):
    ticket = scene.issue("social-card", companions=1)
    scene.later(minutes=3)
    session = scene.open("counter-1", "clerk-1")
    scene.call_next(session)
    change = Reclassify(
        by=LI,
        ticket=ticket.id,
        seen=2,
        service="fund-loan",
        priority_class="disabled",
        evidence="disability-card",
        companions=3,
    )
    assert scene.refused(replace(change, service="id-card-x")).code == "service_unknown"
    assert scene.refused(replace(change, service="invoice")).code == "queue_not_of_counter"
    assert scene.refused(replace(change, evidence=None)).code == "evidence_missing"
    assert scene.refused(replace(change, companions=51)).code == "companions_out_of_range"
    scene.do(change)
    corrected = scene.ticket(ticket)
    assert (corrected.service, corrected.queue, corrected.priority_class) == ("fund-loan", "housing-fund", "disabled")
    assert (corrected.evidence, corrected.companions) == ("disability-card", 3)
    assert corrected.step.order_key == ticket.step.order_key
    assert "残疾人" in words(scene.history[-1].why, "zh", scene.hall.configuration)


def test_r47_a_visit_is_rated_once_however_many_services_it_had_and_an_item_each(scene: Scene):
    ticket = scene.issue("social-card")
    rate = RateVisit(by=KIOSK, rating="r-1", ticket=ticket.id, level=5, way="on_site")
    assert scene.refused(rate).code == "visit_not_served"
    session = scene.open("counter-2")
    scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.do(scene.at(AnotherService, session, service="medical-remote", here=True))
    scene.do(scene.at(Complete, session))
    assert [event.addendum for event in scene.do(rate)] == [False]
    assert [event.addendum for event in scene.do(replace(rate, rating="r-2", level=1, way="scan"))] == [True]
    kept = scene.hall.store.ratings[f"visit:{ticket.visit}"]
    assert (kept.level, kept.addenda) == (5, 1)
    for item in ("order-1", "order-2", "order-3"):
        scene.do(RateItem(by=KIOSK, rating=item, item=item, level=4, way="on_site"))
    assert len(scene.hall.store.ratings) == 4


@pytest.mark.parametrize("level", [0, 6, -1])
def test_a_rating_has_five_levels(scene: Scene, level: int):
    asked = RateItem(by=KIOSK, rating="r", item="o", level=level, way="sms")
    assert scene.refused(asked) == refusals.RatingOutOfRange(level=level)
