"""A simulated SAM_V ID card reader with cards to lay and lift, and its menu of faults.

Its frames are the published literals (http://eastcoms.com/service/downdrive/508.html, quoted alike by two more
sources); only the blocks of a card and the checksum behind them are computed here.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from hardware.simulators.line import LineFaults, SimulatedLine

PREAMBLE: Final = bytes.fromhex("AA AA AA 96 69")
OK: Final = PREAMBLE + bytes.fromhex("00 04 00 00 90 94")
FIND_OK: Final = PREAMBLE + bytes.fromhex("00 08 00 00 9F 00 00 00 00 97")
FIND_FAILED: Final = PREAMBLE + bytes.fromhex("00 04 00 00 80 84")
SELECT_OK: Final = PREAMBLE + bytes.fromhex("00 0C 00 00 90 00 00 00 00 00 00 00 00 9C")
SELECT_FAILED: Final = PREAMBLE + bytes.fromhex("00 04 00 00 81 85")
READ_FAILED: Final = PREAMBLE + bytes.fromhex("00 04 00 00 41 45")
CHECKSUM_WRONG: Final = PREAMBLE + bytes.fromhex("00 04 00 00 10 14")
LENGTH_WRONG: Final = PREAMBLE + bytes.fromhex("00 04 00 00 11 15")
BAD_COMMAND: Final = PREAMBLE + bytes.fromhex("00 04 00 00 21 25")
NO_SUCH_CONTENT: Final = PREAMBLE + bytes.fromhex("00 04 00 00 91 95")
READ_HEADER: Final = bytes.fromhex("05 08 00 00 90 01 00 04 00")
READ_WITH_FINGERPRINT_HEADER: Final = bytes.fromhex("09 0A 00 00 90 01 00 04 00 04 00")
SAM_ID_HEADER: Final = bytes.fromhex("00 14 00 00 90")
SAM_ID_BLOCK: Final = bytes.fromhex("0500 0300 1B2D3301 4E61BC00 15CD5B07")

REQUESTS: Final = {
    bytes.fromhex("00 03 10 FF EC"): "reset",
    bytes.fromhex("00 03 11 FF ED"): "status",
    bytes.fromhex("00 03 12 FF EE"): "sam_id",
    bytes.fromhex("00 03 20 01 22"): "find",
    bytes.fromhex("00 03 20 02 21"): "select",
    bytes.fromhex("00 03 30 01 32"): "read",
    bytes.fromhex("00 03 30 10 23"): "read_with_fingerprint",
    bytes.fromhex("00 03 30 03 30"): "newest_address",
    bytes.fromhex("00 03 60 00 63"): "baud_115200",
    bytes.fromhex("00 03 60 01 62"): "baud_57600",
    bytes.fromhex("00 03 60 02 61"): "baud_38400",
    bytes.fromhex("00 03 60 03 60"): "baud_19200",
    bytes.fromhex("00 03 60 04 67"): "baud_9600",
}


@dataclass(frozen=True, slots=True)
class FictitiousCard:
    """A card of a person who does not exist. `valid_to` None means without end."""

    name: str
    sex: str
    nation: str
    birth: date
    address: str
    number: str
    issuer: str = "样本市公安局虚构分局"
    valid_from: date = date(2020, 1, 1)
    valid_to: date | None = date(2040, 1, 1)
    layout_mark: str = " "
    """Character at byte 248: a space for residents, J, I or Y for the other layouts."""

    def text_block(self) -> bytes:
        """256 bytes UTF-16LE with the resident's fields at their places."""
        until = self.valid_to.strftime("%Y%m%d") if self.valid_to else "长期"
        fields = (
            (self.name, 30),
            (self.sex, 2),
            (self.nation, 4),
            (self.birth.strftime("%Y%m%d"), 16),
            (self.address, 70),
            (self.number, 36),
            (self.issuer, 30),
            (self.valid_from.strftime("%Y%m%d"), 16),
            (until, 16),
            ("", 28),
            (self.layout_mark, 2),
            ("", 6),
        )
        block = b""
        for value, size in fields:
            encoded = value.encode("utf-16-le")[:size]
            block += encoded + b" \x00" * ((size - len(encoded)) // 2)
        return block

    def photo_block(self) -> bytes:
        """1024 bytes that stand for the proprietary picture."""
        return random.Random(self.number).randbytes(1024)  # noqa: S311 - a stand-in picture


# Codes beginning with 99 belong to no place, so that no number here can be a living person's.
SAMPLE_CARDS: Final = (
    FictitiousCard("张三丰", "1", "01", date(1984, 4, 9), "样本省虚构市武当路太极巷1号", "990101198404090012"),
    FictitiousCard("黄蓉", "2", "01", date(1991, 7, 15), "样本省虚构市桃花岛街8号2单元", "99010119910715028X"),
    FictitiousCard("阿凡提·样本", "1", "05", date(1975, 2, 28), "样本省虚构县葡萄巷7号", "990102197502280030"),
    FictitiousCard("王㛃喆", "2", "81", date(2001, 12, 31), "样本省虚构市生僻字路3号", "990101200112310044"),
    FictitiousCard(
        "令狐冲", "1", "77", date(1955, 10, 1), "样本省虚构市华山街5号", "990103195510010054", valid_to=None
    ),
)


@dataclass(frozen=True, slots=True)
class ReaderFaults:
    """What is wrong with the reader itself."""

    status_sw3: int | None = None
    """Answer of the status command instead of 90 (60: self-test failed, 66: SAM not authorised)."""
    find_sw3: int | None = None
    select_sw3: int | None = None
    read_sw3: int | None = None
    wrong_checksum: bool = False
    wrong_length: int | None = None
    """This number in place of the right length of each answer."""
    card_pulled_after: int | None = None
    """The card is lifted after this many bytes of the read's answer; the rest never comes."""
    read_failures: int = 0
    """So many reads fail before one succeeds, each wanting the card lifted and laid again."""
    stray_zero_in_preamble: bool = False


class IdCardReaderSimulator:
    """A reader on a simulated line. All methods may be called from any thread while it runs.

    `find_again_after_read`: whether a card that was read and still lies there is found again (some readers do), or
    find fails until it is lifted (others do).
    """

    def __init__(self, line: SimulatedLine, *, find_again_after_read: bool = False) -> None:
        self.line = line
        self.faults = ReaderFaults()
        self.requests: list[str] = []
        """Names of the requests that came, in order."""
        self._find_again = find_again_after_read
        self._pending = bytearray()
        self._cards: list[FictitiousCard] = []
        self._done_with_card = False
        self._wants_lift = False
        self._selected = False

    @property
    def address(self) -> str:
        return self.line.address

    def start(self) -> "IdCardReaderSimulator":
        self.line.start(self._take)
        return self

    def close(self) -> None:
        self.line.close()

    def lay(self, *cards: FictitiousCard) -> None:
        """Lay one card (or several at once) on the reader."""

        def change() -> None:
            self._cards = list(cards)
            self._done_with_card = self._wants_lift = self._selected = False

        self.line.call(change)

    def lift(self) -> None:
        """Take away what lies there."""
        self.line.call(self._lift)

    def set_faults(self, **changes: Any) -> None:
        """Change single faults of the reader, by the names of `ReaderFaults`."""

        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        """Reader and line as good as new."""
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = ReaderFaults()

        self.line.call(change)

    def _lift(self) -> None:
        self._cards = []
        self._done_with_card = self._wants_lift = self._selected = False

    def _take(self, data: bytes) -> None:
        self._pending += data
        while (start := self._pending.find(PREAMBLE)) >= 0:
            body = bytes(self._pending[start + 5 :])
            if len(body) < 2:
                return
            length = int.from_bytes(body[:2])
            if length != 3:
                del self._pending[: start + 7]
                self._answer(LENGTH_WRONG)
                continue
            if len(body) < 5:
                return
            del self._pending[: start + 10]
            self._request(body[:5])

    def _request(self, body: bytes) -> None:
        if body[0] ^ body[1] ^ body[2] ^ body[3] != body[4]:
            self._answer(CHECKSUM_WRONG)
            return
        name = REQUESTS.get(body, "unknown")
        self.requests.append(name)
        if name.startswith("baud_"):
            self._answer(OK)
            self.line.set_baud(int(name.removeprefix("baud_")))
            return
        answers: dict[str, Callable[[], bytes]] = {
            "reset": self._reset,
            "status": self._status,
            "sam_id": lambda: _frame(SAM_ID_HEADER + SAM_ID_BLOCK),
            "find": self._find,
            "select": self._select,
            "read": lambda: self._read(READ_HEADER, b""),
            "read_with_fingerprint": lambda: self._read(READ_WITH_FINGERPRINT_HEADER, _FINGERPRINT),
            "newest_address": lambda: NO_SUCH_CONTENT,
        }
        self._answer(answers.get(name, lambda: BAD_COMMAND)())

    def _reset(self) -> bytes:
        self._selected = False
        return OK

    def _status(self) -> bytes:
        return OK if self.faults.status_sw3 is None else _error(self.faults.status_sw3)

    def _find(self) -> bytes:
        if self.faults.find_sw3 is not None:
            return _error(self.faults.find_sw3)
        hidden = self._done_with_card and not self._find_again
        return FIND_OK if self._cards and not hidden else FIND_FAILED

    def _select(self) -> bytes:
        if self.faults.select_sw3 is not None:
            return _error(self.faults.select_sw3)
        self._selected = len(self._cards) == 1
        return SELECT_OK if self._selected else SELECT_FAILED

    def _read(self, header: bytes, fingerprint: bytes) -> bytes:
        faults = self.faults
        if faults.read_sw3 is not None:
            self._wants_lift = True
            return _error(faults.read_sw3)
        if not self._selected or not self._cards or self._wants_lift:
            return READ_FAILED
        self._selected = False
        if faults.read_failures:
            self.faults = replace(faults, read_failures=faults.read_failures - 1)
            self._wants_lift = True
            return READ_FAILED
        card = self._cards[0]
        answer = _frame(header + card.text_block() + card.photo_block() + fingerprint)
        if faults.card_pulled_after is not None:
            self.faults = replace(faults, card_pulled_after=None)
            self._lift()
            return answer[: faults.card_pulled_after]
        self._done_with_card = True
        return answer

    def _answer(self, frame: bytes) -> None:
        if self.faults.wrong_checksum:
            frame = frame[:-1] + bytes((frame[-1] ^ 0x55,))
        if self.faults.wrong_length is not None:
            frame = frame[:5] + self.faults.wrong_length.to_bytes(2) + frame[7:]
        if self.faults.stray_zero_in_preamble:
            frame = frame[:1] + b"\x00" + frame[1:]
        self.line.send(frame)


_FINGERPRINT: Final = bytes(5) + bytes((11,)) + bytes(506) + bytes(5) + bytes((16,)) + bytes(506)
"""Two opaque halves; byte 5 of each names the finger (11 right thumb, 16 left thumb)."""


def _error(sw3: int) -> bytes:
    return PREAMBLE + bytes((0x00, 0x04, 0x00, 0x00, sw3, sw3 ^ 0x04))


def _frame(body: bytes) -> bytes:
    check = 0
    for byte in body:
        check ^= byte
    return PREAMBLE + body + bytes((check,))
