"""The terminal's side of the link: birth and will, what the hall retains for it, orders, and what it reports."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol

import structlog

from kiosk.devices import Emit
from kiosk.exchange import Exchange, Listener
from kiosk.journal import Journal
from kiosk.journeys import events
from kiosk.profile import Account, Profile
from kiosk.translate import live_services
from wire import topics
from wire.access import Device, device_subscriptions
from wire.codec import encode
from wire.inbox import Inbox, Received
from wire.link import Link, LinkDown, LinkSettings, OnConnected, OnLost, OnMessage, Outgoing
from wire.messages import Desired, Message, OfflineUse, Order, Presence, Reported, ServerPresence, Services

PresenceState = Literal["init", "ready", "degraded", "offline"]

log = structlog.get_logger(__name__)


class MakeLink(Protocol):
    """`MqttLink`, or the in-memory twin's `MemoryBroker.link`."""

    def __call__(
        self, settings: LinkSettings, on_message: OnMessage, on_connected: OnConnected, on_lost: OnLost, /
    ) -> Link: ...


class HallSide:
    """Makes the link and the exchange. `on_desired` hears which bundle is wanted; `on_order` the orders that are not
    the journey's. `clock` gives UTC."""

    def __init__(
        self,
        profile: Profile,
        account: Account,
        journal: Journal,
        listener: Listener,
        emit: Emit,
        *,
        conn_seq: int,
        versions: dict[str, str],
        make_link: MakeLink,
        clock: Callable[[], datetime],
        offline_use: Callable[[], OfflineUse | None],
        on_desired: Callable[[Desired], None],
        on_self_test: Callable[[], None],
        rng: random.Random | None = None,
    ) -> None:
        self._device, self._hall = profile.terminal, profile.hall
        self._journal = journal
        self._emit = emit
        self._clock = clock
        self._on_desired = on_desired
        self._on_self_test = on_self_test
        self._newest: dict[str, tuple[int, int]] = {}
        self._servers: dict[str, tuple[ServerPresence, bool]] = {}
        self._presence: PresenceState = "init"
        self._is_accepted = False
        self._reported = Reported()
        self._dirty = asyncio.Event()
        inbox = Inbox(
            ("answer", "presence", "desired", "order", "services", "server_presence"),
            self._received,
            device=self._device,
            halls=(self._hall,),
        )
        settings = LinkSettings(
            host=profile.broker.host,
            port=profile.broker.port,
            client_id=account.client_id,
            username=account.username,
            password=account.password.get_secret_value(),
            will=lambda seq: self._presence_message(seq, "offline"),
            subscriptions=device_subscriptions(Device(self._device, (self._hall,))),
            conn_seq=conn_seq,
        )
        self.link = make_link(settings, inbox, self._connected, self._lost)
        self.exchange = Exchange(
            journal,
            self.link,
            listener,
            hall=self._hall,
            device=self._device,
            instance=profile.instance,
            versions=versions,
            clock=clock,
            offline_use=offline_use,
            rng=rng,
        )

    def report(self, reported: Reported, presence: PresenceState) -> None:
        """Tell the hall, now or as soon as there is a connection, if it is anything new."""
        if reported != self._reported or presence != self._presence:
            self._reported, self._presence = reported, presence
            self._dirty.set()

    async def run_reports(self) -> None:
        """Publish what `report` was given, until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if not self.link.connected:
                continue
            try:
                await self._publish_truth(self.link.conn_seq)
            except LinkDown:
                continue

    # --- the link's life -----------------------------------------------------------------------

    async def _connected(self, conn_seq: int) -> None:
        self._is_accepted = False
        await self._journal.remember("conn_seq", str(conn_seq))
        await self.link.publish(self._presence_message(conn_seq, "init"))
        self._emit(events.LinkChanged(up=True))
        self.exchange.connected(conn_seq)

    def _lost(self, reason: str) -> None:
        self.exchange.lost()
        self._emit(events.LinkChanged(up=False))
        if reason == "cloned":
            self._emit(events.Verdict("cloned"))

    def accepted(self) -> None:
        """The hello was accepted: presence follows the devices from here on, and the hall gets the whole report."""
        self._is_accepted = True
        self._dirty.set()

    async def _publish_truth(self, conn_seq: int) -> None:
        state = self._presence if self._is_accepted else "init"
        await self.link.publish(self._presence_message(conn_seq, state))
        await self.link.publish(Outgoing(topics.reported(self._device), self._encode(self._reported), retain=True))

    def _presence_message(self, conn_seq: int, state: PresenceState) -> Outgoing:
        presence = Presence(boot_id=self._journal.boot_id, conn_seq=conn_seq, state=state)
        return Outgoing(topics.presence(self._device), self._encode(presence), retain=True)

    def _encode(self, body: Message) -> bytes:
        return encode(body, message_id=self._journal.next_id(), at=self._clock())

    # --- what comes ----------------------------------------------------------------------------

    async def _received(self, received: Received) -> None:
        body = received.body
        if received.topic.family == "answer":
            self.exchange.receive(received.envelope.id, body)
        elif isinstance(body, ServerPresence):
            self._server(received.topic.server or "", body)
        elif isinstance(body, Presence):
            self._own_presence(body)
        elif isinstance(body, Order):
            self._order(body)
        elif self._is_newer(received):
            if isinstance(body, Services):
                self._emit(events.ServicesChanged(live_services(body)))
            elif isinstance(body, Desired):
                self._on_desired(body)

    def _is_newer(self, received: Received) -> bool:
        """Retained truth is taken only with a higher (epoch, rev) than what was taken before; repeats are dropped."""
        family, epoch, rev = received.topic.family, received.envelope.epoch, received.envelope.rev
        if epoch is None or rev is None:
            return True
        stamp = (epoch, rev)
        if stamp <= self._newest.get(family, (-1, -1)):
            return False
        self._newest[family] = stamp
        return True

    def _server(self, server: str, presence: ServerPresence) -> None:
        """The hall answers while a server that leads it is online; a word older than the last one is dropped."""
        known = self._servers.get(server)
        if known is not None and presence.since < known[0].since:
            return
        leads = presence.state == "online" and self._hall in presence.leads
        self._servers[server] = (presence, leads)
        self._emit(events.ServerChanged(self._online()))
        if leads and (known is None or not known[1] or presence.since > known[0].since):
            self.exchange.hall_back()

    def _online(self) -> bool:
        return any(leads for _, leads in self._servers.values())

    def _own_presence(self, presence: Presence) -> None:
        """The late will of an older connection lies over our birth: publish it again."""
        if self.link.connected and presence.state == "offline":
            self._dirty.set()

    def _order(self, order: Order) -> None:
        log.info("order", action=order.action)
        if order.action == "self_test":
            self._on_self_test()
        else:
            self._emit(events.OrderGiven(order.action))
