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
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from wire.connecting import ConnectFailed, ConnectingLink, Connection
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

T = TypeVar("T")

# reason codes of MQTT 5, section 2.4
_CONNECT_REFUSED = {0x86: "bad_credentials", 0x87: "not_authorized", 0x88: "server_unavailable", 0x89: "server_busy"}
_DISCONNECTED = {
    0x81: "protocol",
    0x82: "protocol",
    0x8B: "broker_stopped",
    0x8D: "keepalive",
    0x8E: "taken_over",
    0x93: "protocol",
    0x95: "protocol",
    0x98: "expelled",
}


class MqttLink(ConnectingLink):
    """A `Link` over MQTT 5 and TCP."""

    def _new_connection(self, will: Outgoing | None) -> Connection:
        return _MqttConnection(self._settings, will, self._receive)


class _MqttConnection(aiomqtt.Client):
    """One connection, never used again after it ended.

    Overrides three callbacks of aiomqtt 2.5, which drops the reason codes of PUBACK and makes a task for each
    received message, and its waiting: before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together
    with what was waited for, and the link would never end. A test holds each against the real broker.
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
        """Connect. When cancelled, a connection that is still being made is closed as soon as it stands."""
        try:
            await self.__aenter__()
        except MqttConnectError as error:
            code = error.rc.value if isinstance(error.rc, ReasonCode) else error.rc
            raise ConnectFailed(_CONNECT_REFUSED.get(code or 0, "connect_refused")) from None
        except aiomqtt.MqttError:
            raise ConnectFailed("unreachable") from None
        except asyncio.CancelledError:
            self._abandoned = True
            raise
        finally:
            if self.connect_sent and not self.is_open:
                self._loop.call_soon(self._client.disconnect)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - aiomqtt's signature
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("no answer in time") from None

    def _client_connect(self) -> None:
        # runs in an executor thread, which cannot be cancelled
        super()._client_connect()
        self.connect_sent = True
        if self._abandoned:
            self._loop.call_soon_threadsafe(self._client.disconnect)

    @property
    def is_open(self) -> bool:
        """True once the broker accepted; also after the end."""
        return self._connected.done() and not self._connected.cancelled() and self._connected.exception() is None

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
        try:
            granted = await self.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
        except aiomqtt.MqttError:
            raise LinkDown from None
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
        self._end = self._end or _DISCONNECTED.get(reason_code.value, "closed")
        if self._connected.cancelled():
            return
        if not self._connected.done():
            # aiomqtt would wait out its time for a CONNACK that cannot come
            self._connected.set_exception(aiomqtt.MqttError("closed before CONNACK"))
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
