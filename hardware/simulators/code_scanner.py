"""Simulated code scanners: a serial one that is triggered, and one that types the events of a keyboard."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from evdev import ecodes

from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, NoSuchTrouble, Place, Trouble

SAMPLE_CODE: Final = "ESTATION-SAMPLE-0017"
START: Final = bytes.fromhex("16540D")
STOP: Final = bytes.fromhex("16550D")
MENU: Final = bytes.fromhex("164D0D")
QUERY: Final = b"cbrena?."
QUERY_ANSWER: Final = b"CBRENA1\x06."
BAD_QUERY: Final = b"\x05."


@dataclass(frozen=True, slots=True)
class ScannerFaults:
    """What is wrong with the scanner itself."""

    terminator: bytes = b"\r\n"
    """Behind each code; empty as set up by somebody who forgot it."""
    sends_twice: bool = False
    breaks_off_after: int | None = None
    """So many bytes (or characters, when typed) of each code come, and nothing behind them."""
    blind: bool = False
    """Takes everything and reads no code."""
    knows_no_query: bool = False
    """Says that the query is an invalid command."""


class SerialScannerSimulator(LineSimulator):
    """`triggered_by`: `honeywell`, `datalogic`, or `none` for one that reads whatever is shown, at any time."""

    def __init__(self, line: SimulatedLine, triggered_by: str = "honeywell") -> None:
        super().__init__(line)
        self.faults = ScannerFaults()
        self._kind = triggered_by
        self._pending = bytearray()
        self._shown: bytes | None = None
        self._stays = False
        self.reading = triggered_by == "none"
        """Whether its light is on."""
        self.triggers = 0
        """How often it was switched on."""

    @property
    def options(self) -> Mapping[str, Any]:
        return {"dialect": self._kind}

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"show": self.show, "hide": self.hide}

    def start(self) -> Self:
        self.line.start(self._take)
        return self

    def show(self, code: str | bytes = SAMPLE_CODE) -> None:
        """Hold a code before the window: it is read when the light is on. Text is sent as UTF-8."""

        def change() -> None:
            self._shown = code.encode() if isinstance(code, str) else code
            self._look()

        self.line.call(change)

    def hide(self) -> None:
        """Take it away."""

        def change() -> None:
            self._shown, self._stays = None, False

        self.line.call(change)

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = ScannerFaults()

        self.line.call(change)

    def help_self_test(self) -> None:
        """Hold the sample code up and leave it there."""

        def change() -> None:
            self._stays = True

        self.line.call(change)
        self.show()

    def _take(self, data: bytes) -> None:
        self._pending += data
        if self._kind == "datalogic":
            for byte in self._pending:
                self._switch(on=byte == ord("E")) if byte in b"ED" else None
            self._pending.clear()
        elif self._kind == "honeywell":
            while self._command():
                pass
        else:
            self._pending.clear()

    def _command(self) -> bool:
        """Carry out one whole command; False when there is none."""
        start = self._pending.find(b"\x16")
        if start < 0:
            self._pending.clear()
            return False
        del self._pending[:start]
        if len(self._pending) < 3:
            return False
        head = bytes(self._pending[:3])
        if head == MENU:
            end = min((place for mark in b".!" if (place := self._pending.find(mark)) >= 0), default=-1)
            if end < 0:
                return False
            self._menu(bytes(self._pending[3 : end + 1]))
            del self._pending[: end + 1]
            return True
        del self._pending[:3]
        if head in (START, STOP):
            self._switch(on=head == START)
        return True

    def _menu(self, command: bytes) -> None:
        if command == QUERY and not self.faults.knows_no_query:
            self.line.send(QUERY_ANSWER)
        else:
            self.line.send(command[:-1].upper() + BAD_QUERY)

    def _switch(self, *, on: bool) -> None:
        self.triggers += on
        self.reading = on
        self._look()

    def _look(self) -> None:
        if self._shown is None or not self.reading or self.faults.blind:
            return
        code, end = self._shown, self.faults.terminator
        if not self._stays:
            self._shown = None
        self.reading = self._kind != "honeywell"  # its trigger ends with a good read
        if self.faults.breaks_off_after is not None:
            code, end = code[: self.faults.breaks_off_after], b""
        for _ in range(1 + self.faults.sends_twice):
            self.line.send(code + end)


_SHIFTED: Final = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))
_NAMES: Final = {
    "`": "GRAVE", "-": "MINUS", "=": "EQUAL", "[": "LEFTBRACE", "]": "RIGHTBRACE", "\\": "BACKSLASH",
    ";": "SEMICOLON", "'": "APOSTROPHE", ",": "COMMA", ".": "DOT", "/": "SLASH", " ": "SPACE",
}  # fmt: skip


class KeyboardScannerSimulator(LineSimulator):
    """Types what is shown, as a kernel tells it: whole events, a report behind each; Chinese by Alt and numbers."""

    def __init__(self, line: PtyLine) -> None:
        super().__init__(line)
        self.faults = ScannerFaults()

    @property
    def address(self) -> str:
        path = self.line.address.removeprefix("serial:").partition("?")[0]
        return f"input:{path}"

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"show": self.show, "press": self.press}

    def start(self) -> Self:
        self.line.start(lambda _: None)
        return self

    def show(self, code: str = SAMPLE_CODE) -> None:
        """Hold a code before the window: it is typed at once."""

        def type_it() -> None:
            if self.faults.blind:
                return
            text, ends = code, bool(self.faults.terminator)
            if self.faults.breaks_off_after is not None:
                text, ends = code[: self.faults.breaks_off_after], False
            for _ in range(1 + self.faults.sends_twice):
                self.line.send(b"".join(map(_strokes, text)) + (_stroke("ENTER") if ends else b""))

        self.line.call(type_it)

    def press(self, *keys: str) -> None:
        """Keys by their names (`ENTER`, `F4`, `LEFTCTRL` …), all held together: what a hostile code may contain."""
        for key in keys:
            if f"KEY_{key}" not in ecodes.ecodes:
                raise ValueError(f"{key!r} is no key's name")
        down = b"".join(_event(key, 1) for key in keys)
        self.line.call(lambda: self.line.send(down + b"".join(_event(key, 0) for key in reversed(keys))))

    def lose_events(self) -> None:
        """The kernel's buffer ran over."""
        self.line.call(lambda: self.line.send(_packed(ecodes.EV_SYN, ecodes.SYN_DROPPED, 0) + _report()))

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = ScannerFaults()

        self.line.call(change)

    def trouble(self, trouble: Trouble) -> None:
        """A keyboard is told nothing, and what the kernel tells of it is whole events always."""
        match trouble:
            case Trouble.SILENT:
                self.set_faults(blind=True)
            case Trouble.HALF_FRAME:
                self.set_faults(breaks_off_after=3)
            case Trouble.GARBAGE:
                self.set_faults(blind=True)
                self.press("F1", "LEFTCTRL", "C")
            case Trouble.STUCK_BUSY:
                raise NoSuchTrouble("a keyboard is told nothing that it could refuse")
            case Trouble.VANISHES:
                self.line.set_faults(LineFaults(unplug_after_sent=1))
            case Trouble.SLOW:
                super().trouble(trouble)

    def help_self_test(self) -> None:
        self.show()


