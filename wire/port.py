"""What programs know of the wire: a link, what goes in and out of it, and how it is set up."""

import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

NO_MATCHING_SUBSCRIBERS = 0x10
NOT_AUTHORIZED = 0x87


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came: `retained` is true for what the broker had stored before the subscription was made."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None = None


class LinkDown(Exception):
    """There is no connection, or it was lost before the PUBACK: whether the broker took the message is not known."""


class MessageTooLarge(ValueError):
    """A payload above `MAX_BYTES`, which every reader would refuse; a fault of the program that made it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish with QoS 1. `expiry_s`: whole seconds after which the broker drops it undelivered."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the broker said in its PUBACK (MQTT 5 reason code). Advisory: success does not mean that anybody acts."""

    reason: int = 0

    @property
    def denied(self) -> bool:
        """The access list forbids this topic; the message was not delivered."""
        return self.reason == NOT_AUTHORIZED

    @property
    def unheard(self) -> bool:
        """Nobody subscribes to this topic now: for a request, no queue server listens."""
        return self.reason == NO_MATCHING_SUBSCRIBERS


@dataclass(frozen=True)
class LinkSettings:
    """How a program connects. Times are in seconds."""

    host: str
    port: int
    client_id: str
    username: str
    password: str = field(repr=False)
    keepalive: int = 20
    inflight: int = 20
    """Messages published and not yet acknowledged; not above the broker's `max_inflight_messages`."""
    will: Callable[[int], Outgoing] | None = None
    """Makes the will for a connection number; it is published too when the link ends in order."""
    subscriptions: tuple[str, ...] = ()
    conn_seq: int = 0
    """Number of the connection before the first one of this link."""
    inbound: int = 2000
    """Messages that may wait for their handler; more are dropped and counted."""
    handlers: int = 64
    """Topics that are handled side by side."""
    ack_timeout_s: float = 10.0
    backoff_first_s: float = 0.5
    backoff_cap_s: float = 30.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)


OnMessage = Callable[[Incoming], Awaitable[None]]
OnConnected = Callable[[int], Awaitable[None]]
OnLost = Callable[[str], None]


class Link(Protocol):
    """What programs know of the wire; `MqttLink` and the in-memory twin have the same behaviour and tests."""

    @property
    def connected(self) -> bool: ...

    @property
    def conn_seq(self) -> int: ...

    @property
    def counts(self) -> Counter[str]: ...

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        ...

    async def publish(self, message: Outgoing) -> Receipt:
        """Publish and wait for the PUBACK. Raises `LinkDown`, `MessageTooLarge`."""
        ...
