"""Recordings of calls, made once for each number and counter, and of announcements: served by their ids."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import structlog
from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from queue_server.hall_port import HallPort
from queue_server.voice import Announcement
from queue_server.web.broadcasts import Broadcasts
from wire.messages import BoardCall, Call

_log = structlog.get_logger()
FIRST_READING = "First-Reading-Seconds"
"""Header of a recording: where its first reading ends."""
_CALLS_KEPT = 500
_RECORDINGS_KEPT = 64


Voice = Callable[[str, str], Announcement]
"""Makes the recording for a ticket's number and a counter's number; some milliseconds of CPU."""


class Announcements:
    """Recordings by call id. A hall without voice has none: its displays only show."""

    def __init__(self, port: HallPort, voice: Voice | None, broadcasts: Broadcasts) -> None:
        self._port = port
        self._voice = voice
        self._broadcasts = broadcasts
        self._calls: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._recordings: OrderedDict[tuple[str, str], Announcement] = OrderedDict()

    async def of(self, call: Call | BoardCall) -> Announcement | None:
        """The recording of `call`, or None where there is no voice or it fails; a call is never held up by it."""
        self._calls[call.call_id] = (call.number, call.counter)
        while len(self._calls) > _CALLS_KEPT:
            self._calls.popitem(last=False)
        return await self._recorded(call.number, call.counter)

    async def by_id(self, call_id: str) -> Announcement | None:
        """The recording of an announcement, or of a call that was sent to a display or stands on a board."""
        if (said := self._broadcasts.by_id(call_id)) is not None:
            return said.recording
        spoken = self._calls.get(call_id)
        if spoken is None:
            on_boards = (call for shown in self._port.boards() for call in shown.board.calls)
            spoken = next(((call.number, call.counter) for call in on_boards if call.call_id == call_id), None)
        return None if spoken is None else await self._recorded(*spoken)

    async def _recorded(self, number: str, counter: str) -> Announcement | None:
        key = (number, counter)
        if self._voice is None:
            return None
        if (found := self._recordings.get(key)) is not None:
            self._recordings.move_to_end(key)
            return found
        try:
            made = await asyncio.to_thread(self._voice, number, counter)
        except Exception as error:  # noqa: BLE001 - a voice that fails in any way must not stop a display
            _log.error("announcement_failed", cause=type(error).__name__, number=number, counter=counter)
            return None
        self._recordings[key] = made
        while len(self._recordings) > _RECORDINGS_KEPT:
            self._recordings.popitem(last=False)
        return made


def audio_routes(announcements: Announcements) -> APIRouter:
    """`/audio/{call_id}.wav`; any display may load it, also from another server of the hall."""
    router = APIRouter(include_in_schema=False)

    @router.get("/audio/{call_id}.wav")
    async def audio(call_id: str) -> Response:
        recording = await announcements.by_id(call_id)
        if recording is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": "private, max-age=3600",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": FIRST_READING,
            FIRST_READING: f"{recording.first_reading_s:.3f}",
        }
        return Response(recording.wav, media_type="audio/wav", headers=headers)

    return router
