"""Line breaking for Chinese and English: no line begins with a comma, no word is torn, even lines. No Kivy here."""

from collections.abc import Callable

Measure = Callable[[str], float]
"""Width in pixels of a piece of text."""

_NEVER_FIRST = set("，。、：；！？）》」』”’…·—%℃.,:;!?)]}")
_NEVER_LAST = set("（《「『“‘([{")


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Lines of `text` that fit `width`; as few as can be, and then as even as can be.

    A single word wider than `width` is torn, so that no line is ever wider unless one character is.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        units = [part for unit in _units(paragraph) for part in _torn(unit, width, measure)]
        lines.extend(_even(units, width, measure))
    return lines


def widest(text: str, measure: Measure) -> float:
    """Width of the widest piece that should not be torn."""
    return max((measure(unit.rstrip(" ")) for line in text.split("\n") for unit in _units(line)), default=0.0)


def _even(units: list[str], width: float, measure: Measure) -> list[str]:
    fewest = _fill(units, width, measure)
    if len(fewest) < 2:
        return fewest
    narrow, wide = width / 2, width
    best = fewest
    for _ in range(8):
        middle = (narrow + wide) / 2
        tried = _fill(units, middle, measure)
        if len(tried) == len(fewest) and all(measure(line) <= middle for line in tried):
            best, wide = tried, middle
        else:
            narrow = middle
    return best


def _fill(units: list[str], width: float, measure: Measure) -> list[str]:
    lines, line, reach = [], "", 0.0
    for unit in units:
        room = measure(unit.rstrip(" "))
        if line and reach + room > width:
            lines.append(line.rstrip(" "))
            line, reach = "", 0.0
        line += unit
        reach += measure(unit)
    lines.append(line.rstrip(" "))
    return lines


def _units(text: str) -> list[str]:
    """Pieces between which a line may break; a space stays with the piece before it."""
    units: list[str] = []
    for character in text:
        if not units:
            units.append(character)
        elif character == " " or character in _NEVER_FIRST or units[-1][-1] in _NEVER_LAST:
            units[-1] += character
        elif _is_wide(character) or _is_wide(units[-1][-1]) or units[-1].endswith(" "):
            units.append(character)
        else:
            units[-1] += character
    return _glued(units)


def _glued(units: list[str]) -> list[str]:
    """A number keeps what belongs to it: neither `约 12–18 分钟` nor `3 号` is broken at a space."""
    glued: list[str] = []
    for unit in units:
        before = glued[-1].rstrip(" ") if glued and glued[-1].endswith(" ") else ""
        if before and (_is_wide(unit[0]) if before[-1].isdigit() else len(before) == 1 and unit[0].isdigit()):
            glued[-1] += unit
        else:
            glued.append(unit)
    return glued


def _torn(unit: str, width: float, measure: Measure) -> list[str]:
    if measure(unit.rstrip(" ")) <= width:
        return [unit]
    return list(unit)


def _is_wide(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\uff00" <= character <= "\uffef"
