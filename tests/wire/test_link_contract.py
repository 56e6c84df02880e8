"""What every link does, over Mosquitto and over the in-memory twin."""

import asyncio

import pytest

from tests.wire.seats import Site, until
from wire import topics
from wire.access import (
    Account,
    Device,
    Reader,
    Server,
    device_subscriptions,
    reader_subscriptions,
    server_subscriptions,
)
from wire.codec import MAX_BYTES
from wire.link import Incoming, LinkDown, MessageTooLarge, Outgoing

pytestmark = pytest.mark.free_payloads

Accounts = dict[str, Account]
AS_DEVICE = device_subscriptions(Device("t1", ("h1",)))
AS_SERVER = server_subscriptions(Server("s1", ("h1",)))
AS_READER = reader_subscriptions(Reader("led-1", "h1"))
REQUEST = topics.request("h1", "t1")
PRESENCE = topics.presence("t1")


def dead(conn_seq: int) -> Outgoing:
    return Outgoing(PRESENCE, b"dead %d" % conn_seq, retain=True)


def born(conn_seq: int) -> Outgoing:
    return Outgoing(PRESENCE, b"born %d" % conn_seq, retain=True)


async def test_a_message_arrives_with_its_correlation_and_is_acknowledged(site: Site, accounts: Accounts) -> None:
    server = await site.sit(accounts["s1"], subscriptions=AS_SERVER)
    device = await site.sit(accounts["t1"])
    receipt = await device.link.publish(Outgoing(REQUEST, b"one", correlation=b"\x00id", expiry_s=30))
    assert (receipt.denied, receipt.unheard) == (False, False)
    await until(lambda: server.received)
    assert server.received == [Incoming(REQUEST, b"one", retained=False, correlation=b"\x00id")]


async def test_retained_truth_awaits_a_late_reader_and_an_empty_message_deletes_it(
    site: Site, accounts: Accounts
) -> None:
    server = await site.sit(accounts["s1"])
    board, services = topics.board("h1", "z1"), topics.services("h1")
    await server.link.publish(Outgoing(board, b"old", retain=True))
    await server.link.publish(Outgoing(board, b"", retain=True))
    await server.link.publish(Outgoing(services, b"numbers", retain=True))
    reader = await site.sit(accounts["led-1"], subscriptions=AS_READER)
    await until(lambda: reader.received)
    await server.link.publish(Outgoing(board, b"live", retain=True))
    await until(lambda: len(reader.received) == 2)
    assert reader.received == [Incoming(services, b"numbers", retained=True), Incoming(board, b"live", retained=False)]


async def test_messages_of_one_topic_are_handled_in_order_though_handlers_take_their_time(
    site: Site, accounts: Accounts
) -> None:
    done: list[bytes] = []

    async def reluctant(incoming: Incoming) -> None:
        await asyncio.sleep(0.002 if int(incoming.payload) % 3 == 0 else 0)
        done.append(incoming.payload)

    server = site.seat(accounts["s1"], subscriptions=AS_SERVER)
    server.on_message = reluctant
    server.sit()
    await server.up()
    device = await site.sit(accounts["t1"])
    wanted = [b"%d" % n for n in range(120)]
    await asyncio.gather(*(device.link.publish(Outgoing(REQUEST, payload)) for payload in wanted))
    await until(lambda: len(done) == len(wanted))
    assert done == wanted


async def test_a_handler_that_hangs_holds_neither_other_topics_nor_publishing(site: Site, accounts: Accounts) -> None:
    release = asyncio.Event()

    async def hang(incoming: Incoming) -> None:
        if incoming.payload == b"hang":
            await release.wait()

    server = site.seat(accounts["s1"], subscriptions=AS_SERVER)
    server.on_message = hang
    server.sit()
    await server.up()
    device = await site.sit(accounts["t1"])
    await device.link.publish(Outgoing(REQUEST, b"hang"))
    await device.link.publish(Outgoing(REQUEST, b"behind it"))
    await device.link.publish(Outgoing(topics.journal("h1", "t1"), b"beside it"))
    await until(lambda: len(server.received) == 2)
    assert server.payloads == [b"hang", b"beside it"]
    assert not (await server.link.publish(Outgoing(topics.services("h1"), b"x", retain=True))).denied
    release.set()
    await until(lambda: b"behind it" in server.payloads)


async def test_a_handler_that_raises_is_counted_and_the_next_message_comes(site: Site, accounts: Accounts) -> None:
    async def fail(incoming: Incoming) -> None:
        if incoming.payload == b"bad":
            raise KeyError("no such thing")

    server = site.seat(accounts["s1"], subscriptions=AS_SERVER)
    server.on_message = fail
    server.sit()
    await server.up()
    device = await site.sit(accounts["t1"])
    await device.link.publish(Outgoing(REQUEST, b"bad"))
    await device.link.publish(Outgoing(REQUEST, b"good"))
    await until(lambda: server.payloads == [b"bad", b"good"])
    assert server.link.counts["handler_failed"] == 1
    assert server.lost == []


