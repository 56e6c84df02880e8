"""Search over the catalogue by pinyin initials, full or mixed pinyin, digits, Latin words or Chinese characters.

The index is built once, when a bundle is loaded. Every character keeps all its readings, so that 重
is found by `c` and by `z`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pypinyin import Style, pinyin

from kiosk.journeys.catalogue import Catalogue

LONGEST_SEARCH = 24

_Readings = tuple[str, ...]


@dataclass(frozen=True)
class _Phrase:
    """A name or keyword as a row of characters, each with its readings; `rank` 0 is the name itself."""

    rank: int
    units: tuple[_Readings, ...]


@dataclass(frozen=True)
class _Entry:
    service: str
    common: bool
    order: int
    phrases: tuple[_Phrase, ...]


@dataclass(frozen=True)
class Index:
    """What `found` looks in; made by `build`."""

    entries: tuple[_Entry, ...] = ()


def build(catalogue: Catalogue) -> Index:
    return Index(
        tuple(
            _Entry(
                service.id, service.common, order, tuple(_phrases(service.name.zh, service.name.en, service.keywords))
            )
            for order, service in enumerate(catalogue.services)
        )
    )


def found(index: Index, typed: str) -> tuple[str, ...]:
    """Ids of the services that match, best first: the name before keywords, its beginning before its middle,
    common services before rare ones, shorter names before longer ones, then the catalogue's order."""
    wanted = normalise(typed)
    if not wanted:
        return ()
    hits: list[tuple[tuple[int, int, int, int, int], str]] = []
    for entry in index.entries:
        places = [
            (phrase.rank, start, 0 if entry.common else 1, len(phrase.units), entry.order)
            for phrase in entry.phrases
            if (start := _start(phrase.units, wanted)) is not None
        ]
        if places:
            hits.append((min(places), entry.service))
    return tuple(service for _, service in sorted(hits))


def normalise(typed: str) -> str:
    """Full-width forms folded, lower case, only letters, digits and Chinese characters; cut at a sane length."""
    folded = unicodedata.normalize("NFKC", typed).lower()
    return "".join(character for character in folded if character.isalnum())[:LONGEST_SEARCH]


def _phrases(zh: str, en: str, keywords: Sequence[str]) -> list[_Phrase]:
    phrases = [_Phrase(0, _units(zh))]
    if en:
        phrases.append(_Phrase(1, _units(en)))
    phrases.extend(_Phrase(2, _units(keyword)) for keyword in keywords)
    return [phrase for phrase in phrases if phrase.units]


def _units(text: str) -> tuple[_Readings, ...]:
    """Each Chinese character with its readings and itself; each Latin word whole; each digit alone."""
    units: list[_Readings] = []
    for readings, piece in _spelled(unicodedata.normalize("NFKC", text).lower()):
        units.append((*readings, piece))
    return tuple(units)


def _spelled(text: str) -> list[tuple[_Readings, str]]:
    spelled: list[tuple[_Readings, str]] = []
    for kind, characters in groupby(text, key=_kind):
        piece = "".join(characters)
        if kind == "letter":
            spelled.append(((), piece))
        elif kind == "digit":
            spelled.extend(((), digit) for digit in piece)
        elif kind == "han":
            for character in piece:
                readings = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
                spelled.append((tuple(dict.fromkeys(readings[0])) if readings else (), character))
    return spelled


def _kind(character: str) -> str:
    if re.match(r"[a-z]", character):
        return "letter"
    if character.isdigit():
        return "digit"
    return "han" if character.isalpha() else "other"


def _start(units: tuple[_Readings, ...], wanted: str) -> int | None:
    """The first unit from which `wanted` can be spelled, or None."""
    return next((start for start in range(len(units)) if _spells(units, start, wanted)), None)


def _spells(units: tuple[_Readings, ...], at: int, wanted: str) -> bool:
    """True if `wanted` is made of a prefix (at least one letter) of each unit from `at` on: `sb`, `shebao`, `shb` all
    spell 社保. Positions reached are kept as a set, so that the work stays linear in the length of both."""
    reached = {0}
    for readings in units[at:]:
        following: set[int] = set()
        for position in reached:
            for reading in readings:
                common = _common_prefix(reading, wanted, position)
                if position + common == len(wanted):
                    return True
                following.update(range(position + 1, position + common + 1))
        if not following:
            return False
        reached = following
    return False


def _common_prefix(reading: str, wanted: str, position: int) -> int:
    length = 0
    for ours, theirs in zip(reading, wanted[position:], strict=False):
        if ours != theirs:
            break
        length += 1
    return length
