"""Guide lights, door and tamper switch: against the simulated module, several on one line, and against pymodbus' own
server as a module of another make."""

import asyncio
import contextlib
import os
import select
import threading
import time
import tty

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hardware.device import Supervision
from hardware.door_switch.switch import DoorSwitch, SwitchOptions
from hardware.events import SwitchChanged
from hardware.guide_lights.lights import GuideLights, Light, LightsOptions
from hardware.roles import Role
from hardware.simulators.line import PtyLine
from hardware.simulators.modbus_module import ModbusModule
from hardware.vocabulary import Detail, Health, Outcome, Verdict
from hardware.worker import BackOff

QUICK = Supervision(BackOff(0.02, 0.05), probe_interval_s=0.2)
LIGHTS = {"id_card_reader": 0, "ticket_printer": 5}


@pytest.fixture
def module(tmp_path):
    module = ModbusModule(PtyLine(tmp_path / "module")).start()
    yield module
    module.close()


@pytest.fixture
def closing():
    with contextlib.ExitStack() as stack:
        yield lambda device: (stack.callback(device.close), device)[1]


def lights_on(address):
    return GuideLights(address, options=LightsOptions(lights=LIGHTS), supervision=QUICK)


def switch_on(address, role=Role.DOOR_SWITCH, heard=None, **options):
    heard = [] if heard is None else heard
    return DoorSwitch(
        address, role=role, options=SwitchOptions(poll_s=0.02, **options), on_event=heard.append, supervision=QUICK
    )


def openings(heard):
    return [event.open for event in heard if isinstance(event, SwitchChanged)]


def test_lights_are_shown_exactly_as_wanted(module, closing, soon):
    lights = closing(lights_on(module.address))
    assert lights.show({"ticket_printer": Light.ON}, soon()).result(20).outcome is Outcome.DONE
    assert [number for number, on in enumerate(module.outputs) if on] == [5]
    lights.show({"id_card_reader": Light.ON}, soon()).result(20)
    assert [number for number, on in enumerate(module.outputs) if on] == [0]
    lights.show({}, soon()).result(20)
    assert not any(module.outputs)


def test_a_light_that_is_not_there_is_refused_and_nothing_changes(module, closing, soon):
    lights = closing(lights_on(module.address))
    lights.show({"ticket_printer": Light.ON}, soon()).result(20)
    shown = lights.show({"id_card_reader": Light.ON, "cash_box": Light.ON}, soon()).result(20)
    assert shown.outcome is Outcome.NOT_SUPPORTED
    assert [number for number, on in enumerate(module.outputs) if on] == [5]


def test_a_blinking_light_blinks_until_it_is_told_otherwise(module, closing, soon, wait_until):
    lights = closing(lights_on(module.address))
    lights.show({"id_card_reader": Light.BLINKING}, soon()).result(20)
    wait_until(lambda: module.switched.count((0, False)) >= 2)
    assert all(coil == 0 for coil, _ in module.switched)
    lights.show({}, soon()).result(20)
    assert not any(module.outputs)


def test_after_a_power_cut_of_the_module_the_lights_are_put_right(module, closing, soon, wait_until):
    lights = closing(lights_on(module.address))
    lights.show({"ticket_printer": Light.ON}, soon()).result(20)
    module.power_cut()
    wait_until(lambda: module.outputs[5])


def test_doors_are_told_once_and_a_bouncing_contact_is_not(module, closing, wait_until):
    heard = []
    switch = closing(switch_on(module.address, heard=heard))
    wait_until(lambda: openings(heard) == [False])
    module.set_input(0, closed=False)
    wait_until(lambda: switch.open is True)
    module.set_input(0, closed=True)
    wait_until(lambda: openings(heard) == [False, True, False])


