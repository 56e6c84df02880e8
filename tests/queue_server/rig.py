"""A hall with its thread and its side of the wire, over the broker's twin in memory, and devices that talk to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from queue_server.alerts import AlertBook
from queue_server.devices import DeviceBook
from queue_server.hall import Configure
from queue_server.hall_port import Done
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.ledger import Database, Ledger, MemoryLedger, SqliteDatabase
from queue_server.ledger.registers import Registers
from queue_server.wire_side import WireSettings, WireSide
from tests.queue_server.engine import HALL, SYSTEM, sample
from tests.wire.seats import until
from wire import messages, topics
from wire.access import Device, Server, account_for, device_subscriptions
from wire.codec import decode, encode
from wire.link import Incoming, LinkSettings, Outgoing
from wire.memory import MemoryBroker, MemoryLink
from wire.messages import Message

PUBLIC_URL = "http://hall.example"


class Clock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def _migrated() -> bytes:
    """An empty database of today's schema: migrating costs more than the rest of a test."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        SqliteDatabase(path, reserve_bytes=0).close()
        return path.read_bytes()


def fresh_database(path: Path) -> Database:
    path.write_bytes(_migrated())
    return SqliteDatabase(path, reserve_bytes=0)


class Talker:
    """A device with an account of its own, that says what a test wants."""

    def __init__(self, device: str, broker: MemoryBroker, accounts: dict[str, Any]) -> None:
        self.device = device
        self.received: list[Incoming] = []
        self.answers: asyncio.Queue[Incoming] = asyncio.Queue()
        account = accounts[device]
        settings = LinkSettings(
            "memory",
            0,
            client_id=account.client_id,
            username=account.username,
            password=account.password,
            subscriptions=device_subscriptions(Device(device, (HALL,))),
        )
        self.link: MemoryLink = broker.link(settings, self._take, self._up, lambda _reason: None)
        self.task = asyncio.get_running_loop().create_task(self.link.run())
        self._n = 0

    async def _take(self, incoming: Incoming) -> None:
        self.received.append(incoming)
        if incoming.topic == topics.answer(self.device):
            await self.answers.put(incoming)

    async def _up(self, _conn_seq: int) -> None:
        return None

    def next_id(self, boot: str = "0badcafe") -> str:
        self._n += 1
        return f"{boot}-{self._n}"

    async def send(self, payload: bytes, *, lane: str = "request", correlation: bytes | None = None) -> None:
        topic = (topics.request if lane == "request" else topics.journal)(HALL, self.device)
        await self.link.publish(Outgoing(topic, payload, correlation=correlation))

    async def ask(self, body: Message, *, request_id: str | None = None) -> Any:
        """Send a request or fact and wait for its answer's body."""
        name = request_id or self.next_id()
        lane = "journal" if isinstance(body, messages.Withdraw | messages.Slip) else "request"
        await self.send(encode(body, message_id=name, at=datetime(2026, 3, 2, tzinfo=UTC)), lane=lane)
        return await self.answer(name)

    async def answer(self, request_id: str) -> Any:
        async with asyncio.timeout(20):
            while True:
                payload = (await self.answers.get()).payload
                envelope, body = decode(payload)
                if envelope.id == request_id and body is not None:
                    # an answer says all that its model has, as its model says it
                    assert encode(body, message_id=request_id, at=envelope.at, epoch=envelope.epoch) == payload
                    return body

    async def hello(self, instance: str = "instance-1", boot: str = "0badcafe", conn_seq: int = 1) -> Any:
        hello = messages.Hello(boot_id=boot, conn_seq=conn_seq, instance=instance)
        return await self.ask(hello, request_id=self.next_id(boot))

    async def say(self, topic: str, body: Message) -> None:
        payload = encode(body, message_id="said", at=datetime(2026, 3, 2, tzinfo=UTC))
        await self.link.publish(Outgoing(topic, payload, retain=True))


class Rig:
    """All parts of one server, and the broker."""

    def __init__(self, data: Path, ledger: Ledger | None = None, *devices: str, **settings: Any) -> None:
        """`settings`: those of the hall that a test needs otherwise."""
        self.clock = Clock()
        self.database = fresh_database(data / "registers.db")
        self.registers = Registers(self.database)
        self.ledger = ledger or MemoryLedger(clock=self.clock.seconds)
        self.alerts = AlertBook(HALL, self.registers, now=self.clock)
        self.devices = DeviceBook(HALL, self.registers, self.alerts, now=self.clock)
        quick = {"projection_every": 0.0, "projection_share": 1.0}
        chosen = HallSettings(hall=HALL, server="server-1", public_url=PUBLIC_URL, data=data, **(quick | settings))
        self.hall = HallThread(chosen, self.ledger, self.alerts, self.devices, now=self.clock)
        self.accounts = {device: account_for(Device(device, (HALL,))) for device in devices}
        self.accounts["server"] = account_for(Server("server-1", (HALL,)))
        self.broker = MemoryBroker(self.accounts.values())
        self.side = WireSide(
            WireSettings("server-1", HALL, PUBLIC_URL), self.hall, self.devices, self.alerts, now=self.clock
        )
        account = self.accounts["server"]
        assert account.client_id is not None
        self.link = self.broker.link(
            LinkSettings(
                "memory",
                0,
                client_id=account.client_id,
                username=account.username,
                password=account.password,
                will=self.side.will,
                subscriptions=self.side.subscriptions,
            ),
            self.side.on_message,
            self.side.on_connected,
            self.side.on_lost,
        )
        self.side.bind(self.link)
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, *, configured: bool = True, leads: bool = True) -> None:
        self.hall.start()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self.link.run()), loop.create_task(self.side.run())]
        await until(lambda: self.link.connected and (self.hall.epoch is not None or not leads))
        if configured and leads:
            outcome = await self.hall.execute(Configure(by=SYSTEM, configuration=sample()))
            assert isinstance(outcome, Done)
            await until(lambda: self.hall.projection().business_date is not None)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert await asyncio.to_thread(self.hall.stop)
        self.database.close()

    async def talker(self, device: str, *, registered: bool = True) -> Talker:
        if registered:
            self.devices.add(device, f"terminal {device}")
        found = Talker(device, self.broker, self.accounts)
        self._tasks.append(found.task)
        await until(lambda: found.link.connected)
        return found

    def retained(self, topic: str) -> Any:
        """The body that the broker keeps for a topic; None if there is none."""
        payload = self.broker.retained.get(topic)
        return decode(payload)[1] if payload else None


@asynccontextmanager
async def running(
    data: Path,
    *devices: str,
    ledger: Ledger | None = None,
    configured: bool = True,
    leads: bool = True,
    **settings: Any,
) -> AsyncIterator[Rig]:
    rig = Rig(data, ledger, *devices, **settings)
    try:
        await rig.begin(configured=configured, leads=leads)
        yield rig
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await rig.end()
