"""The web application of one hall: displays, ticket pages, consoles, the counters' API, health and metrics."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.responses import RedirectResponse, Response

from queue_server.alerts import AlertBook
from queue_server.channels import api as channels_api
from queue_server.channels.api import ChannelDoor
from queue_server.clock import utc_now
from queue_server.counters import announcing_api, api, ticket_api
from queue_server.counters.announcing import Announcing
from queue_server.counters.problems import as_problems
from queue_server.counters.service import CounterService
from queue_server.devices import DeviceBook
from queue_server.hall_port import HallPort
from queue_server.live_speech import Synthesiser
from queue_server.staff import StaffPort
from queue_server.web.announcements import Announcements, Voice, audio_routes
from queue_server.web.broadcasts import Broadcasts
from queue_server.web.display import display_routes
from queue_server.web.displays import Displays
from queue_server.web.errors import install_handlers
from queue_server.web.hall_facts import HallFactsReader
from queue_server.web.headers import SecurityHeaders
from queue_server.web.operations import operation_routes
from queue_server.web.pages import FONTS, Kept, content_version, static_files, templates
from queue_server.web.parts import WebParts
from queue_server.web.settings import WebSettings
from queue_server.web.speakers import SpeakerDesk
from queue_server.web.ticket_page import ticket_routes

if TYPE_CHECKING:
    from queue_server.web.console import Consoles

API_TITLE = "成全e站 queue server"
API_VERSION = "1"
_LOOK_FOR_SPEAKERS_S = 10.0


def make_api() -> FastAPI:
    """An application with the HTTP API alone, as `docs/openapi.yaml` describes it."""
    app = FastAPI(
        title=API_TITLE,
        version=API_VERSION,
        description="For counters: open a counter, call and serve people, answer requests for help. For booking "
        "channels: slots, appointments, check-in. Every act names the version that its maker saw (`seen`); what "
        "changed meanwhile is refused with 409 and nothing is done. Refusals are problem details (RFC 9457).",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        openapi_tags=[
            {"name": "people", "description": "Signing in and out."},
            {"name": "counters", "description": "Holding a counter."},
            {"name": "tickets", "description": "Sending on, setting aside, correcting and voiding tickets."},
            {"name": "calling", "description": "Calling and serving at a counter."},
            {"name": "queues", "description": "Who waits."},
            {"name": "announcements", "description": "Speaking to the hall."},
            {"name": "help", "description": "Requests for help at terminals."},
            {"name": "channels", "description": "Appointments for other channels, by API key."},
        ],
    )
    app.include_router(api.router)
    app.include_router(ticket_api.router)
    app.include_router(announcing_api.router)
    app.include_router(channels_api.router)
    generated = app.openapi
    app.openapi = lambda: app.openapi_schema or as_problems(generated())  # type: ignore[method-assign]  # as FastAPI asks
    return app


def make_app(
    port: HallPort,
    *,
    staff: StaffPort,
    alerts: AlertBook,
    devices: DeviceBook,
    voice: Voice | None,
    settings: WebSettings,
    channels: ChannelDoor,
    speech: Synthesiser | None = None,
    now: Callable[[], datetime] = utc_now,
    metrics: CollectorRegistry | None = None,
    consoles: "Consoles | None" = None,
) -> FastAPI:
    """The application of one hall. It runs tasks of its own for as long as its lifespan lasts.

    Serve it with a bounded graceful shut-down: displays keep their streams open. `metrics` holds what the other parts
    of the program count; `speech` says what managers write, None in a hall without voice; `consoles` are shared with
    the process's other halls.
    """
    app = make_api()
    version = content_version()
    broadcasts = Broadcasts(now, settings.call_fresh_s)
    web = WebParts(
        port=port,
        counters=CounterService(port, staff, token_lifetime=settings.token_lifetime, now=now),
        alerts=alerts,
        devices=devices,
        settings=settings,
        facts=HallFactsReader(port),
        announcements=Announcements(port, voice, broadcasts),
        broadcasts=broadcasts,
        desk=SpeakerDesk(
            alerts, time.monotonic, lease_s=settings.speaker_lease_s, behind_after_s=settings.behind_after_s
        ),
        displays=Displays(),
        templates=templates(version),
        version=version,
        now=now,
    )
    app.state.web = web
    app.state.counters = web.counters
    app.state.announcing = Announcing(port, staff, speech, broadcasts.put, now=now)
    app.state.channels = channels
    app.router.lifespan_context = _lifespan(web)
    install_handlers(app, web.templates)
    app.include_router(display_routes(web))
    app.include_router(audio_routes(web.announcements))
    app.include_router(ticket_routes(web))
    app.include_router(operation_routes(web, metrics))
    app.mount(f"/static/{version}", static_files())
    app.mount("/fonts", Kept(FONTS, for_ever=False))
    if settings.console:
        # NiceGUI fills the process with its own state when it is imported
        from queue_server.web.console import Consoles  # noqa: PLC0415

        (consoles or Consoles()).install(app, web)

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/console" if settings.console else "/health")

    app.add_middleware(SecurityHeaders)
    return app


def _lifespan(web: WebParts) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(web.counters.watch.run())
            speakers = tasks.create_task(_look_for_speakers(web))
            yield
            watch.cancel()
            speakers.cancel()

    return lifespan


async def _look_for_speakers(web: WebParts) -> None:
    """While counters are open, a zone whose speaking display went away is told to staff."""
    while True:
        await asyncio.sleep(_LOOK_FOR_SPEAKERS_S)
        if any(counter.session is not None for counter in web.port.projection().counters):
            web.desk.look_for_silence()
