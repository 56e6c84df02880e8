"""Chip cards of people who do not exist: what they answer to each command. Pure; the wire is another file's subject.

Files and directories are written here byte for byte, with no code shared with the drivers.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Final

OK: Final = bytes.fromhex("9000")
NOT_FOUND: Final = bytes.fromhex("6A82")
NO_SUCH_RECORD: Final = bytes.fromhex("6A83")
NO_CURRENT_FILE: Final = bytes.fromhex("6986")
UNKNOWN_COMMAND: Final = bytes.fromhex("6D00")
WRONG_LENGTH: Final = bytes.fromhex("6700")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose social security card it is."""

    name: str
    number: str
    sex: str = "1"
    nation: str = "01"
    birthplace: str = "990101"
    birth: str = "19840409"
    card_number: str = "A99000001"


# The same people as on the sample ID cards.
SAMPLE_HOLDERS: Final = (
    Holder("张三丰", "990101198404090012"),
    Holder("黄蓉", "99010119910715028X", "2", birth="19910715", card_number="B99000002"),
    Holder("阿凡提·样本", "990102197502280030", nation="05", birth="19750228", card_number="C99000003"),
)


class ChipCard(ABC):
    """A card in a reader. `fetches`: it keeps its answer back behind 61xx, as cards with T=0 do."""

    atr: bytes = bytes.fromhex("3B 80 80 01 01")

    def __init__(self, *, fetches: bool = False) -> None:
        self._fetches = fetches
        self._kept = b""

    def power(self) -> None:
        """Power on or reset: everything selected is forgotten."""
        self._kept = b""

    def answer(self, command: bytes) -> bytes:
        """The answer with its status word."""
        if len(command) < 4:
            return WRONG_LENGTH
        if command[1] == 0xC0:
            return self._fetched(command[4] if len(command) > 4 else 0)
        answer = self.carry_out(command)
        data, status = answer[:-2], answer[-2:]
        if status == OK and data and command[1] in (0xA4, 0xA8) and self._fetches:
            self._kept = data
            return bytes((0x61, min(len(data), 255)))
        return answer

    def _fetched(self, wanted: int) -> bytes:
        data, self._kept = self._kept[: wanted or 256], self._kept[wanted or 256 :]
        return data + (bytes((0x61, min(len(self._kept), 255))) if self._kept else OK)

    @abstractmethod
    def carry_out(self, command: bytes) -> bytes: ...


@dataclass
class _File:
    records: dict[int, bytes] = field(default_factory=dict)


class SocialSecurityChip(ChipCard):
    """A social security card with EF05 and EF06. `by_tag`: it knows reading a record by its tag, not only in order.

    `exact`: a length that is not the record's is answered by 6Cxx.
    """

    def __init__(self, holder: Holder, *, fetches: bool = False, by_tag: bool = True, exact: bool = False) -> None:
        super().__init__(fetches=fetches)
        self._by_tag, self._exact = by_tag, exact
        name = holder.name.encode("gbk")[:30]
        self._files = {
            0x05: _File(
                {
                    0x01: b"\x01\x10" + bytes.fromhex("99 01 01 00 00 00 00 01 20 19 01 01 99 99 99 99"),
                    0x05: b"\x05\x04" + bytes.fromhex("20190101"),
                    0x06: b"\x06\x04" + bytes.fromhex("20390101"),
                    0x07: b"\x07\x09" + holder.card_number.encode("ascii").ljust(9, b"\x00")[:9],
                }
            ),
            0x06: _File(
                {
                    0x08: b"\x08\x12" + holder.number.encode("ascii").ljust(18, b"\x00")[:18],
                    0x09: b"\x09\x1e" + name.ljust(30, b"\x00"),
                    0x0A: b"\x0a\x01" + holder.sex.encode("ascii"),
                    0x0B: b"\x0b\x01" + bytes.fromhex(holder.nation),
                    0x0C: b"\x0c\x03" + bytes.fromhex(holder.birthplace.ljust(6, "F")),
                    0x0D: b"\x0d\x04" + bytes.fromhex(holder.birth),
                }
            ),
        }
        self._selected = False
        self._file: _File | None = None

    def power(self) -> None:
        super().power()
        self._selected, self._file = False, None

    def without(self, tag: int) -> "SocialSecurityChip":
        """The same card, this record missing."""
        for file in self._files.values():
            file.records.pop(tag, None)
        return self

    def carry_out(self, command: bytes) -> bytes:
        match list(command[:4]):
            case [0x00, 0xA4, 0x04, 0x00]:
                return self._select_application(command[5 : 5 + command[4]] if len(command) > 4 else b"")
            case [0x00, 0xA4, 0x02, 0x00] if self._selected:
                return self._select_file(command[5:7])
            case [0x00, 0xB2, record, how] if self._selected:
                return self._read(record, how, command[4] if len(command) == 5 else 0)
        return UNKNOWN_COMMAND if self._selected else NO_CURRENT_FILE

    def _select_application(self, name: bytes) -> bytes:
        self._selected = name == bytes.fromhex("7378312E7368 2E C9E7BBE1B1A3D5CF")
        self._file = None
        return bytes.fromhex("6F 11 84 0F 7378312E73682EC9E7BBE1B1A3D5CF") + OK if self._selected else NOT_FOUND

    def _select_file(self, name: bytes) -> bytes:
        self._file = self._files.get(name[1]) if len(name) == 2 and name[0] == 0xEF else None
        return OK if self._file else NOT_FOUND

    def _read(self, record: int, how: int, length: int) -> bytes:
        if how & 0x07 == 0x04 and how >> 3:
            self._file = self._files.get(how >> 3)
        if self._file is None:
            return NO_CURRENT_FILE
        if how == 0x00 or how >> 3:
            value = self._file.records.get(record) if self._by_tag or how else None
        else:
            value = dict(enumerate(self._file.records.values(), start=1)).get(record)
        if value is None:
            return NO_SUCH_RECORD
        if length != len(value) and (self._exact or length):
            return bytes((0x6C, len(value)))
        return value + OK


