"""The code of a ticket can be read from the screen by a phone, and goes with the session."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from kiosk.journeys.views import SlipState
from screens.text import Text
from tests.screens.conftest import Start
from tools.sample_views import SampleViews


@pytest.mark.parametrize(
    ("panel", "mode"), list(product(("portrait", "landscape"), ({}, {"large": True, "contrast": True})))
)
async def test_the_code_on_the_screen_opens_the_live_page(
    start: Start, tmp_path: Path, panel: str, mode: dict[str, bool]
) -> None:
    view = SampleViews("zh", **mode).ticket(SlipState.PRINTED)
    async with start(panel) as screens:
        screens.app.show(view)
        picture = Image.open(await screens.driver.screenshot(tmp_path / "ticket.png")).convert("L")
        assert [code.text for code in zxingcpp.read_barcodes(np.asarray(picture))] == [view.follow_url]


async def test_nothing_personal_stays_in_the_widgets_of_a_screen_that_was_left(start: Start) -> None:
    views = SampleViews("zh")
    async with start() as screens:
        screens.app.show(views.ticket(SlipState.PRINTED))
        left = screens.app.root.screen
        await screens.driver.frames()
        assert any("张*" in (w.content if isinstance(w, Text) else "") for w in screens.driver.all())
        screens.app.show(views.home())
        await screens.driver.frames()
        kept = [w.content for w in [*left.walk(), *screens.app.root.walk()] if isinstance(w, Text)]
        assert not [words for words in kept if "张*" in words or "A036" in words]
        assert left.ids.code.texture is None
