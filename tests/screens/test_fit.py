"""How tiles share a page."""

import math

from hypothesis import given
from hypothesis import strategies as st

from screens.fit import fit

LEAST = (60.0, 40.0)


@given(
    st.integers(1, 40),
    st.floats(70, 500),
    st.floats(45, 600),
    st.floats(500, 20000),
    st.floats(0, 40),
)
def test_tiles_are_large_enough_and_stay_on_the_page(
    count: int, width: float, height: float, words: float, pager: float
) -> None:
    found = fit(count, (width, height), LEAST, lambda tile: 10 + words / tile, gap=5, pager=pager)
    assert found.per_page >= 1
    assert found.tile_width >= LEAST[0]
    assert found.columns * found.tile_width + 5 * (found.columns - 1) <= width + 1e-6
    assert found.rows * found.tile_height + 5 * (found.rows - 1) <= height + 1e-6
    fits = any(max(LEAST[1], 10 + words / ((width - 5 * (n - 1)) / n)) <= height - pager for n in (1, 2, 3))
    if fits:
        assert found.tile_height >= min(height, 10 + words / found.tile_width) - 1e-6


def test_no_word_is_torn_to_get_more_columns() -> None:
    found = fit(6, (400, 300), LEAST, lambda tile: 50 if tile > 150 else math.inf, gap=5, pager=20)
    assert found.columns == 2


def test_a_page_that_holds_all_is_preferred_to_larger_tiles() -> None:
    found = fit(6, (400, 130), LEAST, lambda tile: 50 if tile > 100 else math.inf, gap=5, pager=20)
    assert found.per_page >= 6
