"""The fault matrix: every device of the registry with everything that can happen to any device, cell after cell.

A new device joins by having a simulator in the catalogue. `python -m tests.hardware.fault_matrix --device ID` runs one
device's row in a process of its own (so that leaks are its own) and prints it as JSON; `./dev bench devices` runs all.
"""

import contextlib
import itertools
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
import typer

from hardware.device import Device, Supervision
from hardware.drivers import driver
from hardware.events import DeviceEvent, StatusChanged
from hardware.profile import Binding, bind
from hardware.self_test import Progress, SelfTestReport, StepBegun
from hardware.simulators.catalogue import make_simulator
from hardware.simulators.hands import Hands
from hardware.simulators.simulator import NoSuchTrouble, Place, Simulator, Trouble
from hardware.vocabulary import DeviceStatus, Health, Verdict
from hardware.worker import BackOff

QUICK: Final = Supervision(BackOff(first_s=0.02, limit_s=0.1), probe_interval_s=0.1)
IN_TROUBLE_WITHIN_S: Final = 3.0
"""For a test that cannot pass."""
TEST_WITHIN_S: Final = 30.0
NOTICE_WITHIN_S: Final = 10.0
RETURN_WITHIN_S: Final = 20.0
SETTLE_WITHIN_S: Final = 5.0


class Condition(StrEnum):
    """What happens to the device."""

    ABSENT_AT_START = "absent at start"
    UNPLUGGED_IDLE = "unplugged idle"
    UNPLUGGED_MID_COMMAND = "unplugged mid-command"
    SILENT = "silent"
    SLOW = "slow"
    GARBAGE = "garbage"
    HALF_FRAME = "half frame"
    STUCK_BUSY = "stuck busy"
    BACK_AGAIN = "back again"


_TROUBLES: Final = {
    Condition.SILENT: Trouble.SILENT,
    Condition.SLOW: Trouble.SLOW,
    Condition.GARBAGE: Trouble.GARBAGE,
    Condition.HALF_FRAME: Trouble.HALF_FRAME,
    Condition.STUCK_BUSY: Trouble.STUCK_BUSY,
}


_CARD: Final = "what is dumb, breaks off or speaks nonsense is the card; its reader is well"
NOT_TOLD_BY_HEALTH: Final = {
    ("escpos", Condition.HALF_FRAME): "its status answers are single bytes and come whole; the slip's proof does not",
    ("ipp", Condition.STUCK_BUSY): "a printer that is busy is well; the job that does not end tells",
    ("social-security-card", Condition.GARBAGE): _CARD,
    ("social-security-card", Condition.HALF_FRAME): _CARD,
    ("bank-card", Condition.GARBAGE): _CARD,
    ("bank-card", Condition.HALF_FRAME): _CARD,
    ("code-keyboard", Condition.SILENT): "a keyboard says nothing unless it types",
    ("code-keyboard", Condition.GARBAGE): "a keyboard types keys, whatever they mean",
    ("code-keyboard", Condition.HALF_FRAME): "a keyboard's code without its Enter is a code not yet typed to its end",
    ("alsa", Condition.STUCK_BUSY): "whether a card takes sound shows when one is played, and none is played unasked",
    ("keypad", Condition.SILENT): "a keypad says nothing unless a key is pressed",
    ("keypad", Condition.GARBAGE): "a keypad sends keys, whatever they mean",
}
"""What a device's status cannot show, though its test does; by driver id and condition, with the reason."""


@dataclass(frozen=True)
class Cell:
    """What came of one condition. Times in seconds; None: it did not come in time (or had not to)."""

    condition: str
    applies: bool = True
    """False: a device of this kind cannot have the trouble."""
    verdict: str = ""
    detail: str = ""
    """Of the self-test that ran while the condition lasted."""
    health: str = ""
    health_detail: str = ""
    """The status while the condition lasted, after the test."""
    events: tuple[str, ...] = ()
    """Healths told by events from the beginning of the condition to its end."""
    noticed_s: float | None = None
    """Until the device or its test said that something is wrong."""
    returned_s: float | None = None
    """From the end of the condition until the device was usable again."""
    verdict_after: str = ""
    detail_after: str = ""
    tests_after: int = 0
    """How many tests it took: what was still on its way (half a picture) may cost one."""
    leaked_threads: int = 0
    leaked_descriptors: int = 0


