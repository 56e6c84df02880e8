"""Cuts a stream of ESC/POS bytes into commands, as a printer's input stage does; incremental, never raises."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

ESC, GS, FS, DLE = 0x1B, 0x1D, 0x1C, 0x10

_FIXED: Final = {
    ESC: {b"@": 0, b"2": 0, b"L": 0, b"S": 0, b"i": 0, b"m": 0, b"v": 0, b"$": 2, b"\\": 2, b"c": 2, b"p": 3, b"B": 2}
    | {bytes((letter,)): 1 for letter in b"aEGdJ-!3tRMV{ Tueer="},
    GS: {b":": 0, b"L": 2, b"W": 2, b"P": 2, b"$": 2, b"\\": 2} | {bytes((letter,)): 1 for letter in b"!BarIhwHf/bT"},
    FS: {b"&": 0, b".": 0, b"S": 2, b"p": 2} | {bytes((letter,)): 1 for letter in b"!-WC"},
}
_PREFIX_NAMES: Final = {ESC: "ESC", GS: "GS", FS: "FS"}
_CONTROLS: Final = {0x00: "NUL", 0x09: "HT", 0x0A: "LF", 0x0C: "FF", 0x0D: "CR", 0x18: "CAN"}
_CLEAR_BUFFER: Final = 8


@dataclass(frozen=True, slots=True)
class Command:
    """One command by its usual name (`ESC a`, `GS v 0`, `LF`, `text` for one byte of text), with what belongs to it."""

    name: str
    data: bytes = b""


Bytes = Generator[None, int, bytes]


class CommandParser:
    """Feed bytes one at a time; whole commands come out."""

    def __init__(self) -> None:
        self._ready: list[Command] = []
        self.reset()

    @property
    def between_commands(self) -> bool:
        """Whether the next byte begins a command (false inside arguments and picture data)."""
        return self._between

    def reset(self) -> None:
        """Forget a command that was begun."""
        self._between = True
        self._machine = self._parse()
        next(self._machine)

    def feed(self, byte: int) -> list[Command]:
        """Take one byte; the command that it completes, if any."""
        self._machine.send(byte)
        ready, self._ready = self._ready, []
        return ready

    def _parse(self) -> Generator[None, int, None]:
        while True:
            self._between = True
            byte = yield
            self._between = False
            if byte in _PREFIX_NAMES:
                yield from self._prefixed(byte)
            elif byte == DLE:
                yield from self._real_time()
            else:
                name = _CONTROLS.get(byte)
                self._ready.append(Command(name) if name else Command("text", bytes((byte,))))

    def _prefixed(self, prefix: int) -> Generator[None, int, None]:
        letter = yield from self._take(1)
        name = f"{_PREFIX_NAMES[prefix]} {letter.decode('latin-1')}"
        fixed = _FIXED[prefix].get(letter)
        if fixed is not None:
            data = yield from self._take(fixed)
        elif prefix == ESC and letter == b"*":
            head = yield from self._take(3)
            dots = int.from_bytes(head[1:], "little")
            data = head + (yield from self._take(dots * (3 if head[0] in {32, 33} else 1)))
        elif prefix == ESC and letter == b"D":
            data = yield from self._until_zero()
        elif prefix == GS:
            data, name = yield from self._variable(letter, name)
        elif letter == b"(":
            function = yield from self._take(3)
            data = yield from self._take(int.from_bytes(function[1:], "little"))
            name = f"{_PREFIX_NAMES[prefix]} ( {chr(function[0])}"
        else:
            data, name = b"", f"unknown {name}"
        self._ready.append(Command(name, data))

    def _variable(self, letter: bytes, name: str) -> Generator[None, int, tuple[bytes, str]]:
        """The commands after GS whose length stands in themselves."""
        if letter == b"V":
            data = yield from self._take(1)
            if data[0] not in {0, 1, 48, 49}:
                data += yield from self._take(1)
        elif letter == b"v":
            head = yield from self._take(6)
            size = int.from_bytes(head[2:4], "little") * int.from_bytes(head[4:6], "little")
            data, name = head[1:] + (yield from self._take(size)), "GS v 0"
        elif letter == b"(":
            function = yield from self._take(3)
            data = yield from self._take(int.from_bytes(function[1:], "little"))
            name = f"GS ( {chr(function[0])}"
        elif letter == b"8":
            head = yield from self._take(5)
            data, name = (yield from self._take(int.from_bytes(head[1:], "little"))), "GS 8 L"
        elif letter == b"k":
            kind = yield from self._take(1)
            if kind[0] < 65:
                data = kind + (yield from self._until_zero())
            else:
                count = yield from self._take(1)
                data = kind + (yield from self._take(count[0]))
        elif letter == b"*":
            sides = yield from self._take(2)
            data = yield from self._take(sides[0] * sides[1] * 8)
        else:
            data, name = b"", f"unknown {name}"
        return data, name

    def _real_time(self) -> Generator[None, int, None]:
        """Real-time commands are answered by the status stage; here they only take their place."""
        kind = yield
        function = yield
        if kind == 0x14:
            yield from self._take(7 if function == _CLEAR_BUFFER else 2)

    def _take(self, count: int) -> Bytes:
        taken = bytearray()
        for _ in range(count):
            taken.append((yield))
        return bytes(taken)

    def _until_zero(self) -> Bytes:
        taken = bytearray()
        while byte := (yield):
            taken.append(byte)
        return bytes(taken)
