"""One Kivy for all tests of the screens: offscreen, started large, then shrunk to each panel."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from kiosk.journeys.intents import Intent
from screens import environment
from screens.options import ScreenOptions

# Growing the window later would give clipped pixels, so it starts at the larger edge of every panel.
environment.prepare(ScreenOptions(1920, 1920, 0.37, offscreen=True))

from kivy.core.window import Window  # noqa: E402 - Kivy reads its environment while it is imported

from screens.app import StationApp  # noqa: E402
from screens.driver import Driver, running  # noqa: E402

PANELS = {
    "portrait": ScreenOptions(1080, 1920, 0.37, reduced_motion=True, offscreen=True, settle_s=0),
    "landscape": ScreenOptions(1920, 1080, 0.25, reduced_motion=True, offscreen=True, settle_s=0),
}
# The same millimetres with a quarter of the pixels: quicker where only touches matter.
COARSE = replace(PANELS["portrait"], width=540, height=960, mm_per_px=0.74)


@dataclass
class Screens:
    """A running app, its driver, and the intents that came from it."""

    app: StationApp
    driver: Driver
    intents: list[Intent]


Start = Callable[..., AbstractAsyncContextManager[Screens]]


@pytest.fixture
def start() -> Start:
    """Run the screens on a panel, a coarse one where none is named: `async with start("portrait") as screens`."""

    @asynccontextmanager
    async def started(panel: str | None = None, **options: object) -> AsyncIterator[Screens]:
        chosen = replace(PANELS[panel] if panel else COARSE, **options)
        Window.size = (chosen.width, chosen.height)
        intents: list[Intent] = []
        app = StationApp(intents.append, chosen)
        async with running(app) as driver:
            yield Screens(app, driver, intents)

    return started
