"""Touches, looks and pictures on command, for guided visits and acceptance: off unless the command line names a socket.

A line of JSON in, a line of JSON out, over a unix socket that its owner alone can open. A touch goes the way of a
finger: through the window's input, not past it.

{"do": "view"}                                    what is shown: {"kind": "HomeView", …}
{"do": "tap", "words": "取号"}                     touch what says this (whole words, or their beginning)
{"do": "wait", "kind": "TicketView", "with": {"slip": "printed"}, "within_s": 20}
{"do": "picture", "path": "home.png"}             what a person sees, after the next two frames
"""

import asyncio
import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.widget import Widget

from kiosk.journeys.views import View
from screens.driver import Finger, save_window
from screens.press import Pressable

LONGEST_WAIT_S = 120.0
APPEARS_WITHIN_S = 10.0
FRAMES_WITHIN_S = 20.0


class GuideError(Exception):
    """A command that cannot be obeyed now; the message says why."""


class Guide:
    """Obeys commands on `socket` while `serve` runs. `app` is shown what `view` returns."""

    def __init__(self, app: App, view: Callable[[], View], socket: Path) -> None:
        self._app = app
        self._view = view
        self._socket = socket

    async def serve(self) -> None:
        """Listen until cancelled; the socket is removed at the end."""
        self._socket.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._client, path=str(self._socket))
        finally:
            os.umask(before)
        try:
            async with server:
                await server.serve_forever()
        finally:
            self._socket.unlink(missing_ok=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio logs a cancelled client as an error when the program ends
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            return {"ok": True, **await self._obey(json.loads(line))}
        except (GuideError, TimeoutError, ValueError, KeyError, OSError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}", "kind": type(self._view()).__name__}

    async def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        match command["do"]:
            case "view":
                return self._shown()
            case "tap":
                await self._tap(str(command["words"]))
                return {}
            case "wait":
                within = min(float(command.get("within_s", 20)), LONGEST_WAIT_S)
                await _until(lambda: self._is(str(command["kind"]), command.get("with", {})), within)
                return self._shown()
            case "picture":
                return {"path": str(await self._picture(Path(command["path"])))}
            case unknown:
                raise GuideError(f"no such command: {unknown!r}")

    def _shown(self) -> dict[str, Any]:
        view = self._view()
        return {"kind": type(view).__name__, "view": dataclasses.asdict(view)}

    def _is(self, kind: str, fields: dict[str, Any]) -> bool:
        view = self._view()
        return type(view).__name__ == kind and all(getattr(view, name) == value for name, value in fields.items())

    async def _tap(self, words: str) -> None:
        """Wait until something says `words` and can be touched, then touch it for a moment."""
        await _until(lambda: self._find(words) is not None, APPEARS_WITHIN_S)
        # a touch right after a change of screen is not meant for the new screen
        await asyncio.sleep(self._app.options.settle_s)
        target = self._find(words)
        if target is None:
            raise GuideError(f"{words!r} has gone again")
        finger = Finger(*target.to_window(*target.center))
        finger.down()
        await self._frames(2)
        finger.up()
        await self._frames(1)

    def _find(self, words: str) -> Widget | None:
        found = [w for w in self._app.root.walk() if isinstance(w, Pressable) and _reachable(w)]
        for says in (str.__eq__, str.startswith):
            for widget in found:
                if says(widget.spoken, words):
                    return widget
        return None

    async def _picture(self, path: Path) -> Path:
        await self._frames(2)
        return save_window(path.with_suffix(".png"))

    async def _frames(self, count: int) -> None:
        """Wait until `count` frames are drawn; Kivy draws only what changed, so each is asked for."""
        until = Clock.frames_displayed + count

        def drawn() -> bool:
            Window.canvas.ask_update()
            return bool(Clock.frames_displayed >= until)

        await _until(drawn, FRAMES_WITHIN_S)


async def _until(condition: Callable[[], bool], within_s: float) -> None:
    """Raises TimeoutError. Looks again and again: Kivy tells nobody when its widgets have arranged themselves."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


def _reachable(widget: Widget) -> bool:
    """Enabled, of some size, and nothing above it is hidden."""
    if widget.disabled or widget.width < 2 or widget.height < 2:
        return False
    while widget is not None and widget is not Window:
        if widget.opacity == 0:
            return False
        widget = widget.parent
    return True
