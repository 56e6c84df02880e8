"""The UPS: what its words mean, the driver against the simulated server, and against Debian's own upsd."""

import contextlib
import getpass
import os
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.device import Supervision
from hardware.errors import BadAddress
from hardware.events import PowerChanged
from hardware.simulators.line import TcpServerLine
from hardware.simulators.ups import UpsSimulator
from hardware.ups.state import power
from hardware.ups.ups import Ups, UpsOptions
from hardware.vocabulary import Detail, Health, Supply, Verdict
from hardware.worker import BackOff

QUICK = Supervision(BackOff(0.02, 0.05), probe_interval_s=0.2)


@pytest.mark.parametrize(
    ("words", "on_battery", "health", "detail"),
    [
        ("OL", False, Health.OK, Detail.NONE),
        ("OL CHRG", False, Health.OK, Detail.NONE),
        ("OB DISCHRG", True, Health.DEGRADED, Detail.ON_BATTERY),
        ("OB LB", True, Health.DEGRADED, Detail.BATTERY_LOW),
        ("OL RB", False, Health.DEGRADED, Detail.BATTERY_WORN),
        ("OL OVER", False, Health.DEGRADED, Detail.UPS_OVERLOADED),
        ("BYPASS", False, Health.DEGRADED, Detail.UPS_BYPASSED),
        ("FSD OB LB", True, Health.DEGRADED, Detail.BATTERY_LOW),
        ("OFF", None, Health.FAULT, Detail.UPS_OFF),
        ("", None, Health.UNKNOWN, Detail.UNKNOWN_ANSWER),
        ("WAIT", None, Health.UNKNOWN, Detail.UNKNOWN_ANSWER),
    ],
)
def test_status_words_of_the_nut_manual(words, on_battery, health, detail):
    """NUT User Manual, "Status data" (ups.status)."""
    found = power({"ups.status": words})
    assert (found.on_battery, found.status.health, found.status.detail) == (on_battery, health, detail)


def test_charge_and_time_left_are_whole_numbers_or_not_known():
    found = power({"ups.status": "OL", "battery.charge": "87.5", "battery.runtime": "1440"})
    assert (found.charge_percent, found.seconds_left) == (87, 1440)
    assert found.status.levels == {"battery": 87}
    assert power({"ups.status": "OL", "battery.charge": "full", "battery.runtime": "-1"}).charge_percent is None


def test_without_a_status_the_battery_is_not_known():
    assert power({"battery.charge": "100"}).status.supplies == {"battery": Supply.UNKNOWN}


@given(st.dictionaries(st.sampled_from(["ups.status", "battery.charge", "battery.runtime", "x"]), st.text(max_size=20)))
def test_no_variables_raise_and_silence_about_the_mains_is_never_ok(variables):
    found = power(variables)
    assert found.status.health is not Health.OK or found.on_battery is False


@pytest.fixture
def simulator():
    simulator = UpsSimulator(TcpServerLine()).start()
    yield simulator
    simulator.close()


@pytest.fixture
def opened():
    with contextlib.ExitStack() as stack:

        def open_ups(address):
            heard = []
            options = UpsOptions(poll_s=0.05, answer_s=0.5)
            ups = Ups(address, options=options, on_event=heard.append, supervision=QUICK)
            stack.callback(ups.close)
            return ups, heard

        yield open_ups


def changes(heard):
    return [event.on_battery for event in heard if isinstance(event, PowerChanged)]


