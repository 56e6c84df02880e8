"""Commands to a chip card and its answers (ISO/IEC 7816-4), with 61xx and 6Cxx carried out. Pure but for the chip.

Neither pcscd nor pyscard follows 61xx or 6Cxx: both reach the program as they are.
"""

from dataclasses import dataclass
from typing import Final, Protocol

MAX_ROUNDS: Final = 32
"""A card that never stops answering 61xx or 6Cxx is given up after so many exchanges."""
SW_OK: Final = 0x9000
SW_NONE: Final = 0
"""In place of a status word where the card gave none, or never came to an end."""


class Chip(Protocol):
    """A powered card. Raises `CardPulled`, `NoAnswer`, `LineLost`."""

    def transmit(self, command: bytes) -> bytes:
        """One command, its answer with the status word; an answer may be anything."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a card answered to a command, all parts together. The data may be personal: it is not in the repr."""

    data: bytes
    sw: int

    @property
    def ok(self) -> bool:
        return self.sw == SW_OK

    def __repr__(self) -> str:
        return f"Response(<{len(self.data)} bytes>, {self.sw:04X})"


def exchange(chip: Chip, command: bytes) -> Response:
    """Send a command and fetch its whole answer."""
    data = bytearray()
    for _ in range(MAX_ROUNDS):
        answer = chip.transmit(command)
        if len(answer) < 2:
            return Response(b"", SW_NONE)
        data += answer[:-2]
        sw1, sw2 = answer[-2:]
        if sw1 == 0x61:
            command = bytes((0x00, 0xC0, 0x00, 0x00, sw2))
        elif sw1 == 0x6C:
            command = with_le(command, sw2)
        else:
            return Response(bytes(data), sw1 << 8 | sw2)
    return Response(b"", SW_NONE)


def select(name: bytes) -> bytes:
    """SELECT an application by its name (AID or directory name, 1 to 16 bytes)."""
    return bytes((0x00, 0xA4, 0x04, 0x00, len(name))) + name


def with_le(command: bytes, le: int) -> bytes:
    """The command with this Le: in place of its own, or added where it had none."""
    if len(command) == 5 or (len(command) > 5 and len(command) == 6 + command[4]):
        command = command[:-1]
    return command + bytes((le,))