async def test_more_than_the_inbound_queue_holds_is_dropped_and_counted(site: Site, accounts: Accounts) -> None:
    release = asyncio.Event()

    async def hang(_: Incoming) -> None:
        await release.wait()

    server = site.seat(accounts["s1"], subscriptions=AS_SERVER, inbound=5)
    server.on_message = hang
    server.sit()
    await server.up()
    device = await site.sit(accounts["t1"])
    for n in range(10):
        await device.link.publish(Outgoing(REQUEST, b"%d" % n))
    await until(lambda: server.link.counts["received"] == 10)
    assert server.link.counts["overflow"] == 4
    release.set()
    await until(lambda: len(server.received) == 6)
    assert server.payloads == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_nothing_published_while_down_is_sent_later(site: Site, accounts: Accounts) -> None:
    device = site.seat(accounts["t1"])
    with pytest.raises(LinkDown):
        await device.link.publish(Outgoing(REQUEST, b"too early"))
    server = await site.sit(accounts["s1"], subscriptions=AS_SERVER)
    device.sit()
    await device.up()
    site.kill()
    await until(lambda: not device.link.connected)
    with pytest.raises(LinkDown):
        await device.link.publish(Outgoing(REQUEST, b"down"))
    site.restart(forget=False)
    await asyncio.gather(device.up(2), server.up(2))
    await device.link.publish(Outgoing(REQUEST, b"up"))
    await until(lambda: b"up" in server.payloads)
    assert server.payloads == [b"up"]


async def test_after_a_broker_with_an_empty_memory_comes_back_all_is_subscribed_and_announced_again(
    site: Site, accounts: Accounts
) -> None:
    server = await site.sit(accounts["s1"], subscriptions=AS_SERVER)
    device = site.seat(accounts["t1"], subscriptions=AS_DEVICE, will=dead)
    device.birth = born
    device.sit()
    await device.up()
    await until(lambda: b"born 1" in server.payloads)
    site.kill()
    await until(lambda: device.lost and server.lost)
    site.restart(forget=True)
    await asyncio.gather(device.up(2), server.up(2))
    again = device.connections[-1]
    assert again > 1
    assert device.link.conn_seq == again
    await until(lambda: b"born %d" % again in server.payloads)
    await server.link.publish(Outgoing(topics.answer("t1"), b"hello again"))
    await until(lambda: b"hello again" in device.payloads)


async def test_an_orderly_end_says_farewell_with_the_will_of_its_own_connection(site: Site, accounts: Accounts) -> None:
    server = await site.sit(accounts["s1"], subscriptions=AS_SERVER)
    device = site.seat(accounts["t1"], will=dead, conn_seq=41)
    device.birth = born
    device.sit()
    await device.up()
    await device.leave()
    await until(lambda: len(server.received) == 2)
    assert server.payloads == [b"born 42", b"dead 42"]


async def test_a_second_holder_of_one_identity_is_noticed_and_slows_down(site: Site, accounts: Accounts) -> None:
    one = await site.sit(accounts["t1"], will=dead)
    two = await site.sit(accounts["t1"])
    await until(lambda: "cloned" in one.lost + two.lost)
    suspicious = one if "cloned" in one.lost else two
    assert suspicious.lost.count("closed") == 3
    assert suspicious.link.counts["lost_cloned"] == 1


async def test_a_denied_message_is_not_delivered_and_said_to_be_denied(site: Site, accounts: Accounts) -> None:
    server = await site.sit(accounts["s1"], subscriptions=AS_SERVER)
    device = await site.sit(accounts["t1"])
    receipt = await device.link.publish(Outgoing(topics.request("h1", "t2"), b"in another's name"))
    assert receipt.denied
    await device.link.publish(Outgoing(REQUEST, b"mine"))
    await until(lambda: server.received)
    assert server.payloads == [b"mine"]
    assert device.link.counts["denied"] == 1


async def test_a_request_that_no_server_hears_says_so(site: Site, accounts: Accounts) -> None:
    device = await site.sit(accounts["t1"])
    assert (await device.link.publish(Outgoing(REQUEST, b"anybody?"))).unheard


async def test_a_refused_subscription_ends_the_connection_instead_of_leaving_it_half_deaf(
    site: Site, accounts: Accounts
) -> None:
    device = site.seat(accounts["t1"], subscriptions=(*AS_DEVICE, topics.answer("t2")))
    device.sit()
    await until(lambda: device.lost)
    assert set(device.lost) == {"subscribe_denied"}
    assert not device.connections


async def test_a_wrong_client_id_or_password_is_refused_and_the_owner_is_not_disturbed(
    site: Site, accounts: Accounts
) -> None:
    owner = await site.sit(accounts["t1"])
    thief = site.seat(accounts["t2"], client_id="device-t1")
    guesser = site.seat(Account("device-t1", "guess", "device-t1", ()))
    thief.sit()
    guesser.sit()
    await until(lambda: len(thief.lost) >= 2 and len(guesser.lost) >= 2)
    assert set(thief.lost) == set(guesser.lost) == {"not_authorized"}
    assert not (await owner.link.publish(Outgoing(REQUEST, b"still here"))).denied
    assert owner.lost == []


async def test_a_birth_that_fails_is_tried_again_on_a_new_connection(site: Site, accounts: Accounts) -> None:
    device = site.seat(accounts["t1"])
    births = iter([OSError("disk"), None])

    async def shaky(conn_seq: int) -> None:
        device.connections.append(conn_seq)
        if error := next(births):
            raise error

    device.link._on_connected = shaky
    device.sit()
    await device.up(2)
    assert device.lost == ["birth_failed"]
    assert device.connections == [1, 2]


async def test_a_message_that_no_reader_would_take_is_refused_before_it_is_sent(site: Site, accounts: Accounts) -> None:
    device = await site.sit(accounts["t1"])
    with pytest.raises(MessageTooLarge):
        await device.link.publish(Outgoing(REQUEST, bytes(MAX_BYTES + 1)))
    assert not (await device.link.publish(Outgoing(REQUEST, bytes(MAX_BYTES)))).denied
    assert device.lost == []


async def test_an_unreachable_broker_is_tried_for_ever(site: Site, accounts: Accounts) -> None:
    site.kill()
    device = site.seat(accounts["t1"])
    device.sit()
    await until(lambda: len(device.lost) >= 4)
    assert set(device.lost) == {"unreachable"}
    site.restart(forget=False)
    await device.up()
    assert device.connections == [1]
