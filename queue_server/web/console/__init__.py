"""The consoles of clerks, managers and technicians. NiceGUI keeps its pages per process: one `Consoles` in each."""

from urllib.parse import urlsplit

import nicegui
from fastapi import FastAPI, Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from queue_server.web.console.access import access_routes
from queue_server.web.console.counter_page import counter_page
from queue_server.web.console.staff_page import staff_page
from queue_server.web.parts import WebParts

_PATH = "/console"


class Consoles:
    """`/console` of every hall of a process: the pages stand once, and find their hall by the host that was asked."""

    def __init__(self) -> None:
        self._halls: dict[str, WebParts] = {}

    def install(self, app: FastAPI, web: WebParts) -> None:
        """Add `/console` and what is below it to the application of a hall."""
        first = not self._halls
        self._halls[urlsplit(web.settings.public_url).hostname or ""] = web
        app.include_router(access_routes(web))

        @app.get(_PATH, include_in_schema=False)
        async def console() -> Response:
            return RedirectResponse(f"{_PATH}/")

        if not first:
            app.mount(_PATH, nicegui.app)
            return
        counter_page(self.hall_of)
        staff_page(self.hall_of)
        ui.run_with(
            app,
            mount_path=_PATH,
            title="成全e站",
            favicon=None,
            language="zh-CN",
            tailwind=False,
            reconnect_timeout=30.0,
            show_welcome_message=False,
        )

    def hall_of(self, request: Request) -> WebParts:
        """The hall that a page is asked of; a process with one hall has it under any name."""
        if len(self._halls) == 1:
            return next(iter(self._halls.values()))
        return self._halls[request.url.hostname or ""]
