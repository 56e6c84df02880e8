"""The text on a resident ID card, and the object that holds a card's personal data until it is wiped.

Text block: 256 bytes UTF-16LE padded with spaces; the character at byte 248 tells the layout. Sources of the layouts:
Johann356/readinfo `PCSCGetData.h`, https://www.afzhan.com/st170652/news_212938.html.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from hardware.errors import CardWiped
from hardware.id_card.codec import TEXT_SIZE, CardBlocks
from hardware.id_card.nations import nation_name
from hardware.id_card.number import mask_name, mask_number

LONG_TERM: Final = "长期"
_LAYOUT_OFFSET: Final = 248


class CardLayout(StrEnum):
    """The layouts of the text block, by the character at byte 248."""

    RESIDENT = "resident"
    HMT_RESIDENT = "hmt_resident"  # residence permit of Hong Kong, Macao and Taiwan residents, 'J'
    FOREIGNER_2017 = "foreigner_2017"  # 'I'
    FOREIGNER_2023 = "foreigner_2023"  # 'Y'


_LAYOUT_BY_CHARACTER: Final = {
    "J": CardLayout.HMT_RESIDENT,
    "I": CardLayout.FOREIGNER_2017,
    "Y": CardLayout.FOREIGNER_2023,
}


class Sex(StrEnum):
    """GB/T 2261.1; a code that is not in it counts as unspecified."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSPECIFIED = "9"


@dataclass(frozen=True, slots=True)
class UnsupportedCardLayout:
    """The card was read, and its layout is one that this reader does not interpret."""

    layout: CardLayout


class PhotoDecoder(Protocol):
    """Turns a card's opaque photo block (1024 bytes) into a BMP picture. Made from the operator's vendor library."""

    def __call__(self, photo: bytes) -> bytes: ...


def card_layout(text: bytes) -> CardLayout:
    """The layout of a 256-byte text block; anything that is no known mark means a resident card."""
    mark = text[_LAYOUT_OFFSET : _LAYOUT_OFFSET + 2].decode("utf-16-le", "replace")
    return _LAYOUT_BY_CHARACTER.get(mark, CardLayout.RESIDENT)


class IdCard:
    """A resident ID card as read. Holds its bytes only; every property decodes anew and keeps no string.

    After `wipe` (idempotent) the bytes are overwritten and each property raises `CardWiped`. Its repr
    shows nothing personal; it cannot be pickled or copied.
    """

    __slots__ = ("_fingerprint", "_photo", "_text", "_wiped")

    def __init__(self, blocks: CardBlocks) -> None:
        if len(blocks.text) != TEXT_SIZE:
            raise ValueError(f"want {TEXT_SIZE} bytes of text, got {len(blocks.text)}")
        self._text = bytearray(blocks.text)
        self._photo = bytearray(blocks.photo)
        self._fingerprint = bytearray(blocks.fingerprint)
        self._wiped = False

    def __repr__(self) -> str:
        return "IdCard(wiped)" if self._wiped else "IdCard(…)"

    def __reduce__(self) -> str:
        raise TypeError("an ID card is neither pickled nor copied")

    @property
    def wiped(self) -> bool:
        return self._wiped

    def wipe(self) -> None:
        """Overwrite everything that was read."""
        for block in (self._text, self._photo, self._fingerprint):
            block[:] = bytes(len(block))
        self._wiped = True

    @property
    def name(self) -> str:
        """The name to show: characters that no font has (private use, broken) are □. The original: `name_bytes`."""
        return "".join("□" if _has_no_glyph(c) else c for c in self._field(0, 30))

    @property
    def name_bytes(self) -> bytes:
        """The name's field as on the card, UTF-16LE without its padding."""
        self._check()
        return bytes(self._text[:30].decode("utf-16-le", "surrogatepass").rstrip().encode("utf-16-le", "surrogatepass"))

    @property
    def sex(self) -> Sex:
        code = self._field(30, 2)
        return Sex(code) if code in set(Sex) else Sex.UNSPECIFIED

    @property
    def nation_code(self) -> str:
        return self._field(32, 4)

    @property
    def nation(self) -> str | None:
        """The nation's name; None for a code that the table does not have."""
        return nation_name(self.nation_code)

    @property
    def birth_date(self) -> date | None:
        """None when the card holds no date there."""
        return _date(self._field(36, 16))

    @property
    def address(self) -> str:
        return self._field(52, 70)

    @property
    def number(self) -> str:
        """The 18-character citizen identification number."""
        return self._field(122, 36)

    @property
    def issuer(self) -> str:
        return self._field(158, 30)

    @property
    def valid_from(self) -> date | None:
        return _date(self._field(188, 16))

    @property
    def valid_to(self) -> date | None:
        """Last day of validity; None for a card without end (`长期`) or an unreadable date: see `is_long_term`."""
        return _date(self._field(204, 16))

    @property
    def is_long_term(self) -> bool:
        return self._field(204, 16) == LONG_TERM

    @property
    def photo(self) -> bytes:
        """The photo block, in its own format."""
        self._check()
        return bytes(self._photo)

    @property
    def fingerprint(self) -> bytes:
        """The fingerprint block, empty when none was read."""
        self._check()
        return bytes(self._fingerprint)

    @property
    def masked_name(self) -> str:
        """As shown on screens and slips: `张*`."""
        return mask_name(self.name)

    @property
    def masked_number(self) -> str:
        """As shown on screens and slips: `3202**********1234`."""
        return mask_number(self.number)

    def is_expired(self, today: date) -> bool:
        """Whether validity ended before `today`; a long-term card never does, an unreadable date says nothing."""
        until = self.valid_to
        return until is not None and until < today

    def _check(self) -> None:
        if self._wiped:
            raise CardWiped("the card's data has been wiped")

    def _field(self, offset: int, size: int) -> str:
        self._check()
        return self._text[offset : offset + size].decode("utf-16-le", "replace").strip(" \x00　")


def parse_card(blocks: CardBlocks) -> IdCard | UnsupportedCardLayout:
    """The card in the blocks of a read reply, or a clear word that its layout is not interpreted."""
    layout = card_layout(blocks.text)
    if layout is not CardLayout.RESIDENT:
        return UnsupportedCardLayout(layout)
    return IdCard(blocks)


def _date(text: str) -> date | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _has_no_glyph(character: str) -> bool:
    code = ord(character)
    return 0xE000 <= code <= 0xF8FF or code >= 0xF0000 or code == 0xFFFD or not character.isprintable()
