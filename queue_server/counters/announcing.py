"""A manager speaks to the hall: a written sentence is spoken live and handed to the displays of its zones."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from queue_server.counters.acting import Once
from queue_server.counters.outcomes import Refused
from queue_server.hall_port import HallPort
from queue_server.ids import new_id
from queue_server.live_speech import SpeechRefusedError, Synthesiser
from queue_server.rate_limit import RateLimit
from queue_server.speech.sentence import TextRefusedError
from queue_server.staff import Staff, StaffPort
from queue_server.voice import Announcement, hall_announcement

_log = structlog.get_logger()
A_MINUTE: Final = 6
"""Announcements of one person in any minute."""
_ACTS_KEPT: Final = 200
_BUSY_S: Final = 10.0
_CHANGING_OVER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class HallAnnouncement:
    """A sentence that was spoken for `zones` at `at`; `text` is what displays show."""

    id: str
    text: str
    zones: tuple[str, ...]
    at: datetime
    recording: Announcement


@dataclass(frozen=True, slots=True)
class _Act:
    asked: tuple[str, tuple[str, ...]]
    outcome: asyncio.Task[HallAnnouncement | Refused]


class Announcing:
    """`publish` hands an announcement to displays. The audit keeps who announced and when, no log and no book what."""

    def __init__(
        self,
        port: HallPort,
        staff: StaffPort,
        speech: Synthesiser | None,
        publish: Callable[[HallAnnouncement], None],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._port = port
        self._staff = staff
        self._speech = speech
        self._publish = publish
        self._now = now
        self._limit = RateLimit(A_MINUTE, 60.0)
        self._acts: OrderedDict[tuple[str, str], _Act] = OrderedDict()

    async def announce(
        self, staff: Staff, text: str, zones: tuple[str, ...], once: Once | None
    ) -> HallAnnouncement | Refused:
        """Speak `text` in `zones`; answered when displays have it, which takes seconds.

        An act that came before under the same `once` is not done again, but answered as it was; refused ones are
        forgotten, and all at the server's end.
        """
        if not staff.may("manager"):
            return Refused("not_allowed")
        if self._speech is None:
            return Refused("hall_without_voice")
        saying = partial(self._announce, self._speech, staff, text, zones)
        if once is None:
            return await saying()
        key, asked = (staff.login, once.id), (text, zones)
        act = self._acts.get(key)
        if act is None:
            act = self._acts[key] = _Act(asked, asyncio.create_task(saying()))
            act.outcome.add_done_callback(lambda task: self._forget_refused(key, task))
            while len(self._acts) > _ACTS_KEPT:
                self._acts.popitem(last=False)
        elif act.asked != asked:
            return Refused("request_id_reused")
        return await asyncio.shield(act.outcome)

    def _forget_refused(self, key: tuple[str, str], task: asyncio.Task[HallAnnouncement | Refused]) -> None:
        if task.cancelled() or task.exception() is not None or isinstance(task.result(), Refused):
            self._acts.pop(key, None)

    async def _announce(
        self, speech: Synthesiser, staff: Staff, text: str, zones: tuple[str, ...]
    ) -> HallAnnouncement | Refused:
        if (refused := self._not_now(staff, zones)) is not None:
            return refused
        try:
            words = await speech.say(text)
        except TextRefusedError as error:
            return Refused(error.code, error.params)
        except SpeechRefusedError as error:
            return Refused(error.code, error.params, _BUSY_S if error.code == "speech_busy" else None)
        shown = " ".join(text.split())
        said = HallAnnouncement(new_id(), shown, zones, self._now(), hall_announcement(words, shown))
        await asyncio.to_thread(self._staff.audit, staff.id, "announced", said.id)
        self._publish(said)
        _log.info("announced", announcement=said.id, zones=zones, length=len(shown))
        return said

    def _not_now(self, staff: Staff, zones: tuple[str, ...]) -> Refused | None:
        if not self._port.projection().leading:
            return Refused("not_leading", {}, _CHANGING_OVER_S)
        known = {shown.board.zone for shown in self._port.boards()}
        if strange := [zone for zone in zones if zone not in known]:
            return Refused("zone_unknown", {"zone": strange[0]})
        seconds = self._limit.wait(staff.login)
        return Refused("too_many_attempts", {}, seconds) if seconds > 0 else None
