"""The life of a link, whatever carries it: connect for ever, subscribe again, announce again, hand over in order."""

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from wire.backoff import Backoff
from wire.codec import MAX_BYTES
from wire.lanes import Lanes
from wire.port import (
    Incoming,
    LinkDown,
    LinkSettings,
    MessageTooLarge,
    OnConnected,
    OnLost,
    OnMessage,
    Outgoing,
    Receipt,
)
from wire.where import where

log = structlog.get_logger(__name__)

FAREWELL_S = 1.0
"""Longest wait for the PUBACK of the last word before a link ends in order."""


class ConnectFailed(Exception):
    """An attempt that did not become a connection; `reason` is a word of `ConnectingLink`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Connection(Protocol):
    """One connection, never used again after its end."""

    connect_sent: bool
    """True once a CONNECT with its will may have reached the broker."""

    async def open(self) -> None:
        """Connect. Raises `ConnectFailed`."""
        ...

    async def subscribe_all(self, topics: tuple[str, ...]) -> list[str]:
        """Subscribe; the topics that were refused. Raises `LinkDown`."""
        ...

    async def send(self, message: Outgoing) -> Receipt:
        """Publish and wait for the PUBACK. Raises `LinkDown`."""
        ...

    async def ended(self) -> str:
        """Wait for the end; the word that says why it came."""
        ...

    async def close(self) -> None:
        """Disconnect if still connected; everybody who waits in `send` gets `LinkDown`."""
        ...


class ConnectingLink(ABC):
    """A `Link` over connections that a subclass makes. Made, run and used on one asyncio loop.

    `on_message` is awaited in order within a topic. `on_connected(conn_seq)` is awaited after CONNACK and SUBACK;
    retained messages may come before it. `on_lost(reason)` is called for every connection or attempt that ended:
    `unreachable`, `bad_credentials`, `not_authorized`, `server_unavailable`, `server_busy`, `connect_refused`,
    `subscribe_denied`, `birth_failed`, `closed`, `keepalive`, `ack_timeout`, `broker_stopped`, `expelled` (by the
    administrator), `protocol`, `taken_over`, `cloned`.

    `cloned` means that another machine very likely holds the same identity (see `Backoff.ended`). The link then
    tries only about twice a minute, so that it comes back by itself when the copy is taken away.
    """

    def __init__(
        self,
        settings: LinkSettings,
        on_message: OnMessage,
        on_connected: OnConnected,
        on_lost: OnLost,
        *,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(settings.backoff_first_s, settings.backoff_cap_s, rng or random.Random())  # noqa: S311 - spreads load, guards nothing
        self._lanes = Lanes(on_message, capacity=settings.inbound, width=settings.handlers)
        self._connection: Connection | None = None
        self._conn_seq = settings.conn_seq
        self._next_seq = settings.conn_seq + 1
        self._counts: Counter[str] = Counter()

    @abstractmethod
    def _new_connection(self, will: Outgoing | None) -> Connection:
        """A connection that is not open yet."""

    @property
    def connected(self) -> bool:
        """True from the SUBACK to the loss."""
        return self._connection is not None

    @property
    def conn_seq(self) -> int:
        """Number of the newest accepted connection. Every CONNECT that may have been sent uses up a number."""
        return self._conn_seq

    @property
    def counts(self) -> Counter[str]:
        """Since the start: connected, published, received, overflow, handler_failed, denied, unheard, lost_<reason>."""
        return self._counts + Counter(overflow=self._lanes.overflow, handler_failed=self._lanes.failures)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled; then publish the will and disconnect in order."""
        try:
            while True:
                self._accepted_at: float | None = None
                reason = await self._one_connection()
                now = self._clock()
                lived_s = 0.0 if self._accepted_at is None else now - self._accepted_at
                reason = self._backoff.ended(reason, now=now, lived_s=lived_s)
                self._counts[f"lost_{reason}"] += 1
                log.warning("link_lost", client=self._settings.client_id, reason=reason, conn_seq=self._conn_seq)
                self._on_lost(reason)
                await self._sleep(self._backoff.pause())
        finally:
            await self._lanes.close()

    async def publish(self, message: Outgoing) -> Receipt:
        """Publish and wait for the PUBACK; waits while the in-flight window is full.

        Raises `LinkDown` at once when there is no connection, or when it is lost before the PUBACK; nothing is kept
        for later. Raises `MessageTooLarge`.
        """
        if len(message.payload) > MAX_BYTES:
            raise MessageTooLarge(f"{len(message.payload)} bytes on {message.topic}")
        if self._connection is None:
            raise LinkDown
        receipt = await self._connection.send(message)
        self._counts["published"] += 1
        if receipt.denied:
            self._counts["denied"] += 1
            log.error("publish_denied", topic=message.topic, client=self._settings.client_id)
        elif receipt.unheard:
            self._counts["unheard"] += 1
        return receipt

    async def _one_connection(self) -> str:
        """One connection from CONNECT to its end; returns why it ended."""
        seq = self._next_seq
        will = self._settings.will(seq) if self._settings.will else None
        connection = self._new_connection(will)
        try:
            await connection.open()
        except ConnectFailed as failure:
            return failure.reason
        finally:
            if connection.connect_sent:
                self._next_seq = seq + 1
        self._conn_seq = seq
        self._accepted_at = self._clock()
        self._counts["connected"] += 1
        start = asyncio.create_task(self._start(connection, seq))
        end = asyncio.create_task(connection.ended())
        try:
            await asyncio.wait((start, end), return_when=asyncio.FIRST_COMPLETED)
            if not end.done() and (failed := start.result()):
                return failed
            return await end
        except asyncio.CancelledError:
            await self._say_farewell(connection, will)
            raise
        finally:
            self._connection = None
            start.cancel()
            end.cancel()
            await asyncio.gather(start, end, return_exceptions=True)
            await connection.close()

    async def _start(self, connection: Connection, seq: int) -> str | None:
        """Subscribe and announce; returns a reason to end this connection, or None."""
        try:
            refused = await connection.subscribe_all(self._settings.subscriptions)
            if refused:
                log.error("subscribe_denied", client=self._settings.client_id, topics=refused)
                return "subscribe_denied"
            self._connection = connection
            log.info("link_up", client=self._settings.client_id, conn_seq=seq)
            await self._on_connected(seq)
        except LinkDown:
            return "closed"
        except Exception as error:  # noqa: BLE001 - a side without its birth on the wire must try again
            log.error("birth_failed", client=self._settings.client_id, error=type(error).__name__, at=where(error))
            return "birth_failed"
        return None

    async def _say_farewell(self, connection: Connection, will: Outgoing | None) -> None:
        """An orderly disconnect suppresses the will, so it is published first."""
        if will is not None and self._connection is not None:
            with contextlib.suppress(LinkDown, TimeoutError):
                await asyncio.wait_for(connection.send(will), FAREWELL_S)

    def _receive(self, incoming: Incoming) -> None:
        self._counts["received"] += 1
        self._lanes.put(incoming)