class BankChip(ChipCard):
    """A bank card. `contactless`: its directory is 2PAY.SYS.DDF01; else 1PAY.SYS.DDF01 with a record for each
    application; `directory` False: it has none. `account` are digits; `track2` puts them into tag 57 instead of 5A."""

    def __init__(
        self,
        account: str = "6200009900000000017",
        *,
        contactless: bool = False,
        directory: bool = True,
        track2: bool = False,
        fetches: bool = False,
    ) -> None:
        super().__init__(fetches=fetches)
        self._contactless, self._directory = contactless, directory
        padded = account if len(account) % 2 == 0 else account + "F"
        number = object_of("5A", bytes.fromhex(padded))
        if track2:
            line = account + "D2912201000000000000"
            number = object_of("57", bytes.fromhex(line if len(line) % 2 == 0 else line + "F"))
        self._number = number
        self._application = False
        self._in_directory = False

    def power(self) -> None:
        super().power()
        self._application = self._in_directory = False

    def carry_out(self, command: bytes) -> bytes:
        head = list(command[:4])
        if head == [0x00, 0xA4, 0x04, 0x00]:
            return self._select(command[5 : 5 + command[4]] if len(command) > 4 else b"")
        if head == [0x80, 0xA8, 0x00, 0x00] and self._application:
            # two entries: file 1 record 1, file 2 records 1 and 2
            return object_of("80", bytes.fromhex("7C00 08010100 10010200")) + OK
        if head[:2] == [0x00, 0xB2] and len(head) == 4:
            record = self._records().get((head[3], head[2]))
            return NO_SUCH_RECORD if record is None else object_of("70", record) + OK
        return UNKNOWN_COMMAND

    def _records(self) -> dict[tuple[int, int], bytes]:
        """Records by reference control (file and `record number follows`) and number."""
        if self._in_directory:
            return {(0x0C, 1): object_of("61", object_of("4F", bytes.fromhex("A000000333010101")))}
        if self._application:
            return {
                (0x0C, 1): object_of("5F20", b"SAMPLE/CARD"),
                (0x14, 1): object_of("8E", bytes(10)),
                (0x14, 2): object_of("5F24", bytes.fromhex("291231")) + self._number,
            }
        return {}

    def _select(self, name: bytes) -> bytes:
        self._application = name == bytes.fromhex("A000000333010101")
        self._in_directory = self._directory and not self._contactless and name == b"1PAY.SYS.DDF01"
        if self._application:
            wanted = object_of("9F38", bytes.fromhex("9F6604 9F0206 5F2A02 9F3704"))
            return object_of("6F", object_of("84", name) + object_of("A5", wanted)) + OK
        if self._in_directory:
            return object_of("6F", object_of("84", name) + object_of("A5", bytes.fromhex("880101"))) + OK
        if self._directory and self._contactless and name == b"2PAY.SYS.DDF01":
            entry = object_of("61", object_of("4F", bytes.fromhex("A000000333010101")) + bytes.fromhex("870101"))
            return object_of("6F", object_of("84", name) + object_of("A5", object_of("BF0C", entry))) + OK
        return NOT_FOUND


def object_of(tag: str, value: bytes) -> bytes:
    """A data object; values up to 255 bytes."""
    length = bytes((len(value),)) if len(value) < 0x80 else bytes((0x81, len(value)))
    return bytes.fromhex(tag) + length + value
