"""A simulated keypad: fingers press keys, and what the kernel would tell of it comes, whole events always."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from evdev import ecodes

from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.simulator import LineSimulator, NoSuchTrouble, Place, Trouble

_NAMES: Final = {"enter": "KPENTER", "cancel": "ESC", "clear": "DELETE", "backspace": "BACKSPACE", ".": "KPDOT"}


@dataclass(frozen=True, slots=True)
class KeypadFaults:
    """What is wrong with the keypad itself."""

    dead: bool = False
    """No key makes contact any more."""
    wrong_keys: bool = False
    """Every key reports as a function key, as on a keypad that was set up for something else."""


class KeypadSimulator(LineSimulator):
    """Keys by what is printed on them (`7`, `enter` …), or by the kernel's own names (`F4`)."""

    def __init__(self, line: PtyLine) -> None:
        super().__init__(line)
        self.faults = KeypadFaults()

    @property
    def address(self) -> str:
        return "input:" + self.line.address.removeprefix("serial:").partition("?")[0]

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"press": self.press, "hold": self.hold, "release": self.release}

    def start(self) -> Self:
        self.line.start(lambda _: None)
        return self

    def press(self, *keys: str) -> None:
        """Keys, one after another."""
        numbers = [_number(key) for key in keys]
        for number in numbers:
            self._send([(number, 1), (number, 0)])

    def hold(self, key: str) -> None:
        """A key goes down and stays there; the kernel repeats it."""
        number = _number(key)
        self._send([(number, 1), (number, 2), (number, 2)])

    def release(self, key: str) -> None:
        """It comes up again."""
        self._send([(_number(key), 0)])

    def lose_events(self) -> None:
        """The kernel's buffer ran over while a key was told."""
        lost = _packed(ecodes.EV_SYN, ecodes.SYN_DROPPED, 0) + _packed(ecodes.EV_KEY, ecodes.KEY_KP1, 1) + _report()
        self.line.call(lambda: self.line.send(lost))

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = KeypadFaults()

        self.line.call(change)

    def trouble(self, trouble: Trouble) -> None:
        """A keypad is told nothing, and what the kernel tells of it is whole events always."""
        match trouble:
            case Trouble.SILENT:
                self.set_faults(dead=True)
            case Trouble.GARBAGE:
                self.set_faults(wrong_keys=True)
            case Trouble.HALF_FRAME | Trouble.STUCK_BUSY:
                raise NoSuchTrouble(trouble)
            case Trouble.VANISHES:
                self.line.set_faults(LineFaults(unplug_after_sent=1))
            case Trouble.SLOW:
                super().trouble(trouble)

    def help_self_test(self) -> None:
        self.press("5")

    def _send(self, changes: list[tuple[int, int]]) -> None:
        def send() -> None:
            if not self.faults.dead:
                for number, value in changes:
                    key = ecodes.KEY_F4 if self.faults.wrong_keys else number
                    self.line.send(_packed(ecodes.EV_KEY, key, value) + _report())

        self.line.call(send)


def _number(key: str) -> int:
    name = f"KEY_{_NAMES.get(key, f'KP{key}' if key.isdigit() else key)}"
    if name not in ecodes.ecodes:
        raise ValueError(f"{key!r} is no key")
    return int(ecodes.ecodes[name])


def _report() -> bytes:
    return _packed(ecodes.EV_SYN, ecodes.SYN_REPORT, 0)


def _packed(kind: int, code: int, value: int) -> bytes:
    return struct.pack("llHHi", 0, 0, kind, code, value)


def simulate(place: Place) -> KeypadSimulator:
    """A keypad on a pty that carries a kernel's events."""
    return KeypadSimulator(PtyLine(place.folder / "keypad"))
