"""Runs the self-tests of a cabinet, one device after another, so that a person always knows what to do."""

import time
from collections.abc import Callable
from typing import Any

from hardware.cabinet import Cabinet
from hardware.device import Device
from hardware.profile import Binding
from hardware.roles import Role
from hardware.self_test import Progress
from hardware.technician.record import DeviceRecord

OnTestProgress = Callable[[Role, Progress | None], None]
"""Hears each device begin (None) and each of its steps begin and end; called on the devices' threads."""
LEAVE_S = 10.0
"""A device that has not ended its test so long after its time is a defect of its driver, and is given up."""


def run_self_tests(
    cabinet: Cabinet,
    *,
    within_s: float,
    on_progress: OnTestProgress,
) -> tuple[DeviceRecord, ...]:
    """Test every device of the cabinet within so many seconds each."""
    records = []
    for role, device in cabinet.devices.items():
        on_progress(role, None)
        records.append(_test(cabinet.bindings[role], device, within_s, on_progress))
    return tuple(records)


def _test(binding: Binding, device: Device[Any], within_s: float, on_progress: OnTestProgress) -> DeviceRecord:
    began = time.monotonic()

    def said(progress: Progress) -> None:
        on_progress(binding.role, progress)

    report = device.self_test(began + within_s, on_progress=said).result(within_s + LEAVE_S)
    return DeviceRecord(
        role=binding.role,
        driver=binding.driver.id,
        address=str(binding.address),
        report=report,
        seconds=time.monotonic() - began,
    )