@dataclass(frozen=True)
class Cycles:
    """Plugging out and in again, so many times."""

    cycles: int
    missed: int
    """Cycles in which the loss or the return was not noticed in time."""
    seconds: float
    slowest_notice_s: float
    slowest_return_s: float
    leaked_threads: int
    leaked_descriptors: int


@dataclass
class _Heard:
    """What the device said, and when."""

    events: list[tuple[float, DeviceEvent]] = field(default_factory=list)

    def take(self, event: DeviceEvent) -> None:
        self.events.append((time.monotonic(), event))

    def told(self, since: float, health: Health) -> bool:
        return any(status.health is health for _, status in self.statuses(since))

    def statuses(self, since: float) -> list[tuple[float, DeviceStatus]]:
        return [(at, event.status) for at, event in self.events if at >= since and isinstance(event, StatusChanged)]


@contextlib.contextmanager
def simulated(driver_id: str) -> Iterator[tuple[Simulator, Binding]]:
    """A running simulator and the binding that reaches it."""
    declared = driver(driver_id)
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as folder:
        simulator = make_simulator(driver_id, Place(Path(folder))).start()
        try:
            role = min(declared.roles)
            yield simulator, bind(role, driver_id, simulator.address, **simulator.options)
        finally:
            simulator.close()


def run_row(simulator: Simulator, binding: Binding) -> list[Cell]:
    """All conditions, one after another."""
    return [run_cell(simulator, binding, condition) for condition in Condition]


def run_cell(simulator: Simulator, binding: Binding, condition: Condition) -> Cell:
    """One condition: the device is opened, it happens, the self-test runs, it is over, the self-test runs again."""
    _mend(simulator)
    before = _resources()
    heard = _Heard()
    if condition is Condition.ABSENT_AT_START:
        simulator.unplug()
    began = time.monotonic()
    device = binding.open(heard.take, QUICK)
    try:
        if condition is not Condition.ABSENT_AT_START:
            _wait(lambda: device.status.usable, RETURN_WITHIN_S)
            began = time.monotonic()
        try:
            shown = _told_by_health(binding, condition)
            report, told_s = _suffer(simulator, device, condition, shown)
        except NoSuchTrouble:
            return Cell(condition, applies=False)
        if shown:
            _wait(lambda: heard.told(began, device.status.health) and not device.status.usable, NOTICE_WITHIN_S)
        status = device.status
        unusable = [at - began for at, each in heard.statuses(began) if not each.usable]
        noticed = min([*unusable[:1], *told_s], default=None)
        over = time.monotonic()
        _mend(simulator)
        returned = time.monotonic() - over if _wait(lambda: device.status.usable, RETURN_WITHIN_S) else None
        decisive = _decisive(report)
        told = tuple(each.health.value for at, each in heard.statuses(began) if at <= over)
        after, tests = _test_until_pass(simulator, device)
    finally:
        device.close()
    threads, descriptors = _leaked(before)
    return Cell(
        condition,
        verdict=report.verdict.value,
        detail=decisive,
        health=status.health.value,
        health_detail=status.detail.value,
        events=told,
        noticed_s=noticed,
        returned_s=returned,
        verdict_after=after.verdict.value,
        detail_after=_decisive(after),
        tests_after=tests,
        leaked_threads=threads,
        leaked_descriptors=descriptors,
    )


def run_cycles(simulator: Simulator, binding: Binding, count: int) -> Cycles:
    """Unplug, wait until it is noticed, plug, wait until it is used again."""
    _mend(simulator)
    before = _resources()
    device = binding.open(lambda _: None, QUICK)
    missed, notices, returns = 0, [0.0], [0.0]
    began = time.monotonic()
    try:
        _wait(lambda: device.status.usable, RETURN_WITHIN_S)
        for _ in range(count):
            at = time.monotonic()
            simulator.unplug()
            lost = _wait(lambda: not device.status.usable, NOTICE_WITHIN_S)
            notices.append(time.monotonic() - at)
            at = time.monotonic()
            simulator.plug()
            back = _wait(lambda: device.status.usable, RETURN_WITHIN_S)
            returns.append(time.monotonic() - at)
            missed += not (lost and back)
    finally:
        device.close()
    seconds = time.monotonic() - began
    threads, descriptors = _leaked(before)
    return Cycles(count, missed, seconds, max(notices), max(returns), threads, descriptors)


