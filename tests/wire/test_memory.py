"""The twin's own means: weather, half-open lines, a clock that is given, and a run that can be repeated."""

import asyncio
import random
from collections.abc import Sequence
from typing import Literal

import pytest

from tests.wire.seats import Seat, until
from wire.access import Account
from wire.link import LinkDown, LinkSettings, Outgoing
from wire.memory import MemoryBroker
from wire.weather import RandomWeather, Weather

pytestmark = pytest.mark.free_payloads


class Clock:
    """Time that stands until it is moved; who sleeps is woken in order."""

    def __init__(self) -> None:
        self.time = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, len(self._sleepers), wake))
        await wake

    async def move(self, seconds: float) -> None:
        end = self.time + seconds
        await self._let_others_run()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end and not sleeper[2].done()]:
            at, _, wake = min(due, key=lambda sleeper: sleeper[:2])
            self.time = at
            wake.set_result(None)
            await self._let_others_run()
        self.time = end
        await self._let_others_run()

    async def _let_others_run(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


def seat(broker: MemoryBroker, name: str, *subscriptions: str, **more: object) -> Seat:
    made = Seat(Account(name, "", name, ()))
    settings = LinkSettings("", 0, name, name, "", subscriptions=subscriptions, **more)  # type: ignore[arg-type]
    made.link = broker.link(settings, made.take, made.connected, made.lost.append)
    made.sit()
    return made


class Orders(Weather):
    """Does to the next messages what it is told."""

    def __init__(self) -> None:
        self.next_copies: list[Sequence[float]] = []
        self.next_fates: list[Literal["taken", "lost", "ack_lost"]] = []

    def copies(self, sender: str, receiver: str, message: Outgoing) -> Sequence[float]:
        return self.next_copies.pop(0) if self.next_copies else (0.0,)

    def publish(self, sender: str, message: Outgoing) -> Literal["taken", "lost", "ack_lost"]:
        return self.next_fates.pop(0) if self.next_fates else "taken"


async def test_messages_can_be_dropped_repeated_and_reordered() -> None:
    clock, weather = Clock(), Orders()
    broker = MemoryBroker(weather=weather, now=clock.now, sleep=clock.sleep)
    reader, writer = seat(broker, "reader", "x"), seat(broker, "writer")
    await asyncio.gather(reader.up(), writer.up())
    weather.next_copies = [(), (0.0, 0.0), (5.0,), (1.0,)]
    for payload in (b"dropped", b"twice", b"late", b"soon"):
        await writer.link.publish(Outgoing("x", payload))
    await broker.settle()
    assert reader.payloads == [b"twice", b"twice"]
    await clock.move(10)
    assert reader.payloads == [b"twice", b"twice", b"soon", b"late"]


@pytest.mark.parametrize(("fate", "arrived"), [("lost", []), ("ack_lost", [b"x"])])
async def test_a_line_can_break_before_or_after_the_broker_took_a_message(
    fate: Literal["lost", "ack_lost"], arrived: list[bytes]
) -> None:
    weather = Orders()
    broker = MemoryBroker(weather=weather)
    reader, writer = seat(broker, "reader", "x"), seat(broker, "writer", backoff_first_s=0.0)
    await asyncio.gather(reader.up(), writer.up())
    weather.next_fates = [fate]
    with pytest.raises(LinkDown):
        await writer.link.publish(Outgoing("x", b"x"))
    await broker.settle()
    assert reader.payloads == arrived
    await writer.up(2)


async def test_a_half_open_line_is_found_by_both_sides_in_their_own_time() -> None:
    clock = Clock()
    broker = MemoryBroker(now=clock.now, sleep=clock.sleep)
    reader = seat(broker, "reader", "will", "x")
    device = seat(broker, "device", "news", keepalive=20, will=lambda n: Outgoing("will", b"dead %d" % n))
    await asyncio.gather(reader.up(), device.up())
    broker.cut("device")
    waiting = asyncio.create_task(device.link.publish(Outgoing("x", b"void")))
    await reader.link.publish(Outgoing("news", b"unseen"))
    await clock.move(5)
    assert device.link.connected
    assert not waiting.done()
    await clock.move(10)
    with pytest.raises(LinkDown):
        await waiting
    assert device.lost[0] == "ack_timeout"
    await clock.move(20)
    assert reader.payloads == [b"dead 1"]
    assert device.received == []
    broker.heal("device")
    await clock.move(60)
    assert device.link.connected
    assert device.link.conn_seq == 2


async def test_a_silent_half_open_line_ends_after_two_keepalives() -> None:
    clock = Clock()
    broker = MemoryBroker(now=clock.now, sleep=clock.sleep)
    device = seat(broker, "device", keepalive=20)
    await device.up()
    broker.cut("device")
    await clock.move(39)
    assert device.lost == []
    await clock.move(2)
    assert device.lost[0] == "keepalive"


async def test_a_retained_message_expires_on_the_given_clock() -> None:
    clock = Clock()
    broker = MemoryBroker(now=clock.now, sleep=clock.sleep)
    writer = seat(broker, "writer")
    await writer.up()
    await writer.link.publish(Outgoing("x", b"brief", retain=True, expiry_s=15))
    await writer.link.publish(Outgoing("y", b"lasting", retain=True))
    await clock.move(14)
    assert broker.retained == {"x": b"brief", "y": b"lasting"}
    await clock.move(1)
    assert broker.retained == {"y": b"lasting"}
    reader = seat(broker, "reader", "#")
    await reader.up()
    await broker.settle()
    assert reader.payloads == [b"lasting"]


async def test_a_delayed_message_that_expired_on_its_way_does_not_arrive() -> None:
    clock, weather = Clock(), Orders()
    broker = MemoryBroker(weather=weather, now=clock.now, sleep=clock.sleep)
    reader, writer = seat(broker, "reader", "x"), seat(broker, "writer")
    await asyncio.gather(reader.up(), writer.up())
    weather.next_copies = [(16.0,)]
    await writer.link.publish(Outgoing("x", b"call", expiry_s=15))
    await clock.move(20)
    assert reader.received == []


async def test_a_kicked_connection_leaves_its_will_behind_and_comes_back() -> None:
    broker = MemoryBroker()
    reader = seat(broker, "reader", "will")
    device = seat(broker, "device", backoff_first_s=0.0, will=lambda n: Outgoing("will", b"dead %d" % n, retain=True))
    await asyncio.gather(reader.up(), device.up())
    broker.kick("device")
    await device.up(2)
    await until(lambda: reader.payloads == [b"dead 1"])


async def history(seed: int) -> tuple[list[bytes], list[str]]:
    clock = Clock()
    weather = RandomWeather(random.Random(seed), drop=0.2, repeat=0.2, delay_s=3.0, ack_lost=0.1)
    broker = MemoryBroker(weather=weather, now=clock.now, sleep=clock.sleep)
    reader, writer = seat(broker, "reader", "x"), seat(broker, "writer")
    await asyncio.gather(reader.up(), writer.up())
    for n in range(60):
        await clock.move(1)
        try:
            await writer.link.publish(Outgoing("x", b"%d" % n))
        except LinkDown:
            continue
    await clock.move(60)
    await asyncio.gather(reader.leave(), writer.leave())
    return reader.payloads, writer.lost


async def test_the_same_seed_gives_the_same_history() -> None:
    one, two, other = [await history(seed) for seed in (7, 7, 8)]
    assert one == two
    assert one != other
    payloads, lost = one
    assert lost
    assert len(set(payloads)) < 60
    assert len(set(payloads)) < len(payloads)
