"""What may be spoken, and how its numbers are read: as in calls. Pure; needs no model."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from queue_server.voice_pieces import DIGITS, LARGEST_NATURAL_WINDOW, numeral

MOST_SIGNS: Final = 100
"""Longest sentence: about half a minute of speech."""

_SPEAKABLE: Final = re.compile(r"[\u4e00-\u9fff]")
_UNSPEAKABLE: Final = re.compile(r"[^\u4e00-\u9fffA-Z0-9，。、；：！？“”（）《》 ]")
_AS_CHINESE: Final = str.maketrans(",.;:!?()\n\t", "，。；：！？（）  ")
_CLOCK: Final = re.compile(r"(?<!\d)([01]?\d|2[0-3])：([0-5]\d)(?!\d)")
_NUMBER: Final = re.compile(r"([A-Z])?(\d+)")


class TextRefusedError(ValueError):
    """A text that is not spoken. `code`: `text_empty`, `text_too_long`, `text_not_speakable`."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def readable(text: str) -> str:
    """`text` in one line: full width made plain, letters large, punctuation Chinese.

    It holds 1..`MOST_SIGNS` signs, at least one of them Chinese; else Chinese characters of the basic block, letters
    A-Z, digits, spaces, hyphens within numbers (A-036) and ，。、；：！？“”（）《》.

    Raises:
        TextRefusedError: `text_empty`, `text_too_long` (`most`), `text_not_speakable` (`signs`: which).
    """
    plain = unicodedata.normalize("NFKC", text).upper().translate(_AS_CHINESE)
    plain = re.sub(r"(?<=[A-Z])-(?=\d)", "", re.sub(" +", " ", plain).strip())
    if not plain:
        raise TextRefusedError("text_empty")
    if len(plain) > MOST_SIGNS:
        raise TextRefusedError("text_too_long", most=MOST_SIGNS)
    if strange := sorted(set(_UNSPEAKABLE.findall(plain))):
        raise TextRefusedError("text_not_speakable", signs=" ".join(strange))
    if not _SPEAKABLE.search(plain):
        raise TextRefusedError("text_not_speakable", signs=plain)
    return plain


def in_words(plain: str) -> str:
    """A readable text with its digits as words: 12号窗口 → 十二号窗口, A036号 → A零三六号, 8：05 → 八点零五分.

    1..99 are read as numbers; what follows a letter, begins with 0 or is longer is read digit by digit, as in calls.
    """
    return _NUMBER.sub(_number_in_words, _CLOCK.sub(_clock_in_words, plain))


def _number_in_words(found: re.Match[str]) -> str:
    letter, digits = found[1] or "", found[2]
    natural = not letter and not digits.startswith("0") and int(digits) <= LARGEST_NATURAL_WINDOW
    return numeral(int(digits)) if natural else letter + "".join(DIGITS[int(digit)] for digit in digits)


def _clock_in_words(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), found[2]
    words = (numeral(hour) if hour else DIGITS[0]) + "点"
    if minute == "00":
        return words
    return words + (DIGITS[0] if minute.startswith("0") else "") + numeral(int(minute)) + "分"
