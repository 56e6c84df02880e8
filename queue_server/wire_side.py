"""The queue server's side of the wire: takes requests and facts, answers them, keeps retained truth on the broker.

A device is answered on its own answer topic and nowhere else. What is retained (boards, services, wanted
configurations, this server's presence) is published when it changes, on every connection, and every ten seconds.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from queue_server import projecting
from queue_server.alerts import AlertBook
from queue_server.clock import utc_now
from queue_server.device_budget import RATE, DeviceBudget
from queue_server.devices import NOT_ACCEPTED, DeviceBook
from queue_server.hall_port import BoardChanged, Called, Done, NotDone, ProjectionChanged
from queue_server.hall_thread import HallThread
from queue_server.hello_order import HelloOrder
from queue_server.runner import Reply, Unanswered
from queue_server.translator import Edge, refused, translate, translate_hello
from wire import messages, topics
from wire.access import Server, server_subscriptions
from wire.codec import Malformed, decode, encode
from wire.inbox import ASKING, Inbox, Received, Rejected
from wire.link import Incoming, Link, LinkDown, Outgoing
from wire.messages import Envelope, Message
from wire.topics import Topic, parse

log = structlog.get_logger(__name__)

REFRESH_S = 10.0
SERVICES_EVERY_S = 1.0
CALL_EXPIRY_S = 15
MALFORMED_ALERT = 10
"""Bad messages of one device within `MALFORMED_WINDOW_S` that staff hear of."""
MALFORMED_WINDOW_S = 60.0
MALFORMED_CALM_S = 600.0
"""The alert is over when a device sent nothing bad for this long."""
FLOOD_CALM_S = 60.0
"""The alert is over when a device sent no more than it may for this long."""
BROKER_LOST_S = 10.0
PENDING_RETRY_S = 30.0


@dataclass(frozen=True)
class WireSettings:
    """Who this server is on the wire."""

    server: str
    hall: str
    public_url: str
    device_rate: float = RATE
    """Messages a second that one topic of a device may go on with."""


class WireSide:
    """Give `on_message`, `on_connected`, `on_lost`, `will` and `subscriptions` to a link, `bind` it, then `run`.

    Everything runs on the link's event loop.
    """

    def __init__(
        self,
        settings: WireSettings,
        hall: HallThread,
        devices: DeviceBook,
        alerts: AlertBook,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        edge: Edge | None = None,
    ) -> None:
        self._settings = settings
        self._hall = hall
        self._devices = devices
        self._alerts = alerts
        self._now = now
        self._monotonic = monotonic
        self._edge = edge or Edge(settings.public_url)
        self._link: Link | None = None
        self._since = now()
        self._desired_revision: int | None = None
        self._presence_rev = 0
        self._services_at = 0.0
        self._services_due: asyncio.TimerHandle | None = None
        self._hellos = HelloOrder()
        self._budget = DeviceBudget(monotonic, rate=settings.device_rate)
        self._malformed: dict[str, deque[float]] = {}
        self._last_malformed: dict[str, float] = {}
        self._lost_at: float | None = monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox = Inbox(
            ("request", "journal", "presence", "reported", "server_presence"),
            self._received,
            self._rejected,
            halls=(settings.hall,),
            on_dropped=self._dropped,
        )
        self._counts: Counter[str] = Counter()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topics that the link must read."""
        return server_subscriptions(Server(self._settings.server, (self._settings.hall,)))

    @property
    def counts(self) -> Counter[str]:
        """Since the start: answered, repeated, unanswered, refused_at_gate, too_many_requests, hello_…, lost_…,
        and what was dropped."""
        return self._counts + self._inbox.counts

    def bind(self, link: Link) -> None:
        """The link over which this side speaks."""
        self._link = link

    def will(self, conn_seq: int) -> Outgoing:
        """What the broker says when connection `conn_seq` breaks."""
        return self._presence("offline", conn_seq)

    async def run(self) -> None:
        """Publish what changes, until cancelled."""
        loop = asyncio.get_running_loop()
        self._hall.tell_leading(lambda _epoch: _call(loop, self._say_presence))
        self._devices.on_accepted = lambda device: _call(loop, lambda: self._spawn_desired(device))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_hall())
            group.create_task(self._refresh())

    # --- the link's callbacks

    async def on_connected(self, _conn_seq: int) -> None:
        """Everything retained is published again: the broker may have lost it."""
        self._lost_at = None
        self._alerts.clear("broker_lost", self._settings.server)
        await self._publish_all()

    def on_lost(self, reason: str) -> None:
        """Staff hear of it when it lasts."""
        self._counts[f"lost_{reason}"] += 1
        if self._lost_at is None:
            self._lost_at = self._monotonic()

    async def on_message(self, incoming: Incoming) -> None:
        """One message from the broker; messages of one topic come one after another."""
        if self._budget.take(incoming.topic):
            await self._inbox(incoming)
        else:
            await self._too_many(incoming)

    # --- requests and facts

    async def _received(self, received: Received) -> None:
        device, body = received.topic.device, received.body
        if isinstance(body, messages.OfflineTicket) and device is not None:
            self._hellos.note(device, received.envelope.id)
        if device is None:
            self._look_at_presence(received.topic, body)
        elif isinstance(body, messages.Presence):
            self._devices.presence(device, body)
        elif isinstance(body, messages.Reported):
            self._devices.reported(device, body)
        elif self._hall.epoch is None:
            # another server leads and answers, or none does and the terminal asks again
            self._counts["standing_by"] += 1
        else:
            answer = await self._answer(device, received.envelope, body)
            if answer is not None:
                await self._send_answer(device, answer)

    def _look_at_presence(self, topic: Topic, body: Message) -> None:
        """The late will of an older connection may say that this server is gone."""
        if topic.server != self._settings.server or not isinstance(body, messages.ServerPresence):
            return
        if body.state == "offline" and self._link is not None and body.conn_seq < self._link.conn_seq:
            self._spawn(self._publish_presence)

    async def _rejected(self, rejected: Rejected) -> None:
        """Answer a bad message that says which request it is."""
        device = rejected.topic.device
        leads = self._hall.epoch is not None
        if leads and device is not None and self._devices.standing(device) == "accepted":
            answer = refused(NotDone(rejected.code, None), rejected.message_id, self._now())
            await self._send_answer(device, answer)

    async def _too_many(self, incoming: Incoming) -> None:
        """A device sends more than it may: one message a second is looked at, to answer it; the rest is dropped."""
        self._counts["too_many_requests"] += 1
        topic = parse(incoming.topic)
        if topic is None or topic.device is None or not self._budget.answers(incoming.topic):
            return
        self._alerts.raise_("device_floods", topic.device, family=topic.family)
        with suppress(Malformed):
            envelope, _ = decode(incoming.payload)
            if topic.family in ASKING and self._hall.epoch is not None and self._gate(topic.device) is None:
                refusal = NotDone("too_many_requests", self._budget.wait(incoming.topic))
                await self._send_answer(topic.device, refused(refusal, envelope.id, self._now()))

    async def _answer(self, device: str, envelope: Envelope, body: Message) -> bytes | None:
        """The answer's payload; None where a device must be left to ask again."""
        now = self._now()
        if isinstance(body, messages.Hello):
            return await self._hello(device, envelope, body)
        if (refusal := self._gate(device)) is not None:
            self._counts["refused_at_gate"] += 1
            return refused(refusal, envelope.id, now)
        said = await self._hall.submit(translate(device, envelope, body, now=now, edge=self._edge))
        return self._answer_of(said, envelope.id)

    def _answer_of(self, said: Reply | Unanswered, request_id: str) -> bytes | None:
        if isinstance(said, Unanswered) or (isinstance(said.outcome, NotDone) and said.outcome.code == "not_leading"):
            # whoever leads answers: this server's word would come beside theirs
            self._counts["unanswered"] += 1
            return None
        self._counts["repeated" if isinstance(said.outcome, Done) and said.outcome.repeated else "answered"] += 1
        if said.answer is not None or isinstance(said.outcome, Done):
            return said.answer
        return refused(said.outcome, request_id, self._now(), epoch=self._hall.epoch)

    def _gate(self, device: str) -> NotDone | None:
        standing = self._devices.standing(device)
        if standing == "accepted":
            return None
        self._devices.turned_away(device)
        return NotDone(NOT_ACCEPTED[standing], PENDING_RETRY_S if standing in ("pending", "unknown") else None)

    async def _hello(self, device: str, envelope: Envelope, hello: messages.Hello) -> bytes:
        """An accepted device also hears what it holds for bad times, unless the hall cannot say now."""
        verdict = self._devices.hello(device, hello)
        self._counts[f"hello_{verdict.verdict}"] += 1
        log.info("hello", device=device, verdict=verdict.verdict, code=verdict.code)
        if verdict.verdict == "accepted":
            old = self._hellos.is_old(device, envelope.id)
            said = await self._hall.submit(
                translate_hello(device, envelope, hello, edge=self._edge, renewed=verdict.renewed, old=old)
            )
            if isinstance(said, Reply) and said.answer is not None:
                self._hellos.note(device, envelope.id)
                return said.answer
        bundle = self._hall.bundle()
        now = self._now()
        body = messages.HelloAnswer(
            verdict=verdict.verdict,
            server_time=now,
            configuration_revision=bundle.revision if bundle else 0,
            code=verdict.code,
        )
        return encode(body, message_id=envelope.id, at=now, epoch=self._hall.epoch)

    async def _send_answer(self, device: str, payload: bytes) -> None:
        with suppress(LinkDown):
            # lost answers are asked for again
            await self._publish(Outgoing(topics.answer(device), payload))

    def _dropped(self, topic: Topic | None, reason: str) -> None:
        device = topic.device if topic else None
        if device is None:
            return
        times = self._malformed.setdefault(device, deque(maxlen=MALFORMED_ALERT))
        self._last_malformed[device] = self._monotonic()
        times.append(self._last_malformed[device])
        if len(times) == MALFORMED_ALERT and times[-1] - times[0] <= MALFORMED_WINDOW_S:
            times.clear()
            self._alerts.raise_("malformed_messages", device, reason=reason)

    # --- retained truth

    async def _follow_hall(self) -> None:
        async for item in self._hall.feed():
            with suppress(LinkDown):
                match item:
                    case BoardChanged(epoch=epoch) if epoch == self._hall.epoch:
                        await self._publish(self._board(item))
                    case Called(epoch=epoch) if epoch == self._hall.epoch:
                        await self._publish(self._call(item))
                    case ProjectionChanged():
                        self._services_soon()
                        await self._publish_new_bundle()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            self._devices.look_for_lost()
            self._look_for_broker()
            self._forget_malformed()
            for topic in self._budget.calm(FLOOD_CALM_S):
                if (device := parse(topic)) is not None and device.device is not None:
                    self._alerts.clear("device_floods", device.device)
            with suppress(LinkDown):
                await self._publish_presence()
                await self._publish_desired(self._devices.accepted())

    async def _publish_all(self) -> None:
        await self._publish_presence()
        if self._hall.epoch is None:
            return
        for board in self._hall.boards():
            await self._publish(self._board(board))
        await self._publish_services()
        await self._publish_desired(self._devices.accepted())

    def _services_soon(self) -> None:
        if self._services_due is None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._services_at + SERVICES_EVERY_S - loop.time())
            self._services_due = loop.call_later(wait, self._services_now)

    def _services_now(self) -> None:
        self._services_due = None
        self._services_at = asyncio.get_running_loop().time()
        self._spawn(self._publish_services)

    async def _publish_services(self) -> None:
        picture = self._hall.projection()
        if self._hall.epoch == picture.epoch and picture.services:
            body = projecting.services(picture)
            payload = encode(
                body,
                message_id=f"services-{picture.epoch}-{picture.rev}",
                at=picture.made_at,
                epoch=picture.epoch,
                rev=picture.rev,
            )
            await self._publish(Outgoing(topics.services(self._settings.hall), payload, retain=True))

    async def _publish_new_bundle(self) -> None:
        """A configuration that came into force is wanted at once: a terminal may be waiting for its first."""
        bundle = self._hall.bundle()
        if bundle is not None and bundle.revision != self._desired_revision:
            await self._publish_desired(self._devices.accepted())
            self._desired_revision = bundle.revision

    async def _publish_desired(self, devices: tuple[str, ...]) -> None:
        bundle, picture = self._hall.bundle(), self._hall.projection()
        if bundle is None or self._hall.epoch != picture.epoch:
            return
        url = self._settings.public_url.rstrip("/") + bundle.path
        body = messages.Desired(revision=bundle.revision, sha256=bundle.sha256, url=url)
        for device in devices:
            payload = encode(
                body,
                message_id=f"desired-{picture.epoch}-{bundle.revision}",
                at=self._now(),
                epoch=picture.epoch,
                rev=bundle.revision,
            )
            await self._publish(Outgoing(topics.desired(device), payload, retain=True))

    def _spawn_desired(self, device: str) -> None:
        self._spawn(lambda: self._publish_desired((device,)))

    def _say_presence(self) -> None:
        self._spawn(self._publish_all)

    async def _publish_presence(self) -> None:
        if self._link is not None:
            await self._publish(self._presence("online", self._link.conn_seq))

    def _presence(self, state: str, conn_seq: int) -> Outgoing:
        epoch = self._hall.epoch if state == "online" else None
        self._presence_rev += 1
        body = messages.ServerPresence(
            state="online" if state == "online" else "offline",
            since=self._since,
            leads={self._settings.hall: epoch} if epoch is not None else {},
            conn_seq=conn_seq,
        )
        payload = encode(body, message_id=f"presence-{conn_seq}-{self._presence_rev}", at=self._now())
        return Outgoing(topics.server_presence(self._settings.server), payload, retain=True)

    def _board(self, changed: BoardChanged) -> Outgoing:
        payload = encode(
            changed.board,
            message_id=f"board-{changed.epoch}-{changed.rev}",
            at=changed.at,
            epoch=changed.epoch,
            rev=changed.rev,
        )
        return Outgoing(topics.board(self._settings.hall, changed.board.zone), payload, retain=True)

    def _call(self, called: Called) -> Outgoing:
        payload = encode(called.call, message_id=called.call.call_id, at=called.at, epoch=called.epoch, rev=called.rev)
        return Outgoing(topics.call(self._settings.hall, called.zone), payload, expiry_s=CALL_EXPIRY_S)

    async def _publish(self, message: Outgoing) -> None:
        if self._link is None:
            raise LinkDown
        await self._link.publish(message)

    def _spawn(self, publish: Callable[[], Awaitable[None]]) -> None:
        async def safely() -> None:
            with suppress(LinkDown):
                await publish()

        task = asyncio.get_running_loop().create_task(safely())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- alerts of this side

    def _look_for_broker(self) -> None:
        lost = self._lost_at is not None and self._monotonic() - self._lost_at >= BROKER_LOST_S
        if lost and not self._alerts.is_open("broker_lost", self._settings.server):
            self._alerts.raise_("broker_lost", self._settings.server)

    def _forget_malformed(self) -> None:
        quiet = self._monotonic() - MALFORMED_CALM_S
        for device in [device for device, last in self._last_malformed.items() if last < quiet]:
            del self._last_malformed[device], self._malformed[device]
            self._alerts.clear("malformed_messages", device)


def _call(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
