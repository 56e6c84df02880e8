"""The feed of a hall: what changed, to readers on any event loop, without a slow reader holding up a fast one."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable

from queue_server.hall_port import BoardChanged, Called, FeedItem, ProjectionChanged

CALLS_KEPT = 1000
"""Calls that may wait for one reader; a reader that is further behind has stopped reading and is let go."""


class Feed:
    """Hands items to readers. `put` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: set[_Reader] = set()

    def put(self, items: Iterable[FeedItem]) -> None:
        """Hand `items` to every reader, in order."""
        batch = tuple(items)
        with self._lock:
            readers = tuple(self._readers)
        for reader in readers:
            reader.put(batch)

    async def read(self, first: Iterable[FeedItem] = ()) -> AsyncIterator[FeedItem]:
        """The items from now on, after `first`. Ends if this reader stopped reading for too long."""
        reader = _Reader(asyncio.get_running_loop())
        with self._lock:
            self._readers.add(reader)
        try:
            reader.put(tuple(first))
            while (items := await reader.take()) is not None:
                for item in items:
                    yield item
        finally:
            with self._lock:
                self._readers.discard(reader)


class _Reader:
    """What waits for one reader: every call, the newest board of each zone, the newest projection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._calls: deque[Called] = deque()
        self._boards: dict[str, BoardChanged] = {}
        self._projection: ProjectionChanged | None = None
        self._ready = asyncio.Event()
        self._overrun = False

    def put(self, items: tuple[FeedItem, ...]) -> None:
        with self._lock:
            for item in () if self._overrun else items:
                match item:
                    case Called():
                        self._calls.append(item)
                    case BoardChanged():
                        self._boards[item.board.zone] = item
                    case ProjectionChanged():
                        self._projection = item
            if len(self._calls) > CALLS_KEPT:
                self._overrun = True
                self._calls.clear()
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            # the reader's loop is closed; its generator will never run again
            self._overrun = True

    async def take(self) -> list[FeedItem] | None:
        await self._ready.wait()
        self._ready.clear()
        with self._lock:
            if self._overrun:
                return None
            items: list[FeedItem] = [*self._calls, *self._boards.values()]
            if self._projection is not None:
                items.append(self._projection)
            self._calls.clear()
            self._boards.clear()
            self._projection = None
        return items
