"""Frames that a table describes, one word a field: for devices whose makers each have bytes of their own. Pure.

Words: two hexadecimal digits (that byte), `sum8` or `xor8` (over all bytes before), `length` (of the text, in bytes),
`text` (GB2312), any other lower-case word (a value of one byte), and such a word with `:le16` or `:be16` behind it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import xor
from typing import Final

Values = Mapping[str, int | str]

MOST_TEXT_BYTES: Final = 200
_CONSTANT: Final = re.compile(r"[0-9A-Fa-f]{2}")
_VALUE: Final = re.compile(r"[a-z][a-z_]*(:le16|:be16)?")
_CHECKS: Final = {"sum8": lambda data: sum(data) & 0xFF, "xor8": lambda data: reduce(xor, data, 0)}


class BadTable(ValueError):
    """A table that describes no frame; the technician corrects the profile."""


class BadValue(ValueError):
    """A value that has no place in a frame: missing, too large, or text that is not in GB2312."""


class _Unfinished(Exception):
    """A frame may begin here, and has not come to its end."""


class FrameTable:
    """One kind of frame. Raises `BadTable`."""

    def __init__(self, words: Sequence[str]) -> None:
        for word in words:
            if not (_CONSTANT.fullmatch(word) or _VALUE.fullmatch(word) or word in _CHECKS):
                raise BadTable(f"{word!r} is no field")
        names = [word.partition(":")[0] for word in words if not _CONSTANT.fullmatch(word)]
        if not words or len(names) != len(set(names)):
            raise BadTable("no field, or one twice")
        if ("text" in words) != ("length" in words) or (
            "text" in words and words.index("length") > words.index("text")
        ):
            raise BadTable("text wants its length before it")
        self._words = tuple(words)
        self.names = frozenset(names) - {"length"} - set(_CHECKS)
        """The values that it wants."""

    def frame(self, values: Values) -> bytes:
        """Put a frame together. Raises `BadValue`; values that it does not have are left out."""
        text = self._text(values) if "text" in self.names else b""
        frame = bytearray()
        for word in self._words:
            if _CONSTANT.fullmatch(word):
                frame += bytes.fromhex(word)
            elif word in _CHECKS:
                frame.append(_CHECKS[word](frame))
            elif word == "length":
                frame.append(len(text))
            elif word == "text":
                frame += text
            else:
                frame += _number(word, values)
        return bytes(frame)

    def read(self, data: bytes) -> tuple[int, dict[str, int | str]] | None:
        """The frame at the beginning of `data`: its size and values. None where there is none, or not all of it yet."""
        try:
            return self._read(data)
        except _Unfinished:
            return None

    def may_begin(self, data: bytes) -> bool:
        """Whether `data` may be the beginning of a frame that has not come to its end."""
        try:
            self._read(data)
        except _Unfinished:
            return True
        return False

    def _read(self, data: bytes) -> tuple[int, dict[str, int | str]] | None:
        values: dict[str, int | str] = {}
        at = length = 0
        for word in self._words:
            size = length if word == "text" else 2 if word.endswith("16") else 1
            piece = data[at : at + size]
            if len(piece) < size:
                raise _Unfinished
            if _CONSTANT.fullmatch(word):
                if piece != bytes.fromhex(word):
                    return None
            elif word in _CHECKS:
                if piece[0] != _CHECKS[word](data[:at]):
                    return None
            elif word == "length":
                length = piece[0]
                if length > MOST_TEXT_BYTES:
                    return None
            elif word == "text":
                values[word] = piece.decode("gb2312", "replace")
            else:
                values[word.partition(":")[0]] = int.from_bytes(piece, "little" if word.endswith("le16") else "big")
            at += size
        return at, values

    @staticmethod
    def _text(values: Values) -> bytes:
        try:
            text = str(values["text"]).encode("gb2312")
        except (KeyError, UnicodeEncodeError):
            raise BadValue("text: want characters of GB2312") from None
        if len(text) > MOST_TEXT_BYTES:
            raise BadValue(f"text: {len(text)} bytes")
        return text


def _number(word: str, values: Values) -> bytes:
    name, _, order = word.partition(":")
    size = 2 if order else 1
    value = values.get(name)
    if not isinstance(value, int) or not 0 <= value < 256**size:
        raise BadValue(f"{name}: {value!r}")
    return value.to_bytes(size, "little" if order == "le16" else "big")


class TableDecoder:
    """Frames of some tables out of a stream, the first table that fits. Never raises; keeps one begun frame at most."""

    def __init__(self, tables: Sequence[FrameTable]) -> None:
        self._tables = tuple(tables)
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[dict[str, int | str]]:
        """The values of the frames that end within `data`."""
        self._begun += data
        found = []
        while self._begun:
            here = bytes(self._begun)
            read = next((read for table in self._tables if (read := table.read(here)) is not None), None)
            if read is not None:
                del self._begun[: read[0]]
                found.append(read[1])
            elif any(table.may_begin(here) for table in self._tables):
                break
            else:
                del self._begun[0]
        return found
