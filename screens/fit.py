"""How many tiles of which size stand on a page: as many as can be read. No Kivy here."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

MOST_COLUMNS = 3
STRETCH = 2.6
"""A page that is not full lets its tiles grow by this much, no more."""
SHAPE = 2.4
"""Width to height of the tile that pleases most; it decides where two pages show as many."""


@dataclass(frozen=True)
class Fit:
    """Tiles of one page: columns, rows, and the tile's size in pixels."""

    columns: int
    rows: int
    tile_width: float
    tile_height: float

    @property
    def shape(self) -> float:
        return self.tile_width / max(1.0, self.tile_height)

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


def fit(
    count: int,
    size: tuple[float, float],
    least: tuple[float, float],
    needed: Callable[[float], float],
    *,
    gap: float,
    pager: float,
) -> Fit:
    """The page that shows most of `count` tiles, the better shaped tiles where two show as many.

    `size` is the room for the page, `least` the least tile, `pager` the height that turning pages takes where there
    is more than one, `needed(width)` the height at which all words still fit a tile of that width, infinite where one
    would be torn; all pixels. Where nothing fits, the tile of the least height.
    """
    tried, cramped = [], []
    for columns in range(1, MOST_COLUMNS + 1):
        tile_width = (size[0] - gap * (columns - 1)) / columns
        if tile_width < least[0] and columns > 1:
            break
        tile_height = max(least[1], needed(tile_width))
        rows = _rows(size[1], tile_height, gap)
        if columns * rows < count:
            rows = _rows(size[1] - pager, tile_height, gap)
        if rows:
            tried.append(_stretched(Fit(columns, rows, tile_width, tile_height), count, size[1], gap, pager))
        else:
            cramped.append(Fit(columns, 1, tile_width, tile_height))
    if not tried:
        tightest = min(cramped, key=lambda found: found.tile_height)
        return replace(tightest, tile_height=min(tightest.tile_height, size[1]))
    return max(tried, key=lambda found: (min(count, found.per_page), -abs(math.log(found.shape / SHAPE))))


def _rows(height: float, tile_height: float, gap: float) -> int:
    if math.isinf(tile_height):
        return 0
    return int((height + gap) // (tile_height + gap))


def _stretched(found: Fit, count: int, height: float, gap: float, pager: float) -> Fit:
    """The same page with its tiles grown into the room that is left, and no empty rows."""
    if count > found.per_page:
        height -= pager
    rows = min(found.rows, max(1, -(-count // found.columns)))
    tallest = (height - gap * (rows - 1)) / rows
    return Fit(found.columns, rows, found.tile_width, min(tallest, found.tile_height * STRETCH))
