"""The journey's requests: each attempt becomes a journaled request, and its answer comes back as an event."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Literal, Protocol

import structlog

from kiosk.devices import Emit
from kiosk.errors import JournalFault, JournalFull
from kiosk.exchange import Exchange
from kiosk.journeys import events
from kiosk.journeys.catalogue import Service
from kiosk.journeys.state import Ticket
from kiosk.offline import Offline, Wanted
from kiosk.offline_numbers import NoNumber
from kiosk.translate import params_of, ticket_of
from wire.messages import CheckIn, HelloAnswer, Help, HelpAnswer, Issue, IssueAnswer, Message, Refused, Slip

log = structlog.get_logger(__name__)

CLONED = "cloned_device"
"""Code of a hello's answer: another machine holds this terminal's identity."""


class Changed(Protocol):
    """Something that the hall is told of changed."""

    def __call__(self) -> None: ...


class Requests:
    """The listener of the exchange. `changed` is called when backlog or last ticket changed."""

    def __init__(self, emit: Emit, changed: Changed) -> None:
        self._emit = emit
        self._changed = changed
        self._exchange: Exchange | None = None
        self._offline: Offline | None = None
        self._journaling: dict[int, asyncio.Task[str | None]] = {}
        self._attempts: dict[str, int] = {}
        self._giving: set[int] = set()
        """Attempts for which the terminal's own number is being kept, and those of them whose person gave up."""
        self._given_up: set[int] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.last_ticket_at: datetime | None = None

    def use(self, exchange: Exchange, offline: Offline) -> None:
        """The exchange that carries the requests; it listens here, so it is made after this object. `offline` gives
        numbers while the hall is away."""
        self._exchange = exchange
        self._offline = offline

    def ask(self, attempt: int, body: Issue | CheckIn | Help) -> None:
        """Journal and send; the answer comes as an event that names the attempt."""
        self._journaling[attempt] = self._spawn(self._ask(attempt, body))

    def give_offline(self, attempt: int, service: Service, language: str, person: str | None) -> None:
        """Give a number of this terminal's own, also for a request of this attempt that got no answer."""
        self._giving.add(attempt)
        self._spawn(self._give_offline(attempt, service, language, person))

    def withdraw(self, attempt: int, reason: Literal["left", "no_answer"]) -> None:
        """Nobody waits any more. While the terminal's own number is being kept, the journal hangs: no number is given
        until it writes again, and this one is taken back then."""
        if attempt in self._giving:
            self._given_up.add(attempt)
            log.error("journal_hangs")
            self._emit(events.JournalChanged(writable=False))
            return
        self._spawn(self._withdraw(attempt, reason))

    def slip(self, fact: Slip, outcome: str, noted: Callable[[], object]) -> None:
        """Journal what became of a slip, once for each `outcome`; `noted` is called when it is in the journal."""
        self._spawn(self._slip(fact, outcome, noted))

    async def idle(self) -> None:
        """Return when everything asked for is in the journal."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # --- the exchange's listener ---------------------------------------------------------------

    def answered(self, request_id: str, body: Message) -> None:
        attempt = self._attempts.pop(request_id, None)
        if attempt is None:
            return
        self._journaling.pop(attempt, None)
        match body:
            case IssueAnswer():
                self.last_ticket_at = body.issued_at
                self._changed()
                self._emit(events.NumberGiven(attempt, ticket_of(body)))
            case HelpAnswer():
                self._emit(events.HelpAnswered(attempt, paged=True))
            case Refused():
                self._refused(attempt, body.code, params_of(body), body.retry_after)
            case _:
                self._refused(attempt, "answer_unexpected")

    def verdict(self, answer: HelloAnswer | Refused, took_s: float) -> None:
        verdict = answer.verdict if isinstance(answer, HelloAnswer) else "refused"
        if verdict != "accepted":
            log.error("not_accepted", verdict=verdict, code=answer.code)
        self._emit(events.Verdict("cloned" if answer.code == CLONED else verdict))
        self._spawn(self._hear(answer, took_s))

    def silent(self) -> None:
        self._emit(events.HallSilent())

    def heard(self) -> None:
        self._emit(events.HallHeard())

    def backlog_changed(self) -> None:
        self._changed()

    # --- journaling ----------------------------------------------------------------------------

    async def _ask(self, attempt: int, body: Issue | CheckIn | Help) -> str | None:
        if self._exchange is None:
            return None
        try:
            request_id = await self._exchange.request(body)
        except JournalFault as fault:
            log.error("request_not_journaled", reason=fault.reason)
            full = isinstance(fault, JournalFull)
            self._refused(attempt, "journal_full" if full else "journal_fault")
            if not full:
                self._emit(events.JournalChanged(writable=False))
            return None
        self._attempts[request_id] = attempt
        return request_id

    async def _give_offline(self, attempt: int, service: Service, language: str, person: str | None) -> None:
        try:
            await self._give(attempt, service, language, person)
        finally:
            self._giving.discard(attempt)
            self._given_up.discard(attempt)

    async def _give(self, attempt: int, service: Service, language: str, person: str | None) -> None:
        journaling = self._journaling.get(attempt)
        earlier = await journaling if journaling is not None else None
        if self._exchange is None or self._offline is None or (journaling is not None and earlier is None):
            return
        try:
            given = await self._offline.give(Wanted(service, language, person, earlier))
            if attempt in self._given_up:
                await self._take_back(attempt, given, earlier)
                return
            if isinstance(given, NoNumber) and earlier is not None:
                await self._exchange.withdraw(earlier, "no_answer")
        except JournalFault as fault:
            log.error("offline_number_not_journaled", reason=fault.reason)
            self._refused(attempt, "journal_fault")
            self._emit(events.JournalChanged(writable=False))
            return
        if given is None:
            return  # the hall's answer came first, and is on its way to the journey
        self._journaling.pop(attempt, None)
        if earlier is not None:
            self._attempts.pop(earlier, None)
        if isinstance(given, NoNumber):
            self._emit(events.NumberRefused(attempt, given.code, _params(given)))
            return
        self._exchange.served_offline(earlier)
        self.last_ticket_at = given.issued_at
        self._emit(events.NumberGiven(attempt, given))

    async def _take_back(self, attempt: int, given: Ticket | NoNumber | None, earlier: str | None) -> None:
        """Whatever came of an attempt that its person gave up. Raises `JournalFault`."""
        self._journaling.pop(attempt, None)
        if earlier is not None:
            self._attempts.pop(earlier, None)
        if self._exchange is None:
            return
        if isinstance(given, Ticket):
            self._exchange.served_offline(earlier)
            await self._exchange.take_back(given.ticket)
        elif earlier is not None:
            await self._exchange.withdraw(earlier, "no_answer")

    async def _hear(self, answer: HelloAnswer | Refused, took_s: float) -> None:
        """What the machine may give without the hall follows from each hello."""
        if self._offline is None:
            return
        try:
            if isinstance(answer, HelloAnswer) and answer.verdict == "accepted":
                await self._offline.heard(answer, took_s)
            elif isinstance(answer, HelloAnswer) and answer.verdict == "refused":
                await self._offline.turned_away()
        except JournalFault as fault:
            log.error("offline_numbers_not_kept", reason=fault.reason)
            self._emit(events.JournalChanged(writable=False))

    async def _withdraw(self, attempt: int, reason: Literal["left", "no_answer"]) -> None:
        journaling = self._journaling.pop(attempt, None)
        request_id = await journaling if journaling is not None else None
        if request_id is None or self._exchange is None:
            return
        self._attempts.pop(request_id, None)
        try:
            await self._exchange.withdraw(request_id, reason)
        except JournalFault as fault:
            log.error("withdrawal_not_journaled", reason=fault.reason, request_id=request_id)
            self._emit(events.JournalChanged(writable=False))

    async def _slip(self, fact: Slip, outcome: str, noted: Callable[[], object]) -> None:
        if self._exchange is None:
            return
        try:
            await self._exchange.slip(fact, outcome)
            noted()
        except JournalFault as fault:
            log.error("slip_not_journaled", reason=fault.reason, ticket=fact.ticket)
            self._emit(events.JournalChanged(writable=False))

    def _refused(
        self, attempt: int, code: str, params: tuple[tuple[str, str], ...] = (), retry_after: float | None = None
    ) -> None:
        """An attempt is a number's or a call for help's; each subject knows its own."""
        self._emit(events.NumberRefused(attempt, code, params, retry_after))
        self._emit(events.HelpAnswered(attempt, paged=False))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _params(refused: NoNumber) -> tuple[tuple[str, str], ...]:
    """Parameters for the sentence that a screen makes of it."""
    found = (("opens_at", refused.opens_at.isoformat() if refused.opens_at else ""), ("number", refused.number))
    return tuple((name, value) for name, value in found if value)
