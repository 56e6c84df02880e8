"""Weather over the in-memory broker: which messages are lost, repeated, late or out of order."""

import random
from collections.abc import Sequence
from typing import Literal

from wire.port import Outgoing


class Weather:
    """What happens to messages on their way; this one is fair. Override to drop, repeat, delay and reorder."""

    def copies(self, sender: str, receiver: str, message: Outgoing) -> Sequence[float]:  # noqa: ARG002 - for overriders
        """Delay in seconds of each copy that reaches `receiver`: `()` drops, `(0.0, 0.0)` repeats, unequal reorder."""
        return (0.0,)

    def publish(self, sender: str, message: Outgoing) -> Literal["taken", "lost", "ack_lost"]:  # noqa: ARG002 - for overriders
        """`lost`, `ack_lost`: the sender's connection ends before the PUBACK; only the first loses the message too."""
        return "taken"


class RandomWeather(Weather):
    """Rain by chance; the chances are given in [0, 1], delays are uniform in [0, `delay_s`]."""

    def __init__(
        self, rng: random.Random, *, drop: float = 0.0, repeat: float = 0.0, delay_s: float = 0.0, ack_lost: float = 0.0
    ) -> None:
        self._rng = rng
        self._drop = drop
        self._repeat = repeat
        self._delay_s = delay_s
        self._ack_lost = ack_lost

    def copies(self, sender: str, receiver: str, message: Outgoing) -> Sequence[float]:  # noqa: ARG002 - chance does not look
        if self._rng.random() < self._drop:
            return ()
        count = 2 if self._rng.random() < self._repeat else 1
        return tuple(self._rng.uniform(0.0, self._delay_s) for _ in range(count))

    def publish(self, sender: str, message: Outgoing) -> Literal["taken", "lost", "ack_lost"]:  # noqa: ARG002 - chance does not look
        return "ack_lost" if self._rng.random() < self._ack_lost else "taken"
