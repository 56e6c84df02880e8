"""When to connect again: exponential back-off with full jitter, and the sign of a copied identity.

Full jitter spreads the terminals of a city over the whole pause, so that a broker that comes back is not met by all
of them at once. A pause grows until a connection has lived for a while: two machines with one client id push each
other out after connects that all succeed, and would otherwise do so without pause.
"""

import random
from collections import deque

STABLE_S = 30.0
"""A connection that lived so long starts the back-off anew."""
TAKE_OVERS = 3
TAKE_OVER_WINDOW_S = 60.0


class Backoff:
    """Pauses between attempts; times are monotonic seconds given by the caller."""

    def __init__(self, first_s: float, cap_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._rng = rng
        self._failures = 0
        self._take_overs: deque[float] = deque(maxlen=TAKE_OVERS)

    def classify(self, reason: str, now: float) -> str:
        """`reason`, or `cloned` where this take-over is the third within a minute."""
        if reason != "taken_over":
            return reason
        self._take_overs.append(now)
        full = len(self._take_overs) == TAKE_OVERS
        return "cloned" if full and now - self._take_overs[0] <= TAKE_OVER_WINDOW_S else reason

    def pause(self, reason: str, *, lived_s: float) -> float:
        """Seconds to wait: uniform in [0, first × 2^failures], never above the cap; `cloned`: the cap's upper half."""
        if reason == "cloned":
            return self._rng.uniform(self._cap_s / 2, self._cap_s)
        if lived_s >= STABLE_S:
            self._failures = 0
        ceiling = min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return self._rng.uniform(0.0, ceiling)
