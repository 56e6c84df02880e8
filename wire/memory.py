"""The in-memory twin of broker and link, for simulations: same life, same rules, and weather that can be ordered.

Retained messages, wills, wildcards, expiry, accounts with pinned client ids, take-overs and half-open connections
behave as measured on Mosquitto 2.0. No real time and no randomness of its own: `now`, `sleep` and the links' `rng`
are given, and whatever goes wrong is decided by the `Weather`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wire import topics
from wire.access import Account, Rule, may_receive, may_send, may_subscribe
from wire.connecting import ConnectFailed, ConnectingLink, Connection
from wire.port import (
    NO_MATCHING_SUBSCRIBERS,
    NOT_AUTHORIZED,
    Incoming,
    LinkDown,
    LinkSettings,
    OnConnected,
    OnLost,
    OnMessage,
    Outgoing,
    Receipt,
)
from wire.weather import Weather

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class _Stored:
    message: Outgoing
    sender: str
    expires_at: float | None


class MemoryBroker:
    """A broker inside the process. Make links with `link`; without `accounts` everybody may do everything."""

    def __init__(
        self,
        accounts: Iterable[Account] | None = None,
        *,
        weather: Weather | None = None,
        now: Callable[[], float] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.weather = weather or Weather()
        self.up = True
        self.sleep = sleep
        self._accounts = None if accounts is None else {account.username: account for account in accounts}
        self._now = now
        self._sessions: dict[str, _MemoryConnection] = {}
        self._stored: dict[str, _Stored] = {}
        self._cut: set[str] = set()
        self._links: list[MemoryLink] = []
        self._late: set[asyncio.Task[None]] = set()

    def link(
        self,
        settings: LinkSettings,
        on_message: OnMessage,
        on_connected: OnConnected,
        on_lost: OnLost,
        *,
        rng: random.Random | None = None,
    ) -> "MemoryLink":
        """A link to this broker; host, port and TLS of the settings mean nothing here."""
        made = MemoryLink(self, settings, on_message, on_connected, on_lost, rng=rng)
        self._links.append(made)
        return made

    def now(self) -> float:
        """Seconds on the given clock, or on the running loop's."""
        return asyncio.get_running_loop().time() if self._now is None else self._now()

    @property
    def retained(self) -> dict[str, bytes]:
        """What a new subscriber would find, by topic."""
        return {topic: stored.message.payload for topic, stored in self._stored.items() if not self._expired(stored)}

    def kill(self) -> None:
        """The broker dies: every connection closes, no will is sent, nothing connects until `restart`."""
        self.up = False
        for session in list(self._sessions.values()):
            session.end("closed")
        self._sessions.clear()

    def restart(self, *, forget: bool = False) -> None:
        """It is back; `forget`: with an empty data directory."""
        self.up = True
        if forget:
            self._stored.clear()

    def cut(self, client_id: str) -> None:
        """Half-open: nothing passes to or from this client, and neither side is told.

        The client finds out after two keepalives, the broker after one and a half; then it sends the will.
        """
        self._cut.add(client_id)
        if session := self._sessions.get(client_id):
            keepalive = session.settings.keepalive
            self.later(2.0 * keepalive, lambda: session.end("keepalive"))
            self.later(1.5 * keepalive, lambda: self.bury(session))

    def heal(self, client_id: str) -> None:
        """New connections of this client pass again; one that was cut stays dead."""
        self._cut.discard(client_id)

    def kick(self, client_id: str) -> None:
        """The broker closes this client's connection; its will is sent."""
        if session := self._sessions.get(client_id):
            self.bury(session)

    async def settle(self) -> None:
        """Return when every message that is on its way without delay has been handled, and what followed from it."""
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0)
            busy = [link for link in self._links if link.busy]
            quiet = 0 if busy else quiet + 1
            for link in busy:
                await link.idle()

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        """Do something after a while on the given clock."""

        async def wait() -> None:
            await self.sleep(delay_s)
            act()

        self.spawn(wait())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Keep a task alive until it is done."""
        task = asyncio.get_running_loop().create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    # --- what connections use --------------------------------------------------------------------

    def is_cut(self, client_id: str) -> bool:
        return client_id in self._cut

    def admit(self, session: "_MemoryConnection") -> None:
        """CONNECT. Raises `ConnectFailed`. An older connection with this client id is pushed out."""
        settings = session.settings
        if not self.up or settings.client_id in self._cut:
            raise ConnectFailed("unreachable")
        session.connect_sent = True
        if self._accounts is not None:
            account = self._accounts.get(settings.username)
            if account is None or account.password != settings.password:
                raise ConnectFailed("not_authorized")
            if account.client_id not in (None, settings.client_id):
                raise ConnectFailed("not_authorized")
            session.rules = account.roles
        if older := self._sessions.get(settings.client_id):
            self.bury(older)
        self._sessions[settings.client_id] = session

    def leave(self, session: "_MemoryConnection") -> None:
        """DISCONNECT in order: no will."""
        if self._sessions.get(session.settings.client_id) is session and not self.is_cut(session.settings.client_id):
            del self._sessions[session.settings.client_id]

    def bury(self, session: "_MemoryConnection") -> None:
        """The broker gives a connection up: its will is sent, then it is closed."""
        if self._sessions.get(session.settings.client_id) is not session:
            return
        del self._sessions[session.settings.client_id]
        if session.will is not None:
            self.route(session.settings.client_id, session.rules, session.will)
        if not self.is_cut(session.settings.client_id):
            session.end("closed")

    def route(self, sender: str, rules: Sequence[Rule] | None, message: Outgoing) -> Receipt:
        """Store and deliver; what the PUBACK says."""
        if rules is not None and not may_send(rules, message.topic):
            return Receipt(NOT_AUTHORIZED)
        expires_at = None if message.expiry_s is None else self.now() + message.expiry_s
        stored = _Stored(message, sender, expires_at)
        if message.retain and message.payload:
            self._stored[message.topic] = stored
        elif message.retain:
            self._stored.pop(message.topic, None)
        listening = [session for session in self._sessions.values() if session.listens(message.topic)]
        for session in listening:
            self._deliver(stored, session, retained=False)
        return Receipt() if listening else Receipt(NO_MATCHING_SUBSCRIBERS)

    def hand_over_retained(self, session: "_MemoryConnection") -> None:
        """What a new subscription finds."""
        for stored in list(self._stored.values()):
            if session.listens(stored.message.topic) and not self._expired(stored):
                self._deliver(stored, session, retained=True)

    def _deliver(self, stored: _Stored, session: "_MemoryConnection", *, retained: bool) -> None:
        message = stored.message
        incoming = Incoming(message.topic, message.payload, retained, message.correlation)

        def arrive() -> None:
            alive = self._sessions.get(session.settings.client_id) is session
            if alive and not self.is_cut(session.settings.client_id) and not self._expired(stored):
                session.receive(incoming)

        for delay_s in self.weather.copies(stored.sender, session.settings.client_id, message):
            if delay_s > 0:
                self.later(delay_s, arrive)
            else:
                arrive()

    def _expired(self, stored: _Stored) -> bool:
        return stored.expires_at is not None and self.now() >= stored.expires_at


class MemoryLink(ConnectingLink):
    """A `Link` to a `MemoryBroker`."""

    def __init__(
        self,
        broker: MemoryBroker,
        settings: LinkSettings,
        on_message: OnMessage,
        on_connected: OnConnected,
        on_lost: OnLost,
        *,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(
            settings,
            on_message,
            on_connected,
            on_lost,
            rng=rng or random.Random(0),  # noqa: S311 - repeatable on purpose
            clock=broker.now,
            sleep=broker.sleep,
        )
        self._broker = broker

    def _new_connection(self, will: Outgoing | None) -> Connection:
        return _MemoryConnection(self._broker, self._settings, will, self._receive)

    @property
    def busy(self) -> bool:
        """True while a message waits or is being handled."""
        return self._lanes.busy

    async def idle(self) -> None:
        """Wait until no message waits and none is being handled."""
        await self._lanes.idle()


class _MemoryConnection:
    """One connection to the twin."""

    def __init__(
        self, broker: MemoryBroker, settings: LinkSettings, will: Outgoing | None, receive: Callable[[Incoming], None]
    ) -> None:
        self.settings = settings
        self.will = will
        self.receive = receive
        self.connect_sent = False
        self.rules: tuple[Rule, ...] | None = None
        self._broker = broker
        self._subscriptions: tuple[str, ...] = ()
        self._window = asyncio.Semaphore(settings.inflight)
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        await asyncio.sleep(0)
        self._broker.admit(self)

    async def subscribe_all(self, wanted: tuple[str, ...]) -> list[str]:
        await asyncio.sleep(0)
        if self._ended.done():
            raise LinkDown
        rules = self.rules
        refused = [] if rules is None else [topic for topic in wanted if not may_subscribe(rules, topic)]
        self._subscriptions = tuple(topic for topic in wanted if topic not in refused)
        self._broker.hand_over_retained(self)
        return refused

    def listens(self, topic: str) -> bool:
        """True if a message on `topic` is delivered here."""
        wanted = any(topics.matches(subscription, topic) for subscription in self._subscriptions)
        return wanted and (self.rules is None or may_receive(self.rules, topic))

    async def send(self, message: Outgoing) -> Receipt:
        async with self._window:
            if self._ended.done():
                raise LinkDown
            if self._broker.is_cut(self.settings.client_id):
                self._broker.later(self.settings.ack_timeout_s, lambda: self.end("ack_timeout"))
                await asyncio.shield(self._ended)
                raise LinkDown
            fate = self._broker.weather.publish(self.settings.client_id, message)
            if fate != "lost":
                receipt = self._broker.route(self.settings.client_id, self.rules, message)
            if fate != "taken":
                self._broker.bury(self)
                raise LinkDown
            await asyncio.sleep(0)
            if self._ended.done():
                raise LinkDown
            return receipt

    def end(self, reason: str) -> None:
        """The connection is over."""
        if not self._ended.done():
            self._ended.set_result(reason)

    async def ended(self) -> str:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self._broker.leave(self)
        self.end("closed")