def test_devices_share_a_line_and_all_lose_it_and_have_it_back(module, closing, soon, wait_until):
    door_heard, tamper_heard = [], []
    devices = [
        closing(switch_on(module.address, heard=door_heard, input=0)),
        closing(switch_on(module.address, Role.TAMPER_SWITCH, tamper_heard, input=1, open_when_off=False)),
        closing(lights_on(module.address)),
    ]
    wait_until(lambda: openings(door_heard) == [False] and openings(tamper_heard) == [True])
    module.unplug()
    wait_until(lambda: all(device.status.health is Health.OFFLINE for device in devices))
    assert devices[0].open is None
    module.plug()
    wait_until(lambda: all(device.status.health is Health.OK for device in devices))
    assert devices[2].show({"id_card_reader": Light.ON}, soon()).result(20).outcome is Outcome.DONE
    assert openings(door_heard) == [False], "a door that stayed shut is not told again"


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ({"wrong_checksum": True}, (Health.UNKNOWN, Detail.NO_ANSWER)),
        ({"other_station": True}, (Health.UNKNOWN, Detail.NO_ANSWER)),
        ({"refuses": 6}, (Health.UNKNOWN, Detail.NO_ANSWER)),
        ({"refuses": 2}, (Health.FAULT, Detail.MODULE_REFUSED)),
    ],
    ids=str,
)
def test_each_fault_of_the_module_has_its_status(module, closing, wait_until, faults, status):
    switch = closing(switch_on(module.address, answer_s=0.05))
    wait_until(lambda: switch.status.health is Health.OK)
    module.set_faults(**faults)
    wait_until(lambda: (switch.status.health, switch.status.detail) == status)
    module.clear_faults()
    wait_until(lambda: switch.status.health is Health.OK)


def test_the_self_test_sees_outputs_that_do_not_switch(module, closing, soon):
    lights = closing(lights_on(module.address))
    assert lights.self_test(soon()).result(20).verdict is Verdict.PASS
    module.set_faults(outputs_stuck=True)
    report = lights.self_test(soon()).result(20)
    assert (report.verdict, report.steps[-1].detail) == (Verdict.FAIL, Detail.OUTPUT_STUCK)


def test_the_self_test_of_a_door_wants_it_moved(module, closing, soon):
    switch = closing(switch_on(module.address))
    report = switch.self_test(time.monotonic() + 0.3).result(20)
    assert (report.verdict, report.steps[-1].detail) == (Verdict.UNKNOWN, Detail.DOOR_NOT_MOVED)
    module.help_self_test()
    assert switch.self_test(soon()).result(20).verdict is Verdict.PASS


def bits(*values):
    return [SimData(0, values=list(values), datatype=DataType.BITS)]


class ForeignModule:
    """pymodbus' own serial server as station 3: every other of 16 inputs closed, 16 outputs, behind two ptys joined to
    a line."""

    def __init__(self):
        (self._near, near_end), (self._far, far_end) = os.openpty(), os.openpty()
        self._ends = [self._near, near_end, self._far, far_end]
        for end in (near_end, far_end):
            tty.setraw(end)
        self.address = f"serial:{os.ttyname(near_end)}?baud=9600"
        self._port = os.ttyname(far_end)
        self._ended = threading.Event()

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._loop.run_forever, self._carry)]
        for thread in self._threads:
            thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._ended.set()
        for thread in self._threads:
            thread.join(20)
        self._loop.close()
        for end in self._ends:
            os.close(end)

    def _carry(self):
        while not self._ended.is_set():
            for source in select.select([self._near, self._far], [], [], 0.02)[0]:
                os.write(self._far if source == self._near else self._near, os.read(source, 256))

    async def _serve(self):
        points = (bits(*[False] * 16), bits(*[True, False] * 8), bits(*[False] * 16), bits(*[False] * 16))
        server = ModbusSerialServer(
            SimDevice(id=3, simdata=points), framer=FramerType.RTU, port=self._port, baudrate=9600
        )
        await server.serve_forever(background=True)
        return server


def test_a_module_of_another_make_is_read_and_switched(soon, wait_until):
    with ForeignModule() as module, contextlib.ExitStack() as closes:
        shut = switch_on(module.address, station=3, input=0)
        gone = switch_on(module.address, Role.TAMPER_SWITCH, station=3, input=1)
        lights = GuideLights(module.address, options=LightsOptions(station=3, lights=LIGHTS), supervision=QUICK)
        for device in (shut, gone, lights):
            closes.callback(device.close)
        wait_until(lambda: (shut.open, gone.open) == (False, True))
        assert lights.show({"ticket_printer": Light.ON}, soon()).result(20).outcome is Outcome.DONE
        assert lights.self_test(soon()).result(20).verdict is Verdict.PASS
        elsewhere = switch_on(module.address, station=3, input=400)
        closes.callback(elsewhere.close)
        wait_until(lambda: elsewhere.status.detail is Detail.MODULE_REFUSED)
