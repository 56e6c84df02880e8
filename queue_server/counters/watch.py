"""Waiting for the hall's projection to change: one subscription for all who look at it."""

import asyncio
from collections.abc import Callable

from queue_server.hall_port import HallPort
from queue_server.projection import HallProjection


class ProjectionWatch:
    """Wakes everybody who waits for a newer projection. `run` is a task of the web part's loop."""

    def __init__(self, port: HallPort) -> None:
        self._port = port
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the hall's feed until cancelled, and join it again when it ends: its reader was too far behind."""
        while True:
            async for _ in self._port.feed():
                changed, self._changed = self._changed, asyncio.Event()
                changed.set()
            await asyncio.sleep(1.0)

    async def newer(self, than: HallProjection, timeout_s: float) -> HallProjection:
        """The newest projection as soon as it is another one; the same after `timeout_s` seconds."""
        return await self.until(lambda newest: newest is not than, timeout_s)

    async def until(self, holds: Callable[[HallProjection], bool], timeout_s: float) -> HallProjection:
        """The first projection for which `holds` is true; after `timeout_s` the newest there is."""
        end = asyncio.get_running_loop().time() + timeout_s
        while True:
            changed = self._changed
            projection = self._port.projection()
            left = end - asyncio.get_running_loop().time()
            if holds(projection) or left <= 0:
                return projection
            try:
                async with asyncio.timeout(left):
                    await changed.wait()
            except TimeoutError:
                continue
