"""Simulators at work for a developer: typed commands reach every one of them, a wrong one is answered."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardware.addresses import parse_address
from hardware.drivers import driver, driver_ids
from hardware.lines import open_line
from hardware.simulators.catalogue import make_simulator
from hardware.simulators.desk import SimulatorDesk
from hardware.simulators.line import LineFaults
from hardware.simulators.simulator import Place, Trouble

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path):
    """A desk with a reader and a printer; what it said; its simulators."""
    said, simulators = [], {}
    desk = SimulatorDesk(said.append)
    for name, driver_id in (("reader", "sam-v"), ("printer", "escpos")):
        simulators[name] = make_simulator(driver_id, Place(tmp_path))
        desk.add(name, simulators[name])
    yield desk, said, simulators
    desk.close()


def test_faults_of_device_and_line_are_set_by_their_names(desk):
    desk, said, simulators = desk
    for text in ("printer fault paper_out_after 12", "printer line split_at 3", "printer line noise_before 0xAA00"):
        desk.obey(text)
        assert said[-1] == "ok"
    assert simulators["printer"].faults.paper_out_after == 12
    assert simulators["printer"].line._faults == LineFaults(noise_before=b"\xaa\x00")
    desk.obey("printer clear")
    assert simulators["printer"].faults.paper_out_after is None


@pytest.mark.parametrize(
    "wrong",
    [
        "fly",
        "lay 1",
        "reader",
        "reader fly",
        "reader lay nine",
        "reader fault nonsense 1",
        "printer fault paper_out_after x",
        "printer fault paper_out_after",
        "printer line split_at soon",
        "printer trouble none",
        "printer power now",
        "scanner unplug",
        "help scanner",
        '"',
    ],
)
def test_a_wrong_command_is_answered_with_what_would_be_right(desk, wrong):
    desk, said, _ = desk
    assert desk.obey(wrong)
    assert said[-1].startswith("?")
    assert len(said[-1]) > 5


def test_help_shows_the_whole_menu(desk):
    desk, said, _ = desk
    desk.obey("help")
    assert "reader: actions lay, lift; faults" in said[-1]
    assert "paper_out_after=None" in said[-1]
    assert not desk.obey("quit")


@pytest.mark.parametrize("driver_id", driver_ids())
def test_every_simulator_starts_where_its_driver_finds_it_and_has_the_whole_menu(driver_id, tmp_path):
    simulator = make_simulator(driver_id, Place(tmp_path))
    desk = SimulatorDesk(lambda _: None)
    desk.add("device", simulator)
    try:
        assert str(parse_address(simulator.address)).partition(":")[0] in driver(driver_id).schemes
        for trouble in Trouble:
            desk.obey(f"device trouble {trouble}")
        simulator.clear_faults()
        simulator.help_self_test()
    finally:
        desk.close()


def test_the_command_line_keeps_the_devices_up(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "hardware", "simulate", tmp_path, "--device", "sam-v", "--device", "front=escpos"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        addresses = dict(process.stdout.readline().split() for _ in range(2))
        line = open_line(parse_address(addresses["front"]))
        line.write(bytes.fromhex("10 04 01"), time.monotonic() + 20)
        assert line.read_available(time.monotonic() + 20) == b"\x12"
        line.close()
        process.stdin.write("sam-v lay 2\nfront fault paper_out on\nquit\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == ["ok\n", "ok\n"]
        assert process.wait(20) == 0


def test_an_unknown_device_is_refused_by_name(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hardware", "simulate", tmp_path, "--device", "toaster"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64
    assert "toaster" in done.stderr
