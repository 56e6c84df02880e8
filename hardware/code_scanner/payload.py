"""What a scanned code says: its bytes, their text, and the rules that text has to keep. Pure.

A scanner does not tell which character set a payload is in. UTF-8 is tried strictly, then GB18030 (a superset of GBK
and GB2312). Few Chinese words are valid UTF-8 by chance (凭证, 联通): bytes that are runs of common characters of GB
2312, and would be Latin, Greek or Cyrillic letters in UTF-8, count as GB18030. The bytes are kept beside the text.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hardware.errors import CodeWiped

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_CHARACTERS: Final = frozenset("\t\r\n")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible formatting (which can turn text around), surrogates, and line and paragraph separators."""


_COMMON_HANZI: Final = re.compile(rb"[\x00-\x7f]*+(?:(?:[\xc2-\xd7][\xa1-\xbf]){2,}+[\x00-\x7f]*+)+")
"""Where level 1 of GB 2312 (B0A1 to D7F9) overlaps with two-byte UTF-8 (C280 to DFBF): runs of two and more.

Possessive: a long run with something else behind it would be tried in every division, and never come to an end.
"""


class Encoding(StrEnum):
    """How the bytes of a payload were understood."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    SHIFT_JIS = "shift-jis"  # of a QR code in Kanji mode
    DECLARED = "declared"  # the code itself names its character set (ECI); its decoder made the text


class Characters(StrEnum):
    """Which characters a payload may hold."""

    TEXT = "text"  # one line: no controls, nothing invisible
    LINES = "lines"  # as TEXT, with tabs and line ends
    ASCII = "ascii"  # printable ASCII
    DIGITS = "digits"


class CodeProblem(StrEnum):
    """Why a scanned code cannot be used."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    INCOMPLETE = "incomplete"  # part of it was lost on its way
    NOT_TEXT = "not_text"
    FORBIDDEN_CHARACTER = "forbidden_character"


@dataclass(frozen=True, slots=True)
class CodeRules:
    """What counts as a usable code. `max_bytes`: 1 to 7089 (the most that a QR code holds, as digits)."""

    max_bytes: int = 1024
    characters: Characters = Characters.TEXT

    def __post_init__(self) -> None:
        if not 1 <= self.max_bytes <= 7089:
            raise ValueError(f"max_bytes is {self.max_bytes}, want 1 to 7089")


@dataclass(frozen=True, slots=True)
class RawCode:
    """One code as it came from a line, before anything is made of it.

    `cut`: there was more than the cap, and it was thrown away. `holes`: part of it is missing (its end never came, or
    the kernel's event buffer ran over).
    """

    data: bytes
    cut: bool = False
    holes: bool = False

    def __repr__(self) -> str:
        return f"RawCode(<{len(self.data)} bytes>, cut={self.cut}, holes={self.holes})"


class Code:
    """A usable code. Holds bytes only; `text` is decoded anew each time and kept nowhere.

    Its content may be personal: the repr shows its length only, and after `wipe` (idempotent) it is overwritten and
    reading it raises `CodeWiped`.
    """

    __slots__ = ("_raw", "_text", "_wiped", "encoding", "symbology")

    def __init__(self, raw: bytes, text: str, encoding: Encoding, symbology: str = "") -> None:
        self._raw = bytearray(raw)
        self._text = bytearray(text.encode())
        self._wiped = False
        self.encoding = encoding
        self.symbology = symbology
        """Kind of code (`QRCode`, `Code128` …); empty where the device does not tell it."""

    def __repr__(self) -> str:
        return f"Code(<{len(self._raw)} bytes>, {self.encoding}, {self.symbology!r})"

    def __reduce__(self) -> str:
        raise TypeError("a scanned code is neither pickled nor copied")

    @property
    def raw(self) -> bytes:
        """The bytes as the code has them."""
        self._check()
        return bytes(self._raw)

    @property
    def text(self) -> str:
        self._check()
        return self._text.decode()

    @property
    def size(self) -> int:
        """Bytes of the code; known also after `wipe`."""
        return len(self._raw)

    def wipe(self) -> None:
        """Overwrite what was scanned."""
        for block in (self._raw, self._text):
            block[:] = bytes(len(block))
        self._wiped = True

    def _check(self) -> None:
        if self._wiped:
            raise CodeWiped


@dataclass(frozen=True, slots=True)
class BadCode:
    """A code that was scanned and cannot be used; `size` of it in bytes, as far as it was kept."""

    problem: CodeProblem
    size: int


def judge(scanned: RawCode, rules: CodeRules) -> Code | BadCode:
    """Decode a scanned code and hold it against the rules. Never raises."""
    if scanned.holes:
        return BadCode(CodeProblem.INCOMPLETE, len(scanned.data))
    if scanned.cut or len(scanned.data) > rules.max_bytes:
        return BadCode(CodeProblem.TOO_LONG, len(scanned.data))
    decoded = decode(scanned.data)
    if decoded is None:
        return BadCode(CodeProblem.NOT_TEXT, len(scanned.data))
    text, encoding = decoded
    return check(Code(scanned.data, text, encoding), rules)


def check(code: Code, rules: CodeRules) -> Code | BadCode:
    """Hold a decoded code against the rules."""
    if not code.text:
        return BadCode(CodeProblem.EMPTY, code.size)
    if code.size > rules.max_bytes:
        return BadCode(CodeProblem.TOO_LONG, code.size)
    if not all(_allowed(character, rules.characters) for character in code.text):
        return BadCode(CodeProblem.FORBIDDEN_CHARACTER, code.size)
    return code


def decode(raw: bytes) -> tuple[str, Encoding] | None:
    """The text of a payload and the character set it is in; None when it is neither UTF-8 nor GB18030."""
    by_chance = _COMMON_HANZI.fullmatch(raw) is not None
    for encoding in (Encoding.GB18030,) if by_chance else (Encoding.UTF_8, Encoding.GB18030):
        try:
            return raw.removeprefix(BYTE_ORDER_MARK).decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


def _allowed(character: str, characters: Characters) -> bool:
    if characters is Characters.DIGITS:
        return "0" <= character <= "9"
    if characters is Characters.ASCII:
        return " " <= character <= "~"
    if characters is Characters.LINES and character in _LINE_CHARACTERS:
        return True
    return unicodedata.category(character) not in _REFUSED_CATEGORIES
