"""The call display of a zone: its page, its stream of server-sent events, and the reports of its speaker."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from queue_server.counters.announcing import HallAnnouncement
from queue_server.hall_port import BoardChanged, Called, HallPort
from queue_server.rate_limit import RateLimit
from queue_server.web.errors import limit
from queue_server.web.headers import page_policy
from queue_server.web.parts import WebParts
from queue_server.web.settings import WebSettings
from queue_server.web.speakers import SpeakerReport

_CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **_CROSS_ORIGIN}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Report(BaseModel):
    """What the speaking display posts."""

    screen: Annotated[str, Field(pattern=r"^[0-9a-z-]{1,40}$")]
    sound: Literal["ok", "blocked"]
    waiting: Annotated[int, Field(ge=0, le=1000)] = 0
    delay_s: Annotated[float, Field(ge=0, le=86400)] = 0
    failed: bool = False


class Granted(BaseModel):
    granted: bool


class DisplayStream:
    """The events of one zone for one display.

    The first event is `snapshot`; then `board`, `call`, `announcement`, and a `beat` when nothing else was sent for a
    while. What is told before the first board is kept until the snapshot is out. The stream ends when this server no
    longer leads the hall: the display then asks another one.
    """

    def __init__(self, web: WebParts, zone: str) -> None:
        self._web = web
        self._zone = zone
        self._began = False
        self._early: list[Called | HallAnnouncement] = []

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events as bytes, until the reader leaves or the hall is led elsewhere."""
        with self._web.displays.joined(self._zone), self._web.broadcasts.joined(self._zone) as said:
            async with aclosing(_with_beats(self._web.port, said, self._web.settings.beat_s)) as items:
                async for item in items:
                    projection = self._web.port.projection()
                    if not projection.leading:
                        return
                    if isinstance(item, BoardChanged) and item.board.zone == self._zone:
                        yield self._board(item)
                        for early in self._early:
                            yield await self._told(early)
                        self._early.clear()
                    elif isinstance(item, HallAnnouncement) or (isinstance(item, Called) and item.zone == self._zone):
                        if self._began:
                            yield await self._told(item)
                        else:
                            self._early.append(item)
                    elif item is None:
                        yield self._event("beat", epoch=projection.epoch, version=self._web.version)

    def _board(self, item: BoardChanged) -> bytes:
        name, extra = "board", {}
        if not self._began:
            self._began = True
            name, extra = "snapshot", {"version": self._web.version}
        return self._event(name, epoch=item.epoch, rev=item.rev, board=item.board.model_dump(mode="json"), **extra)

    async def _told(self, item: Called | HallAnnouncement) -> bytes:
        if isinstance(item, HallAnnouncement):
            said = {"id": item.id, "text": item.text, "first_reading_s": item.recording.first_reading_s}
            return self._event("announcement", epoch=self._web.port.projection().epoch, announcement=said)
        recording = await self._web.announcements.of(item.call)
        call = item.call.model_dump(mode="json")
        call["first_reading_s"] = recording and recording.first_reading_s
        return self._event("call", epoch=item.epoch, rev=item.rev, call=call)

    def _event(self, name: str, **data: Any) -> bytes:
        data["server_time"] = self._web.now().isoformat()
        return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False, separators=(",", ":")))


async def _with_beats(
    port: HallPort, said: asyncio.Queue[HallAnnouncement], beat_s: float
) -> AsyncGenerator[BoardChanged | Called | HallAnnouncement | None]:
    """Boards and calls of the feed, announcements, and None when `beat_s` seconds passed without any."""
    feed = port.feed()
    coming = asyncio.ensure_future(anext(feed, None))
    saying = asyncio.ensure_future(said.get())
    last = time.monotonic()
    try:
        while True:
            await asyncio.wait(
                {coming, saying},
                return_when=asyncio.FIRST_COMPLETED,
                timeout=max(0.0, last + beat_s - time.monotonic()),
            )
            if coming.done():
                item = coming.result()
                if item is None:
                    return
                coming = asyncio.ensure_future(anext(feed, None))
                if isinstance(item, BoardChanged | Called):
                    last = time.monotonic()
                    yield item
            if saying.done():
                announcement = saying.result()
                saying = asyncio.ensure_future(said.get())
                last = time.monotonic()
                yield announcement
            if time.monotonic() - last >= beat_s:
                last = time.monotonic()
                yield None
    finally:
        coming.cancel()
        saying.cancel()
        await asyncio.gather(coming, saying, return_exceptions=True)
        await feed.aclose()  # type: ignore[attr-defined]  # feeds are generators


def allowed_servers(asked: str | None, settings: WebSettings, host: str) -> tuple[str, ...]:
    """The servers that a page may listen to: those configured, narrowed or, on this machine, widened by `?servers=`.

    A link must not make this page show another site's numbers, so other addresses than the configured ones, this
    server's own host and loopback are left out.
    """
    if not asked:
        return settings.display_servers
    known = {urlsplit(server).hostname for server in settings.display_servers} | {host, *_LOOPBACK}
    chosen = []
    for text in asked.split(",")[:8]:
        parts = urlsplit(text.strip().rstrip("/"))
        if parts.scheme in ("http", "https") and parts.hostname in known and parts.path == "" and not parts.username:
            chosen.append(f"{parts.scheme}://{parts.netloc}")
    return tuple(chosen) or settings.display_servers


def display_routes(web: WebParts) -> APIRouter:
    """`/display/{zone}`, `/display/{zone}/events`, `/display/{zone}/speaker`."""
    router = APIRouter(include_in_schema=False)
    reports = RateLimit(60, 60.0)

    def check_zone(zone: str) -> None:
        boards = web.port.boards()
        if boards and all(shown.board.zone != zone for shown in boards):
            raise HTTPException(404)

    @router.get("/display/{zone}")
    async def page(
        request: Request, zone: str, dark: bool = False, speaker: bool = False, servers: str = ""
    ) -> Response:
        check_zone(zone)
        settings, facts = web.settings, web.facts.read()
        chosen = allowed_servers(servers, settings, request.url.hostname or "")
        page_settings = {
            "zone": zone,
            "speaker": speaker,
            "servers": chosen or [""],
            "time_zone": facts.time_zone,
            "version": web.version,
            "minimum_call_s": settings.minimum_call_s,
            "call_fresh_s": settings.call_fresh_s,
            "stale_after_s": settings.stale_after_s,
        }
        context = {"settings": page_settings, "dark": dark, "hall_name": facts.name}
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": page_policy(chosen)}
        return web.templates.TemplateResponse(request, "display.html", context, headers=headers)

    @router.get("/display/{zone}/events")
    async def events(zone: str) -> Response:
        if not web.port.projection().leading:
            return Response(status_code=503, headers={"Retry-After": "2", **_STREAM})
        check_zone(zone)
        return StreamingResponse(DisplayStream(web, zone).events(), media_type="text/event-stream", headers=_STREAM)

    @router.post("/display/{zone}/speaker")
    async def report(request: Request, response: Response, zone: str, report: Report) -> Granted:
        check_zone(zone)
        limit(reports, request)
        response.headers.update(_CROSS_ORIGIN)
        return Granted(granted=web.desk.report(zone, SpeakerReport(**report.model_dump())))

    @router.options("/display/{_zone}/speaker")
    async def preflight() -> Response:
        return Response(status_code=204, headers=_CROSS_ORIGIN)

    return router
