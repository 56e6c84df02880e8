"""The catalogue in use: the bundle kept on disk at the start, and the one that the hall wants as soon as it is here."""

import asyncio

import structlog

from kiosk.bundle import BundleStore
from kiosk.devices import Emit
from kiosk.errors import BadBundle
from kiosk.journeys import events
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.search import build
from wire.messages import Desired

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0

log = structlog.get_logger(__name__)


class Configuration:
    """`want` is told what the hall retains for this terminal; `run` gets it."""

    def __init__(self, store: BundleStore, emit: Emit) -> None:
        self._store = store
        self._emit = emit
        self._wanted: Desired | None = None
        self._changed = asyncio.Event()
        self._sha256 = ""
        self.catalogue: Catalogue | None = None

    def want(self, desired: Desired) -> None:
        if desired.sha256 not in (self._sha256, self._wanted.sha256 if self._wanted is not None else None):
            self._wanted = desired
            self._changed.set()

    async def load_kept(self) -> None:
        """Use the bundle on disk; a damaged one is as good as none, the hall's will come."""
        try:
            kept = await self._store.load()
        except (BadBundle, OSError) as error:
            log.warning("kept_bundle_unusable", reason=error.reason if isinstance(error, BadBundle) else "os_error")
            return
        if kept is not None:
            await self._use(*kept)

    async def run(self) -> None:
        """Fetch what is wanted until cancelled; what cannot be fetched is tried again, or given up for a newer one."""
        failures = 0
        while True:
            wanted = self._wanted
            if wanted is None:
                self._changed.clear()
                await self._changed.wait()
                failures = 0
                continue
            try:
                catalogue = await self._store.fetch(wanted.url, wanted.sha256)
            except (BadBundle, OSError) as error:
                reason = error.reason if isinstance(error, BadBundle) else "os_error"
                log.warning("bundle_not_taken", reason=reason, revision=wanted.revision)
                await self._pause(failures)
                failures += 1
                continue
            if self._wanted is wanted:
                self._wanted = None
            await self._use(wanted.sha256, catalogue)

    async def _pause(self, failures: int) -> None:
        self._changed.clear()
        pause = min(FIRST_PAUSE_S * 2.0 ** min(failures, 16), LONGEST_PAUSE_S)
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _use(self, sha256: str, catalogue: Catalogue) -> None:
        index = await asyncio.to_thread(build, catalogue)
        self._sha256 = sha256
        self.catalogue = catalogue
        log.info("catalogue_loaded", revision=catalogue.revision, services=len(catalogue.services))
        self._emit(events.CatalogueLoaded(catalogue, index))
