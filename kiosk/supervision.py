"""Supervised parts of the program: one that fails is logged with its cause, reported, and started again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from wire.where import where

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STABLE_S = 60.0

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs parts side by side. `on_crash` hears the name of a part that failed, and None when all run again."""

    def __init__(self, on_crash: Callable[[str | None], None], first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._on_crash = on_crash
        self._first_pause_s = first_pause_s
        self._down: set[str] = set()

    async def keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run `part` until cancelled or until it returns; after a failure again, with growing pauses."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                await part()
            except Exception as error:  # noqa: BLE001 - the cause is logged, and the person sees it
                failures = 1 if loop.time() - began >= STABLE_S else failures + 1
                log.error("part_failed", part=name, error=type(error).__name__, at=where(_innermost(error)))
            else:
                return
            self._down.add(name)
            self._on_crash(name)
            await asyncio.sleep(min(self._first_pause_s * 2.0 ** (failures - 1), LONGEST_PAUSE_S))
            self._down.discard(name)
            if not self._down:
                self._on_crash(None)

    async def once(self, work: Awaitable[None]) -> None:
        """Await `work`; a failure is logged, never its text: that may quote what a person gave."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - one piece of work must not end the program
            log.error("work_failed", error=type(error).__name__, at=where(error))


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
