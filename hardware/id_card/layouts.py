"""Where each field stands in the 256-byte text block of the four ID cards that a SAM_V reader reads.

Text is UTF-16LE padded with spaces; the character at byte 248 tells the layout. Sources: Johann356/readinfo
`PCSCGetData.h`, https://www.afzhan.com/st170652/news_212938.html, http://www.eastcoms.com/service/pro/840.html.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final

_LAYOUT_OFFSET: Final = 248


class CardLayout(StrEnum):
    """The four cards."""

    RESIDENT = "resident"  # 居民身份证
    HMT_RESIDENT = "hmt_resident"  # 港澳台居民居住证, mark J
    FOREIGNER_2017 = "foreigner_2017"  # 外国人永久居留身份证 of 2017, mark I
    FOREIGNER_2023 = "foreigner_2023"  # the same of 2023, mark Y


class Field(Enum):
    """Every field that one of the cards has."""

    CHINESE_NAME = auto()
    ENGLISH_NAME = auto()
    SEX = auto()
    NATION = auto()
    NATIONALITY = auto()
    BIRTH_DATE = auto()
    ADDRESS = auto()
    NUMBER = auto()
    ISSUER = auto()
    AGENCY_CODE = auto()
    VALID_FROM = auto()
    VALID_TO = auto()
    PERMIT_NUMBER = auto()
    ISSUE_COUNT = auto()
    VERSION = auto()
    FORMER_NUMBER_LINK = auto()


Places = tuple[tuple[int, int], ...]
"""Offsets and lengths in bytes; a field may stand in two places, its text then goes on in the second."""

_AS_RESIDENT: Final[dict[Field, Places]] = {
    Field.CHINESE_NAME: ((0, 30),),
    Field.SEX: ((30, 2),),
    Field.BIRTH_DATE: ((36, 16),),
    Field.ADDRESS: ((52, 70),),
    Field.NUMBER: ((122, 36),),
    Field.ISSUER: ((158, 30),),
    Field.VALID_FROM: ((188, 16),),
    Field.VALID_TO: ((204, 16),),
}
PLACES: Final[Mapping[CardLayout, Mapping[Field, Places]]] = {
    CardLayout.RESIDENT: {**_AS_RESIDENT, Field.NATION: ((32, 4),)},
    CardLayout.HMT_RESIDENT: {**_AS_RESIDENT, Field.PERMIT_NUMBER: ((220, 18),), Field.ISSUE_COUNT: ((238, 4),)},
    CardLayout.FOREIGNER_2017: {
        Field.ENGLISH_NAME: ((0, 120),),
        Field.SEX: ((120, 2),),
        Field.NUMBER: ((122, 30),),
        Field.NATIONALITY: ((152, 6),),
        Field.CHINESE_NAME: ((158, 30),),
        Field.VALID_FROM: ((188, 16),),
        Field.VALID_TO: ((204, 16),),
        Field.BIRTH_DATE: ((220, 16),),
        Field.VERSION: ((236, 4),),
        Field.AGENCY_CODE: ((240, 8),),
    },
    CardLayout.FOREIGNER_2023: {
        Field.CHINESE_NAME: ((0, 30),),
        Field.SEX: ((30, 2),),
        Field.ISSUE_COUNT: ((32, 4),),
        Field.BIRTH_DATE: ((36, 16),),
        Field.ENGLISH_NAME: ((52, 70), (220, 22)),
        Field.NUMBER: ((122, 36),),
        Field.VALID_FROM: ((188, 16),),
        Field.VALID_TO: ((204, 16),),
        Field.NATIONALITY: ((242, 6),),
        Field.FORMER_NUMBER_LINK: ((250, 6),),
    },
}
_LAYOUT_BY_MARK: Final = {
    "J": CardLayout.HMT_RESIDENT,
    "I": CardLayout.FOREIGNER_2017,
    "Y": CardLayout.FOREIGNER_2023,
}


def card_layout(text: bytes) -> CardLayout:
    """The layout of a text block of 256 bytes; anything that is no known mark means a resident card."""
    mark = text[_LAYOUT_OFFSET : _LAYOUT_OFFSET + 2].decode("utf-16-le", "replace")
    return _LAYOUT_BY_MARK.get(mark, CardLayout.RESIDENT)
