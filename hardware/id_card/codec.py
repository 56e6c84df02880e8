"""Frames of the SAM_V protocol between a host and a resident ID card reader. Pure; no I/O.

A frame is ``AA AA AA 96 69 | Len (2, big-endian) | body | CHK``. Len counts everything after itself including CHK; CHK
is the XOR of all bytes after the preamble up to CHK, the length bytes included. Sources of the protocol:
http://eastcoms.com/service/downdrive/508.html, https://softs.im/身份证阅读器通信协议,
https://blog.csdn.net/zhangbijun1230/article/details/85242964.
"""

import re
import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import reduce
from operator import xor
from typing import Final

PREAMBLE: Final = bytes.fromhex("AAAAAA9669")
MIN_LENGTH: Final = 4
"""Len of the shortest reply: three status bytes and CHK."""
MAX_LENGTH: Final = 0x090A
"""Len of the longest reply: text, photo and fingerprint."""
TEXT_SIZE: Final = 256

# Readers in the field put a stray zero between the bytes of the preamble.
_PREAMBLE_WITH_NOISE: Final = re.compile(rb"\xaa\x00?\xaa\x00?\xaa\x00?\x96\x00?\x69")
_LONGEST_PREAMBLE: Final = 9


class Command(Enum):
    """Commands by their bytes CMD PARA."""

    RESET_SAM = (0x10, 0xFF)
    SAM_STATUS = (0x11, 0xFF)
    SAM_ID = (0x12, 0xFF)
    FIND_CARD = (0x20, 0x01)
    SELECT_CARD = (0x20, 0x02)
    READ_TEXT_AND_PHOTO = (0x30, 0x01)
    READ_TEXT_PHOTO_AND_FINGERPRINT = (0x30, 0x10)
    READ_NEWEST_ADDRESS = (0x30, 0x03)
    SET_BAUD_115200 = (0x60, 0x00)
    SET_BAUD_57600 = (0x60, 0x01)
    SET_BAUD_38400 = (0x60, 0x02)
    SET_BAUD_19200 = (0x60, 0x03)
    SET_BAUD_9600 = (0x60, 0x04)


class Sw3(IntEnum):
    """Third status byte of a reply. A value that is not listed is an unknown error: log the code."""

    OK = 0x90
    CARD_FOUND = 0x9F
    HOST_CHECKSUM_WRONG = 0x10
    HOST_LENGTH_WRONG = 0x11
    BAD_COMMAND = 0x21
    UNKNOWN_ERROR = 0x24
    CARD_REJECTS_SAM = 0x31
    SAM_REJECTS_CARD = 0x32
    INFO_CHECK_ERROR = 0x33
    WRONG_CARD_TYPE = 0x40
    READ_FAILED = 0x41
    RANDOM_NUMBER_FAILED = 0x47
    SELF_TEST_FAILED = 0x60
    SAM_NOT_AUTHORISED = 0x66
    FIND_FAILED = 0x80
    SELECT_FAILED = 0x81
    NO_SUCH_CONTENT = 0x91


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply with a right checksum. `status` is SW1 SW2 SW3 as one number, `sw3` its last byte."""

    status: int
    data: bytes

    @property
    def sw3(self) -> int:
        return self.status & 0xFF

    def __repr__(self) -> str:
        return f"Reply(status={self.status:06X}, data=<{len(self.data)} bytes>)"


@dataclass(frozen=True, slots=True)
class CardBlocks:
    """The blocks of a read reply. Photo and fingerprint are the reader's own formats and stay opaque."""

    text: bytes
    photo: bytes
    fingerprint: bytes

    def __repr__(self) -> str:
        return f"CardBlocks(text=<{len(self.text)}>, photo=<{len(self.photo)}>, fingerprint=<{len(self.fingerprint)}>)"


@dataclass(frozen=True, slots=True)
class SamId:
    """Number of the reader's security module. Makers print it differently: compare it as numbers."""

    parts: tuple[int, int, int, int, int]

    def __str__(self) -> str:
        a, b, c, d, e = self.parts
        return f"{a:02d}.{b:02d}-{c:08d}-{d:010d}-{e:010d}"


def encode(command: Command) -> bytes:
    """The request frame of `command`."""
    body = bytes((0x00, 0x03, *command.value))
    return PREAMBLE + body + bytes((checksum(body),))


def checksum(data: bytes | bytearray) -> int:
    """XOR of all bytes."""
    return reduce(xor, data, 0)


