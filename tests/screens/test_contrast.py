"""Contrast of words on their ground: of every pair that the palettes name, and of pixels as they are drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from screens.measures import HIGH_CONTRAST, NORMAL, TEXT_ON, contrast, hex_colour
from screens.text import Text
from tests.screens.conftest import Start
from tools.sample_views import SampleViews


@pytest.mark.parametrize(("palette", "least"), [(NORMAL, 4.5), (HIGH_CONTRAST, 7.0)])
def test_every_pair_of_the_palette_can_be_read(palette: dict[str, tuple[float, ...]], least: float) -> None:
    poor = {(text, ground): contrast(palette[text], palette[ground]) for text, ground in TEXT_ON}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < least} == {}


def test_contrast_is_that_of_wcag() -> None:
    white, black, grey = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), hex_colour("#767676")
    assert contrast(black, white) == pytest.approx(21)
    assert grey is not None
    assert contrast(grey, white) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("contrast_mode", "least"), [(False, 4.5), (True, 7.0)])
async def test_words_as_drawn_can_be_read(start: Start, tmp_path: Path, contrast_mode: bool, least: float) -> None:
    views = dict(SampleViews("zh", contrast=contrast_mode).all())
    async with start("portrait") as screens:
        for name in ("home", "ticket-not_printed", "services-social-security"):
            screens.app.show(views[name])
            picture = np.asarray(Image.open(await screens.driver.screenshot(tmp_path / "s.png")).convert("RGB")) / 255
            for text in screens.driver.all():
                if isinstance(text, Text) and text.content:
                    assert ratio_of(picture, text) >= least, (name, text.content)


def ratio_of(picture: np.ndarray, text: Text) -> float:
    """Contrast of a text's colour to the colour that is most frequent under it."""
    x, y = text.to_window(*text.pos)
    high = picture.shape[0]
    part = picture[int(high - y - text.height) : int(high - y), int(x) : int(x + text.width)].reshape(-1, 3)
    colours, counts = np.unique(np.round(part, 3), axis=0, return_counts=True)
    ground = tuple(colours[counts.argmax()])
    return contrast(tuple(text.color), (*ground, 1.0))
