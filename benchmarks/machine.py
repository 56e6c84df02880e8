"""What this machine makes of a program that has just slept: on a shared host, others take its caches meanwhile."""

import statistics
import time
from collections.abc import Callable

REST_S = 0.002
"""About what passes between two requests of a single terminal."""


def wake_slowdown(work: Callable[[], object], times: int) -> float:
    """The median time of `work` right after a rest, over that of `work` without one: 1 where sleeping costs nothing."""
    return statistics.median(_times(work, times, REST_S)) / statistics.median(_times(work, times, 0.0))


def _times(work: Callable[[], object], times: int, rest_s: float) -> list[float]:
    found = []
    for _ in range(times):
        if rest_s:
            time.sleep(rest_s)  # nothing is waited for: the sleep itself is what is measured
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found
