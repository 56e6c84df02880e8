"""The citizen identification number of GB 11643: check digit, date of birth, advisory place, and its mask."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"
_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]")
_PROVINCES: Final = frozenset(
    {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54}
    | {61, 62, 63, 64, 65, 71, 81, 82, 83}
)
"""First two digits by GB/T 2260; 81 to 83 are given to residents from Hong Kong, Macao and Taiwan."""


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """What is right about an ID number. Only `valid` decides; the place is advice.

    The first six digits are the place of the *first* registration; many of those codes no longer exist, so an
    unknown place never makes a number invalid.
    """

    shape: bool
    """18 characters: 17 digits and a digit or X."""
    birth_date: bool
    """Digits 7 to 14 are a date of the calendar, not after the day of the check."""
    check_digit: bool
    """MOD 11-2 holds."""
    province_known: bool

    @property
    def valid(self) -> bool:
        return self.shape and self.birth_date and self.check_digit


def check_digit(first_seventeen: str) -> str:
    """The 18th character for 17 digits. Raises ValueError for anything else."""
    if len(first_seventeen) != 17 or not (first_seventeen.isascii() and first_seventeen.isdigit()):
        raise ValueError("want 17 digits")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_seventeen, strict=True))
    return _CHECK_CHARACTERS[total % 11]


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
    if not _SHAPE.fullmatch(number):
        return NumberCheck(shape=False, birth_date=False, check_digit=False, province_known=False)
    born = birth_date(number)
    return NumberCheck(
        shape=True,
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