def _strokes(character: str) -> bytes:
    if character.isascii() and character.isalnum():
        stroke = _stroke(character.upper())
        return _shifted(stroke) if character.isupper() else stroke
    if character in _NAMES:
        return _stroke(_NAMES[character])
    if character in _SHIFTED:
        plain = _SHIFTED[character]
        return _shifted(_stroke(_NAMES.get(plain, plain)))
    number = int.from_bytes(character.encode("gbk"))
    return _event("LEFTALT", 1) + b"".join(_stroke(f"KP{digit}") for digit in f"{number:05d}") + _event("LEFTALT", 0)


def _shifted(strokes: bytes) -> bytes:
    return _event("LEFTSHIFT", 1) + strokes + _event("LEFTSHIFT", 0)


def _stroke(key: str) -> bytes:
    return _event(key, 1) + _event(key, 0)


def _event(key: str, value: int) -> bytes:
    return _packed(ecodes.EV_KEY, ecodes.ecodes[f"KEY_{key}"], value) + _report()


def _report() -> bytes:
    return _packed(ecodes.EV_SYN, ecodes.SYN_REPORT, 0)


def _packed(kind: int, code: int, value: int) -> bytes:
    return struct.pack("llHHi", 0, 0, kind, code, value)


def simulate_serial(place: Place) -> SerialScannerSimulator:
    """For the simulator desk and the fault matrix."""
    return SerialScannerSimulator(PtyLine(place.folder / "code-scanner", baud=place.baud))


def simulate_keyboard(place: Place) -> KeyboardScannerSimulator:
    """For the simulator desk and the fault matrix."""
    return KeyboardScannerSimulator(PtyLine(place.folder / "code-keyboard"))
