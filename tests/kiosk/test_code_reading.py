"""Codes at the terminal: one for whoever is asked for one, in his session only; all others are dropped."""

import gc
from collections.abc import AsyncIterator

import pytest
import structlog

from hardware.roles import Role
from hardware.simulators.camera import CameraSimulator
from hardware.simulators.code_scanner import SerialScannerSimulator
from hardware.simulators.line import PtyLine
from kiosk.journeys import events
from kiosk.session import KioskSession, SessionWiped
from tests.kiosk.fitted import Fitted, fitted
from tests.kiosk.stand_in import until

CODE = "YY20260302-7319-4C"


@pytest.fixture
def scanner(tmp_path) -> SerialScannerSimulator:
    return SerialScannerSimulator(PtyLine(tmp_path / "scanner"))


@pytest.fixture
async def terminal(scanner) -> AsyncIterator[Fitted]:
    async with fitted({Role.CODE_SCANNER: ("code-serial", scanner)}) as terminal:
        yield terminal


async def test_a_code_goes_into_the_session_and_its_text_nowhere_else(terminal, scanner):
    session = KioskSession(1)
    with structlog.testing.capture_logs() as logs:
        terminal.devices.start_code_scan(session)
        await until(lambda: scanner.reading)
        scanner.show(CODE)
        await until(lambda: terminal.of(events.CodeRead))
    assert terminal.of(events.CodeRead) == [events.CodeRead(1)]
    assert session.code == CODE
    assert CODE not in repr(terminal.told) + repr(logs) + repr(session)
    session.wipe()
    scanner.hide()
    gc.collect()
    held = [found for found in gc.get_objects() if issubclass(type(found), bytearray) and CODE.encode() in found]
    assert held == []
    with pytest.raises(SessionWiped):
        _ = session.code


async def test_the_scanner_is_dark_as_soon_as_no_code_is_wanted(terminal, scanner):
    terminal.devices.start_code_scan(session := KioskSession(1))
    await until(lambda: scanner.reading)
    terminal.devices.stop_code_scan()
    await until(lambda: not scanner.reading)
    scanner.show(CODE)
    terminal.devices.start_code_scan(following := KioskSession(2))
    await until(lambda: terminal.of(events.CodeRead))
    assert (session.code, following.code) == (None, CODE)
    await until(lambda: not scanner.reading)


async def test_an_unusable_code_is_told_and_the_next_good_one_counts(terminal, scanner):
    session = KioskSession(1)
    terminal.devices.start_code_scan(session)
    await until(lambda: scanner.reading)
    scanner.show(b"\xff\xfe\xfd\x81")
    await until(lambda: terminal.of(events.CodeUnusable))
    scanner.show(CODE)
    await until(lambda: terminal.of(events.CodeRead))
    assert terminal.of(events.CodeUnusable)[0] == events.CodeUnusable(1)
    assert session.code == CODE


async def test_a_code_for_a_session_that_ended_is_wiped(terminal, scanner):
    session = KioskSession(1)
    terminal.devices.start_code_scan(session)
    await until(lambda: scanner.reading)
    session.wipe()
    scanner.show(CODE)
    await until(lambda: not scanner.reading)
    scanner.hide()
    terminal.devices.start_code_scan(following := KioskSession(2))
    await until(lambda: scanner.reading)
    scanner.show("ANOTHER")
    await until(lambda: terminal.of(events.CodeRead))
    assert terminal.of(events.CodeRead) == [events.CodeRead(2)]
    assert following.code == "ANOTHER"


@pytest.fixture
def camera(tmp_path) -> CameraSimulator:
    return CameraSimulator(tmp_path / "camera")


@pytest.fixture
async def terminal_with_camera(camera) -> AsyncIterator[Fitted]:
    async with fitted({Role.CODE_CAMERA: ("camera-codes", camera)}) as terminal:
        yield terminal


async def test_a_camera_instead_of_a_scanner_gives_its_code_to_the_session_and_to_nobody_else(
    terminal_with_camera, camera
):
    terminal, session = terminal_with_camera, KioskSession(1)
    with structlog.testing.capture_logs() as logs:
        terminal.devices.start_code_scan(session)
        camera.show_code(CODE)
        await until(lambda: terminal.of(events.CodeRead))
    assert terminal.of(events.CodeRead) == [events.CodeRead(1)]
    assert session.code == CODE
    assert CODE not in repr(terminal.told) + repr(logs) + repr(session)


async def test_what_the_camera_sees_while_no_code_is_wanted_is_nobodys(terminal_with_camera, camera):
    terminal = terminal_with_camera
    camera.show_code("EARLIER")
    seen = camera.sent
    await until(lambda: camera.sent > seen + 5)
    terminal.devices.start_code_scan(gone := KioskSession(1))
    terminal.devices.stop_code_scan()
    camera.hide()
    seen = camera.sent
    await until(lambda: camera.sent > seen + 5)
    terminal.devices.start_code_scan(session := KioskSession(2))
    camera.show_code(CODE)
    await until(lambda: terminal.of(events.CodeRead))
    assert terminal.of(events.CodeRead) == [events.CodeRead(2)]
    assert (gone.code, session.code) == (None, CODE)
