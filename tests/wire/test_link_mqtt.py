"""What only the real line and the real broker can show."""

import asyncio
import gc
import socket
from dataclasses import replace
from typing import Any

import aiomqtt
import pytest

from tests.faults.proxy import Proxy
from tests.wire.seats import MosquittoSite, Seat, until
from wire import topics
from wire.access import Account, Device, Server, device_subscriptions, server_subscriptions
from wire.link import Incoming, LinkDown, MqttLink, Outgoing

pytestmark = pytest.mark.free_payloads

Accounts = dict[str, Account]
AS_DEVICE = device_subscriptions(Device("t1", ("h1",)))
AS_SERVER = server_subscriptions(Server("s1", ("h1",)))
REQUEST = topics.request("h1", "t1")
PRESENCE = topics.presence("t1")


def raw_socket(seat: Seat) -> socket.socket:
    assert isinstance(seat.link, MqttLink)
    found = seat.link._connection._client.socket()  # type: ignore[union-attr]
    assert isinstance(found, socket.socket)
    return found


async def test_small_packets_are_not_held_back_by_the_client(mosquitto: MosquittoSite, accounts: Accounts) -> None:
    device = await mosquitto.sit(accounts["t1"])
    assert raw_socket(device).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_every_connection_starts_clean(mosquitto: MosquittoSite, accounts: Accounts) -> None:
    await mosquitto.sit(accounts["t1"])
    await until(lambda: "as device-t1 (p5, c1, k20" in mosquitto.broker.log_file.read_text())


async def test_a_session_does_not_outlive_its_connection(mosquitto: MosquittoSite, accounts: Accounts) -> None:
    device = await mosquitto.sit(accounts["t1"], subscriptions=AS_DEVICE)
    await device.leave()
    server = await mosquitto.sit(accounts["s1"])
    assert (await server.link.publish(Outgoing(topics.answer("t1"), b"nobody is here"))).unheard
    again = await mosquitto.sit(accounts["t1"], subscriptions=AS_DEVICE)
    await server.link.publish(Outgoing(topics.answer("t1"), b"now"))
    await until(lambda: again.received)
    assert again.payloads == [b"now"]


