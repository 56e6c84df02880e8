"""How much one device may send: enough for any backlog, and too little to hold up the others.

The rule is a leaky bucket kept as one instant for each topic (GCRA, ITU-T I.371): when the bucket would be empty again.
It is asked before a message is looked at, so that what is too much costs next to nothing.
"""

from collections.abc import Callable

RATE = 100.0
"""Messages a second that one topic of a device may go on with: many times what people and a replay make."""
BURST = 1000
"""Messages at once."""
REFUSED_EVERY_S = 1.0
"""One of the messages that are too many is answered so often; the others are dropped unread."""
_KEPT = 10_000


class DeviceBudget:
    """`monotonic` gives seconds. Used on one loop."""

    def __init__(self, monotonic: Callable[[], float], *, rate: float = RATE, burst: int = BURST) -> None:
        self._monotonic = monotonic
        self._interval = 1.0 / rate
        self._depth = (burst - 0.5) / rate
        self._empty_at: dict[str, float] = {}
        self._refused_at: dict[str, float] = {}

    def take(self, topic: str) -> bool:
        """Whether one more message on the topic is within its sender's budget."""
        now = self._monotonic()
        empty_at = self._empty_at.get(topic, now)
        if empty_at < now:
            empty_at = now
        elif empty_at - now >= self._depth:
            return False
        self._empty_at[topic] = empty_at + self._interval
        if len(self._empty_at) > _KEPT:
            self._empty_at = {of: at for of, at in self._empty_at.items() if at > now}
        return True

    def wait(self, topic: str) -> float:
        """Seconds after which half of the budget is there again."""
        return max(1.0, self._empty_at.get(topic, 0.0) - self._monotonic() - self._depth / 2)

    def answers(self, topic: str) -> bool:
        """Whether this one of those that are too many is answered."""
        now = self._monotonic()
        if now - self._refused_at.get(topic, -REFUSED_EVERY_S) < REFUSED_EVERY_S:
            return False
        self._refused_at[topic] = now
        return True

    def calm(self, quiet_s: float) -> list[str]:
        """The topics of which nothing was too much for so long; they are forgotten."""
        now = self._monotonic()
        calm = [topic for topic, at in self._refused_at.items() if now - at >= quiet_s]
        for topic in calm:
            del self._refused_at[topic]
        return calm
