"""The record of a cabinet's self-test: what was tested when, what each step found, and the verdict on the whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hardware.roles import Role
from hardware.self_test import SelfTestReport, Step
from hardware.vocabulary import Verdict, WhoActs

_WORST_FIRST: Final = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS)
_EXIT_CODES: Final = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNKNOWN: 2}


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One device's test. `seconds` from its beginning to its end."""

    role: Role
    driver: str
    address: str
    report: SelfTestReport
    seconds: float

    @property
    def verdict(self) -> Verdict:
        return self.report.verdict

    @property
    def worst(self) -> Step | None:
        """The step that decided a verdict that is no pass."""
        return None if self.verdict is Verdict.PASS else self.report.decisive

    def as_json(self) -> dict[str, Any]:
        return {
            "role": self.role.value,
            "driver": self.driver,
            "address": self.address,
            "verdict": self.verdict.value,
            "who_acts": (self.worst.who_acts if self.worst else WhoActs.NOBODY).value,
            "seconds": round(self.seconds, 1),
            "steps": [
                {
                    "name": step.name,
                    "verdict": step.verdict.value,
                    "detail": step.detail.value,
                    "who_acts": step.who_acts.value,
                    "measured": step.measured,
                }
                for step in self.report.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class CabinetRecord:
    """All devices of a profile. `made_at` in local time with its offset."""

    made_at: datetime
    terminal: str
    machine: str
    simulated: bool
    devices: tuple[DeviceRecord, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the devices; UNKNOWN where there is none."""
        found = {device.verdict for device in self.devices}
        return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.UNKNOWN)

    @property
    def exit_code(self) -> int:
        """0 everything passed, 1 something failed, 2 nothing failed and something is unknown."""
        return _EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        return {
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "terminal": self.terminal,
            "machine": self.machine,
            "simulated": self.simulated,
            "verdict": self.verdict.value,
            "devices": [device.as_json() for device in self.devices],
        }
