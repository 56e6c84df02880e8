"""Which recordings a call is made of, in order, with the text and the pause that belong to each."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

DIGITS: Final = "零一二三四五六七八九"
LARGEST_NATURAL_WINDOW: Final = 99
"""Windows up to here are read as a number (十二号窗口), larger ones digit by digit (一零五号窗口)."""
LARGEST_WHOLE_WINDOW: Final = 30
"""Windows up to here, and whole tens, are one recording each; the others are joined: 到四十 + 五号窗口."""

AFTER_SIGN_S: Final = 0.09
AFTER_LETTER_S: Final = 0.2
"""Longer, because P 一 (pī yī) run together is heard as P."""
BEFORE_COUNTER_S: Final = 0.22

_NUMBER: Final = r"(?:(?<![A-Z])(?P<letter>[A-Z])-?)?(?<!\d)(?P<digits>[0-9]{1,4})(?!\d)"
_NUMBER_OF_WINDOW: Final = re.compile(_NUMBER + r"(?=\s*[号號窗柜櫃台])")
_NUMERAL_OF_WINDOW: Final = re.compile(rf"[{DIGITS}十]{{1,3}}(?=[号號])")
_ANY_NUMBER: Final = re.compile(_NUMBER)


@dataclass(frozen=True, slots=True)
class Reading:
    """One recording within a call: its id, the words it speaks, and the silence after it in seconds."""

    piece: str
    text: str
    pause_s: float = 0.0


def numeral(number: int) -> str:
    """``number`` (1..99) as it is read in a window's name: 12 → 十二, 20 → 二十, 35 → 三十五."""
    if not 1 <= number <= LARGEST_NATURAL_WINDOW:
        raise ValueError(f"no numeral for {number}: 1..{LARGEST_NATURAL_WINDOW}")
    tens, unit = divmod(number, 10)
    ten = "" if tens == 0 else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return ten + (DIGITS[unit] if unit else "")


_NUMERALS: Final = {numeral(number): number for number in range(1, LARGEST_NATURAL_WINDOW + 1)}


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).upper()


def _is_spoken_sign(sign: str) -> bool:
    return sign.isascii() and (sign.isdigit() or sign.isalpha())


def ticket_words(ticket_number: str) -> tuple[Reading, ...]:
    """请, letters, digits one by one, 号; empty if the number has no letter A-Z and no digit 0-9."""
    signs = [sign for sign in _plain(ticket_number) if _is_spoken_sign(sign)]
    if not signs:
        return ()
    words = [Reading("please", "请", AFTER_SIGN_S)]
    for sign in signs[:-1]:
        words.append(_sign(sign))
    last = signs[-1]
    if last.isdigit():
        words.append(Reading(f"digit_{last}_number", f"{DIGITS[int(last)]}号", BEFORE_COUNTER_S))
    else:
        words += [_sign(last), Reading("number", "号", BEFORE_COUNTER_S)]
    return tuple(words)


def _sign(sign: str) -> Reading:
    if sign.isdigit():
        return Reading(f"digit_{sign}", DIGITS[int(sign)], AFTER_SIGN_S)
    return Reading(f"letter_{sign}", sign, AFTER_LETTER_S)


def counter_words(counter: str) -> tuple[Reading, ...]:
    """到 … 号窗口 for the window's number in ``counter``, after its letter if it has one; else 请看大屏幕.

    The number that stands before 号, 窗口 or 柜台 wins ("2楼5号窗口" is window 5), then the last number in the name.
    """
    name = _plain(counter)
    if named := _NUMBER_OF_WINDOW.search(name):
        return _window(named)
    if (spelled := _NUMERAL_OF_WINDOW.search(name)) and spelled.group() in _NUMERALS:
        return _natural_window(_NUMERALS[spelled.group()])
    if numbers := list(_ANY_NUMBER.finditer(name)):
        return _window(numbers[-1])
    return (Reading("see_screen", "，请看大屏幕"),)


def _window(number: re.Match[str]) -> tuple[Reading, ...]:
    letter, digits = number["letter"] or "", number["digits"]
    if not letter and 1 <= int(digits) <= LARGEST_NATURAL_WINDOW:
        return _natural_window(int(digits))
    return _window_by_signs(letter + digits)


def _natural_window(number: int) -> tuple[Reading, ...]:
    tens, unit = divmod(number, 10)
    if number <= LARGEST_WHOLE_WINDOW or unit == 0:
        return (Reading(f"to_window_{number}", f"，到{numeral(number)}号窗口"),)
    return (
        Reading(f"to_tens_{tens * 10}", f"，到{numeral(tens * 10)}"),
        Reading(f"window_{unit}", f"{DIGITS[unit]}号窗口"),
    )


def _window_by_signs(signs: str) -> tuple[Reading, ...]:
    spoken = [_sign(sign) for sign in signs]
    return (Reading("to", "，到", AFTER_SIGN_S), *spoken, Reading("number_window", "号窗口"))
