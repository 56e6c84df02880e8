"""The thread of the wire: its own event loop with the link and this server's side of it."""

import asyncio
import threading
from collections.abc import Callable

import structlog

from queue_server.wire_side import WireSide
from wire.link import Link
from wire.where import where

log = structlog.get_logger(__name__)


class WireThread:
    """Runs a link and a `WireSide` until stopped. The web part's load cannot hold them up."""

    def __init__(self, side: WireSide, make_link: Callable[[WireSide], Link], on_failed: Callable[[], None]) -> None:
        """`make_link` is called on the new thread's loop; `on_failed` when the loop ended by itself."""
        self._side = side
        self._make_link = make_link
        self._on_failed = on_failed
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Connect, and stay connected."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> bool:
        """Say goodbye on the wire and end; False if it took too long."""
        self._stopping.set()
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever ended the wire ends the program, which is started anew
            log.error("wire_failed", error=type(error).__name__, at=where(error))
        if not self._stopping.is_set():
            self._on_failed()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        if self._stopping.is_set():
            return
        link = self._make_link(self._side)
        self._side.bind(link)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(self._side.run())
