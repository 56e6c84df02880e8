"""Chinese and Latin text for a printer's own font: which characters it can print, how wide they are, where to break.

Rule: ASCII goes as it is; any other character goes as a GBK double byte under `FS &`, if it has one that the printer's
font is known to hold. A line with a character that has none is drawn by us: names must never be printed wrong.
"""

import unicodedata
from typing import Final

from hardware.ticket_printer.profile import ChineseFont

_SUBSTITUTES: Final = str.maketrans({"¥": "￥", "\t": " ", "\u00a0": " ", "\u200b": None, "\ufeff": None})
# Punctuation that must not begin a line.
_NOT_FIRST: Final = frozenset("，。；：！？、）》」』】”’％…,.;:!?)]}%")
# Punctuation after which a reader rests.
_PAUSES: Final = "，。；：！？、"


def printable_lines(text: str) -> list[str]:
    """The lines of `text` with what no printer prints taken out and `¥` (printed as "0 6" by many) made `￥`."""
    clean = text.translate(_SUBSTITUTES)
    return ["".join(c for c in line if unicodedata.category(c) != "Cc") for line in clean.splitlines()] or [""]


def native_bytes(line: str, font: ChineseFont) -> bytes | None:
    """The bytes of a line for the printer's own font in Chinese mode; None when one character has none."""
    encoded = bytearray()
    for character in line:
        code = _native(character, font)
        if code is None:
            return None
        encoded += code
    return bytes(encoded)


def cells(text: str) -> int:
    """Width in character cells: 1 for ASCII, 2 for anything else."""
    return sum(1 if c.isascii() else 2 for c in text)


def wrap(line: str, columns: int) -> list[str]:
    """Break a line at `columns` (at least 2) cells: between Chinese characters, at spaces between Latin words.

    No line begins with closing punctuation, except where a line holds nothing else. A phrase stays whole where a line
    that is at least half full can end before it and no further line is needed.
    """
    done: list[str] = []
    lines, rest = _filled(line, columns), line
    while len(lines) > 1:
        first = lines.pop(0)
        rest = rest[rest.index(first) + len(first) :]
        phrase = first[max(first.rfind(mark) for mark in _PAUSES) + 1 :].lstrip()
        kept = first.removesuffix(phrase)
        if phrase and 2 * cells(kept) >= columns and len(moved := _filled(phrase + rest, columns)) == len(lines):
            first, lines, rest = kept.rstrip(), moved, phrase + rest
        done.append(first)
    return [*done, *lines]


def _filled(line: str, columns: int) -> list[str]:
    """Each line as full as it can be."""
    lines: list[str] = []
    current = ""
    for word in _words(line):
        if cells(current + word) <= columns:
            current += word
            continue
        if word[0] in _NOT_FIRST and len(current) > 1 and cells(current[-1] + word) <= columns:
            lines.append(current[:-1].rstrip())
            current = current[-1] + word
            continue
        if current.strip():
            lines.append(current.rstrip())
        current = "" if word == " " else word
        while cells(current) > columns:
            head = _fitting(current, columns)
            lines.append(head)
            current = current[len(head) :]
    return [*lines, current]


def _words(line: str) -> list[str]:
    """Runs that are kept together: Latin words, single spaces, single Chinese characters."""
    words: list[str] = []
    joined = False
    for character in line:
        joins = character.isascii() and character != " "
        if joins and joined:
            words[-1] += character
        else:
            words.append(character)
        joined = joins
    return words


def _fitting(text: str, columns: int) -> str:
    end = 0
    while end < len(text) and cells(text[: end + 1]) <= columns:
        end += 1
    return text[: max(1, end)]


def _native(character: str, font: ChineseFont) -> bytes | None:
    if " " <= character <= "~":
        return character.encode("ascii")
    if font is ChineseFont.NONE:
        return None
    try:
        code = character.encode(font.value)
    except UnicodeEncodeError:
        return None
    return code if len(code) == 2 else None
