"""Draws every screen in both shapes, both languages and every mode into PNG files, to be looked at.

python -m tools.gallery DIR [--only PART] [--shape portrait] [--language zh] [--mode normal]
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from screens import environment
from screens.options import ScreenOptions
from tools.sample_views import SampleViews

SHAPES = {
    "portrait": ScreenOptions(1080, 1920, 0.37, reduced_motion=True, offscreen=True, settle_s=0),
    "landscape": ScreenOptions(1920, 1080, 0.25, reduced_motion=True, offscreen=True, settle_s=0),
}
MODES = {
    "normal": {},
    "large": {"large": True},
    "contrast": {"contrast": True},
    "both": {"large": True, "contrast": True},
}
LARGEST = ScreenOptions(1920, 1920, 0.37, offscreen=True)


async def draw(target: Path, shapes: Sequence[str], languages: Sequence[str], modes: Sequence[str], only: str) -> int:
    """Draw what is asked for; returns the number of pictures."""
    # Kivy may be imported only after the environment has been prepared.
    from kivy.core.window import Window  # noqa: PLC0415

    from screens.app import StationApp  # noqa: PLC0415
    from screens.driver import running  # noqa: PLC0415

    drawn = 0
    for shape in shapes:
        options = SHAPES[shape]
        Window.size = (options.width, options.height)
        app = StationApp(lambda _intent: None, options)
        async with running(app) as driver:
            for language in languages:
                for mode in modes:
                    for name, view in SampleViews(language, **MODES[mode]).all():
                        if only not in name:
                            continue
                        app.show(view)
                        await driver.frames()
                        await driver.screenshot(target / f"{name}-{shape}-{language}-{mode}.png")
                        drawn += 1
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--only", default="", help="part of the name of the screens to draw")
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--language", choices=("zh", "en"), action="append")
    parser.add_argument("--mode", choices=MODES, action="append")
    asked = parser.parse_args()
    environment.prepare(LARGEST)
    pictures = draw(
        asked.target, asked.shape or list(SHAPES), asked.language or ["zh", "en"], asked.mode or list(MODES), asked.only
    )
    print(asyncio.run(pictures), "pictures in", asked.target)