class FrameDecoder:
    """Finds replies in a stream that may be split, noisy or broken. Never raises; holds at most one frame's bytes.

    A candidate with an impossible length or a wrong checksum is given up one byte after its start, so a good frame that
    stands inside or right behind it is still found.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self.bad_frames = 0
        """Candidates given up so far for a wrong length or checksum."""

    def feed(self, data: bytes) -> list[Reply]:
        """Take bytes from the line; the replies that are complete now, in order."""
        self._pending += data
        return self._scan()

    def flush(self) -> list[Reply]:
        """The line fell silent: give up the frame that was begun, and look for whole ones behind its start."""
        replies: list[Reply] = []
        while match := _PREAMBLE_WITH_NOISE.search(self._pending):
            self.bad_frames += 1
            del self._pending[: match.start() + 1]
            replies += self._scan()
        self._wipe(len(self._pending))
        return replies

    @property
    def receiving(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return _PREAMBLE_WITH_NOISE.search(self._pending) is not None

    def reset(self) -> None:
        """Forget what was begun, overwriting it: it may hold a part of a card."""
        self._wipe(len(self._pending))

    def _scan(self) -> list[Reply]:
        replies: list[Reply] = []
        while match := _PREAMBLE_WITH_NOISE.search(self._pending):
            start = match.end()
            if len(self._pending) < start + 2:
                self._wipe(match.start())
                return replies
            length = int.from_bytes(self._pending[start : start + 2])
            end = start + 2 + length
            if not MIN_LENGTH <= length <= MAX_LENGTH:
                self._give_up(match.start())
            elif len(self._pending) < end:
                self._wipe(match.start())
                return replies
            elif checksum(self._pending[start:end]) != 0:
                self._give_up(match.start())
            else:
                body = self._pending[start + 2 : end - 1]
                replies.append(Reply(int.from_bytes(body[:3]), bytes(body[3:])))
                self._wipe(end)
        self._wipe(max(0, len(self._pending) - (_LONGEST_PREAMBLE - 1)))
        return replies

    def _give_up(self, start: int) -> None:
        self.bad_frames += 1
        self._wipe(start + 1)

    def _wipe(self, count: int) -> None:
        self._pending[:count] = bytes(count)
        del self._pending[:count]


_ONLY_FOR: Final[dict[int, set[Command]]] = {
    Sw3.CARD_FOUND: {Command.FIND_CARD},
    Sw3.FIND_FAILED: {Command.FIND_CARD},
    Sw3.SELECT_FAILED: {Command.SELECT_CARD},
    Sw3.READ_FAILED: {Command.READ_TEXT_AND_PHOTO, Command.READ_TEXT_PHOTO_AND_FINGERPRINT},
    Sw3.NO_SUCH_CONTENT: {Command.READ_NEWEST_ADDRESS},
}
_OK_SIZES: Final = {
    Command.SAM_ID: {16},
    Command.SELECT_CARD: {8},
    Command.READ_NEWEST_ADDRESS: {70},
}
_READS: Final = {Command.READ_TEXT_AND_PHOTO, Command.READ_TEXT_PHOTO_AND_FINGERPRINT}


def answers(command: Command, reply: Reply) -> bool:
    """Whether `reply` can be an answer to `command`.

    Replies name no command, so a late or doubled reply to an earlier one is told by its status and its size alone.
    """
    if reply.sw3 == Sw3.OK:
        if command in _READS:
            return len(reply.data) >= 4 + TEXT_SIZE
        if command is Command.FIND_CARD:
            return False
        return len(reply.data) in _OK_SIZES.get(command, {0})
    allowed = _ONLY_FOR.get(reply.sw3)
    return allowed is None or command in allowed


def split_blocks(command: Command, data: bytes) -> CardBlocks | None:
    """The blocks of a read reply's data; None when its lengths contradict each other."""
    counts = 3 if command is Command.READ_TEXT_PHOTO_AND_FINGERPRINT else 2
    sizes = [int.from_bytes(data[i : i + 2]) for i in range(0, 2 * counts, 2)]
    if len(data) != 2 * counts + sum(sizes) or sizes[0] != TEXT_SIZE:
        return None
    text_end = 2 * counts + sizes[0]
    photo_end = text_end + sizes[1]
    return CardBlocks(data[2 * counts : text_end], data[text_end:photo_end], data[photo_end:])


def parse_sam_id(data: bytes) -> SamId | None:
    """The SAM number of 16 data bytes (little-endian 2, 2, 4, 4, 4); None for another size."""
    if len(data) != 16:
        return None
    a, b, c, d, e = struct.unpack("<HHIII", data)
    return SamId((a, b, c, d, e))
