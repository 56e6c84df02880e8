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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from queue_server.alerts import AlertBook
from queue_server.config import Config, password
from queue_server.devices import DeviceBook
from queue_server.hall import Actor, ConfigurationError, Configure, HallConfiguration, Refusal, configuration_from_json
from queue_server.hall_port import Done
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.ledger import LedgerError, SqliteDatabase, SqlLedger
from queue_server.ledger.registers import Registers
from queue_server.staff import StaffRegister
from queue_server.wire_side import WireSettings, WireSide
from wire.link import Link, LinkSettings, MqttLink
from wire.where import where

log = structlog.get_logger(__name__)

INFLIGHT = 100
"""Answers on their way at once, as many as the broker's configuration takes: the terminals of a hall ask together."""
STOP_WITHIN_S = 4.5
"""A service manager gives five seconds; what hangs is cut off before."""
WEB_STOP_S = 1
RELOAD_EVERY_S = 2.0
"""How soon a device or a person that the command line registered is known here."""
GC_THRESHOLDS = (20_000, 20, 20)
"""A full collection stops everybody for a tenth of a second: let it come seldom, and only over what is new."""
FIRST_CONFIGURATION_S = 2.0
"""How long the pages wait for the hall's configuration at the start; they show an unready hall after it."""
SWITCH_INTERVAL_S = 0.001
"""Python's own 5 ms between threads would be most of a ticket's time when a console is busy."""


class Stores:
    """The database with everything that stands on it; a context manager."""

    def __init__(self, config: Config) -> None:
        """Raises `LedgerUnavailable`, `LedgerFull`, `SchemaUnknown`."""
        self.database = SqliteDatabase(config.store.database, reserve_bytes=config.store.reserve_mb * 1024 * 1024)
        self.writer = ThreadPoolExecutor(1, "registers")
        self.ledger = SqlLedger(self.database)
        self.registers = Registers(self.database)
        self.alerts = AlertBook(config.hall.id, self.registers, defer=self.defer)
        self.devices = DeviceBook(config.hall.id, self.registers, self.alerts, defer=self.defer)
        self.staff = StaffRegister(config.hall.id, self.registers, self.alerts)

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.shutdown()
        self.database.close()

    def defer(self, write: Callable[[], None]) -> None:
        """Run `write` on the thread of the registers, in order."""

        def run() -> None:
            try:
                write()
            except LedgerError as error:
                log.error("register_not_written", error=type(error).__name__)

        # after the end nothing is written any more
        with suppress(RuntimeError):
            self.writer.submit(run)

    def reload(self) -> None:
        """Read what the command line may have changed."""
        self.devices.reload()
        self.staff.reload()


def run(config: Config) -> int:
    """Run the server until SIGTERM or SIGINT; the exit status."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with Stores(config) as stores:
        hall = HallThread(
            HallSettings(hall=config.hall.id, server=config.server, public_url=config.address, data=config.data),
            stores.ledger,
            stores.alerts,
            stores.devices,
        )
        status = asyncio.run(_Server(config, stores, hall).run())
    log.info("ended", status=status)
    return status


class _Server:
    """The running program: hall and wire on the hall's thread, the web part on the main thread's loop."""

    def __init__(self, config: Config, stores: Stores, hall: HallThread) -> None:
        self._config = config
        self._stores = stores
        self._hall = hall
        self._stop = asyncio.Event()
        self._status = 0
        settings = WireSettings(config.server, config.hall.id, config.address)
        self._side = WireSide(settings, hall, stores.devices, stores.alerts)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._hall.start(self._wire, lambda: _from_thread(loop, self._fail))
        tasks = [asyncio.create_task(self._guarded(work())) for work in (self._configure, self._reload)]
        # the hall is ready before pages are: loading them takes this thread for a second
        await asyncio.wait(tasks[:1], timeout=FIRST_CONFIGURATION_S)
        server = None
        if self._config.web.enabled:
            server = _WebServer(self._web_config())
            tasks.append(asyncio.create_task(self._guarded(self._serve(server))))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        log.info("started", server=self._config.server, hall=self._config.hall.id, web=self._config.address)
        await self._stop.wait()
        _cut_off(STOP_WITHIN_S)
        if server is not None:
            server.should_exit = True
        if not await asyncio.to_thread(self._hall.stop):
            log.error("hall_did_not_end")
        for task in tasks[:2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self._status

    async def _wire(self) -> None:
        """The wire, on the hall's loop: a ticket's way crosses no other thread, and no page's load holds it up."""
        link = self._link()
        self._side.bind(link)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(self._side.run())

    def _link(self) -> Link:
        mqtt = self._config.mqtt
        settings = LinkSettings(
            host=mqtt.host,
            port=mqtt.port,
            client_id=mqtt.client_id or mqtt.username,
            username=mqtt.username,
            password=password(self._config),
            inflight=INFLIGHT,
            will=self._side.will,
            subscriptions=self._side.subscriptions,
            # wall time, so that every process of this server counts on from the one before
            conn_seq=int(time.time()),
        )
        return MqttLink(settings, self._side.on_message, self._side.on_connected, self._side.on_lost)

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
        while True:
            await asyncio.sleep(RELOAD_EVERY_S)
            try:
                await asyncio.to_thread(self._stores.reload)
            except LedgerError as error:
                log.error("registers_not_read", error=type(error).__name__)

    async def _configure(self) -> None:
        """Put the hall file in force, as soon as this server leads."""
        path = self._config.hall.file
        if path is None:
            return
        try:
            configuration = await asyncio.to_thread(_read_hall, path)
        except (OSError, ConfigurationError) as error:
            problems = [f"{p.code} at {p.where}" for p in getattr(error, "problems", ())]
            log.error("hall_file_unusable", path=str(path), error=type(error).__name__, problems=problems)
            self._stores.alerts.raise_("configuration_refused", self._config.hall.id, reason=type(error).__name__)
            return
        command = Configure(by=Actor("system", self._config.server), configuration=configuration)
        while True:
            outcome = await self._hall.execute(command)
            if isinstance(outcome, Done):
                self._stores.alerts.clear("configuration_refused", self._config.hall.id)
                return
            if isinstance(outcome, Refusal):
                log.error("hall_file_refused", code=outcome.code, params=outcome.params())
                self._stores.alerts.raise_("configuration_refused", self._config.hall.id, reason=outcome.code)
                return
            await asyncio.sleep(min(outcome.retry_after or 1.0, 1.0))

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

    def _app(self) -> FastAPI:
        # imported here: a server without a web part needs neither templates nor consoles in memory
        from queue_server.voice import announcement  # noqa: PLC0415
        from queue_server.web.app import make_app  # noqa: PLC0415
        from queue_server.web.settings import WebSettings  # noqa: PLC0415

        web = self._config.web
        settings = WebSettings(
            public_url=self._config.address, display_servers=web.display_servers, console=web.console
        )
        return make_app(
            self._hall,
            staff=self._stores.staff,
            alerts=self._stores.alerts,
            devices=self._stores.devices,
            voice=announcement if web.voice else None,
            settings=settings,
        )


class _WebServer(uvicorn.Server):
    """Uvicorn without its own signal handlers: the program ends its parts in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _read_hall(path: Path) -> HallConfiguration:
    return configuration_from_json(path.read_bytes())


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
