"""The devices' own tests as the technician's screen begins and ends them, on simulated lines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hardware.roles import Role
from hardware.simulators.keypad import KeypadSimulator
from hardware.simulators.line import PtyLine
from hardware.simulators.modbus_module import ModbusModule
from kiosk.journeys import events
from kiosk.journeys.catalogue import Texts
from kiosk.journeys.views import SelfTestState
from tests.kiosk.fitted import Fitted, fitted
from tests.kiosk.stand_in import until


class Cabinet:
    def __init__(self, folder: Path) -> None:
        self.keypad = KeypadSimulator(PtyLine(folder / "keypad"))
        self.module = ModbusModule(PtyLine(folder / "module"))


@pytest.fixture
def cabinet(tmp_path) -> Cabinet:
    return Cabinet(tmp_path)


@pytest.fixture
async def terminal(cabinet) -> AsyncIterator[Fitted]:
    fittings = {Role.KEYPAD: ("keypad", cabinet.keypad), Role.GUIDE_LIGHTS: ("modbus-lights", cabinet.module)}
    async with fitted(fittings) as terminal:
        yield terminal


async def ended(terminal: Fitted) -> events.SelfTestDone:
    await until(lambda: terminal.of(events.SelfTestDone))
    return terminal.of(events.SelfTestDone)[-1]


async def test_each_step_is_told_with_what_a_hand_has_to_do(terminal, cabinet):
    terminal.devices.self_tests.start(3, "keypad", 60)
    await until(lambda: len(terminal.of(events.SelfTestStep)) == 2)
    status, key = terminal.of(events.SelfTestStep)
    assert (status.step.zh, status.request) == ("状态", None)
    assert key == events.SelfTestStep(3, Texts("按键", "key pressed"), Texts("请按键", "press a key"))
    cabinet.keypad.press("5")
    assert await ended(terminal) == events.SelfTestDone(3, SelfTestState.PASSED, key.step, Texts(""))
    assert terminal.of(events.KeyPressed) == [], "a key of the test is none of a person"


async def test_a_hand_that_does_not_come_in_time_leaves_it_unknown_and_says_what_to_do(terminal):
    terminal.devices.self_tests.start(1, "keypad", 0.3)
    done = await ended(terminal)
    assert (done.state, done.told.zh) == (SelfTestState.UNKNOWN, "未收到按键：按键再试（使用者）")


async def test_a_device_that_is_not_there_fails_at_once_and_says_what_to_do(terminal, cabinet):
    cabinet.keypad.unplug()
    await until(lambda: terminal.health(Role.KEYPAD) == "offline")
    terminal.devices.self_tests.start(1, "keypad", 60)
    done = await ended(terminal)
    assert (done.state, done.step.zh) == (SelfTestState.FAILED, "连接")
    assert done.told.en == "not found: check the cable and the address in the profile (technician)"


async def test_a_stopped_test_tells_nothing_more_and_its_device_is_free_for_the_next(terminal, cabinet):
    terminal.devices.self_tests.start(1, "keypad", 600)
    await until(lambda: len(terminal.of(events.SelfTestStep)) == 2)
    terminal.devices.self_tests.stop()
    terminal.devices.self_tests.start(2, "keypad", 60)
    await until(lambda: len(terminal.of(events.SelfTestStep)) == 4)
    cabinet.keypad.press("5")
    assert (await ended(terminal)).attempt == 2
    assert len(terminal.of(events.SelfTestDone)) == 1


async def test_lights_asked_for_before_their_test_shine_again_after_it(terminal, cabinet):
    terminal.devices.show_lights({"ticket_printer"})
    await until(lambda: any(cabinet.module.outputs))
    terminal.devices.self_tests.start(1, "guide_lights", 60)
    assert (await ended(terminal)).state is SelfTestState.PASSED
    await until(lambda: any(cabinet.module.outputs))
