"""Hot-plug: a device counts as gone after three misses in a row, and as back at its first sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.addresses import parse_address
from hardware.cabinet import Cabinet
from hardware.device import Supervision
from hardware.events import DeviceAppeared, DeviceGone
from hardware.hot_plug import Presence, is_there
from hardware.profile import bind
from hardware.roles import Role
from hardware.simulators.line import PtyLine
from hardware.simulators.presence_sensor import PresenceSensorSimulator
from hardware.vocabulary import Health
from hardware.worker import BackOff

ROLE = Role.PRESENCE_SENSOR


@given(st.lists(st.booleans(), max_size=30))
def test_gone_means_missed_three_times_in_a_row(looks):
    presence = Presence([ROLE])
    there, missed = False, 3
    for seen in looks:
        missed = 0 if seen else missed + 1
        appeared, gone = presence.look({ROLE: seen})
        assert bool(appeared) == (seen and not there)
        assert bool(gone) == (there and missed == 3)
        there = missed < 3
        assert presence.there(ROLE) is there


@pytest.mark.parametrize(
    "address", ["tcp:127.0.0.1:9", "pcsc:Reader", "ipp://127.0.0.1/ipp", "video:/film.avi", "memory:x"]
)
def test_what_has_no_address_that_could_vanish_here_is_not_looked_for(address):
    assert is_there(parse_address(address)) is None


def test_a_usb_device_is_found_by_its_ids_and_its_serial_number(tmp_path):
    device = tmp_path / "1-2"
    device.mkdir()
    (tmp_path / "usb1").mkdir()
    for name, text in (("idVendor", "0416"), ("idProduct", "5011"), ("serial", "A1")):
        (device / name).write_text(text + "\n")
    seen = [is_there(parse_address(f"usb:{rest}"), tmp_path) for rest in ("0416:5011", "0416:5011:A1", "0416:5011:A2")]
    assert seen == [True, True, False]
    assert is_there(parse_address("usb:04b8:0e15"), tmp_path) is False


def test_a_device_plugged_in_is_used_at_once_and_one_taken_away_is_told(tmp_path, wait_until):
    simulator = PresenceSensorSimulator(PtyLine(tmp_path / "sensor"))
    heard = []
    cabinet = Cabinet(
        [bind(ROLE, "maxsonar", simulator.address)],
        heard.append,
        supervision=Supervision(BackOff(3600, 3600), probe_interval_s=0.05),
        hot_plug_interval_s=0.02,
    )
    device = cabinet.devices[ROLE]
    wait_until(lambda: device.status.health is Health.OFFLINE)
    simulator.start()
    wait_until(lambda: device.status.health is Health.OK)
    assert DeviceAppeared(ROLE) in heard
    simulator.unplug()
    wait_until(lambda: DeviceGone(ROLE) in heard)
    assert device.status.health is Health.OFFLINE
    simulator.plug()
    wait_until(lambda: device.status.health is Health.OK)
    assert [type(event) for event in heard if isinstance(event, DeviceAppeared | DeviceGone)] == [
        DeviceAppeared,
        DeviceGone,
        DeviceAppeared,
    ]
    cabinet.close()
    simulator.close()
