"""What every console page has: its head, its bar, its life with the hall's changes, and a check of who acts."""

import asyncio
import random
from collections.abc import Callable

from fastapi import Request
from nicegui import Client, background_tasks, ui

from queue_server.staff import Staff
from queue_server.web.console.access import SIGN_IN, language_of, token_of
from queue_server.web.console.words import Language, word
from queue_server.web.parts import WebParts

REFRESH_S = 15.0
"""Longest time between two drawings: waits grow while nothing happens."""
PAUSE_S = (0.7, 1.3)
"""Shortest time between two drawings that nobody asked for. Many consoles share one thread with each other, and the
interpreter with those at the terminals: each takes its own pause, so that they do not draw all at once."""


class Frame:
    """One open page of one person."""

    def __init__(self, web: WebParts, request: Request, here: str) -> None:
        self.web = web
        self.language: Language = language_of(request)
        self._token = token_of(request)
        self._here = here
        self.bar: ui.html

    def staff(self) -> Staff | None:
        """The person, asked anew before each act: a sign-in may have ended meanwhile."""
        return self.web.counters.who(self._token)

    def word(self, name: str, /, **params: object) -> str:
        return word(name, self.language, **params)

    def open(self) -> None:
        """Put head and bar on the page."""
        static = f"/static/{self.web.version}"
        ui.add_head_html(f'<link rel="stylesheet" href="{static}/fonts.css">')
        ui.add_head_html(f'<link rel="stylesheet" href="{static}/console/console.css">')
        ui.add_head_html(f'<script defer src="{static}/console/console.js"></script>')
        self.bar = fragment("bar")
        lost = self.word("connection_lost")
        ui.html(f'<p id="lost" role="alert">{lost}</p>', sanitize=False)

    def draw_bar(self, staff: Staff, counter: str = "") -> None:
        """The bar: hall, counter, person, language, sign out."""
        context = {
            "hall_name": self.web.facts.read().name[self.language],
            "title": counter or self.word("staff_page" if self._here == "/console/staff" else "console"),
            "name": staff.name,
            "other": "zh" if self.language == "en" else "en",
            "here": self._here,
            "may_see_staff": staff.may("technician", "manager"),
            "may_serve": staff.may("clerk", "manager"),
            "holds": bool(counter),
            "leading": self.web.port.projection().leading,
            "alerts": sum(alert.severity != "info" for alert in self.web.alerts.open()),
        }
        self.fill(self.bar, "console_bar.html", **context)

    def fill(self, place: ui.html, template: str, **context: object) -> None:
        """Draw a fragment; nothing is sent to the browser where it is as before."""
        made = self.web.templates.get_template(template).render(word=self.word, language=self.language, **context)
        if place.content != made:
            place.set_content(made)

    def live(self, draw: Callable[[], None]) -> None:
        """Call `draw` at every change of the hall, for as long as the page is open."""
        client = ui.context.client
        task = background_tasks.create(self._follow(client, draw), name="console page")
        client.on_delete(lambda: task.cancel() and None)

    async def _follow(self, client: Client, draw: Callable[[], None]) -> None:
        drawn = self.web.port.projection()
        while True:
            drawn = await self.web.counters.watch.newer(drawn, REFRESH_S)
            async with self.web.drawing.turn():
                with client:
                    if self.staff() is None:
                        ui.navigate.to(f"{SIGN_IN}?ended=true")
                        return
                    draw()
            await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311 - spreads work, guards nothing


def fragment(name: str) -> ui.html:
    """An empty place that `Frame.fill` fills; its markup comes from our own escaping templates."""
    return ui.html("", sanitize=False).classes(f"at-{name}")
