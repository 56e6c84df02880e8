"""Announcements on their way to the displays: handed to every stream of their zones, kept a while for those cut off."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from queue_server.counters.announcing import HallAnnouncement

_KEPT: Final = 20


class Broadcasts:
    """One loop's: announcements and the streams that wait for them."""

    def __init__(self, now: Callable[[], datetime], fresh_s: float) -> None:
        self._now = now
        self._fresh = timedelta(seconds=fresh_s)
        self._latest: deque[HallAnnouncement] = deque(maxlen=_KEPT)
        self._streams: dict[asyncio.Queue[HallAnnouncement], str] = {}

    def put(self, said: HallAnnouncement) -> None:
        """Hand it to every stream of its zones."""
        self._latest.append(said)
        for stream, zone in self._streams.items():
            if zone in said.zones:
                stream.put_nowait(said)

    @contextmanager
    def joined(self, zone: str) -> Iterator[asyncio.Queue[HallAnnouncement]]:
        """What is said in `zone` from now on, after what is still fresh: a display cut off has not heard it."""
        stream: asyncio.Queue[HallAnnouncement] = asyncio.Queue()
        for said in self._latest:
            if zone in said.zones and self._now() - said.at <= self._fresh:
                stream.put_nowait(said)
        self._streams[stream] = zone
        try:
            yield stream
        finally:
            del self._streams[stream]

    def by_id(self, announcement: str) -> HallAnnouncement | None:
        """One of the latest."""
        return next((said for said in self._latest if said.id == announcement), None)
