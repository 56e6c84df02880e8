"""When to connect again: exponential back-off with full jitter, and the sign of a copied identity.

Full jitter spreads the terminals of a city over the whole pause, so that a broker that comes back is not met by all
of them at once. A pause grows until a connection has lived for a while: two machines with one client id push each
other out after connects that all succeed, and would otherwise do so without pause.
"""

import random
from collections import deque

STABLE_S = 30.0
"""A connection that lived so long starts the back-off anew."""
TAKE_OVERS = 4
TAKE_OVER_WINDOW_S = 60.0
ALONE_S = 90.0
"""A connection that lived so long clears the suspicion of a copied identity; longer than a copy's pause."""


class Backoff:
    """Pauses between attempts; times are monotonic seconds given by the caller."""

    def __init__(self, first_s: float, cap_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._rng = rng
        self._failures = 0
        self._closed_at: deque[float] = deque(maxlen=TAKE_OVERS)
        self._cloned = False

    def ended(self, reason: str, *, now: float, lived_s: float) -> str:
        """The reason to report for a connection or attempt that ended; `lived_s` is 0 for an attempt.

        `cloned` where accepted connections were closed without a word four times within a minute, and no attempt
        failed between: Mosquitto 2.0 closes the older of two connections with one client id like that. Once it is
        said it stays until a connection has lived for a while.
        """
        if lived_s >= STABLE_S:
            self._failures = 0
        if lived_s >= ALONE_S:
            self._cloned = False
        if reason not in ("closed", "taken_over"):
            self._closed_at.clear()
            return reason
        self._closed_at.append(now)
        if len(self._closed_at) == TAKE_OVERS and now - self._closed_at[0] <= TAKE_OVER_WINDOW_S:
            self._cloned = True
        return "cloned" if self._cloned else reason

    def pause(self) -> float:
        """Seconds to wait: uniform in [0, min(cap, first × 2^failures)]; in [cap/2, cap] for a copied identity."""
        if self._cloned:
            return self._rng.uniform(self._cap_s / 2, self._cap_s)
        ceiling = min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return self._rng.uniform(0.0, ceiling)