def _suffer(
    simulator: Simulator, device: Device[Any], condition: Condition, shown: bool
) -> tuple[SelfTestReport, list[float]]:
    """Have the condition happen, wait until the status shows it where it can, and test the device meanwhile; when the
    test told of it, if it did."""
    began = time.monotonic()
    if condition is Condition.UNPLUGGED_MID_COMMAND:
        report = _vanish_meanwhile(simulator, device)
        return report, [] if report.verdict is Verdict.PASS else [time.monotonic() - began]
    if condition in _TROUBLES:
        simulator.trouble(_TROUBLES[condition])
        if shown:
            _wait(lambda: not device.status.usable, NOTICE_WITHIN_S)
    elif condition is not Condition.ABSENT_AT_START:
        simulator.unplug()
        _wait(lambda: not device.status.usable, NOTICE_WITHIN_S)
    if condition is Condition.BACK_AGAIN:
        simulator.plug()
        _wait(lambda: device.status.usable, RETURN_WITHIN_S)
    limit = TEST_WITHIN_S if condition in {Condition.SLOW, Condition.BACK_AGAIN} else IN_TROUBLE_WITHIN_S
    report = _self_test(simulator, device, limit)
    return report, [] if report.verdict is Verdict.PASS else [time.monotonic() - began]


def _vanish_meanwhile(simulator: Simulator, device: Device[Any]) -> SelfTestReport:
    """A test whose device goes away in the middle of its first exchange."""
    steps = itertools.count()

    def said(progress: Progress) -> None:
        if isinstance(progress, StepBegun) and next(steps) == 0:
            simulator.trouble(Trouble.VANISHES)

    return _self_test(simulator, device, IN_TROUBLE_WITHIN_S, said)


def _self_test(
    simulator: Simulator, device: Device[Any], within_s: float, also: Callable[[Progress], None] = lambda _: None
) -> SelfTestReport:
    hands = Hands(simulator)

    def said(progress: Progress) -> None:
        also(progress)
        hands.said(progress)

    deadline = time.monotonic() + within_s
    report = device.self_test(deadline, on_progress=said).result(within_s + NOTICE_WITHIN_S)
    hands.rest()
    return report


def _test_until_pass(simulator: Simulator, device: Device[Any]) -> tuple[SelfTestReport, int]:
    """The test once it is over, again and again for a fair time."""
    tests, until = 1, time.monotonic() + RETURN_WITHIN_S
    while (report := _self_test(simulator, device, TEST_WITHIN_S)).verdict is not Verdict.PASS:
        if time.monotonic() >= until:
            break
        _wait(lambda: device.status.usable, RETURN_WITHIN_S)
        tests += 1
    return report, tests


def _told_by_health(binding: Binding, condition: Condition) -> bool:
    harmless = {Condition.SLOW, Condition.BACK_AGAIN}
    return condition not in harmless and (binding.driver.id, condition) not in NOT_TOLD_BY_HEALTH


def _mend(simulator: Simulator) -> None:
    simulator.clear_faults()
    simulator.plug()


def _decisive(report: SelfTestReport) -> str:
    return next((step.detail.value for step in report.steps if step.verdict is report.verdict), "")


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(0.002)
    return True


def _resources() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def _leaked(before: tuple[int, int]) -> tuple[int, int]:
    """Threads and descriptors that are still there after a fair time to go."""
    _wait(lambda: all(now <= then for now, then in zip(_resources(), before, strict=True)), SETTLE_WITHIN_S)
    now = _resources()
    return max(0, now[0] - before[0]), max(0, now[1] - before[1])


def main(
    device: Annotated[str, typer.Option(help="Driver id")],
    cycles: Annotated[int, typer.Option(help="Plug cycles after the row", min=0)] = 0,
    row: Annotated[bool, typer.Option(help="Run the conditions")] = True,
) -> None:
    """One device's row as JSON."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    with simulated(device) as (simulator, binding):
        cells = [asdict(cell) for cell in run_row(simulator, binding)] if row else []
        ran = asdict(run_cycles(simulator, binding, cycles)) if cycles else None
    typer.echo(json.dumps({"device": device, "cells": cells, "cycles": ran}))


if __name__ == "__main__":
    typer.run(main)
