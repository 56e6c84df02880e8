"""A simulated UPS behind a server of Network UPS Tools: the power fails, the battery runs down.

The server's words are those of RFC 9271 (LIST VAR, GET VAR, errors).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, TcpServerLine
from hardware.simulators.simulator import LineSimulator, NoSuchTrouble, Place, Trouble

NAME: Final = "cabinet"


@dataclass(frozen=True, slots=True)
class UpsFaults:
    """What is wrong with the UPS or its server."""

    data_stale: bool = False
    """The server has lost the UPS."""
    unknown_ups: bool = False
    worn: bool = False
    """The battery is to be replaced."""
    overloaded: bool = False
    says_no_status: bool = False
    locked: bool = False
    """The server refuses everything."""


class UpsSimulator(LineSimulator):
    """A server with one UPS, on the mains with a full battery."""

    line: TcpServerLine

    def __init__(self, line: TcpServerLine) -> None:
        super().__init__(line)
        self.faults = UpsFaults()
        self._pending = bytearray()
        self._on_battery = False
        self._charge = 100

    @property
    def address(self) -> str:
        return f"nut:{NAME}@{self.line.address.removeprefix('tcp:')}"

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {
            "power_fails": self.power_fails,
            "power_returns": self.power_returns,
            "charge": lambda percent: self.set_charge(int(percent)),
        }

    def start(self) -> Self:
        self.line.start(self._take, self._pending.clear)
        return self

    def power_fails(self) -> None:
        """The terminal runs on the battery from now on."""
        self._set(on_battery=True)

    def power_returns(self) -> None:
        """Back on the mains."""
        self._set(on_battery=False)

    def set_charge(self, percent: int) -> None:
        """So much is left; low from 20 % on."""

        def change() -> None:
            self._charge = percent

        self.line.call(change)

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = UpsFaults()

        self.line.call(change)

    def trouble(self, trouble: Trouble) -> None:
        """A server that takes nothing looks like a silent one; one that is busy with others refuses."""
        if trouble is Trouble.STUCK_BUSY:
            raise NoSuchTrouble(trouble)
        super().trouble(trouble)

    def help_self_test(self) -> None:
        """Nothing is asked of anybody."""

    def _set(self, *, on_battery: bool) -> None:
        def change() -> None:
            self._on_battery = on_battery

        self.line.call(change)

    def _take(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\n")) >= 0:
            line = bytes(self._pending[:end]).decode("ascii", "replace").split()
            del self._pending[: end + 1]
            self.line.send(self._answer(line).encode("ascii"))

    def _answer(self, words: list[str]) -> str:
        if self.faults.locked:
            return "ERR ACCESS-DENIED\n"
        match words:
            case ["LIST", "VAR", name]:
                refusal = self._refusal(name)
                body = "".join(f'VAR {name} {key} "{value}"\n' for key, value in self._variables().items())
                return refusal or f"BEGIN LIST VAR {name}\n{body}END LIST VAR {name}\n"
            case ["GET", "VAR", name, key]:
                value = self._variables().get(key)
                unknown = "ERR VAR-NOT-SUPPORTED\n" if value is None else f'VAR {name} {key} "{value}"\n'
                return self._refusal(name) or unknown
            case ["LOGOUT"]:
                return "OK Goodbye\n"
        return "ERR UNKNOWN-COMMAND\n"

    def _refusal(self, name: str) -> str:
        if self.faults.unknown_ups or name != NAME:
            return "ERR UNKNOWN-UPS\n"
        return "ERR DATA-STALE\n" if self.faults.data_stale else ""

    def _variables(self) -> dict[str, str]:
        words = ["OB" if self._on_battery else "OL"]
        if self._charge <= 20 and self._on_battery:
            words.append("LB")
        words += ["RB"] * self.faults.worn + ["OVER"] * self.faults.overloaded
        found = {
            "battery.charge": str(self._charge),
            "battery.runtime": str(self._charge * 12),
            "device.mfr": "Example Power",
            "ups.load": "23",
        }
        return found if self.faults.says_no_status else found | {"ups.status": " ".join(words)}


def simulate(place: Place) -> UpsSimulator:  # noqa: ARG001 - it is on the network, not in a folder
    """A server on a free port of this machine."""
    return UpsSimulator(TcpServerLine())
