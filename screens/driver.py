"""Drives the screens from inside, as a finger would: for the demo, the gallery and the tests."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

_numbers = itertools.count(1)


class Finger(MotionEvent):
    """One finger on the glass; positions in pixels of the window, from the bottom left."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__("finger", next(_numbers), self._part(x, y), is_touch=True, type_id="touch")
        self.profile = ["pos"]

    def depack(self, args: tuple[float, float]) -> None:
        self.sx, self.sy = args
        super().depack(args)

    def down(self) -> None:
        EventLoop.post_dispatch_input("begin", self)

    def slide(self, x: float, y: float) -> None:
        self.move(self._part(x, y))
        EventLoop.post_dispatch_input("update", self)

    def up(self) -> None:
        EventLoop.post_dispatch_input("end", self)

    @staticmethod
    def _part(x: float, y: float) -> tuple[float, float]:
        return x / (Window.width - 1.0), y / (Window.height - 1.0)


class Driver:
    """What a person at the terminal does and sees. Everything waits for frames or conditions, never for time."""

    def __init__(self, app: App, loop: "asyncio.Task[None]") -> None:
        self.app = app
        self._loop = loop

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait for a condition. Raises TimeoutError, or what ended the app meanwhile."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self._loop.done():
                self._loop.result()
                raise RuntimeError("the app has ended")
            if time.monotonic() > deadline:
                raise TimeoutError("the screens did not get there")
            await asyncio.sleep(0.005)

    async def frames(self, count: int = 2) -> None:
        """Wait until the clock has ticked so often; layout has settled after two."""
        for _ in range(count):
            seen = Clock.frames
            await self.until(lambda seen=seen: Clock.frames > seen)  # type: ignore[misc]  # the frame of this round

    def all(self) -> list[Widget]:
        """Every widget of the tree that can be seen, the root first."""
        return list(_visible(self.app.root))

    def find(self, wanted: Callable[[Widget], bool]) -> Widget:
        """The first visible widget that is wanted. Raises LookupError."""
        for widget in self.all():
            if wanted(widget):
                return widget
        raise LookupError("no such widget on the screen")

    def target(self, words: str) -> Widget:
        """The touch target that shows `words`. Raises LookupError."""
        return self.find(
            lambda w: hasattr(w, "intent") and words in (getattr(w, "content", None), getattr(w, "name", None))
        )

    async def tap(self, widget: Widget) -> None:
        """Press and lift in the middle of a widget."""
        await self.tap_at(*widget.to_window(*widget.center))

    async def tap_at(self, x: float, y: float) -> None:
        finger = Finger(x, y)
        finger.down()
        await self.frames(1)
        finger.up()
        await self.frames(1)

    async def screenshot(self, path: Path) -> Path:
        """Write what stands on the window as a PNG to `path`."""
        flips = 0

        def flipped(*_: Any) -> None:
            nonlocal flips
            flips += 1

        def redraw(*_: Any) -> None:
            Window.canvas.ask_update()

        Window.bind(on_flip=flipped)
        drawing = Clock.schedule_interval(redraw, 0)
        try:
            await self.until(lambda: flips >= 3)
        finally:
            drawing.cancel()
            Window.unbind(on_flip=flipped)
        return save_window(path)


@asynccontextmanager
async def running(app: App) -> AsyncIterator[Driver]:
    """Run the app in the running loop, and take it off the window at the end, so that another one may follow."""
    task = asyncio.create_task(app.async_run(async_lib="asyncio"))
    driver = Driver(app, task)
    try:
        await driver.until(lambda: app.root is not None and app.root.parent is not None)
        await driver.frames()
        yield driver
    finally:
        if not task.done():
            await driver.frames(1)  # what is still to be laid out needs the app
            app.stop()
            await asyncio.wait_for(task, 10)
        for child in Window.children[:]:
            Window.remove_widget(child)


def _visible(widget: Widget) -> Any:
    if widget.opacity == 0:
        return
    yield widget
    for child in reversed(widget.children):
        yield from _visible(child)


def save_window(path: Path) -> Path:
    """Kivy puts a number into the name it is given; the picture is moved to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(Window.screenshot(name=str(path))).replace(path)
