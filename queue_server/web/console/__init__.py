"""The consoles of clerks, managers and technicians. NiceGUI keeps its pages per process: install once in each."""

from fastapi import FastAPI
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from queue_server.web.console.access import access_routes
from queue_server.web.console.counter_page import counter_page
from queue_server.web.console.staff_page import staff_page
from queue_server.web.parts import WebParts


def install_console(app: FastAPI, web: WebParts) -> None:
    """Add `/console` and what is below it to `app`."""
    app.include_router(access_routes(web))

    @app.get("/console", include_in_schema=False)
    async def console() -> Response:
        return RedirectResponse("/console/")

    counter_page(web)
    staff_page(web)
    ui.run_with(
        app,
        mount_path="/console",
        title="成全e站",
        favicon=None,
        language="zh-CN",
        tailwind=False,
        reconnect_timeout=30.0,
        show_welcome_message=False,
    )
