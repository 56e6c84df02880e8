"""The queue server: the one place where its parts are put together, started and ended."""

import asyncio
import gc
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.types import ASGIApp

from queue_server.config import Config
from queue_server.ledger import LedgerError
from queue_server.seat import Seat
from queue_server.stores import Stores
from wire.where import where

log = structlog.get_logger(__name__)

STOP_WITHIN_S = 4.5
"""A service manager gives five seconds; what hangs is cut off before."""
WEB_STOP_S = 1
RELOAD_EVERY_S = 2.0
"""How soon a device or a person that the command line registered is known here."""
RELOAD_SHARE = 0.05
"""The part of the time that it may take: with many halls it comes less often."""
GC_THRESHOLDS = (20_000, 20, 20)
"""A full collection stops everybody for a tenth of a second: let it come seldom, and only over what is new."""
FIRST_CONFIGURATION_S = 2.0
"""How long the pages wait for the hall's configuration at the start; they show an unready hall after it."""
SWITCH_INTERVAL_S = 0.001
"""Python's own 5 ms between threads would be most of a ticket's time when a console is busy."""


def run(config: Config) -> int:
    """Run the server until SIGTERM or SIGINT; the exit status."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with Stores(config) as stores:
        seats = [Seat(config, place, stores) for place in config.seats()]
        status = asyncio.run(_Server(config, seats).run())
    log.info("ended", status=status)
    return status


class _Server:
    """The running program: each hall with its wire on a thread of its own, the web part on the main thread's loop."""

    def __init__(self, config: Config, seats: list[Seat]) -> None:
        self._config = config
        self._seats = seats
        self._stop = asyncio.Event()
        self._status = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        for seat in self._seats:
            seat.start(lambda: _from_thread(loop, self._fail))
        configuring = [asyncio.create_task(self._guarded(seat.configure())) for seat in self._seats]
        beside = [*configuring, asyncio.create_task(self._guarded(self._reload()))]
        # the halls are ready before pages are: loading them takes this thread for a second
        await asyncio.wait(configuring, timeout=FIRST_CONFIGURATION_S)
        beside += [asyncio.create_task(self._guarded(seat.send_webhooks())) for seat in self._seats]
        server, serving = None, []
        if self._config.web.enabled:
            server = _WebServer(self._web_config())
            serving.append(asyncio.create_task(self._guarded(self._serve(server))))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        halls = [seat.place.hall for seat in self._seats]
        log.info("started", server=self._config.server, halls=halls, web=[seat.place.url for seat in self._seats])
        await self._stop.wait()
        _cut_off(STOP_WITHIN_S)
        if server is not None:
            server.should_exit = True
        ended = await asyncio.gather(*(asyncio.to_thread(seat.stop) for seat in self._seats))
        for hall, in_time in zip(halls, ended, strict=True):
            if not in_time:
                log.error("hall_did_not_end", hall=hall)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, *serving, return_exceptions=True)
        return self._status

    def _fail(self) -> None:
        self._status = 1
        self._stop.set()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """A part that ends by a fault ends the program, which is started anew by its service manager."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - named in the log, and the exit status says it
            log.error("part_failed", error=type(error).__name__, at=where(error))
            self._fail()

    async def _serve(self, server: "_WebServer") -> None:
        try:
            await server.serve()
        except SystemExit:
            # how uvicorn says that it cannot listen
            self._status = 1
        if not self._stop.is_set():
            self._fail()

    async def _reload(self) -> None:
        pause = RELOAD_EVERY_S
        while True:
            await asyncio.sleep(pause)
            began = time.monotonic()
            for seat in self._seats:
                try:
                    await asyncio.to_thread(seat.books.reload)
                except LedgerError as error:
                    log.error("registers_not_read", hall=seat.place.hall, error=type(error).__name__)
            pause = max(RELOAD_EVERY_S, (time.monotonic() - began) / RELOAD_SHARE)

    def _web_config(self) -> uvicorn.Config:
        web = self._config.web
        return uvicorn.Config(
            self._app(),
            host=web.host,
            port=web.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=WEB_STOP_S,
        )

    def _app(self) -> ASGIApp:
        # imported here: a server without a web part needs neither templates nor consoles in memory
        from queue_server.live_speech import LiveSpeech  # noqa: PLC0415
        from queue_server.voice import announcement  # noqa: PLC0415
        from queue_server.web.app import make_app  # noqa: PLC0415
        from queue_server.web.city import one_of  # noqa: PLC0415
        from queue_server.web.settings import WebSettings  # noqa: PLC0415

        web, consoles = self._config.web, None
        speech = LiveSpeech() if web.voice else None
        if web.console:
            from queue_server.web.console import Consoles  # noqa: PLC0415

            consoles = Consoles()
        apps = {
            urlsplit(seat.place.url).hostname or "": make_app(
                seat.hall,
                staff=seat.books.staff,
                alerts=seat.books.alerts,
                devices=seat.books.devices,
                voice=announcement if web.voice else None,
                speech=speech,
                settings=WebSettings(
                    public_url=seat.place.url, display_servers=seat.place.display_servers, console=web.console
                ),
                channels=seat.door(),
                consoles=consoles,
            )
            for seat in self._seats
        }
        return next(iter(apps.values())) if len(apps) == 1 else one_of(apps)


class _WebServer(uvicorn.Server):
    """Uvicorn without its own signal handlers: the program ends its parts in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _from_thread(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what)


def _cut_off(after_s: float) -> None:
    """End the process the hard way if it has not ended by then: everything answered is in the ledger."""

    def end() -> None:
        log.error("ended_the_hard_way")
        os._exit(1)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    timer.start()
