"""The object that holds the personal data of an ID card until it is wiped, with every field of the four layouts."""

from datetime import date
from enum import StrEnum
from typing import Final

from hardware.errors import CardWiped
from hardware.id_card.codec import TEXT_SIZE, CardBlocks
from hardware.id_card.layouts import PLACES, CardLayout, Field, card_layout
from hardware.id_card.nations import nation_name
from hardware.id_card.number import mask_name, mask_number

LONG_TERM: Final = "长期"
_PADDING: Final = " \x00　"


class Sex(StrEnum):
    """GB/T 2261.1; a code that is not in it counts as unspecified."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSPECIFIED = "9"


class IdCard:
    """An ID card as read. Holds its bytes only; every property decodes anew and keeps no string.

    A field that this card's layout does not have is empty, or None where the property says so. After `wipe`
    (idempotent) the bytes are overwritten and each property raises `CardWiped`. Its repr shows nothing personal; it
    cannot be pickled or copied. `newest_address` is the content of the appended address, None when it was not read.
    """

    __slots__ = ("_fingerprint", "_newest_address", "_newest_address_read", "_photo", "_text", "_wiped", "layout")

    def __init__(self, blocks: CardBlocks, newest_address: bytes | None = None) -> None:
        if len(blocks.text) != TEXT_SIZE:
            raise ValueError(f"want {TEXT_SIZE} bytes of text, got {len(blocks.text)}")
        self.layout: CardLayout = card_layout(blocks.text)
        self._text = bytearray(blocks.text)
        self._photo = bytearray(blocks.photo)
        self._fingerprint = bytearray(blocks.fingerprint)
        self._newest_address_read = newest_address is not None
        self._newest_address = bytearray(newest_address or b"")
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
        for block in (self._text, self._photo, self._fingerprint, self._newest_address):
            block[:] = bytes(len(block))
        self._wiped = True

    @property
    def name(self) -> str:
        """The name to show: the Chinese one, or the English one where there is no Chinese.

        Characters that no font has (private use, broken) are □. The original: `name_bytes`.
        """
        name = self._field(Field.CHINESE_NAME) or self._field(Field.ENGLISH_NAME)
        return "".join("□" if _has_no_glyph(c) else c for c in name)

    @property
    def name_bytes(self) -> bytes:
        """The field that `name` shows as it is on the card, UTF-16LE without its padding."""
        shown = Field.CHINESE_NAME if self._field(Field.CHINESE_NAME) else Field.ENGLISH_NAME
        raw = self._bytes(shown).decode("utf-16-le", "surrogatepass").strip(_PADDING)
        return raw.encode("utf-16-le", "surrogatepass")

    @property
    def english_name(self) -> str:
        """Foreigners' cards only."""
        return self._field(Field.ENGLISH_NAME)

    @property
    def sex(self) -> Sex:
        code = self._field(Field.SEX)
        return Sex(code) if code in set(Sex) else Sex.UNSPECIFIED

    @property
    def nation_code(self) -> str:
        """Two digits of GB/T 3304; residents only."""
        return self._field(Field.NATION)

    @property
    def nation(self) -> str | None:
        """The nation's name; None for a code that the table does not have and on cards without nation."""
        return nation_name(self.nation_code)

    @property
    def nationality(self) -> str:
        """Three letters as on the card; foreigners only."""
        return self._field(Field.NATIONALITY)

    @property
    def birth_date(self) -> date | None:
        """None when the card holds no date there."""
        return _date(self._field(Field.BIRTH_DATE))

    @property
    def address(self) -> str:
        """The address in the text block; foreigners' cards have none."""
        return self._field(Field.ADDRESS)

    @property
    def newest_address(self) -> str | None:
        """The appended address: empty when the card has none, None when it was not read."""
        self._check()
        if not self._newest_address_read:
            return None
        return self._newest_address.decode("utf-16-le", "replace").strip(_PADDING)

    @property
    def number(self) -> str:
        """18 characters, or 15 on a foreigner's card of 2017."""
        return self._field(Field.NUMBER)

    @property
    def issuer(self) -> str:
        return self._field(Field.ISSUER)

    @property
    def agency_code(self) -> str:
        """Code of the agency that took the application; foreigners' cards of 2017 only."""
        return self._field(Field.AGENCY_CODE)

    @property
    def valid_from(self) -> date | None:
        return _date(self._field(Field.VALID_FROM))

    @property
    def valid_to(self) -> date | None:
        """Last day of validity; None for a card without end (`长期`) or an unreadable date: see `is_long_term`."""
        return _date(self._field(Field.VALID_TO))

    @property
    def is_long_term(self) -> bool:
        return self._field(Field.VALID_TO) == LONG_TERM

    @property
    def permit_number(self) -> str:
        """Number of the travel permit to the mainland; residence permits of Hong Kong, Macao and Taiwan only."""
        return self._field(Field.PERMIT_NUMBER)

    @property
    def issue_count(self) -> str:
        """How often the card was issued or renewed, two digits; marks J and Y only."""
        return self._field(Field.ISSUE_COUNT)

    @property
    def version(self) -> str:
        """Version of the card; foreigners' cards of 2017 only."""
        return self._field(Field.VERSION)

    @property
    def former_number_link(self) -> str:
        """What links the number of 2023 to the one of 2017; foreigners' cards of 2023 only."""
        return self._field(Field.FORMER_NUMBER_LINK)

    @property
    def photo(self) -> bytes:
        """The photo block, in its own format: `hardware.id_card.photo` has the port that makes a picture of it."""
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

    def _bytes(self, field: Field) -> bytes:
        self._check()
        places = PLACES[self.layout].get(field, ())
        return b"".join(bytes(self._text[offset : offset + size]) for offset, size in places)

    def _field(self, field: Field) -> str:
        return self._bytes(field).decode("utf-16-le", "replace").strip(_PADDING)


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
