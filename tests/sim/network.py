"""The network: the in-memory broker between processes, with storms over it and an ear for whatever is published."""

import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

from tests.sim.loop import WORLD, Process, VirtualLoop
from wire.access import Rule
from wire.memory import MemoryBroker, MemoryLink
from wire.port import Incoming, LinkSettings, OnConnected, OnLost, OnMessage, Outgoing, Receipt
from wire.weather import RandomWeather, Weather

ON_THE_WAY_S = 0.001
OnPublished = Callable[[str, Outgoing], None]


class Sky(Weather):
    """Calm: every message takes a moment. A storm has a chance of its own, so that no storm changes another."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._storms: list[tuple[float, RandomWeather]] = []

    def storm(self, until: float, seed: int, *, drop: float, repeat: float, delay_s: float, ack_lost: float) -> None:
        """Bad weather until then (virtual seconds)."""
        weather = RandomWeather(random.Random(seed), drop=drop, repeat=repeat, delay_s=delay_s, ack_lost=ack_lost)
        self._storms.append((until, weather))

    def clear(self) -> None:
        """All storms are over."""
        self._storms.clear()

    def _now(self) -> Weather | None:
        now = self._loop.time()
        return next((weather for until, weather in self._storms if now < until), None)

    def copies(self, sender: str, receiver: str, message: Outgoing) -> Sequence[float]:
        storm = self._now()
        late = (0.0,) if storm is None else storm.copies(sender, receiver, message)
        return tuple(ON_THE_WAY_S + delay for delay in late)

    def publish(self, sender: str, message: Outgoing) -> Literal["taken", "lost", "ack_lost"]:
        storm = self._now()
        return "taken" if storm is None else storm.publish(sender, message)


class Broker(MemoryBroker):
    """The twin of the broker as a machine of its own: what it has taken survives whoever sent it."""

    def __init__(self, loop: VirtualLoop, on_published: OnPublished) -> None:
        self.sky = Sky(loop)
        super().__init__(weather=self.sky, now=loop.time)
        self._loop = loop
        self._on_published = on_published

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        self._loop.call_later(delay_s, act, context=WORLD)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop.create_task(work, context=WORLD)

    def route(self, sender: str, rules: Sequence[Rule] | None, message: Outgoing) -> Receipt:
        self._on_published(sender, message)
        return super().route(sender, rules, message)

    def link_of(
        self,
        process: Process,
        settings: LinkSettings,
        on_message: OnMessage,
        on_connected: OnConnected,
        on_lost: OnLost,
        *,
        rng: random.Random,
    ) -> MemoryLink:
        """A link of a process, which ends with it."""
        return _ProcessLink(process, self, settings, on_message, on_connected, on_lost, rng=rng)


class _ProcessLink(MemoryLink):
    def __init__(self, process: Process, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._process = process

    def _receive(self, incoming: Incoming) -> None:
        self._process.call(super()._receive, incoming)
