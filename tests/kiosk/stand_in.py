"""A stand-in for the queue server at an in-memory broker: one answer for each request id, and faults on order."""

import asyncio
import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from wire import topics
from wire.codec import encode
from wire.inbox import Inbox, Received
from wire.link import Link, LinkSettings, Outgoing
from wire.memory import MemoryBroker
from wire.messages import (
    Desired,
    FactAnswer,
    Hello,
    HelloAnswer,
    Help,
    HelpAnswer,
    Issue,
    IssueAnswer,
    Message,
    OfflineGrant,
    Order,
    Refused,
    ServerPresence,
    Services,
    Wait,
    Withdraw,
)

HALL, DEVICE = "sample", "t1"


async def until(condition: Callable[[], object], *, patience_s: float = 20.0) -> None:
    """Wait for a condition; the patience is only there to end a failing test."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - conditions are of many kinds
            await asyncio.sleep(0.002)


class StandIn:
    """Keeps what it was asked, and each answer under its request id as a ledger would."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.hellos: list[Hello] = []
        self.asked: list[tuple[str, Message]] = []
        """Each first asking of an id, in order."""
        self.bodies: dict[str, set[str]] = {}
        """Hashes of the payloads seen for an id."""
        self.seen: Counter[str] = Counter()
        self.withdrawn: set[str] = set()
        self.verdict = "accepted"
        self.grant: OfflineGrant | None = None
        """What an accepted hello is given for bad times."""
        self.mute = False
        """Answers hellos only."""
        self.dead = False
        """Answers nothing."""
        self.lose_answers = 0
        self.repeat_answers = 1
        self.refuse: Callable[[Message], Refused | None] = lambda _: None
        self._answers: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._rev = itertools.count(1)
        self._inbox = Inbox(("request", "journal"), self._received)
        settings = LinkSettings(
            "memory",
            0,
            "server-s1",
            "server-s1",
            "",
            subscriptions=(topics.request(HALL, "+"), topics.journal(HALL, "+")),
            backoff_first_s=0.01,
            backoff_cap_s=0.05,
        )
        self.link: Link = broker.link(settings, self._inbox, self._connected, lambda _: None)

    async def online(self, state: str = "online") -> None:
        leads = {HALL: 1} if state == "online" else {}
        body = ServerPresence(state=state, since=datetime.now(UTC), leads=leads)
        await self._publish(topics.server_presence("s1"), body, retain=True)

    async def desire(self, desired: Desired) -> None:
        await self._publish(topics.desired(DEVICE), desired, retain=True)

    async def say_services(self, services: Services, *, epoch: int = 1, rev: int | None = None) -> None:
        payload = encode(
            services,
            message_id="services",
            at=datetime.now(UTC),
            epoch=epoch,
            rev=next(self._rev) if rev is None else rev,
        )
        await self.link.publish(Outgoing(topics.services(HALL), payload, retain=True))

    async def order(self, action: str) -> None:
        await self._publish(topics.order(DEVICE), Order(action=action))

    async def _publish(self, topic: str, body: Message, *, retain: bool = False) -> None:
        payload = encode(body, message_id="server", at=datetime.now(UTC), epoch=1, rev=next(self._rev))
        await self.link.publish(Outgoing(topic, payload, retain=retain))

    async def _connected(self, _conn_seq: int) -> None:
        await self.online()

    async def _received(self, received: Received) -> None:
        key, body = received.envelope.id, received.body
        self.seen[key] += 1
        digest = hashlib.sha256(received.envelope.model_dump_json().encode()).hexdigest()
        self.bodies.setdefault(key, set()).add(digest)
        if self.seen[key] == 1:
            self.asked.append((key, body))
        if isinstance(body, Hello):
            self.hellos.append(body)
        if self.dead or (self.mute and not isinstance(body, Hello)):
            return
        answer = self._answers.get(key)
        if answer is None:
            made = self._decide(body)
            answer = encode(made, message_id=key, at=datetime.now(UTC), epoch=1, rev=next(self._rev))
            if not isinstance(made, Refused | HelloAnswer):
                self._answers[key] = answer
        if self.lose_answers > 0 and not isinstance(body, Hello):
            self.lose_answers -= 1
            return
        for _ in range(self.repeat_answers):
            await self.link.publish(Outgoing(topics.answer(DEVICE), answer, correlation=key.encode()))

    def _decide(self, body: Message) -> Message:
        now = datetime.now(UTC)
        if refused := self.refuse(body):
            return refused
        match body:
            case Hello():
                return HelloAnswer(verdict=self.verdict, server_time=now, configuration_revision=1, offline=self.grant)
            case Issue():
                number = next(self._numbers)
                return IssueAnswer(
                    ticket=f"ticket-{number}",
                    number=f"A{number:03d}",
                    service=body.service,
                    queue="a",
                    business_date="2026-03-02",
                    issued_at=now,
                    people_ahead=number - 1,
                    wait=Wait(low=3, high=8, made_at=now),
                    counters=("1",),
                    follow_url=f"http://127.0.0.1:8080/t/token{number}",
                )
            case Help():
                return HelpAnswer(help="help-1")
            case Withdraw():
                self.withdrawn.add(body.request_id)
        return FactAnswer()

    def asked_for(self, kind: type[Message]) -> list[Message]:
        """Bodies of a kind, each asked-for id once."""
        return [body for _key, body in self.asked if isinstance(body, kind)]


@contextlib.asynccontextmanager
async def running(link: Link):
    """The link connected; ended in order at the end."""
    task = asyncio.create_task(link.run())
    try:
        await until(lambda: link.connected)
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
