"""Ink of a signature on the screen: strokes of a finger or pen, smoothed without pressure. Pure.

A touch panel tells places and no pressure, and trembles by a few tenths of a millimetre. Places nearer to each other
than that are dropped; the curve through the others is a Catmull-Rom spline, as cubic Bézier pieces: it passes through
what was touched and has no corners that the hand did not make.
"""

import itertools
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Point = tuple[float, float]
"""Millimetres from the left and from the top of the pad."""

LEAST_STEP_MM: Final = 0.3
MOST_POINTS: Final = 20_000
_LEAST_LENGTH_MM: Final = 15.0
_LEAST_SIZE_MM: Final = (8.0, 3.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """One cubic Bézier piece, from `start` to `end`."""

    start: Point
    first: Point
    second: Point
    end: Point

    def at(self, part: float) -> Point:
        """The place at `part`, 0 to 1."""
        rest = 1 - part
        weights = rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3
        corners = self.start, self.first, self.second, self.end
        x, y = (sum(weight * corner[axis] for weight, corner in zip(weights, corners, strict=True)) for axis in (0, 1))
        return x, y


class Ink:
    """What was drawn on a pad of `width_mm` × `height_mm`. It is personal: the repr shows counts only, and it cannot be
    pickled or copied. `clear` overwrites everything.
    """

    __slots__ = ("_places", "_starts", "height_mm", "width_mm")

    def __init__(self, width_mm: float, height_mm: float) -> None:
        if not (0 < width_mm < math.inf and 0 < height_mm < math.inf):
            raise ValueError(f"a pad of {width_mm} × {height_mm} mm")
        self.width_mm, self.height_mm = width_mm, height_mm
        self._places = array("d")
        self._starts = array("l")

    def __repr__(self) -> str:
        return f"Ink({len(self._starts)} strokes, {len(self._places) // 2} places)"

    def __reduce__(self) -> str:
        raise TypeError("ink is neither pickled nor copied")

    def begin(self, x: float, y: float) -> None:
        """The pen comes down. A place outside of the pad counts as one on its edge."""
        if self._room:
            self._starts.append(len(self._places) // 2)
            self._places.extend(self._inside(x, y))

    def go_on(self, x: float, y: float) -> None:
        """The pen has moved; trembling is dropped."""
        if not self._starts or not self._room:
            return
        place = self._inside(x, y)
        if math.dist(place, (self._places[-2], self._places[-1])) >= LEAST_STEP_MM:
            self._places.extend(place)

    def clear(self) -> None:
        """Overwrite and forget everything."""
        for numbers in (self._places, self._starts):
            for index in range(len(numbers)):
                numbers[index] = 0
        del self._places[:], self._starts[:]

    @property
    def strokes(self) -> Iterator[list[Point]]:
        """The places of each stroke."""
        if self.empty:
            return
        ends = [*self._starts[1:], len(self._places) // 2]
        for start, end in zip(self._starts, ends, strict=True):
            yield [(self._places[2 * index], self._places[2 * index + 1]) for index in range(start, end)]

    @property
    def empty(self) -> bool:
        return not self._starts

    @property
    def is_signature(self) -> bool:
        """Whether it may be a signature: a dot or a short dash is none."""
        if self.empty:
            return False
        length = sum(math.dist(one, other) for stroke in self.strokes for one, other in _pairs(stroke))
        xs, ys = self._places[::2], self._places[1::2]
        wide, high = _LEAST_SIZE_MM
        return length >= _LEAST_LENGTH_MM and max(xs) - min(xs) >= wide and max(ys) - min(ys) >= high

    @property
    def _room(self) -> bool:
        return len(self._places) < 2 * MOST_POINTS

    def _inside(self, x: float, y: float) -> Point:
        if not (math.isfinite(x) and math.isfinite(y)):
            x, y = 0.0, 0.0
        return min(max(x, 0.0), self.width_mm), min(max(y, 0.0), self.height_mm)


def curve(stroke: Sequence[Point]) -> list[Piece]:
    """The smooth curve through all places of a stroke; nothing for a single one, which is a dot."""
    if len(stroke) < 2:
        return []
    before, behind = _mirrored(stroke[1], stroke[0]), _mirrored(stroke[-2], stroke[-1])
    places = [before, *stroke, behind]
    return [
        Piece(
            places[index],
            _shifted(places[index], places[index - 1], places[index + 1], 1 / 6),
            _shifted(places[index + 1], places[index], places[index + 2], -1 / 6),
            places[index + 1],
        )
        for index in range(1, len(places) - 2)
    ]


def line(stroke: Sequence[Point], step_mm: float = 0.4) -> list[Point]:
    """The same curve as places about `step_mm` apart, for drawing; a dot is one place."""
    pieces = curve(stroke)
    if not pieces:
        return list(stroke)
    places = [pieces[0].start]
    for piece in pieces:
        count = max(1, math.ceil(math.dist(piece.start, piece.end) / step_mm))
        places += [piece.at(index / count) for index in range(1, count + 1)]
    return places


def _pairs(stroke: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return itertools.pairwise(stroke)


def _mirrored(point: Point, about: Point) -> Point:
    return 2 * about[0] - point[0], 2 * about[1] - point[1]


def _shifted(place: Point, start: Point, end: Point, part: float) -> Point:
    return place[0] + (end[0] - start[0]) * part, place[1] + (end[1] - start[1]) * part
