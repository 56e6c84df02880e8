"""A simulated SAM_V ID card reader with cards to lay and lift, and its menu of faults.

Its frames are the published literals (http://eastcoms.com/service/downdrive/508.html, quoted alike by two more
sources); only the blocks of a card and the checksum behind them are computed here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hardware.simulators.id_cards import SAMPLE_CARDS, FictitiousCard
from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, Place

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
READ_WITHOUT_FINGERPRINT_HEADER: Final = bytes.fromhex("05 0A 00 00 90 01 00 04 00 00 00")
NEWEST_ADDRESS_HEADER: Final = bytes.fromhex("00 4A 00 00 90")
SAM_ID_HEADER: Final = bytes.fromhex("00 14 00 00 90")
SAM_ID_BLOCK: Final = bytes.fromhex("0500 0300 1B2D3301 4E61BC00 15CD5B07")

LIFTED_S: Final = 0.45
"""Longer than two searches for a card."""
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
class ReaderFaults:
    """What is wrong with the reader itself."""

    status_sw3: int | None = None
    """Answer of the status command instead of 90 (60: self-test failed, 66: SAM not authorised)."""
    find_sw3: int | None = None
    select_sw3: int | None = None
    read_sw3: int | None = None
    newest_address_sw3: int | None = None
    wrong_checksum: bool = False
    wrong_length: int | None = None
    """This number in place of the right length of each answer."""
    card_pulled_after: int | None = None
    """The card is lifted after this many bytes of the read's answer; the rest never comes."""
    read_failures: int = 0
    """So many reads fail before one succeeds, each wanting the card lifted and laid again."""
    stray_zero_in_preamble: bool = False
    no_fingerprint: bool = False
    """The card holds none: the block of a read with fingerprint is empty."""


class IdCardReaderSimulator(LineSimulator):
    """A reader on a simulated line. All methods may be called from any thread while it runs.

    `find_again_after_read`: whether a card that was read and still lies there is found again (some readers do), or
    find fails until it is lifted (others do).
    """

    def __init__(self, line: SimulatedLine, *, find_again_after_read: bool = False) -> None:
        super().__init__(line)
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
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"lay": self._lay_samples, "lift": self.lift}

    def start(self) -> "IdCardReaderSimulator":
        self.line.start(self._take)
        return self

    def help_self_test(self) -> None:
        """Lift what lies there, and lay a card as soon as a reader can have seen that nothing did."""

        def change() -> None:
            self._lift()
            self.line.later(LIFTED_S, lambda: self.lay(SAMPLE_CARDS[0]))

        self.line.call(change)

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

    def _lay_samples(self, *numbers: str) -> None:
        """Lay sample cards by their numbers, counted from 1; the first one where none is said."""
        chosen = [int(number) if number.isdigit() else 0 for number in numbers or ("1",)]
        if not all(1 <= number <= len(SAMPLE_CARDS) for number in chosen):
            raise ValueError(f"sample cards are 1 to {len(SAMPLE_CARDS)}")
        self.lay(*(SAMPLE_CARDS[number - 1] for number in chosen))

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
            "read_with_fingerprint": self._read_with_fingerprint,
            "newest_address": self._newest_address,
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

    def _read_with_fingerprint(self) -> bytes:
        if self.faults.no_fingerprint:
            return self._read(READ_WITHOUT_FINGERPRINT_HEADER, b"")
        return self._read(READ_WITH_FINGERPRINT_HEADER, _FINGERPRINT)

    def _newest_address(self) -> bytes:
        """Only of a card that was read and still lies there."""
        if self.faults.newest_address_sw3 is not None:
            return _error(self.faults.newest_address_sw3)
        if not self._cards or not self._done_with_card:
            return READ_FAILED
        address = self._cards[0].newest_address
        if not address:
            return NO_SUCH_CONTENT
        return _frame(NEWEST_ADDRESS_HEADER + address.ljust(35).encode("utf-16-le")[:70])

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


def simulate(place: Place) -> IdCardReaderSimulator:
    """A reader on a pty, with the habits of most: a card that was read is not found again until it was lifted."""
    return IdCardReaderSimulator(PtyLine(place.folder / "id-card-reader", baud=place.baud))
