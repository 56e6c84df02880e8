"""Asking until answered: the same bytes, with growing pauses, until the application's answer has come."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from wire.link import Link, LinkDown, Outgoing
from wire.messages import Message

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Times:
    """Seconds. Pauses grow by doubling from the first to the longest, each times 0.5 to 1.5."""

    first_pause_s: float = 2.0
    longest_pause_s: float = 30.0
    answer_deadline_s: float = 10.0
    """A live request or hello without an answer for so long means that the hall is silent."""
    ask_again_s: float = 6.0
    """To the next hello where the last was not accepted, or while the hall is silent."""
    patient_retry_s: float = 5.0
    """A refusal that may be tried again within this time is, without asking the person."""
    tries: int = 5
    """Refusals that a live request meets before the person is told."""


class Asking:
    """Questions under way, by request id. `on_silent` and `on_heard` are called once for each change."""

    def __init__(
        self,
        link: Link,
        times: Times,
        rng: random.Random,
        on_silent: Callable[[], None],
        on_heard: Callable[[], None],
    ) -> None:
        self._link = link
        self._times = times
        self._rng = rng
        self._on_silent = on_silent
        self._on_heard = on_heard
        self._answers: dict[str, asyncio.Future[Message | None]] = {}
        self._again = asyncio.Event()
        self._silent = False
        self.counts: Counter[str] = Counter()
        """`sent` (each time), `answers_ignored`."""

    @property
    def under_way(self) -> int:
        return len(self._answers)

    async def ask(
        self, request_id: str, outgoing: Outgoing, *, gate: asyncio.Event | None = None, urgent: bool = False
    ) -> Message | None:
        """The answer; None if the question was dropped meanwhile. Sent only while `gate` is open.

        `urgent`: past the answer's deadline the hall counts as silent, and is asked on.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Message | None] = loop.create_future()
        self._answers[request_id] = answer
        deadline = loop.call_later(self._times.answer_deadline_s, self.fell_silent) if urgent else None
        attempt = 0
        try:
            while not answer.done():
                if gate is not None:
                    await _either(answer, gate, None)
                again = self._again
                with contextlib.suppress(LinkDown):
                    await self._link.publish(outgoing)
                    self.counts["sent"] += 1
                await _either(answer, again, self.pause(attempt))
                attempt += 1
            return answer.result()
        finally:
            if deadline is not None:
                deadline.cancel()
            del self._answers[request_id]

    def ask_again(self) -> None:
        """Everything that waits for an answer is sent again at once."""
        self._again.set()
        self._again = asyncio.Event()

    def drop(self, request_id: str) -> None:
        """Nobody waits for this answer any more."""
        answer = self._answers.get(request_id)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def receive(self, message_id: str, body: Message) -> None:
        """An answer came. What nobody waits for (any more) is counted."""
        answer = self._answers.get(message_id)
        if answer is None or answer.done():
            self.counts["answers_ignored"] += 1
            return
        if self._silent:
            self._silent = False
            log.info("hall_heard")
            self._on_heard()
        answer.set_result(body)

    def fell_silent(self) -> None:
        if not self._silent:
            self._silent = True
            log.warning("hall_silent")
            self._on_silent()

    def pause(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` (from 0)."""
        growing = self._times.first_pause_s * 2.0 ** min(attempt, 16)
        return self.jittered(min(self._times.longest_pause_s, growing))

    def jittered(self, seconds: float) -> float:
        """0.5 to 1.5 times as long, so that many terminals do not ask in step."""
        return seconds * self._rng.uniform(0.5, 1.5)


async def _either(answer: "asyncio.Future[Message | None]", event: asyncio.Event, limit: float | None) -> None:
    """Wait for an answer, the event, or the time, whatever comes first."""
    if answer.done() or event.is_set():
        return
    watch = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((answer, watch), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
