"""The exchange with the hall: journaled bytes out, again and again, until the application's answer has come.

A PUBACK says only that the broker took a message, so nothing ends with it. Each lane sends one entry at a time; the
same bytes are repeated with growing pauses, and at once when a connection is made or a server comes back. Until the
hall has accepted this terminal's hello, nothing else is sent. Answers are matched by request id, not by epoch: a server
answers only what it has committed, and a repeated request may get an answer that an earlier leader stored.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol

import structlog

from kiosk.asking import Asking, Times
from kiosk.journal import Entry, Journal, Lane
from wire import topics
from wire.codec import encode
from wire.link import Link, Outgoing
from wire.messages import (
    CheckIn,
    Hello,
    HelloAnswer,
    Help,
    Issue,
    IssueAnswer,
    Message,
    OfflineUse,
    Refused,
    Slip,
    Withdraw,
    kind_of,
)

NOT_ACCEPTED = frozenset({"device_pending", "device_refused", "device_elsewhere", "cloned_device"})
"""Refusals at the hall's gate: it no longer accepts this terminal, whatever it said to the last hello."""

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Who hears what becomes of requests; called on the loop, after the journal has it."""

    def answered(self, request_id: str, body: Message) -> None: ...

    def verdict(self, answer: HelloAnswer | Refused, took_s: float) -> None: ...

    def silent(self) -> None: ...

    def heard(self) -> None: ...

    def backlog_changed(self) -> None: ...


class Exchange:
    """The two lanes and the hello of one terminal. `clock` gives UTC; `offline_use` what the machine holds."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        listener: Listener,
        *,
        hall: str,
        device: str,
        instance: str,
        versions: dict[str, str],
        clock: Callable[[], datetime],
        offline_use: Callable[[], OfflineUse | None] = lambda: None,
        rng: random.Random | None = None,
        times: Times | None = None,
    ) -> None:
        self._offline_use = offline_use
        self._journal = journal
        self._listener = listener
        self._hall, self._device, self._instance = hall, device, instance
        self._versions = versions
        self._clock = clock
        self._times = times or Times()
        rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self.asking = Asking(link, self._times, rng, self._fell_silent, listener.heard)
        self._gate = asyncio.Event()
        self._more: dict[Lane, asyncio.Event] = {"live": asyncio.Event(), "facts": asyncio.Event()}
        self._withdrawn: set[str] = set()
        self._conn_seq: int | None = None
        self._turn = asyncio.Event()
        self._in_doubt = asyncio.Event()
        """Whether we are (still) accepted, or heard at all, has to be asked."""
        self._wanted_again = False
        """It is to be asked at once: nothing is wrong."""
        self.counts: Counter[str] = Counter()

    # --- what the program asks for -------------------------------------------------------------

    async def request(self, body: Issue | CheckIn | Help) -> str:
        """Journal a live request; its id. The answer comes to the listener. Raises `JournalFault`."""
        entry = await self._journal.append("live", kind_of(body), lambda key: self._encode(body, key))
        self._announce("live")
        return entry.request_id

    async def withdraw(self, request_id: str, reason: Literal["left", "served_offline", "no_answer"]) -> None:
        """Nobody waits for this answer: stop asking, and tell the hall to undo what it may have done."""
        fact = Withdraw(request_id=request_id, reason=reason)
        self._withdrawn.add(request_id)
        await self._journal.withdraw(request_id, lambda key: self._encode(fact, key))
        self.asking.drop(request_id)
        self._announce("facts")

    async def slip(self, fact: Slip, outcome: str) -> None:
        """Journal what became of a slip, once for each `outcome` (print job and state)."""
        if await self._journal.note_slip(fact.ticket, outcome, lambda key: self._encode(fact, key)) is not None:
            self._announce("facts")

    async def settle_earlier_boot(self) -> None:
        """Before the first connection: whoever waited before this start is gone."""
        for entry in await self._journal.pending("live"):
            await self.withdraw(entry.request_id, "left")

    async def take_back_unseen(self) -> None:
        """Before the first connection, when the slips of earlier starts are told of: a number that reached this machine
        and then nobody, because it died in between, is given back."""
        for request_id in await self._journal.owing():
            await self.withdraw(request_id, "left")

    async def take_back(self, ticket: str) -> None:
        """A number that is owed came too late for its person: it is given back."""
        request_id = await self._journal.owes(ticket)
        if request_id is not None:
            await self.withdraw(request_id, "no_answer")

    def served_offline(self, request_id: str | None) -> None:
        """A number given offline is in the journal, and the withdrawal of the request for which it stands."""
        if request_id is not None:
            self._withdrawn.add(request_id)
            self.asking.drop(request_id)
        self._announce("facts")

    def greet_again(self) -> None:
        """Say hello once more on this connection, to hear what the hall grants now."""
        self._wanted_again = True
        self._in_doubt.set()

    # --- what the link says --------------------------------------------------------------------

    def connected(self, conn_seq: int) -> None:
        """A connection is there: say hello, then send what waits."""
        self._gate.clear()
        self._conn_seq = conn_seq
        self._turn.set()

    def lost(self) -> None:
        """The connection is gone: nothing is sent until the next hello was accepted."""
        self._gate.clear()
        self._conn_seq = None
        self._turn.set()

    def hall_back(self) -> None:
        """A server came online: everything that waits for an answer is sent again at once."""
        self.asking.ask_again()

    def receive(self, message_id: str, body: Message) -> None:
        """A message on the answer topic."""
        self.asking.receive(message_id, body)

    # --- sending -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hello and both lanes, until cancelled. Raises `JournalFault` in a group."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._greetings(), name="hello")
            group.create_task(self._lane("live"), name="lane-live")
            group.create_task(self._lane("facts"), name="lane-facts")

    async def _greetings(self) -> None:
        """One conversation for each connection, ended by its loss."""
        while True:
            self._turn.clear()
            if self._conn_seq is None:
                await self._turn.wait()
                continue
            greeting = asyncio.create_task(self._greet(self._conn_seq))
            turn = asyncio.create_task(self._turn.wait())
            try:
                await asyncio.wait((greeting, turn), return_when=asyncio.FIRST_COMPLETED)
                if greeting.done():
                    greeting.result()
            finally:
                greeting.cancel()
                turn.cancel()
                self._gate.clear()

    async def _lane(self, lane: Lane) -> None:
        while True:
            self._more[lane].clear()
            if lane == "live":
                self._withdrawn.clear()  # the journal's thread is a queue: what follows no longer holds them
            entries = await self._journal.pending(lane, 1)
            if not entries:
                await self._more[lane].wait()
                continue
            await self._gate.wait()
            await self._deliver(entries[0])
            self._listener.backlog_changed()

    async def _deliver(self, entry: Entry) -> None:
        """Send one entry until it is answered, withdrawn or given up."""
        if entry.request_id in self._withdrawn:
            return
        topic = topics.request if entry.lane == "live" else topics.journal
        outgoing = Outgoing(topic(self._hall, self._device), entry.payload, correlation=entry.request_id.encode())
        refusals = 0
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            answer = await self.asking.ask(entry.request_id, outgoing, gate=self._gate, urgent=entry.lane == "live")
            if answer is None:
                return
            took_ms = round((now() - began) * 1000, 1)
            log.info("answered", kind=entry.kind, request_id=entry.request_id, took_ms=took_ms)
            if not isinstance(answer, Refused):
                await self._answered(entry, answer)
                return
            log.warning("request_refused", kind=entry.kind, code=answer.code, request_id=entry.request_id)
            refusals += 1
            if not self._worth_another(entry, answer, refusals):
                break
            await asyncio.sleep(max(answer.retry_after or 0.0, self.asking.pause(refusals)))
        if entry.lane == "live":
            await self._answered(entry, answer)
            return
        self.counts["quarantined"] += 1
        log.error("fact_quarantined", kind=entry.kind, code=answer.code, request_id=entry.request_id)
        await self._journal.quarantine(entry.request_id, answer.code)

    def _worth_another(self, entry: Entry, refused: Refused, refusals: int) -> bool:
        """A fact waits as long as the hall does not refuse it for good; a person is told soon."""
        if refused.code in NOT_ACCEPTED:
            self._gate.clear()
            self._in_doubt.set()
            return entry.lane == "facts"
        if refused.retry_after is None:
            return False
        soon = refused.retry_after <= self._times.patient_retry_s and refusals < self._times.tries
        return entry.lane == "facts" or soon

    async def _answered(self, entry: Entry, answer: Message) -> None:
        """The journal first: an answer that is shown and not kept would be withdrawn by the next start."""
        ticket = answer.ticket if isinstance(answer, IssueAnswer) else None
        if await self._journal.answered(entry.request_id, ticket) and entry.lane == "live":
            self._listener.answered(entry.request_id, answer)

    async def _greet(self, conn_seq: int) -> None:
        """Hello until accepted, now and then again where it was not, and as a question while the hall is silent."""
        while True:
            hello = Hello(
                boot_id=self._journal.boot_id,
                conn_seq=conn_seq,
                instance=self._instance,
                versions=self._versions,
                offline=self._offline_use(),
            )
            began = asyncio.get_running_loop().time()
            key = self._journal.next_id()
            topic = topics.request(self._hall, self._device)
            outgoing = Outgoing(topic, self._encode(hello, key), correlation=key.encode())
            answer = await self.asking.ask(key, outgoing, urgent=True)
            if not isinstance(answer, HelloAnswer | Refused):
                answer = Refused(code="answer_unexpected")
            accepted = isinstance(answer, HelloAnswer) and answer.verdict == "accepted"
            if accepted:
                self._gate.set()
                self.asking.ask_again()
            else:
                self._gate.clear()
            self._listener.verdict(answer, asyncio.get_running_loop().time() - began)
            if accepted:
                self._in_doubt.clear()
                await self._in_doubt.wait()
            if not (accepted and self._wanted_again):
                await asyncio.sleep(self.asking.jittered(self._times.ask_again_s))
            self._wanted_again = False

    def _fell_silent(self) -> None:
        self._in_doubt.set()
        self._listener.silent()

    def _announce(self, lane: Lane) -> None:
        self._more[lane].set()
        self._listener.backlog_changed()

    def _encode(self, body: Message, key: str) -> bytes:
        return encode(body, message_id=key, at=self._clock())
