"""Limits of issue: one live number a person, quotas, hours, the closing time, and what looks like hoarding."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from queue_server.hall import Actor, HallConfiguration, TicketIssued, Withdraw, refusals
from queue_server.hall.limits import Limits, Quota, RepetitionFlagged
from queue_server.hall.opening import Calendar
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, Scene, sample

ZHANG, LI = "a" * 64, "b" * 64
OFFICE = Calendar(id="office", week=(("09:00-12:00", "13:30-17:00"),) * 5 + ((), ()))
CLERK = Actor("clerk", "clerk-9")


def hall(*, quota: Quota | None = None, **limits: Any) -> HallConfiguration:
    """The sample hall with office hours and limits; `quota` is that of the ID card service."""
    plain = sample(calendars=(OFFICE,), hours="office", limits=Limits(**limits))
    services = tuple(replace(s, quota=quota or Quota()) if s.id == "id-card" else s for s in plain.services)
    return replace(plain, services=services)


def refusal(scene: Scene, service: str = "id-card", **fields: Any) -> Any:
    return scene.refused(scene.issuing(service, **fields))


# --- one live number


def test_a_person_holds_one_live_number_for_a_service_and_is_told_which():
    scene = Scene()
    first = scene.issue("id-card", person=ZHANG)
    assert refusal(scene, person=ZHANG) == refusals.AlreadyHolding(number=first.number, service="id-card")
    scene.issue("household-move", person=ZHANG)
    scene.issue("id-card", person=LI)


def test_whoever_gave_the_number_up_or_was_served_may_take_another():
    scene = Scene()
    ticket = scene.issue("id-card", person=ZHANG)
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    scene.issue("id-card", person=ZHANG)
    scene.serve_next(scene.open())
    scene.issue("id-card", person=ZHANG)


@pytest.mark.parametrize(
    ("scope", "same_queue", "other_queue"), [("service", True, True), ("queue", False, True), ("hall", False, False)]
)
def test_the_hall_chooses_how_far_one_live_number_reaches(scope: str, same_queue: bool, other_queue: bool):
    for service, may in (("household-move", same_queue), ("invoice", other_queue)):
        scene = Scene(sample(limits=Limits(one_live=scope)))  # type: ignore[arg-type]
        scene.issue("id-card", person=ZHANG)
        outcome = scene.ask(scene.issuing(service, person=ZHANG))
        assert isinstance(outcome, tuple) == may


def test_people_without_a_card_are_not_held_to_one_number():
    scene = Scene()
    assert scene.issue("id-card").number != scene.issue("id-card").number


def test_one_live_number_binds_staff_too_and_holds_after_a_reload():
    scene = Scene()
    scene.issue("id-card", person=ZHANG)
    scene.hall = scene.hall.copy()
    assert isinstance(refusal(scene, person=ZHANG, by=CLERK, device=None), refusals.AlreadyHolding)


def test_a_hall_may_limit_the_numbers_of_a_person_a_day():
    scene = Scene(sample(limits=Limits(numbers_per_person=2)))
    for _ in range(2):
        scene.do(Withdraw(by=KIOSK, ticket=scene.issue("id-card", person=ZHANG).id))
    assert refusal(scene, person=ZHANG) == refusals.TooManyNumbers(limit=2)
    scene.later(days=1)
    scene.issue("id-card", person=ZHANG)


# --- quotas


def test_a_quota_is_part_of_the_issue_and_has_two_halves():
    scene = Scene(hall(quota=Quota(morning=2, afternoon=1)))
    for _ in range(2):
        scene.issue("id-card")
    assert refusal(scene) == refusals.QuotaReached(service="id-card", half="morning", limit=2)
    scene.issue("household-move")
    scene.later(hours=5)
    scene.issue("id-card")
    assert refusal(scene).half == "afternoon"  # type: ignore[attr-defined]
    scene.later(hours=19)
    scene.issue("id-card")


def test_a_number_given_up_leaves_its_place_in_the_quota():
    scene = Scene(hall(quota=Quota(morning=1)))
    ticket = scene.issue("id-card")
    scene.later(hours=4, minutes=45)  # in the afternoon it still counts for the morning
    scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    scene.now = MORNING + timedelta(minutes=1)
    scene.issue("id-card")
    assert isinstance(refusal(scene), refusals.QuotaReached)


def test_staff_give_numbers_beyond_quota_and_hours():
    scene = Scene(hall(quota=Quota(morning=0)))
    scene.issue("id-card", by=CLERK, device=None)
    scene.later(hours=12)
    scene.issue("id-card", by=CLERK, device=None)


# --- hours


def test_a_closed_hall_refuses_with_the_time_at_which_it_opens():
    scene = Scene(hall(), now=MORNING + timedelta(hours=3, minutes=10))
    assert refusal(scene) == refusals.OutsideHours(service="id-card", opens_at="2026-03-02T05:30:00+00:00")
    scene.later(hours=5)
    assert refusal(scene) == refusals.NotToday(service="id-card", opens_at="2026-03-03T01:00:00+00:00")
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert (state.open, state.reason) == (False, "not_today")
    assert state.opens_at == datetime.fromisoformat("2026-03-03T01:00:00+00:00")


def test_numbers_end_before_the_hours_do():
    scene = Scene(hall(stop_before_close_minutes=30), now=MORNING + timedelta(hours=2, minutes=29))
    scene.issue("id-card")
    scene.later(minutes=1)
    assert refusal(scene).code == "outside_hours"


# --- the closing time


def crowded(**limits: Any) -> Scene:
    """Half an hour before the midday break, one counter, and ten people who need ten minutes each."""
    scene = Scene(hall(**limits), now=MORNING + timedelta(hours=2, minutes=30))
    scene.open("counter-4")
    for _ in range(10):
        scene.issue("id-card", by=CLERK, device=None)
    return scene


def warned(scene: Scene) -> datetime | None:
    """What the next person is told."""
    (issued,) = (event for event in scene.do(scene.issuing("id-card")) if isinstance(event, TicketIssued))
    return issued.may_close_at


def test_whoever_may_not_be_reached_before_closing_is_told():
    scene = crowded()
    assert warned(scene) == datetime.fromisoformat("2026-03-02T04:00:00+00:00")
    scene = Scene(hall(), now=MORNING)
    scene.open("counter-4")
    assert warned(scene) is None


def test_a_hall_may_refuse_whom_it_cannot_reach_and_say_nothing_otherwise():
    refused = refusal(crowded(not_reached="refuse"))
    assert refused == refusals.NotReachableToday(service="id-card", closes_at="2026-03-02T04:00:00+00:00")
    assert warned(crowded(not_reached="issue")) is None


def test_without_an_open_counter_nobody_is_told_that_they_are_not_reached():
    scene = Scene(hall(not_reached="refuse"), now=MORNING + timedelta(hours=2, minutes=59))
    assert warned(scene) is None


# --- hoarding


def flags(scene: Scene) -> list[tuple[str, int]]:
    return [(e.pattern, e.count) for e in scene.history if isinstance(e, RepetitionFlagged)]


def test_a_person_who_takes_many_numbers_a_day_is_flagged_once_and_not_refused():
    scene = Scene(sample(limits=Limits(flag_person_numbers=3)))
    for _ in range(5):
        scene.do(Withdraw(by=KIOSK, ticket=scene.issue("id-card", person=ZHANG).id))
    assert flags(scene) == [("person", 3)]
    scene.later(days=1)
    for _ in range(3):
        scene.do(Withdraw(by=KIOSK, ticket=scene.issue("id-card", person=ZHANG).id))
    assert flags(scene) == [("person", 3), ("person", 3)]


def test_many_numbers_without_a_card_at_one_terminal_in_a_short_time_are_flagged():
    scene = Scene(sample(limits=Limits(flag_device_numbers=4, flag_device_s=60)))
    for _ in range(3):
        scene.issue("id-card", device="kiosk-1")
    scene.issue("id-card", device="kiosk-2")
    scene.issue("id-card", device="kiosk-1", person=ZHANG)
    assert flags(scene) == []
    scene.later(seconds=61)
    for _ in range(3):
        scene.issue("id-card", device="kiosk-1")
    assert flags(scene) == []
    scene.issue("id-card", device="kiosk-1")
    assert flags(scene) == [("device", 4)]


def test_a_number_that_was_taken_offline_long_ago_hides_none_of_those_taken_now():
    scene = Scene(sample(limits=Limits(flag_device_numbers=4, flag_device_s=60)))
    for _ in range(2):
        scene.issue("id-card", device="kiosk-1")
    scene.issue("id-card", device="kiosk-1", arrived_at=scene.now - timedelta(hours=1))
    scene.issue("id-card", device="kiosk-1")
    assert flags(scene) == []
    scene.issue("id-card", device="kiosk-1")
    assert flags(scene) == [("device", 4)]


def test_a_hall_may_watch_for_nothing():
    scene = Scene(sample(limits=Limits(flag_person_numbers=0, flag_device_numbers=0)))
    for _ in range(30):
        scene.issue("id-card")
    assert flags(scene) == []


def test_a_flag_reads_as_a_sentence_and_names_nobody():
    scene = Scene(sample(limits=Limits(flag_person_numbers=1)))
    scene.issue("id-card", person=ZHANG)
    (flag,) = [event for event in scene.history if isinstance(event, RepetitionFlagged)]
    assert flag.why.params == {"count": 1, "number": "H001"}


def test_the_business_date_decides_the_half_after_midnight():
    scene = Scene(sample(limits=Limits(afternoon_from="12:00")), now=MORNING + timedelta(hours=17))  # 02:00, old day
    ticket = scene.issue("id-card", by=MANAGER)
    assert ticket.business_date == date(2026, 3, 2)
    assert scene.hall.store.tally.given[ticket.business_date] == {"id-card/afternoon": 1}
