"""The signature pad under a finger: the line follows, is smoothed, cleared, and one hand draws at a time."""

import math

import pytest
from kivy.core.window import Window

from kiosk.signature import signature_png
from screens.driver import Finger
from screens.signature import SignaturePad
from tests.screens.conftest import Screens, Start
from tools.sample_views import SampleViews


async def pad_on(screens: Screens) -> SignaturePad:
    screens.app.show(SampleViews("zh").home())
    await screens.driver.frames()
    pad = SignaturePad(size_hint=(None, None), size=(Window.width * 0.8, Window.height * 0.25), pos=(50, 100))
    screens.app.root.add_widget(pad)
    await screens.driver.frames()
    return pad


async def draw(screens: Screens, pad: SignaturePad, places: list[tuple[float, float]]) -> None:
    """Places as shares of the pad's width and height."""
    (x, y), *rest = [(pad.x + across * pad.width, pad.y + up * pad.height) for across, up in places]
    finger = Finger(x, y)
    finger.down()
    for place in rest:
        finger.slide(*place)
    finger.up()
    await screens.driver.frames(1)


WAVE = [(0.1 + 0.01 * index, 0.5 + 0.3 * math.sin(index / 5)) for index in range(70)]


async def test_a_signature_is_taken_in_millimetres_from_the_top_left(start: Start) -> None:
    async with start() as screens:
        pad = await pad_on(screens)
        await draw(screens, pad, WAVE)
        assert pad.signed
        (stroke,) = pad.ink.strokes
        assert pad.ink.width_mm == pytest.approx(pad.width / pad.theme.mm)
        assert stroke[0] == pytest.approx((0.1 * pad.ink.width_mm, 0.5 * pad.ink.height_mm), abs=1.0)
        highest = min(y for _, y in stroke)
        assert highest == pytest.approx(0.2 * pad.ink.height_mm, abs=1.5)
        assert signature_png(pad.ink, dpi=100).startswith(b"\x89PNG")
        pad.clear()
        assert pad.ink.empty
        assert not pad.signed


async def test_a_dot_is_no_signature_and_what_leaves_the_pad_stays_on_its_edge(start: Start) -> None:
    async with start() as screens:
        pad = await pad_on(screens)
        await draw(screens, pad, [(0.5, 0.5)])
        assert not pad.signed
        pad.clear()
        await draw(screens, pad, [(0.2, 0.2), (0.5, 0.9), (0.9, 1.6), (0.9, 0.3)])
        assert pad.signed
        assert all(0 <= y <= pad.ink.height_mm for stroke in pad.ink.strokes for _, y in stroke)


async def test_a_second_finger_draws_nothing(start: Start) -> None:
    async with start() as screens:
        pad = await pad_on(screens)
        first, second = Finger(pad.x + 20, pad.center_y), Finger(pad.right - 20, pad.center_y)
        first.down()
        second.down()
        second.slide(pad.right - 60, pad.y + 10)
        first.slide(pad.x + 90, pad.top - 10)
        second.up()
        first.up()
        await screens.driver.frames(1)
        assert len(list(pad.ink.strokes)) == 1


async def test_a_touch_beside_the_pad_is_none_of_its_business(start: Start) -> None:
    async with start() as screens:
        pad = await pad_on(screens)
        finger = Finger(pad.center_x, pad.top + 40)
        finger.down()
        finger.slide(pad.center_x, pad.center_y)
        finger.up()
        await screens.driver.frames(1)
        assert pad.ink.empty


async def test_a_pad_of_another_size_starts_anew(start: Start) -> None:
    async with start() as screens:
        pad = await pad_on(screens)
        await draw(screens, pad, WAVE)
        pad.width *= 0.9
        await screens.driver.frames(1)
        assert pad.ink.empty
        assert not pad.signed
