"""What one device may send is bounded, and comes back with time."""

from hypothesis import given
from hypothesis import strategies as st

from queue_server.device_budget import REFUSED_EVERY_S, DeviceBudget


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(rate=st.floats(0.5, 200), burst=st.integers(1, 50), pauses=st.lists(st.floats(0, 3), max_size=80))
def test_in_any_time_no_more_pass_than_the_burst_and_what_the_rate_gives(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    budget = DeviceBudget(clock, rate=rate, burst=burst)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        if budget.take("k1"):
            passed.append(clock.now)
    for first, since in enumerate(passed):
        for last, until in enumerate(passed[first:], 1):
            assert last <= burst + (until - since) * rate + 1e-6 + 1


def test_a_burst_passes_then_the_rate_and_others_have_a_budget_of_their_own() -> None:
    clock = Clock()
    budget = DeviceBudget(clock, rate=10, burst=5)
    assert [budget.take("k1") for _ in range(6)] == [True] * 5 + [False]
    assert budget.take("k2")
    clock.now += 0.1
    assert [budget.take("k1") for _ in range(2)] == [True, False]
    clock.now += 60
    assert [budget.take("k1") for _ in range(6)] == [True] * 5 + [False]


def test_one_of_many_refusals_is_said_and_calm_comes_when_nothing_was_too_much_for_a_while() -> None:
    clock = Clock()
    budget = DeviceBudget(clock, rate=10, burst=5)
    assert [budget.answers("k1") for _ in range(3)] == [True, False, False]
    clock.now += REFUSED_EVERY_S
    assert budget.answers("k1")
    assert budget.calm(30) == []
    clock.now += 30
    assert budget.calm(30) == ["k1"]
    assert budget.calm(30) == []