def test_a_power_failure_and_its_end_are_told_once_each(simulator, opened, wait_until):
    ups, heard = opened(simulator.address)
    wait_until(lambda: changes(heard) == [False])
    simulator.power_fails()
    wait_until(lambda: changes(heard) == [False, True])
    wait_until(lambda: (ups.status.health, ups.status.detail) == (Health.DEGRADED, Detail.ON_BATTERY))
    simulator.set_charge(15)
    wait_until(lambda: ups.status.supplies == {"battery": Supply.LOW})
    assert ups.power.seconds_left == 180
    simulator.power_returns()
    wait_until(lambda: changes(heard) == [False, True, False])


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ({"data_stale": True}, (Health.FAULT, Detail.UPS_LOST)),
        ({"unknown_ups": True}, (Health.FAULT, Detail.NO_SUCH_UPS)),
        ({"says_no_status": True}, (Health.UNKNOWN, Detail.UNKNOWN_ANSWER)),
        ({"locked": True}, (Health.UNKNOWN, Detail.NO_ANSWER)),
        ({"worn": True}, (Health.DEGRADED, Detail.BATTERY_WORN)),
    ],
    ids=str,
)
def test_each_fault_has_its_status(simulator, opened, wait_until, faults, status):
    ups, _ = opened(simulator.address)
    wait_until(lambda: ups.status.health is Health.OK)
    simulator.set_faults(**faults)
    wait_until(lambda: (ups.status.health, ups.status.detail) == status)
    simulator.clear_faults()
    wait_until(lambda: ups.status.health is Health.OK)


def test_the_self_test_says_what_the_battery_has(simulator, opened, soon):
    ups, _ = opened(simulator.address)
    report = ups.self_test(soon()).result(20)
    assert (report.verdict, report.steps[-1].measured) == (Verdict.PASS, "100 % 1200 s")
    simulator.power_fails()
    assert ups.self_test(soon()).result(20).verdict is Verdict.FAIL


def test_a_ups_has_a_name_and_a_server():
    with pytest.raises(BadAddress, match="nut:"):
        Ups("tcp:127.0.0.1:3493")


class ForeignServer:
    """Debian's upsd with the dummy-ups driver, private to a test and on loopback."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._environment = os.environ | {"NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder)}
        self._environment |= {"NUT_ALTPIDPATH": str(folder)}
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.address = f"nut:dummy@127.0.0.1:{port}"
        self._write("nut.conf", "MODE=standalone\n")
        self._write(
            "ups.conf",
            'pollinterval = 1\n[dummy]\n  driver = dummy-ups\n  port = dummy.dev\n  mode = dummy-once\n  desc = "x"\n',
        )
        self._write("upsd.conf", f"LISTEN 127.0.0.1 {port}\nSTATEPATH {folder}\n")
        self._write("upsd.users", "")
        self.say("OL")
        self._processes = []

    def _write(self, name, text):
        path = self._folder / name
        path.write_text(text)
        path.chmod(0o640)

    def say(self, words):
        """What the dummy UPS says."""
        fresh = self._folder / "dummy.new"
        fresh.write_text(f"ups.status: {words}\nbattery.charge: 90\nbattery.runtime: 600\n")
        fresh.replace(self._folder / "dummy.dev")

    def start(self):
        for command in (["/lib/nut/dummy-ups", "-a", "dummy"], ["/lib/nut/upsd"]):  # /sbin/upsd heeds /etc/nut only
            with (self._folder / f"{Path(command[0]).name}.log").open("wb") as log:
                arguments = [*command, "-D", "-u", getpass.getuser()]
                self._processes.append(
                    subprocess.Popen(arguments, env=self._environment, stdout=log, stderr=log, cwd=self._folder)
                )

    def stop(self):
        for process in self._processes:
            process.terminate()
            process.wait(20)
        self._processes.clear()


@pytest.fixture
def upsd(tmp_path):
    server = ForeignServer(tmp_path)
    yield server
    server.stop()


def test_debians_own_server_is_understood_lost_and_found_again(upsd, opened, wait_until, soon):
    ups, heard = opened(upsd.address)
    wait_until(lambda: ups.status.health is Health.OFFLINE)
    upsd.start()
    wait_until(lambda: ups.status.health is Health.OK)
    assert (ups.power.charge_percent, ups.power.seconds_left) == (90, 600)
    assert ups.self_test(soon()).result(20).verdict is Verdict.PASS
    upsd.say("OB DISCHRG")
    wait_until(lambda: changes(heard) == [False, True])
    upsd.stop()
    wait_until(lambda: ups.status.health is Health.OFFLINE)


def test_a_ups_that_debians_server_does_not_know_is_named(upsd, opened, wait_until):
    upsd.start()
    ups, _ = opened(upsd.address.replace("dummy@", "other@"))
    wait_until(lambda: (ups.status.health, ups.status.detail) == (Health.FAULT, Detail.NO_SUCH_UPS))
