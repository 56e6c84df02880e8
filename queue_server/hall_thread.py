"""The thread of a hall: its own event loop with the hall's work, and beside it whatever must not wait for the web part.

It is the `HallPort` of the rest of the server: commands come from any thread's loop, and from its own.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import structlog

from queue_server import bundle, projecting
from queue_server.alerts import AlertBook
from queue_server.clock import utc_now
from queue_server.devices import DeviceBook
from queue_server.feed import Feed
from queue_server.hall import Command, Hall, Refusal
from queue_server.hall_port import BoardChanged, Done, FeedItem, NotDone, RequestKey
from queue_server.hall_settings import HallSettings
from queue_server.hall_work import HallWork, Query
from queue_server.ledger import Ledger
from queue_server.projection import FollowedTicket, HallProjection
from queue_server.runner import Ask, Decided, Item, Reply, Unanswered
from queue_server.waiting import waiter
from wire.where import where

log = structlog.get_logger(__name__)

Found = TypeVar("Found")
Beside = Callable[[], Coroutine[Any, Any, None]]


class HallThread:
    """A `HallPort` with its thread. `start` once, `stop` once."""

    def __init__(
        self,
        settings: HallSettings,
        ledger: Ledger,
        alerts: AlertBook,
        devices: DeviceBook,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._feed = Feed()
        self._work = HallWork(settings, ledger, alerts, devices, self._feed, now=now, monotonic=monotonic)
        self._thread = threading.Thread(target=self._run, name=f"hall-{settings.hall}", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looping = threading.Event()
        self._stop: asyncio.Event | None = None
        self._beside: Beside | None = None
        self._on_failed: Callable[[], None] = lambda: None
        alerts.on_change = devices.on_change = self._touch

    # --- HallPort

    @property
    def hall_id(self) -> str:
        return self._settings.hall

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not."""
        return self._work.epoch

    async def execute(self, command: Command, request: RequestKey | None = None) -> Done | Refusal | NotDone:
        said = await self.submit(Ask(command, request))
        return said.outcome if isinstance(said, Reply) else said.reason

    async def answer(
        self, command: Command, request: RequestKey, compose: Callable[[Decided], bytes]
    ) -> bytes | NotDone:
        said = await self.submit(Ask(command, request, compose))
        if isinstance(said, Unanswered):
            return said.reason
        if isinstance(said.outcome, NotDone):
            return said.outcome
        return said.answer or b""

    async def look(self, question: Callable[[Hall, datetime], Found]) -> Found | None:
        asker = waiter()
        if not self._call(self._work.ask, Query(question, asker)):
            return None
        found: Found | None = await asker.future
        return found

    def projection(self) -> HallProjection:
        return self._work.projection

    def boards(self) -> tuple[BoardChanged, ...]:
        return self._work.boards

    def feed(self) -> AsyncIterator[FeedItem]:
        return self._feed.read(self._work.boards)

    async def follow(self, token: str) -> FollowedTicket | None:
        def look(hall: Hall, now: datetime) -> FollowedTicket | None:
            return projecting.follow(hall, token, now) if hall.configured else None

        return await self.look(look)

    def bundle(self) -> bundle.Bundle | None:
        return self._work.bundle

    async def submit(self, item: Item) -> Reply | Unanswered:
        """Give the hall an item and wait for what becomes of it."""
        loop = asyncio.get_running_loop()
        if loop is self._loop and (said := self._work.at_once(item)) is not None:
            return said
        asker = waiter()
        item.token = asker
        if loop is self._loop:
            self._work.post(item)
        elif not self._call(self._work.post, item):
            return Reply(item, NotDone("not_leading", 2.0))
        found: Reply | Unanswered = await asker.future
        # what was said names the item, and the item its asker: a circle that would wait for the garbage collector
        item.token = None
        return found

    # --- life

    def tell_leading(self, told: Callable[[int | None], None]) -> None:
        """`told` is called on the hall's loop when its leadership is won (with the epoch) or lost."""
        self._work.on_leading = told

    def start(self, beside: Beside | None = None, on_failed: Callable[[], None] = lambda: None) -> None:
        """Begin to lead, or to wait for the lease.

        `beside` runs on the same loop until the hall stops; it is cancelled first. `on_failed` is called, on this
        thread, if it or the loop ends by itself.
        """
        self._beside, self._on_failed = beside, on_failed
        self._thread.start()
        self._looping.wait()

    def stop(self, timeout: float = 3.0) -> bool:
        """End after the turn under way, with a snapshot, and give the lease back; False if it took too long."""
        if self._stop is not None:
            self._call(self._stop.set)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _touch(self) -> None:
        self._call(self._work.touch)

    def _call(self, what: Callable[..., None], *arguments: Any) -> bool:
        """Call on the hall's loop; False if it does not run any more, or not yet."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            return False
        return True

    def _run(self) -> None:
        try:
            asyncio.run(self.main())
        except BaseException as error:  # noqa: BLE001 - whatever ended the loop ends the program, which is started anew
            inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
            log.error("hall_thread_failed", hall=self.hall_id, error=type(inner).__name__, at=where(inner))
            self._on_failed()
        finally:
            self._looping.set()

    async def main(self) -> None:
        """What the thread does, for a loop of one's own: lead the hall until stopped."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._looping.set()
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._work.run())
            beside = group.create_task(self._beside()) if self._beside is not None else None
            await self._stop.wait()
            if beside is not None:
                beside.cancel()
                with suppress(asyncio.CancelledError):
                    await beside
            self._work.stop()
            await work
