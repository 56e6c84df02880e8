"""Every device × everything that can happen to any device: honest meanwhile, well afterwards, nothing leaked.

Each device's row runs in a process of its own, all at once: they mostly wait. The rules are the same for all; where a
device cannot know better, its exception stands here with the reason.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hardware.simulators.catalogue import simulated_drivers
from hardware.vocabulary import Detail, Health, Verdict
from tests.hardware.fault_matrix import NOT_TOLD_BY_HEALTH, Condition

ROOT = Path(__file__).parents[2]
CYCLES = 20
FAULTS = [condition for condition in Condition if condition not in {Condition.SLOW, Condition.BACK_AGAIN}]
GONE = {Condition.ABSENT_AT_START, Condition.UNPLUGGED_IDLE, Condition.UNPLUGGED_MID_COMMAND}


@pytest.fixture(scope="session")
def rows(request):
    """The rows of the devices whose tests were chosen, by driver id."""
    callspecs = [getattr(item, "callspec", None) for item in request.session.items if "rows" in item.fixturenames]
    chosen = {callspec.params["driver_id"] for callspec in callspecs if callspec is not None}

    def run(driver_id):
        done = subprocess.run(
            [sys.executable, "-m", "tests.hardware.fault_matrix", "--device", driver_id, "--cycles", str(CYCLES)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=170,
            check=False,
        )
        assert done.returncode == 0, f"{driver_id}: {done.stderr[-2000:]}"
        return json.loads(done.stdout)

    with ThreadPoolExecutor(max(1, len(chosen))) as running:
        futures = {
            driver_id: running.submit(run, driver_id) for driver_id in simulated_drivers() if driver_id in chosen
        }
        yield futures


def cell(rows, driver_id, condition):
    """The cell, if a device of this kind can have the trouble; the test has nothing to say else."""
    found = next(each for each in rows[driver_id].result()["cells"] if each["condition"] == condition)
    return found if found["applies"] else None


devices = pytest.mark.parametrize("driver_id", simulated_drivers())


@devices
@pytest.mark.parametrize("condition", FAULTS)
def test_a_device_in_trouble_never_passes_and_is_never_called_well(rows, driver_id, condition):
    found = cell(rows, driver_id, condition)
    if found is None:
        return
    assert found["verdict"] in {Verdict.FAIL, Verdict.UNKNOWN}
    assert found["detail"] != Detail.NONE
    assert found["noticed_s"] is not None
    if (driver_id, condition) not in NOT_TOLD_BY_HEALTH:
        assert found["health"] in {Health.OFFLINE, Health.UNKNOWN, Health.FAULT}
        assert found["health_detail"] != Detail.NONE
        assert found["health"] in found["events"]


@devices
@pytest.mark.parametrize("condition", sorted(GONE))
def test_a_device_that_is_gone_is_offline(rows, driver_id, condition):
    found = cell(rows, driver_id, condition)
    assert found is not None
    assert found["health"] == Health.OFFLINE


@devices
def test_a_slow_device_is_used_or_is_unknown(rows, driver_id):
    found = cell(rows, driver_id, Condition.SLOW)
    if found is not None:
        assert found["verdict"] in {Verdict.PASS, Verdict.UNKNOWN}


@devices
def test_a_device_that_is_back_passes_its_test(rows, driver_id):
    assert cell(rows, driver_id, Condition.BACK_AGAIN)["verdict"] == Verdict.PASS


@devices
@pytest.mark.parametrize("condition", list(Condition))
def test_when_it_is_over_the_device_is_well_and_nothing_was_leaked(rows, driver_id, condition):
    found = cell(rows, driver_id, condition)
    if found is None:
        return
    assert found["returned_s"] is not None
    assert (found["verdict_after"], found["detail_after"]) == (Verdict.PASS, Detail.NONE)
    assert (found["leaked_threads"], found["leaked_descriptors"]) == (0, 0)


@devices
def test_plug_cycles_are_all_noticed_and_leak_nothing(rows, driver_id):
    cycles = rows[driver_id].result()["cycles"]
    assert (cycles["cycles"], cycles["missed"]) == (CYCLES, 0)
    assert (cycles["leaked_threads"], cycles["leaked_descriptors"]) == (0, 0)
