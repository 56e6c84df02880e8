"""ID numbers, those of citizens by GB 11643: check digit, date of birth, advisory place, and its mask."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"
_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]")
_SHAPE_OF_2017: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PROVINCES: Final = frozenset(
    {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54}
    | {61, 62, 63, 64, 65, 71, 81, 82, 83}
)
"""First two digits by GB/T 2260; 81 to 83 are given to residents from Hong Kong, Macao and Taiwan."""

_HMT_PLACES: Final = frozenset({"810000", "820000", "830000"})


class NumberKind(StrEnum):
    """Whose number it is, by its first characters."""

    CITIZEN = "citizen"
    HMT_RESIDENT = "hmt_resident"  # 81 Hong Kong, 82 Macao, 83 Taiwan
    FOREIGNER_2023 = "foreigner_2023"  # 18 characters beginning with 9
    FOREIGNER_2017 = "foreigner_2017"  # three letters and 12 digits: has no MOD 11-2 digit


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """What is right about an ID number. Only `valid` decides; the place is advice.

    The first six digits are the place of the *first* registration; many of those codes no longer exist, so an
    unknown place never makes a number invalid.
    """

    kind: NumberKind | None
    """None when the shape is wrong: neither 17 digits and a digit or X, nor three letters and 12 digits."""
    birth_date: bool
    """Digits 7 to 14 are a date of the calendar, not after the day of the check."""
    check_digit: bool
    """MOD 11-2 holds."""
    province_known: bool

    @property
    def valid(self) -> bool:
        if self.kind is NumberKind.FOREIGNER_2017:
            return True
        return self.kind is not None and self.birth_date and self.check_digit


def check_digit(first_seventeen: str) -> str:
    """The 18th character for 17 digits. Raises ValueError for anything else."""
    if len(first_seventeen) != 17 or not (first_seventeen.isascii() and first_seventeen.isdigit()):
        raise ValueError("want 17 digits")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_seventeen, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def number_kind(number: str) -> NumberKind | None:
    """Whose number has this shape; None for none."""
    if _SHAPE_OF_2017.fullmatch(number):
        return NumberKind.FOREIGNER_2017
    if not _SHAPE.fullmatch(number):
        return None
    if number[0] == "9":
        return NumberKind.FOREIGNER_2023
    return NumberKind.HMT_RESIDENT if number[:6] in _HMT_PLACES else NumberKind.CITIZEN


def birth_date(number: str) -> date | None:
    """The date of birth inside an ID number; None when it is no date."""
    if not _SHAPE.fullmatch(number):
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def check_number(number: str, today: date) -> NumberCheck:
    """Check an ID number as it stands on a card or was typed (a lower-case x counts as wrong)."""
    kind = number_kind(number)
    if kind is None or kind is NumberKind.FOREIGNER_2017:
        return NumberCheck(kind, birth_date=False, check_digit=False, province_known=False)
    born = birth_date(number)
    return NumberCheck(
        kind,
        birth_date=born is not None and born <= today,
        check_digit=check_digit(number[:17]) == number[17],
        province_known=int(number[:2]) in _PROVINCES,
    )


def mask_number(number: str) -> str:
    """The number with its first and last four characters, as screens and slips show it; all stars when too short."""
    if len(number) <= 8:
        return "*" * len(number)
    return number[:4] + "*" * (len(number) - 8) + number[-4:]


def mask_name(name: str) -> str:
    """The family name's first character and one star, whatever the length of the rest."""
    return name[:1] + "*" if name else ""
