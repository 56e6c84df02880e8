"""Social security cards (LD/T 32): reading EF05 and EF06, which need no PIN and no security module.

Pure but for the chip. EF07 (fingerprint) and EF08 (photo) need a PSAM and are not read.

Sources of commands, tags and codings: a7082633/HDOS_VC6 `HD_XJDLL.cpp`, yxsylyh/hiquotion_cpp `SIDCardOperation.cpp`,
https://blog.csdn.net/zz_bubble/article/details/106245384, https://biecuoliao.com/pa/49GryJ0.html.
"""

from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from typing import Final

from hardware.errors import CardUnreadable, CardWiped
from hardware.id_card.fields import Sex
from hardware.id_card.nations import nation_name
from hardware.id_card.number import mask_name, mask_number
from hardware.smart_card.apdu import SW_NONE, Chip, exchange, select

SSSE: Final = bytes.fromhex("73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF")  # `sx1.sh.社会保障` in GBK
MAX_RECORDS: Final = 16
"""So many records of a file are tried by their ordinal."""


class Tag(IntEnum):
    """Records by their tag: file EF05 up to 07, file EF06 from 08."""

    CARD_IDENTIFICATION = 0x01
    ISSUE_DATE = 0x05
    VALID_TO = 0x06
    CARD_NUMBER = 0x07
    NUMBER = 0x08
    NAME = 0x09
    SEX = 0x0A
    NATION = 0x0B
    BIRTHPLACE = 0x0C
    BIRTH_DATE = 0x0D


_FILES: Final[Mapping[bytes, Mapping[Tag, int]]] = {
    bytes.fromhex("EF 05"): {Tag.CARD_IDENTIFICATION: 16, Tag.ISSUE_DATE: 4, Tag.VALID_TO: 4, Tag.CARD_NUMBER: 9},
    bytes.fromhex("EF 06"): {
        Tag.NUMBER: 18,
        Tag.NAME: 30,
        Tag.SEX: 1,
        Tag.NATION: 1,
        Tag.BIRTHPLACE: 3,
        Tag.BIRTH_DATE: 4,
    },
}
"""Length of each record's value in bytes."""
_NEEDED: Final = (Tag.NUMBER, Tag.NAME)


class SocialSecurityCard:
    """A social security card as read. Holds bytes only; every property decodes anew and keeps no string.

    A record that the card does not have is empty, or None where the property says so. After `wipe` (idempotent) the
    bytes are overwritten and each property raises `CardWiped`. Its repr shows nothing personal; it cannot be pickled
    or copied.
    """

    __slots__ = ("_records", "_wiped")

    def __init__(self, records: Mapping[Tag, bytes]) -> None:
        self._records = {tag: bytearray(value) for tag, value in records.items()}
        self._wiped = False

    def __repr__(self) -> str:
        return "SocialSecurityCard(wiped)" if self._wiped else "SocialSecurityCard(…)"

    def __reduce__(self) -> str:
        raise TypeError("a card is neither pickled nor copied")

    @property
    def wiped(self) -> bool:
        return self._wiped

    def wipe(self) -> None:
        """Overwrite everything that was read."""
        for value in self._records.values():
            value[:] = bytes(len(value))
        self._wiped = True

    @property
    def name(self) -> str:
        return self._text(Tag.NAME)

    @property
    def number(self) -> str:
        """The social security number, which is the citizen identification number."""
        return self._text(Tag.NUMBER)

    @property
    def sex(self) -> Sex:
        code = self._text(Tag.SEX)
        return Sex(code) if code in set(Sex) else Sex.UNSPECIFIED

    @property
    def nation_code(self) -> str:
        """Two digits of GB/T 3304."""
        return self._digits(Tag.NATION)

    @property
    def nation(self) -> str | None:
        """The nation's name; None for a code that the table does not have."""
        return nation_name(self.nation_code)

    @property
    def birthplace_code(self) -> str:
        """Up to six digits of GB/T 2260."""
        return self._digits(Tag.BIRTHPLACE)

    @property
    def birth_date(self) -> date | None:
        return self._date(Tag.BIRTH_DATE)

    @property
    def card_number(self) -> str:
        return self._text(Tag.CARD_NUMBER)

    @property
    def card_identification(self) -> str:
        """The card identification code, hexadecimal."""
        return self._bytes(Tag.CARD_IDENTIFICATION).hex().upper()

    @property
    def issue_date(self) -> date | None:
        return self._date(Tag.ISSUE_DATE)

    @property
    def valid_to(self) -> date | None:
        return self._date(Tag.VALID_TO)

    @property
    def masked_name(self) -> str:
        """As shown on screens and slips: `张*`."""
        return mask_name(self.name)

    @property
    def masked_number(self) -> str:
        """As shown on screens and slips: `3202**********1234`."""
        return mask_number(self.number)

    def _bytes(self, tag: Tag) -> bytes:
        if self._wiped:
            raise CardWiped("the card's data has been wiped")
        return bytes(self._records.get(tag, b""))

    def _text(self, tag: Tag) -> str:
        """GBK, of which ASCII is a part; padded with 00, by some issuers with spaces."""
        return self._bytes(tag).split(b"\x00", 1)[0].decode("gb18030", "replace").strip(" 　")

    def _digits(self, tag: Tag) -> str:
        """Binary coded digits, padded with F on the right."""
        return self._bytes(tag).hex().upper().rstrip("F")

    def _date(self, tag: Tag) -> date | None:
        digits = self._digits(tag)
        if len(digits) != 8 or not digits.isdigit():
            return None
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            return None


def read_social_security_card(chip: Chip) -> SocialSecurityCard | None:
    """Read a card; None when it is no social security card. Raises `CardUnreadable` and what the chip raises."""
    selected = exchange(chip, select(SSSE))
    if selected.sw == SW_NONE:
        raise CardUnreadable("no status word")
    if not selected.ok:
        return None
    records: dict[Tag, bytes] = {}
    for file, tags in _FILES.items():
        if exchange(chip, bytes.fromhex("00 A4 02 00 02") + file).ok:
            records |= _by_tag(chip, tags) or _by_ordinal(chip, tags)
    if any(not records.get(tag, b"").strip(b"\x00\xff ") for tag in _NEEDED):
        raise CardUnreadable("a record that every card has is missing")
    return SocialSecurityCard(records)


def _by_tag(chip: Chip, tags: Mapping[Tag, int]) -> dict[Tag, bytes]:
    found = {}
    for tag, length in tags.items():
        response = exchange(chip, bytes((0x00, 0xB2, tag, 0x00, length + 2)))
        record = parse_record(response.data) if response.ok else None
        if record is not None and record[0] == tag:
            found[tag] = record[1]
    return found


def _by_ordinal(chip: Chip, tags: Mapping[Tag, int]) -> dict[Tag, bytes]:
    """For cards that know no reading by tag: the records in order, each saying its own tag."""
    found = {}
    for ordinal in range(1, MAX_RECORDS + 1):
        response = exchange(chip, bytes((0x00, 0xB2, ordinal, 0x04, 0x00)))
        if not response.ok:
            break
        record = parse_record(response.data)
        if record is not None and record[0] in tags:
            found[Tag(record[0])] = record[1]
    return found


def parse_record(data: bytes) -> tuple[int, bytes] | None:
    """Tag and value of `tag(1) length(1) value`; None when the length says more than is there."""
    if len(data) < 2 or data[1] > len(data) - 2:
        return None
    return data[0], data[2 : 2 + data[1]]
