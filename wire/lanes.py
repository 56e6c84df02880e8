"""Inbound order: messages of one topic are handled one after another, different topics side by side, within bounds."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from wire.port import Incoming
from wire.where import where

log = structlog.get_logger(__name__)


class Lanes:
    """One lane for each topic that has messages; at most `width` handlers run, at most `capacity` messages wait, and of
    one topic an eighth of that (64 at least), so that nobody fills the house alone.

    What comes above is dropped and counted: the sender repeats a request that got no answer, and retained truth comes
    again. A handler that raises is counted and logged; it never stops its lane.
    """

    def __init__(self, handle: Callable[[Incoming], Awaitable[None]], *, capacity: int, width: int) -> None:
        self._handle = handle
        self._capacity = capacity
        self._share = max(64, capacity // 8)
        self._width = width
        self._lanes: dict[str, deque[Incoming]] = {}
        self._ready: deque[str] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self.overflow = 0
        self.failures = 0

    def put(self, incoming: Incoming) -> bool:
        """Queue a message; False if it was dropped because too many wait. Call from the link's own loop."""
        lane = self._lanes.get(incoming.topic)
        if self._waiting >= self._capacity or (lane is not None and len(lane) >= self._share):
            self.overflow += 1
            if self.overflow & (self.overflow - 1) == 0:
                log.error("inbound_overflow", dropped=self.overflow, capacity=self._capacity)
            return False
        self._waiting += 1
        if lane is not None:
            lane.append(incoming)
            return True
        self._lanes[incoming.topic] = deque((incoming,))
        self._ready.append(incoming.topic)
        if len(self._runners) < self._width:
            runner = asyncio.get_running_loop().create_task(self._run())
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)
        return True

    async def _run(self) -> None:
        while self._ready:
            topic = self._ready.popleft()
            lane = self._lanes[topic]
            incoming = lane.popleft()
            self._waiting -= 1
            try:
                await self._handle(incoming)
            except Exception as error:  # noqa: BLE001 - one bad message must not stop the link
                self.failures += 1
                log.error("handler_failed", topic=topic, error=type(error).__name__, at=where(error))
            if lane:
                self._ready.append(topic)
            else:
                del self._lanes[topic]

    @property
    def busy(self) -> bool:
        """True while a message waits or a handler runs."""
        return bool(self._runners)

    async def idle(self) -> None:
        """Return when nothing waits and no handler runs."""
        while self._runners:
            await asyncio.wait(set(self._runners))

    async def close(self) -> None:
        """Forget what waits and cancel the handlers that run."""
        self._ready.clear()
        self._lanes.clear()
        self._waiting = 0
        runners = set(self._runners)
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
