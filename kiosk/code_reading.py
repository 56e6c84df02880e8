"""Waiting for one code, for one session, at the scanner or the code camera: whichever sees one first."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, runtime_checkable

from hardware.code_scanner.scanner import CodeScan, OnProblem
from hardware.session import DeviceSession
from hardware.vocabulary import Outcome
from kiosk.journeys import events
from kiosk.session import KioskSession, SessionWiped

CODE_WAIT_S = 60.0
PAUSE_S = 1.0
"""After a fault of the scanner, before it is asked for a code again."""

Tell = Callable[[events.Event], None]
"""Hands an event to the journey; may be called from any thread."""


@runtime_checkable
class CodeReader(Protocol):
    """Scanners and code cameras; the latter's module is loaded only where a profile has one."""

    def scan(
        self, deadline: float, *, session: DeviceSession | None = None, on_problem: OnProblem | None = None
    ) -> "Future[CodeScan]": ...


async def read_code(readers: Sequence[CodeReader], session: KioskSession, tell: Tell) -> None:
    """Until one code was taken by the session; cancelling ends the devices' commands and wipes what comes late."""
    visit = DeviceSession()
    reading = [asyncio.create_task(_read(reader, session, visit, tell)) for reader in readers]
    try:
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
    finally:
        visit.end()
        for task in reading:
            task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)


async def _read(reader: CodeReader, session: KioskSession, visit: DeviceSession, tell: Tell) -> None:
    def unusable(_problem: object) -> None:
        if not visit.cancelled:
            tell(events.CodeUnusable(session.number))

    while not session.wiped:
        scanned = await asyncio.wrap_future(
            reader.scan(time.monotonic() + CODE_WAIT_S, session=visit, on_problem=unusable)
        )
        if _took(scanned, session, tell) or scanned.outcome is Outcome.CANCELLED:
            return
        if scanned.outcome is Outcome.DEVICE_FAULT:
            await asyncio.sleep(PAUSE_S)


def _took(scanned: CodeScan, session: KioskSession, tell: Tell) -> bool:
    if scanned.code is None:
        return False
    try:
        session.take_code(scanned.code)
    except SessionWiped:
        return True
    tell(events.CodeRead(session.number))
    return True
