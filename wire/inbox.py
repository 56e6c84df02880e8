"""The guard at the door: every incoming message is checked against the contract before a program sees it.

What is wrong is dropped and counted by its reason; a request or fact whose envelope could be read is answered with a
refusal too, so that its sender need not wait for a deadline. Logs name topic and reason, never the content.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from wire.codec import Malformed, decode
from wire.contract import CHANNELS
from wire.messages import BODIES, REQUEST_ID, Envelope, Message
from wire.port import Incoming
from wire.topics import Family, Topic, parse

log = structlog.get_logger(__name__)

ASKING: frozenset[Family] = frozenset({"request", "journal"})
LOGGED_EACH = 32
"""So many of one reason are logged one by one; then only each doubling, so that a flood does not fill the disk."""
_REQUEST_ID = re.compile(REQUEST_ID)


class Received(NamedTuple):
    """A message that keeps the contract."""

    topic: Topic
    envelope: Envelope
    body: Message
    retained: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request or fact that cannot be used, with the `code` of the refusal to answer it with."""

    topic: Topic
    message_id: str
    code: str


OnReceived = Callable[[Received], Awaitable[None]]
OnRejected = Callable[[Rejected], Awaitable[None]]
OnDropped = Callable[[Topic | None, str], None]


class Inbox:
    """An `on_message` for a link. `families` are those it subscribed to; `device` and `halls`, where given, its own.

    `on_dropped` is told of every bad message with its reason: for alerts about a device that sends many.

    Reasons that are counted: those of `Malformed`; `bad_topic` (not of the tree), `unexpected_topic` (a family that
    was not asked for, or another's ids), `retained_command` (an old command that a broker kept), `cleared` (an empty
    retained message: the truth on this topic was deleted), `unknown_kind`, `wrong_kind` (not allowed on this topic),
    `bad_request_id`, `bad_correlation` (correlation data names another request).
    """

    def __init__(
        self,
        families: Collection[Family],
        on_received: OnReceived,
        on_rejected: OnRejected | None = None,
        *,
        device: str | None = None,
        halls: Collection[str] | None = None,
        on_dropped: OnDropped | None = None,
    ) -> None:
        self._families = frozenset(families)
        self._on_received = on_received
        self._on_rejected = on_rejected
        self._on_dropped = on_dropped
        self._device = device
        self._halls = None if halls is None else frozenset(halls)
        self.counts: Counter[str] = Counter()
        """Accepted and dropped messages since the start: `accepted`, and each reason."""

    async def __call__(self, incoming: Incoming) -> None:
        topic = parse(incoming.topic)
        if topic is None:
            return self._drop("bad_topic", None)
        if unwelcome := self._unwelcome(topic, incoming):
            return self._drop(unwelcome, topic)
        try:
            envelope, body = decode(incoming.payload)
        except Malformed as malformed:
            return await self._reject(malformed.reason, topic, malformed.envelope)
        reason = _fault(topic, envelope, incoming.correlation)
        if reason is not None or body is None:
            return await self._reject(reason or "unknown_kind", topic, envelope)
        self.counts["accepted"] += 1
        return await self._on_received(Received(topic, envelope, body, incoming.retained))

    def _unwelcome(self, topic: Topic, incoming: Incoming) -> str | None:
        """Why a message is dropped before its payload is looked at; None if it is not."""
        halls = self._halls
        foreign_device = self._device is not None and topic.device not in (None, self._device)
        foreign_hall = halls is not None and topic.hall is not None and topic.hall not in halls
        if topic.family not in self._families or foreign_device or foreign_hall:
            return "unexpected_topic"
        retained = CHANNELS[topic.family].retained
        if incoming.retained and not retained:
            return "retained_command"
        return "cleared" if retained and not incoming.payload else None

    async def _reject(self, reason: str, topic: Topic, envelope: Envelope | None) -> None:
        self._drop(reason, topic)
        if self._on_rejected is not None and envelope is not None and topic.family in ASKING:
            await self._on_rejected(Rejected(topic, envelope.id, reason))

    def _drop(self, reason: str, topic: Topic | None) -> None:
        self.counts[reason] += 1
        if self._on_dropped is not None and reason != "cleared":
            self._on_dropped(topic, reason)
        family, device = (None, None) if topic is None else (topic.family, topic.device)
        count = self.counts[reason]
        if reason != "cleared" and (count <= LOGGED_EACH or count & (count - 1) == 0):
            log.warning("message_dropped", reason=reason, family=family, device=device, count=count)


def _fault(topic: Topic, envelope: Envelope, correlation: bytes | None) -> str | None:
    """Why a readable envelope may not come on this topic; None if it may."""
    if envelope.kind not in BODIES:
        return "unknown_kind"
    if envelope.kind not in CHANNELS[topic.family].kinds:
        return "wrong_kind"
    if topic.family in ASKING and not _REQUEST_ID.fullmatch(envelope.id):
        return "bad_request_id"
    if correlation is not None and correlation != envelope.id.encode():
        return "bad_correlation"
    return None
