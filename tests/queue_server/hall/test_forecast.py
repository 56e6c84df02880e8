"""The wait forecast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall import CallNext, PauseCounter
from queue_server.hall.forecast import PRIOR_WEIGHT, WaitRange, minutes_per_ticket, wait_range
from tests.queue_server.hall.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def forecast(scene: Scene, queue: str = "household") -> WaitRange:
    found = wait_range(scene.hall, queue, scene.now)
    assert found is not None
    return found


def test_there_is_no_forecast_without_an_open_counter(scene: Scene):
    ticket = scene.issue()
    scene.open("counter-1")
    assert wait_range(scene.hall, ticket, scene.now) is None
    assert wait_range(scene.hall, "household", scene.now) is None


def test_there_is_no_forecast_for_a_ticket_that_waits_no_more(scene: Scene):
    scene.issue()
    session = scene.open("counter-4")
    assert wait_range(scene.hall, scene.call_next(session), scene.now) is None


def test_a_counter_that_pauses_is_not_counted_while_another_calls(scene: Scene):
    scene.open("counter-1", "clerk-1")
    second = scene.open("counter-2", "clerk-2")
    for _ in range(6):
        scene.issue("social-card")
    both = forecast(scene, "social-security")
    scene.do(scene.at(PauseCounter, second, reason="meal"))
    assert forecast(scene, "social-security").low > both.low


def test_the_first_person_at_a_free_counter_is_called_at_once(scene: Scene):
    scene.open("counter-4")
    ticket = scene.issue()
    assert wait_range(scene.hall, ticket, scene.now) == WaitRange(0, 1, scene.now)


def test_the_range_holds_people_ahead_times_pace(scene: Scene):
    session = scene.open("counter-4")
    for _ in range(10):
        scene.issue()
    scene.do(scene.at(CallNext, session))
    pace = minutes_per_ticket(scene.hall, "household")
    last = scene.hall.waiting("household", scene.now)[-1]
    found = wait_range(scene.hall, last, scene.now)
    assert found is not None
    assert found.low < 9 * pace < found.high
    assert found.made_at == scene.now


def test_a_second_counter_shortens_the_wait(scene: Scene):
    scene.open("counter-2", "clerk-1")
    for _ in range(20):
        scene.issue("social-card")
    alone = forecast(scene, "social-security")
    scene.open("counter-1", "clerk-2")
    together = forecast(scene, "social-security")
    assert together.low < alone.low
    assert together.high < alone.high


def test_a_counter_shared_with_another_line_counts_in_part(scene: Scene):
    scene.open("counter-7")
    for _ in range(6):
        scene.issue("invoice")
    alone = forecast(scene, "tax")
    for _ in range(6):
        scene.issue("company-setup")
    assert forecast(scene, "tax").high > alone.high


def test_the_pace_follows_what_is_observed_today(scene: Scene):
    session = scene.open("counter-4")
    configured = minutes_per_ticket(scene.hall, "household")
    for _ in range(3 * PRIOR_WEIGHT):
        scene.issue()
        scene.serve_next(session, minutes=2)
    learned = minutes_per_ticket(scene.hall, "household")
    assert learned == pytest.approx((configured + 3 * 2) / 4)


@given(st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_more_people_ahead_never_shorten_the_range(fewer: int, more: int, busy: bool):
    scene = Scene()
    session = scene.open("counter-4")
    if busy:
        scene.issue()
        scene.call_next(session)
    ranges = []
    for count in sorted((fewer, more)):
        while scene.hall.waiting_count("household") < count:
            scene.issue()
        ranges.append(forecast(scene))
    before, after = ranges
    assert 0 <= before.low < before.high
    assert before.low <= after.low
    assert before.high <= after.high
