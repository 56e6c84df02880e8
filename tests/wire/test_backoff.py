"""When to connect again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from wire.backoff import ALONE_S, STABLE_S, TAKE_OVER_WINDOW_S, TAKE_OVERS, Backoff


class Ceiling(random.Random):
    """Always draws the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        self.lowest = a
        return b


def fails(backoff: Backoff, times: int, reason: str = "unreachable", lived_s: float = 0.0) -> list[float]:
    pauses = []
    for n in range(times):
        backoff.ended(reason, now=1000.0 * n, lived_s=lived_s)
        pauses.append(backoff.pause())
    return pauses


def test_pauses_double_from_the_first_to_the_cap() -> None:
    assert fails(Backoff(0.5, 30.0, Ceiling()), 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_pause_may_be_as_short_as_nothing_so_that_a_city_is_spread_out() -> None:
    rng = Ceiling()
    fails(Backoff(0.5, 30.0, rng), 5)
    assert rng.lowest == 0.0


@given(st.integers(), st.integers(1, 2000))
def test_no_pause_is_longer_than_the_cap_however_long_it_lasts(seed: int, times: int) -> None:
    backoff = Backoff(0.5, 30.0, random.Random(seed))
    assert all(0 <= pause <= 30.0 for pause in fails(backoff, times))


def test_a_connection_that_lived_starts_anew_and_one_that_did_not_does_not() -> None:
    backoff = Backoff(0.5, 30.0, Ceiling())
    fails(backoff, 5)
    assert fails(backoff, 1, "keepalive", lived_s=STABLE_S - 1) == [16]
    assert fails(backoff, 1, "keepalive", lived_s=STABLE_S) == [0.5]


def close(backoff: Backoff, now: float, lived_s: float = 0.5) -> str:
    return backoff.ended("closed", now=now, lived_s=lived_s)


def test_accepted_connections_closed_again_and_again_mean_a_copied_identity() -> None:
    backoff = Backoff(0.5, 30.0, Ceiling())
    reasons = [close(backoff, now) for now in range(TAKE_OVERS)]
    assert reasons == ["closed"] * (TAKE_OVERS - 1) + ["cloned"]
    assert backoff.pause() == 30.0


def test_a_copys_pause_is_never_short() -> None:
    rng = Ceiling()
    backoff = Backoff(0.5, 30.0, rng)
    for now in range(TAKE_OVERS):
        close(backoff, now)
    backoff.pause()
    assert rng.lowest == 15.0


def test_the_suspicion_stays_while_connections_are_short_and_goes_when_one_lives() -> None:
    backoff = Backoff(0.5, 30.0, Ceiling())
    for now in range(TAKE_OVERS):
        close(backoff, now)
    assert close(backoff, 500.0, lived_s=40.0) == "cloned"
    assert close(backoff, 900.0, lived_s=ALONE_S) == "closed"
    assert backoff.pause() == 0.5


def test_a_broker_that_restarts_is_no_copy() -> None:
    backoff = Backoff(0.5, 30.0, Ceiling())
    for now in range(10):
        assert close(backoff, now) == "closed"
        assert backoff.ended("unreachable", now=now + 0.5, lived_s=0.0) == "unreachable"


def test_losses_that_lie_far_apart_are_no_copy() -> None:
    backoff = Backoff(0.5, 30.0, Ceiling())
    step = TAKE_OVER_WINDOW_S / (TAKE_OVERS - 1) + 1
    assert {close(backoff, n * step) for n in range(20)} == {"closed"}
