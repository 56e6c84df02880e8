"""How often one address may ask: a sliding window, held in a bounded memory."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

_ADDRESSES_KEPT = 10_000


class RateLimit:
    """At most `times` in any `seconds` for each key; the longest unseen key is forgotten first."""

    def __init__(self, times: int, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._times = times
        self._seconds = seconds
        self._monotonic = monotonic
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Count one request of `key`: 0 if it may go on, else the seconds after which one may."""
        now = self._monotonic()
        seen = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while len(self._seen) > _ADDRESSES_KEPT:
            self._seen.popitem(last=False)
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._times:
            return seen[0] + self._seconds - now
        seen.append(now)
        return 0.0
