"""The MQTT link: the one file that knows MQTT.

A link connects for ever, subscribes to everything again after each CONNACK and then calls `on_connected`, where its
owner publishes its birth and its retained truth again; the broker is treated as if it had no memory. A PUBACK says
that the broker took a message, never that a reader has it: that is what answers are for.

Decisions against what paho and the broker are known to do:
- each connection has a client object of its own, and nothing is handed to it while it is down: paho keeps such
  messages and would send them at the next CONNACK, behind the back of a journal that repeats them;
- clean start and session expiry 0: broker sessions lose messages silently, so none are used;
- TCP_NODELAY: without it a round trip waits for delayed acknowledgements, 44 to 92 ms instead of 1.
"""

import asyncio
import contextlib
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiomqtt
import structlog
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from wire.backoff import Backoff
from wire.lanes import Lanes
from wire.messages import MAX_BYTES
from wire.port import (
    Incoming,
    Link,
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

__all__ = [
    "Incoming",
    "Link",
    "LinkDown",
    "LinkSettings",
    "MessageTooLarge",
    "MqttLink",
    "OnConnected",
    "OnLost",
    "OnMessage",
    "Outgoing",
    "Receipt",
]

log = structlog.get_logger(__name__)

KEEPALIVE_TIMEOUT = 0x8D
SESSION_TAKEN_OVER = 0x8E
_REFUSED_CONNECT = {0x86: "bad_credentials", 0x87: "not_authorized", 0x88: "server_unavailable", 0x89: "server_busy"}


class MqttLink:
    """A `Link` over TCP. Made, run and used on one asyncio loop.

    `on_message` is awaited in order within a topic. `on_connected(conn_seq)` is awaited after CONNACK and SUBACK;
    retained messages may come before it. `on_lost(reason)` is called for every connection or attempt that ended:
    `unreachable`, `bad_credentials`, `not_authorized`, `server_unavailable`, `server_busy`, `connect_refused`,
    `subscribe_denied`, `birth_failed`, `closed`, `keepalive`, `ack_timeout`, `taken_over`, `cloned`.

    `taken_over`: another connection with this client id pushed this one out. From the third within a minute the word
    is `cloned` (two machines hold one identity), and the link tries only once in about half a minute, until one
    connection lives long enough again.
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
    ) -> None:
        self._settings = settings
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._clock = clock
        self._backoff = Backoff(settings.backoff_first_s, settings.backoff_cap_s, rng or random.Random())  # noqa: S311 - spreads load, guards nothing
        self._lanes = Lanes(on_message, capacity=settings.inbound, width=settings.handlers)
        self._connection: _Connection | None = None
        self._conn_seq = settings.conn_seq
        self._next_seq = settings.conn_seq + 1
        self._counts: Counter[str] = Counter()

    @property
    def connected(self) -> bool:
        """True from CONNACK and SUBACK to the loss."""
        return self._connection is not None

    @property
    def conn_seq(self) -> int:
        """Number of the newest accepted connection. A number is used up by every CONNECT that may have been sent."""
        return self._conn_seq

    @property
    def counts(self) -> Counter[str]:
        """Since the start: connected, published, received, overflow, handler_failed, denied, unheard, lost_<reason>."""
        return self._counts + Counter(overflow=self._lanes.overflow, handler_failed=self._lanes.failures)

    async def run(self) -> None:
        """Connect, and connect again, until cancelled; then publish the will and disconnect in order."""
        try:
            while True:
                began = self._clock()
                reason = self._backoff.classify(await self._one_connection(), self._clock())
                self._counts[f"lost_{reason}"] += 1
                log.warning("link_lost", client=self._settings.client_id, reason=reason, conn_seq=self._conn_seq)
                self._on_lost(reason)
                await asyncio.sleep(self._backoff.pause(reason, lived_s=self._clock() - began))
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
        connection = _Connection(self._settings, will, self._receive)
        try:
            await connection.open()
        except MqttConnectError as error:
            code = error.rc.value if isinstance(error.rc, ReasonCode) else error.rc
            return _REFUSED_CONNECT.get(code or 0, "connect_refused")
        except aiomqtt.MqttError:
            return "unreachable"
        finally:
            if connection.connect_sent:
                self._next_seq = seq + 1
        self._conn_seq = seq
        self._counts["connected"] += 1
        start = asyncio.create_task(self._start(connection, seq))
        end = asyncio.create_task(connection.ended())
        try:
            await asyncio.wait((start, end), return_when=asyncio.FIRST_COMPLETED)
            if not end.done() and (failure := start.result()):
                return failure
            return await end
        except asyncio.CancelledError:
            if will is not None and self._connection is not None:
                with contextlib.suppress(LinkDown, TimeoutError):
                    await asyncio.wait_for(connection.send(will), 1.0)
            raise
        finally:
            self._connection = None
            start.cancel()
            end.cancel()
            await asyncio.gather(start, end, return_exceptions=True)
            await connection.close()

    async def _start(self, connection: "_Connection", seq: int) -> str | None:
        """Subscribe and announce; returns a reason to end this connection, or None."""
        try:
            refused = await connection.subscribe_all(self._settings.subscriptions)
        except aiomqtt.MqttError:
            return "closed"
        if refused:
            log.error("subscribe_denied", client=self._settings.client_id, topics=refused)
            return "subscribe_denied"
        self._connection = connection
        log.info("link_up", client=self._settings.client_id, conn_seq=seq)
        try:
            await self._on_connected(seq)
        except LinkDown:
            return "closed"
        except Exception as error:  # noqa: BLE001 - a side without its birth on the wire must try again
            log.error("birth_failed", client=self._settings.client_id, error=type(error).__name__, at=where(error))
            return "birth_failed"
        return None

    def _receive(self, incoming: Incoming) -> None:
        self._counts["received"] += 1
        self._lanes.put(incoming)


class _Connection(aiomqtt.Client):
    """One connection, never used again after it ended.

    Overrides three callbacks of aiomqtt 2.5, which drops the reason codes of PUBACK and makes a task for each
    received message; a test holds each against the real broker.
    """

    def __init__(self, settings: LinkSettings, will: Outgoing | None, receive: Callable[[Incoming], None]) -> None:
        no_session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        no_session.SessionExpiryInterval = 0
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            identifier=settings.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            properties=no_session,
            keepalive=settings.keepalive,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            max_inflight_messages=0,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
            tls_context=settings.tls,
            timeout=settings.ack_timeout_s,
        )
        self.connect_sent = False
        self._abandoned = False
        self._receive = receive
        self._window = asyncio.Semaphore(settings.inflight)
        self._acks: dict[int, asyncio.Future[int]] = {}
        self._end: str | None = None

    async def open(self) -> None:
        """Connect; raises `MqttError`. When cancelled, a connection that is still being made is closed."""
        try:
            await self.__aenter__()
        except BaseException:
            self._abandoned = True
            if self.connect_sent:
                self._loop.call_soon(self._client.disconnect)
            raise

    def _client_connect(self) -> None:
        # runs in an executor thread, which cannot be cancelled
        super()._client_connect()
        self.connect_sent = True
        if self._abandoned:
            self._loop.call_soon_threadsafe(self._client.disconnect)

    async def close(self) -> None:
        """Disconnect if still connected; everybody who waits for a PUBACK gets `LinkDown`."""
        with contextlib.suppress(aiomqtt.MqttError):
            await self.__aexit__(None, None, None)
        if self._client.socket() is not None:
            self._client.disconnect()
        self._end = self._end or "closed"
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(LinkDown())
        self._acks.clear()

    async def ended(self) -> str:
        """Wait for the end; why it came."""
        await asyncio.wait((self._disconnected,))
        self._disconnected.exception()
        return self._end or "closed"

    async def subscribe_all(self, topics: tuple[str, ...]) -> list[str]:
        """Subscribe with one packet; the topics that the broker refused."""
        if not topics:
            return []
        granted = await self.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
        codes = [code.value if isinstance(code, ReasonCode) else code for code in granted]
        return [topic for topic, code in zip(topics, codes, strict=True) if code >= 0x80]

    async def send(self, message: Outgoing) -> Receipt:
        """Publish; the place in the window is held until the PUBACK, even if the caller gives up."""
        await self._window.acquire()
        if self._end or self._disconnected.done():
            self._window.release()
            raise LinkDown
        info = self._client.publish(
            message.topic, message.payload, qos=1, retain=message.retain, properties=_properties(message)
        )
        if info.rc:
            self._window.release()
            raise LinkDown
        ack: asyncio.Future[int] = self._loop.create_future()
        ack.add_done_callback(self._release)
        self._acks[info.mid] = ack
        try:
            async with asyncio.timeout(self.timeout):
                return Receipt(await asyncio.shield(ack))
        except TimeoutError:
            self._end = "ack_timeout"
            self._client.disconnect()
            raise LinkDown from None

    def _release(self, ack: asyncio.Future[int]) -> None:
        self._window.release()
        if not ack.cancelled():
            ack.exception()

    def _on_publish(
        self, _client: PahoClient, _userdata: Any, mid: int, reason_code: ReasonCode, _properties: Properties
    ) -> None:
        ack = self._acks.pop(mid, None)
        if ack is not None and not ack.done():
            ack.set_result(reason_code.value)

    def _on_message(self, _client: PahoClient, _userdata: Any, message: MQTTMessage) -> None:
        correlation: bytes | None = getattr(message.properties, "CorrelationData", None)
        self._receive(Incoming(message.topic, bytes(message.payload), bool(message.retain), correlation))

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        words = {SESSION_TAKEN_OVER: "taken_over", KEEPALIVE_TIMEOUT: "keepalive"}
        self._end = self._end or words.get(reason_code.value, "closed")
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


def _properties(message: Outgoing) -> Properties | None:
    if message.expiry_s is None and message.correlation is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    if message.correlation is not None:
        properties.CorrelationData = message.correlation
    return properties
