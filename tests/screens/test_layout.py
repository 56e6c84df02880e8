"""Measures of the look, asserted on every screen as it is laid out: sizes, distances, words, reach."""

import gc
from itertools import combinations, product

import pytest
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from kiosk.journeys.views import TechnicianView
from screens.measures import CAP_HEIGHT, CHARACTER_MM, GAP_MM, LARGE, TARGET_MM, TILE_MM
from screens.press import Pressable
from screens.text import Text
from screens.tiles import Tile
from tests.screens.conftest import PANELS, Start
from tools.sample_views import SampleViews

# High contrast changes colours alone; its ratios are asserted in test_contrast.py.
MODES = {"normal": {}, "large": {"large": True}}
HALF_PIXEL = 0.5
Box = tuple[float, float, float, float]


def lay_out() -> None:
    """Let all layout that is due happen, without drawing a frame."""
    for _ in range(6):
        Clock.tick_draw()
        Builder.sync()


def box(widget: Widget) -> Box:
    x, y = widget.to_window(widget.x, widget.y)
    return x, y, x + widget.width, y + widget.height


def overlap(one: Box, other: Box) -> tuple[float, float]:
    return min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])


def ink(text: Text) -> Box:
    """Where the characters of a text stand: its block without the leading above and below."""
    width, height = text.texture_size
    x, y = text.to_window(text.center_x - width / 2, text.center_y - height / 2)
    below, above = (0.288, 0.427) if text.tight else (0.22, 0.22)
    return x, y + below * text.font_size, x + width, y + height - above * text.font_size


def scrolls(widget: Widget) -> bool:
    """Whether the widget stands in a list that a finger can move."""
    while widget.parent is not None and widget.parent is not widget:
        if isinstance(widget, ScrollView):
            return True
        widget = widget.parent
    return False


@pytest.mark.parametrize(("panel", "language", "mode"), list(product(PANELS, ("zh", "en"), MODES)))
async def test_every_screen_keeps_the_measures(start: Start, panel: str, language: str, mode: str) -> None:
    async with start(panel) as screens:
        faults = []
        for name, view in SampleViews(language, **MODES[mode]).all():
            screens.app.show(view)
            lay_out()
            seen = screens.driver.all()
            texts = [w for w in seen if isinstance(w, Text) and w.content and not scrolls(w)]
            targets = [w for w in seen if isinstance(w, Pressable) and not w.disabled]
            covered = view.frame.idle is not None
            if covered:
                notice = screens.app.root.ids.idle
                texts = [w for w in texts if w in set(notice.walk())]
                targets = [w for w in targets if w in set(notice.walk())]
            mm = PANELS[panel].mm_per_px
            for fault in (
                *clipped(texts, screens.app.root),
                *too_small_words(texts, mm, LARGE if view.frame.large_type else 1),
                *run_together(texts),
                *too_small_targets(targets, mm),
                *too_close(targets, mm),
                *torn(texts),
                *silent(texts, targets),
                *out_of_reach(targets, screens.app.root, listed=isinstance(view, TechnicianView)),
            ):
                faults.append(f"{name}: {fault}")
        assert not faults, "\n".join(faults)


def clipped(texts: list[Text], root: Widget) -> list[str]:
    faults = []
    for text in texts:
        wide, high = text.texture_size[0] > text.width + 3, text.texture_size[1] > text.height + 1 and not text.tight
        x, y, right, top = ink(text)
        outside = x < -1 or y < -1 or right > root.width + 1 or top > root.height + 1
        if wide or high or outside:
            faults.append(f"clipped: {text.content!r} {text.texture_size} in {text.size} at {ink(text)}")
    return faults


def too_small_words(texts: list[Text], mm: float, scale: float) -> list[str]:
    return [
        f"too small: {text.content!r}"
        for text in texts
        if text.font_size * CAP_HEIGHT * mm < CHARACTER_MM[text.role] * (1 if text.role == "number" else scale)
        or (text.role == "small" and len(text.content) > 60)
    ]


def run_together(texts: list[Text]) -> list[str]:
    faults = []
    for one, other in combinations(texts, 2):
        width, height = overlap(ink(one), ink(other))
        if width > 1 and height > 1:
            faults.append(f"{one.content!r} runs over {other.content!r}")
    return faults


def torn(texts: list[Text]) -> list[str]:
    """English words stay whole: every break stands where a space or a Chinese character was."""
    faults = []
    for text in texts:
        for before, after in zip(text.text.split("\n"), text.text.split("\n")[1:], strict=False):
            seam = before[-1:] + after[:1]
            if seam.isascii() and seam.isalpha() and seam in text.content and " ".join(seam) not in text.content:
                faults.append(f"torn: {text.text!r}")
    return faults


def too_small_targets(targets: list[Pressable], mm: float) -> list[str]:
    faults = []
    for target in targets:
        wide, high = TILE_MM if isinstance(target, Tile) else (TARGET_MM, TARGET_MM)
        if target.width * mm < wide - 0.01 or target.height * mm < high - 0.01:
            faults.append(f"target too small: {target.spoken!r} {target.width * mm:.1f}×{target.height * mm:.1f} mm")
    return faults


def too_close(targets: list[Pressable], mm: float) -> list[str]:
    faults = []
    for one, other in combinations(targets, 2):
        width, height = overlap(box(one), box(other))
        if scrolls(one) == scrolls(other) and max(-width, -height) < GAP_MM / mm - HALF_PIXEL:
            faults.append(f"too close: {one.spoken!r} and {other.spoken!r}: {-width * mm:.1f}, {-height * mm:.1f} mm")
    return faults


def silent(texts: list[Text], targets: list[Pressable]) -> list[str]:
    faults = [f"no spoken words: {type(target).__name__} at {target.pos}" for target in targets if not target.spoken]
    return faults + [f"no spoken words: {text.content!r}" for text in texts if not (text.spoken or text.content)]


def out_of_reach(targets: list[Pressable], root: Widget, *, listed: bool) -> list[str]:
    """What must be touched to go on has its middle in the lower two thirds; language alone may stand in the header.
    `listed`: a technician, who stands, may also reach higher for a line of a list."""
    header = set(root.ids.header.walk())
    return [
        f"out of reach: {target.spoken!r}"
        for target in targets
        if target not in header
        and not (listed and scrolls(target))
        and target.to_window(*target.center)[1] > root.height * 2 / 3
    ]


@pytest.mark.parametrize("panel", PANELS)
async def test_header_and_footer_never_move(start: Start, panel: str) -> None:
    async with start(panel) as screens:
        places = set()
        for language, mode in product(("zh", "en"), MODES):
            for _name, view in SampleViews(language, **MODES[mode]).all():
                screens.app.show(view)
                lay_out()
                ids = screens.app.root.ids
                footer = ids.footer.ids
                buttons = (footer.back, footer.home, footer.help, footer.voice, footer.large, footer.contrast)
                places.add((*box(ids.header), *box(ids.footer), *(box(button) for button in buttons)))
        assert len(places) == 1


async def test_screens_and_widgets_are_used_again(start: Start) -> None:
    def widgets() -> int:
        gc.collect()
        return sum(issubclass(type(thing), Widget) for thing in gc.get_objects())

    async with start() as screens:
        counts = []
        for _ in range(3):
            for _name, view in SampleViews("zh").all():
                screens.app.show(view)
                lay_out()
            counts.append(widgets())
        assert counts[1] == counts[2]