@pytest.mark.parametrize("password", ["right", "wrong"])
async def test_a_link_that_is_ended_in_the_very_moment_of_the_brokers_answer_ends(
    mosquitto: MosquittoSite, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    account = accounts["t1"]
    seat = mosquitto.seat(account if password == "right" else replace(account, password="wrong"))
    answered = aiomqtt.Client._on_connect

    def end_at_once(*arguments: Any) -> None:
        answered(*arguments)
        assert seat.task is not None
        seat.task.cancel()

    monkeypatch.setattr(aiomqtt.Client, "_on_connect", end_at_once)
    seat.sit()
    assert seat.task is not None
    await until(seat.task.done)
    assert seat.task.cancelled()
    assert seat.lost == []


async def test_a_half_open_line_is_given_up_and_its_late_will_names_the_old_connection(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    server = await mosquitto.sit(accounts["s1"], subscriptions=AS_SERVER)
    async with Proxy(mosquitto.port()) as line:
        device = mosquitto.seat(
            accounts["t1"],
            port=line.port,
            keepalive=1,
            subscriptions=AS_DEVICE,
            will=lambda n: Outgoing(PRESENCE, b"dead %d" % n, retain=True),
        )
        device.birth = lambda n: Outgoing(PRESENCE, b"born %d" % n, retain=True)
        device.sit()
        await device.up()
        line.freeze()
        with pytest.raises(LinkDown):
            await device.link.publish(Outgoing(REQUEST, b"into the void"))
        await until(lambda: device.lost)
        assert device.lost[0] == "keepalive"
        await until(lambda: b"dead 1" in server.payloads)
        line.thaw()
        await device.up(2)
        newest = device.link.conn_seq
        assert newest > 1
        await until(lambda: b"born %d" % newest in server.payloads)
        await device.leave()


async def test_a_broker_that_stops_acknowledging_is_left(mosquitto: MosquittoSite, accounts: Accounts) -> None:
    async with Proxy(mosquitto.port()) as line:
        device = mosquitto.seat(accounts["t1"], port=line.port, ack_timeout_s=0.2)
        device.sit()
        await device.up()
        line.freeze()
        with pytest.raises(LinkDown):
            await device.link.publish(Outgoing(REQUEST, b"x"))
        await until(lambda: device.lost)
        assert device.lost[0] == "ack_timeout"
        await device.leave()


async def test_no_more_messages_are_under_way_than_the_window_allows(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    async with Proxy(mosquitto.port()) as line:
        device = mosquitto.seat(accounts["t1"], port=line.port, inflight=3)
        device.sit()
        await device.up()
        line.freeze()
        sending = [asyncio.create_task(device.link.publish(Outgoing(REQUEST, b"%d" % n))) for n in range(10)]
        connection = device.link._connection
        await until(lambda: len(connection._acks) == 3)  # type: ignore[union-attr]
        for task in sending[:2]:
            task.cancel()
        await asyncio.wait(sending[:2])
        assert len(connection._acks) == 3, "a caller who gives up does not free the place of a message under way"  # type: ignore[union-attr]
        line.thaw()
        results = await asyncio.gather(*sending[2:])
        assert len(results) == 8
        await device.leave()


async def test_everybody_who_waits_learns_that_the_line_is_lost(mosquitto: MosquittoSite, accounts: Accounts) -> None:
    async with Proxy(mosquitto.port()) as line:
        device = mosquitto.seat(accounts["t1"], port=line.port, inflight=2, ack_timeout_s=60, keepalive=60)
        device.sit()
        await device.up()
        line.freeze()
        sending = [asyncio.create_task(device.link.publish(Outgoing(REQUEST, b"%d" % n))) for n in range(6)]
        await until(lambda: len(device.link._connection._acks) == 2)  # type: ignore[union-attr]
        raw_socket(device).shutdown(socket.SHUT_RDWR)
        results = await asyncio.gather(*sending, return_exceptions=True)
        assert [type(result) for result in results] == [LinkDown] * 6
        line.thaw()
        await device.leave()


async def test_a_link_stopped_while_it_connects_leaves_no_connection_behind(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    for _ in range(20):
        device = mosquitto.seat(accounts["t1"])
        device.sit()
        await asyncio.sleep(0)
        await device.leave()
    gc.collect()
    watcher = await mosquitto.sit(accounts["s1"])
    device = await mosquitto.sit(accounts["t1"])
    await device.link.publish(Outgoing(REQUEST, b"mine"))
    assert device.lost == []
    await watcher.leave()
    await device.leave()
    log = mosquitto.broker.log_file
    connected = lambda: log.read_text().count("as device-t1 (p5")  # noqa: E731
    ended = lambda: log.read_text().count("Client device-t1 ")  # noqa: E731
    await until(lambda: ended() >= connected())


async def test_a_device_that_the_administrator_disables_is_out_at_once_and_stays_out(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    device = await mosquitto.sit(accounts["t1"])
    administrator = await mosquitto.sit(accounts["administrator"], subscriptions=(topics.BROKER_CONTROL_RESPONSE,))
    command = b'{"commands":[{"command":"disableClient","username":"device-t1"}]}'
    await administrator.link.publish(Outgoing(topics.BROKER_CONTROL, command))
    await until(lambda: len(device.lost) > 1)
    assert device.lost[:2] == ["expelled", "not_authorized"]
    assert b"error" not in administrator.payloads[0]


async def test_a_line_that_closes_before_the_broker_answers_is_tried_again_at_once(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    async with Proxy(mosquitto.port()) as line:
        line.freeze()
        device = mosquitto.seat(accounts["t1"], port=line.port, ack_timeout_s=600)
        device.sit()
        await until(lambda: line.waiting == 1)
        line.thaw()
        await device.up()
        assert device.lost == ["unreachable"]
        await device.leave()


async def test_a_hostile_payload_reaches_the_handler_as_bytes_and_the_link_lives(
    mosquitto: MosquittoSite, accounts: Accounts
) -> None:
    server = await mosquitto.sit(accounts["s1"], subscriptions=AS_SERVER)
    device = await mosquitto.sit(accounts["t1"])
    for payload in (b"\xff\xfe", b"", b"\x00" * 1000, b"[" * 60_000):
        await device.link.publish(Outgoing(REQUEST, payload, correlation=bytes(range(256))))
    await until(lambda: len(server.received) == 4)
    assert server.received[0] == Incoming(REQUEST, b"\xff\xfe", retained=False, correlation=bytes(range(256)))
    assert server.lost == []
