"""The terminal's cabinet on simulated lines: what its devices say by themselves, what it lights, what it says aloud."""

import wave
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hardware.roles import Role
from hardware.simulators.keypad import KeypadSimulator
from hardware.simulators.line import PtyLine, TcpServerLine
from hardware.simulators.modbus_module import ModbusModule
from hardware.simulators.presence_sensor import PresenceSensorSimulator
from hardware.simulators.speaker import SpeakerSimulator
from hardware.simulators.ups import UpsSimulator
from kiosk.journeys import events
from kiosk.journeys.views import Power
from kiosk.prompts import Prompts
from kiosk.translate import peripheral_report
from tests.kiosk.fitted import Fitted, fitted
from tests.kiosk.stand_in import until

READER_LIGHT, PRINTER_LIGHT = 0, 1


class Cabinet:
    def __init__(self, folder: Path) -> None:
        self.sensor = PresenceSensorSimulator(PtyLine(folder / "sensor"))
        self.keypad = KeypadSimulator(PtyLine(folder / "keypad"))
        self.module = ModbusModule(PtyLine(folder / "module"))
        self.ups = UpsSimulator(TcpServerLine())
        self.speaker = SpeakerSimulator(PtyLine(folder / "speaker"))
        self.fittings = {
            Role.PRESENCE_SENSOR: ("maxsonar", self.sensor),
            Role.KEYPAD: ("keypad", self.keypad),
            Role.GUIDE_LIGHTS: ("modbus-lights", self.module),
            Role.DOOR_SWITCH: ("modbus-switch", self.module),
            Role.UPS: ("nut", self.ups),
            Role.SPEAKER: ("alsa", self.speaker),
        }


@pytest.fixture
def cabinet(tmp_path) -> Cabinet:
    return Cabinet(tmp_path)


@pytest.fixture
async def terminal(cabinet) -> AsyncIterator[Fitted]:
    async with fitted(cabinet.fittings) as terminal:
        yield terminal


def present(terminal: Fitted) -> bool | None:
    return terminal.of(events.PresenceChanged)[-1].present


def power(terminal: Fitted) -> Power:
    return terminal.of(events.PowerChanged)[-1].power


async def test_somebody_comes_and_goes_and_a_lost_sensor_says_neither(terminal, cabinet):
    cabinet.sensor.stand_at(600)
    await until(lambda: present(terminal) is True)
    cabinet.sensor.unplug()
    await until(lambda: present(terminal) is None)
    cabinet.sensor.plug()
    await until(lambda: present(terminal) is True)
    cabinet.sensor.leave()
    await until(lambda: present(terminal) is False)


async def test_keys_come_as_events_each_once(terminal, cabinet):
    cabinet.keypad.press("1", "5", "backspace")
    await until(lambda: len(terminal.of(events.KeyPressed)) == 3)
    assert [event.key for event in terminal.of(events.KeyPressed)] == ["1", "5", "backspace"]


async def test_the_lights_asked_for_blink_and_the_others_are_out(terminal, cabinet):
    terminal.devices.show_lights({"ticket_printer", "no_such_light"})
    await until(lambda: cabinet.module.switched[-3:].count((PRINTER_LIGHT, True)) >= 1)
    await until(lambda: (PRINTER_LIGHT, False) in cabinet.module.switched)
    terminal.devices.show_lights(())
    await until(lambda: not any(cabinet.module.outputs))
    assert not any(light == READER_LIGHT for light, _on in cabinet.module.switched)


async def test_lights_asked_for_while_their_line_is_gone_shine_when_it_is_back(terminal, cabinet):
    cabinet.module.unplug()
    await until(lambda: terminal.health(Role.GUIDE_LIGHTS) != "ok")
    terminal.devices.show_lights({"id_card_reader"})
    cabinet.module.plug()
    await until(lambda: (READER_LIGHT, True) in cabinet.module.switched)


async def test_an_open_door_is_noted_and_reported_until_it_is_shut(terminal, cabinet):
    cabinet.module.set_input(0, closed=False)
    await until(lambda: terminal.line(Role.DOOR_SWITCH).detail == "door_open")
    report = peripheral_report(terminal.line(Role.DOOR_SWITCH))
    assert (report.role, report.health, report.detail) == ("door-switch", "degraded", "door_open")
    cabinet.module.set_input(0, closed=True)
    await until(lambda: terminal.line(Role.DOOR_SWITCH).detail is None)
    assert terminal.health(Role.DOOR_SWITCH) == "ok"


async def test_the_battery_is_told_of_while_it_is_used_and_when_it_gets_low(terminal, cabinet):
    cabinet.ups.power_fails()
    await until(lambda: power(terminal) is Power.BATTERY)
    await until(lambda: terminal.line(Role.UPS).detail == "on_battery")
    cabinet.ups.set_charge(15)
    await until(lambda: power(terminal) is Power.LOW)
    await until(lambda: terminal.line(Role.UPS).detail == "battery_low")
    cabinet.ups.power_returns()
    cabinet.ups.set_charge(100)
    await until(lambda: power(terminal) is Power.MAINS and terminal.health(Role.UPS) == "ok")


async def test_a_device_that_is_lost_and_returns_is_told_of_once_each(terminal, cabinet):
    before = len(terminal.of(events.DevicesChanged))
    cabinet.keypad.unplug()
    await until(lambda: terminal.health(Role.KEYPAD) == "offline")
    cabinet.keypad.plug()
    await until(lambda: terminal.health(Role.KEYPAD) == "ok")
    assert len(terminal.of(events.DevicesChanged)) == before + 2


async def test_prompts_are_spoken_by_the_cabinets_speaker_and_a_newer_one_ends_the_one_before(
    terminal, cabinet, tmp_path
):
    for name, level, seconds in (("long", 1000, 30), ("welcome", 7000, 0.2)):
        write_prompt(tmp_path / "zh" / f"prompt_{name}.wav", level, seconds)
    prompts = Prompts(tmp_path)
    prompts.use(terminal.devices.speaker)
    assert prompts.languages == {"zh"}
    await prompts.say("long", "zh")
    await until(lambda: 1000 in cabinet.speaker.samples)
    await prompts.say("welcome", "zh")
    await until(lambda: 7000 in cabinet.speaker.samples)
    assert list(cabinet.speaker.samples).count(1000) < 30 * 16_000
    prompts.use(None)


def write_prompt(path: Path, level: int, seconds: float) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array("h", [level] * round(seconds * 16_000)).tobytes())
