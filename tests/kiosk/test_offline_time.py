"""What time it is without the hall: the stated uncertainty covers the truth."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kiosk.offline_time import DRIFT, LOST_S, Clocks, estimate, from_json, learn

TRUE = datetime(2026, 3, 2, 2, tzinfo=UTC)
DRIFTS = st.floats(-DRIFT, DRIFT)


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


@given(
    st.floats(-86_400, 86_400),
    st.floats(0, 30),
    st.floats(0, 1),
    st.floats(0, 7 * 86_400),
    DRIFTS,
)
def test_within_a_run_the_truth_lies_within_the_uncertainty(
    wrong_s: float, took_s: float, share: float, passed_s: float, drift: float
):
    """`share`: how much of the round trip had passed when the hall read its clock."""
    answered = Clocks(wall=TRUE + seconds(wrong_s), monotonic=5.0)
    sync = learn(TRUE - seconds(took_s * share), took_s, answered)
    later = Clocks(wall=TRUE, monotonic=5.0 + passed_s * (1 + drift))
    found, uncertain_s = estimate(sync, 5.0, later, None)
    assert abs((found - (TRUE + seconds(passed_s))).total_seconds()) <= uncertain_s + 0.001


@given(st.floats(-600, 600), st.floats(0, 30), st.floats(0, 7 * 86_400), DRIFTS, st.booleans())
def test_after_a_start_the_truth_lies_within_the_uncertainty_also_if_the_clock_was_put_right(
    wrong_s: float, took_s: float, passed_s: float, drift: float, put_right: bool
):
    sync = learn(TRUE - seconds(took_s / 2), took_s, Clocks(wall=TRUE + seconds(wrong_s), monotonic=5.0))
    ran = passed_s * (1 + drift)
    wall = TRUE + seconds(passed_s if put_right else wrong_s + ran)
    found, uncertain_s = estimate(sync, None, Clocks(wall=wall, monotonic=1.0), None)
    assert abs((found - (TRUE + seconds(passed_s))).total_seconds()) <= uncertain_s + 0.001


def test_a_clock_that_lost_its_battery_is_known_to_be_wrong():
    sync = learn(TRUE, 0.1, Clocks(wall=TRUE, monotonic=5.0))
    found, uncertain_s = estimate(sync, None, Clocks(wall=datetime(1970, 1, 1, tzinfo=UTC), monotonic=1.0), None)
    assert (found - TRUE).total_seconds() < 1
    assert uncertain_s == LOST_S


def test_without_any_word_of_the_hall_the_own_clock_is_all_there_is():
    found, uncertain_s = estimate(None, None, Clocks(wall=TRUE, monotonic=1.0), None)
    assert (found, uncertain_s) == (TRUE, LOST_S)


def test_time_never_goes_back_behind_a_number_that_was_given():
    sync = learn(TRUE, 0.0, Clocks(wall=TRUE, monotonic=5.0))
    found, uncertain_s = estimate(sync, 5.0, Clocks(wall=TRUE, monotonic=65.0), TRUE + seconds(90))
    assert found == TRUE + seconds(90)
    assert uncertain_s >= 30


def test_what_is_kept_is_read_back_and_a_damaged_text_is_no_time():
    sync = learn(TRUE, 0.5, Clocks(wall=TRUE, monotonic=5.0))
    assert from_json(sync.model_dump_json()) == sync
    assert from_json("[]") is None
