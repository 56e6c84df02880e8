"""What the queue server does on the wire: whom it answers, what it keeps there, what it makes of bad messages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from queue_server import wire_side
from queue_server.device_budget import DeviceBudget
from queue_server.hall import CallNext, Configure, OpenCounter, Recall
from queue_server.hall_port import Done
from tests.queue_server.engine import HALL, SERVICE, SYSTEM, sample
from tests.queue_server.rig import PUBLIC_URL, Rig, running
from tests.wire.seats import until
from wire import messages, topics
from wire.codec import decode, encode
from wire.link import Incoming, Outgoing

AT = datetime(2026, 3, 2, tzinfo=UTC)


def codes(rig: Rig) -> dict[str, str]:
    return {alert.code: alert.subject for alert in rig.alerts.open()}


async def test_a_terminal_takes_a_number_and_it_is_in_the_ledger(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        hello = await k1.hello()
        assert (hello.verdict, hello.configuration_revision) == ("accepted", 1)
        ticket = await k1.ask(messages.Issue(service=SERVICE))
        assert (ticket.number, ticket.queue, ticket.business_date) == ("A001", "social-security", "2026-03-02")
        assert ticket.follow_url.startswith(f"{PUBLIC_URL}/t/")
        followed = await rig.hall.follow(ticket.follow_url.rsplit("/", 1)[1])
        assert followed is not None
        assert (followed.number, followed.state, followed.people_ahead) == ("A001", "waiting", 0)
        kinds = [row.kind for row in rig.ledger.events(HALL)]
        assert kinds == ["hall_configured", "offline_series_granted", "day_opened", "ticket_issued"]


async def test_an_answer_names_its_request_and_goes_to_the_devices_own_topic(tmp_path: Path) -> None:
    async with running(tmp_path, "k1", "k2") as rig:
        k1, k2 = await rig.talker("k1"), await rig.talker("k2")
        await k1.ask(messages.Issue(service=SERVICE))
        await rig.broker.settle()
        (answer,) = [incoming for incoming in k1.received if incoming.topic == topics.answer("k1")]
        assert decode(answer.payload)[0].id == "0badcafe-1"
        assert not [incoming for incoming in k2.received if "answer" in incoming.topic]


async def test_an_unregistered_terminal_is_pending_and_staff_are_told_until_it_is_registered(tmp_path: Path) -> None:
    async with running(tmp_path, "k9") as rig:
        k9 = await rig.talker("k9", registered=False)
        hello = await k9.hello()
        assert (hello.verdict, hello.code) == ("pending", "device_pending")
        refused = await k9.ask(messages.Issue(service=SERVICE))
        assert (refused.code, refused.retry_after) == ("device_pending", 30.0)
        assert codes(rig) == {"device_pending": "k9"}
        assert [device.registered for device in rig.devices.now()] == ["pending"]
        rig.devices.add("k9", "by the door")
        assert (await k9.hello()).verdict == "accepted"
        assert (await k9.ask(messages.Issue(service=SERVICE))).number == "A001"
        assert codes(rig) == {}


async def test_a_refused_terminal_is_turned_away_at_once_also_while_it_is_connected(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.hello()
        rig.devices.refuse("k1")
        assert (await k1.ask(messages.Issue(service=SERVICE))).code == "device_refused"
        hello = await k1.hello()
        assert (hello.verdict, hello.code) == ("refused", "device_refused")


async def test_a_hello_that_comes_once_more_says_nothing_of_the_numbers_that_a_machine_holds(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.hello()
        standing = messages.Hello(
            boot_id="0badcafe", conn_seq=1, instance="instance-1", offline=messages.OfflineUse(own_next=1)
        )
        assert (await k1.ask(standing, request_id="0badcafe-50")).offline.prefix == "XA"
        taken = messages.OfflineTicket(
            ticket="a" * 32,
            follow_token="b" * 22,
            service=SERVICE,
            queue="social-security",
            number="XA001",
            prefix="XA",
            serial=1,
            lease=None,
            business_date=rig.clock().date(),
            taken_at=rig.clock(),
            uncertain_s=1,
        )
        await k1.send(encode(taken, message_id="0badcafe-60", at=AT), lane="journal")
        assert (await k1.answer("0badcafe-60")).ticket == "a" * 32
        late = await k1.ask(standing, request_id="0badcafe-50")
        assert (late.verdict, late.offline.prefix) == ("accepted", "XA")
        assert codes(rig) == {}
        copied = await k1.ask(standing, request_id="0badcafe-70")
        assert (copied.verdict, copied.code) == ("refused", "cloned_device")


async def test_another_instance_of_a_device_is_a_clone(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        assert (await k1.hello(instance="first")).verdict == "accepted"
        clone = await k1.hello(instance="second", boot="feedface")
        assert (clone.verdict, clone.code) == ("refused", "cloned_device")
        assert codes(rig) == {"cloned_device": "k1"}
        rig.devices.renew("k1")
        assert (await k1.hello(instance="second", boot="feedface")).verdict == "accepted"
        assert codes(rig) == {}


async def test_two_boots_of_one_instance_in_turn_are_a_copied_disk(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        assert (await k1.hello(boot="aaaaaaaa")).verdict == "accepted"
        assert (await k1.hello(boot="bbbbbbbb")).verdict == "accepted"
        assert (await k1.hello(boot="aaaaaaaa", conn_seq=2)).code == "cloned_device"
        assert codes(rig) == {"cloned_device": "k1"}
        assert (await k1.hello(boot="bbbbbbbb", conn_seq=2)).code == "cloned_device"
        assert (await k1.ask(messages.Issue(service=SERVICE))).code == "cloned_device"
        rig.devices.renew("k1")
        assert (await k1.hello(boot="bbbbbbbb", conn_seq=3)).verdict == "accepted"
        assert codes(rig) == {}


async def test_an_old_hello_that_the_broker_delivers_again_stops_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        for boot in ("aaaaaaaa", "bbbbbbbb", "aaaaaaaa"):
            await k1.hello(boot=boot)
        assert (await k1.hello(boot="bbbbbbbb", conn_seq=2)).verdict == "accepted"
        assert codes(rig) == {}


async def test_f25_a_request_id_with_another_body_is_refused_and_staff_are_told(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        first = await k1.ask(messages.Issue(service=SERVICE), request_id="0badcafe-7")
        assert (await k1.ask(messages.Issue(service="id-card"), request_id="0badcafe-7")).code == "request_id_reused"
        assert (await k1.ask(messages.Issue(service=SERVICE), request_id="0badcafe-7")) == first
        assert codes(rig) == {"request_id_reused": "k1"}


HOSTILE = {
    "nothing": b"",
    "not text": b"\xff\xfe\x00\x01",
    "not json": b"{]",
    "a number": b"17",
    "huge": b'{"kind":"issue","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{"x":"' + b"y" * 65_000 + b'"}}',
    "deep": b"[" * 5000,
    "deep in the body": b'{"kind":"issue","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":'
    + b'{"a":' * 30
    + b"1"
    + b"}" * 31,
    "no envelope": b'{"kind":"issue"}',
    "key twice": b'{"kind":"issue","kind":"help","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{}}',
    "not a number": b'{"kind":"issue","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{"service":NaN}}',
    "id with a topic": b'{"kind":"issue","id":"../../x","at":"2026-03-02T00:00:00Z","body":{"service":"id-card"}}',
}


@pytest.mark.free_payloads
@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_message_is_dropped_and_counted_while_good_requests_go_on(
    tmp_path: Path, payload: bytes
) -> None:
    async with running(tmp_path, "k1", "k2") as rig:
        k1, k2 = await rig.talker("k1"), await rig.talker("k2")
        before = sum(rig.side.counts.values())
        for _ in range(3):
            await k1.send(payload)
            await k1.send(payload, lane="journal")
        assert (await k2.ask(messages.Issue(service=SERVICE))).number == "A001"
        assert (await k1.ask(messages.Issue(service=SERVICE), request_id="0badcafe-99")).number == "A002"
        assert sum(rig.side.counts.values()) - before >= 6
        assert rig.hall.epoch == 1


@pytest.mark.free_payloads
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"kind":"issue","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{}}', "bad_body"),
        (b'{"kind":"dance","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{}}', "unknown_kind"),
        (
            b'{"kind":"slip","id":"0badcafe-1","at":"2026-03-02T00:00:00Z","body":{"ticket":"t","outcome":"shown"}}',
            "wrong_kind",
        ),
    ],
)
async def test_a_bad_request_that_says_which_it_is_gets_a_named_refusal(
    tmp_path: Path, payload: bytes, code: str
) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.send(payload)
        assert (await k1.answer("0badcafe-1")).code == code


@pytest.mark.free_payloads
async def test_staff_hear_of_a_device_that_sends_many_bad_messages(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        for _ in range(9):
            await k1.send(b"{]")
        await rig.broker.settle()
        assert codes(rig) == {}
        await k1.send(b"{]")
        await until(lambda: codes(rig) == {"malformed_messages": "k1"})


async def test_a_terminal_that_floods_is_refused_and_reported_and_the_others_are_served(tmp_path: Path) -> None:
    async with running(tmp_path, "k1", "k2") as rig:
        flooding, other = await rig.talker("k1"), await rig.talker("k2")
        time = [1000.0]
        rig.side._budget = DeviceBudget(lambda: time[0], rate=10, burst=20)
        for n in range(1, 61):
            await flooding.send(encode(messages.Help(screen="home"), message_id=f"0badcafe-{n}", at=AT))
        await rig.broker.settle()
        assert codes(rig) == {"device_floods": "k1"}
        assert rig.side.counts["too_many_requests"] == 40
        refusals = [body for body in map(_body, flooding.received) if getattr(body, "code", "") == "too_many_requests"]
        assert [refusal.retry_after >= 1 for refusal in refusals] == [True], "the rest is not even looked at"
        assert (await other.ask(messages.Issue(service=SERVICE))).number == "A001"
        time[0] += 2
        assert (await flooding.ask(messages.Issue(service=SERVICE), request_id="0badcafe-99")).number == "A002"


def _body(incoming: Incoming) -> Any:
    return decode(incoming.payload)[1]


@pytest.mark.free_payloads
async def test_a_request_that_the_broker_kept_is_not_done_again(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        payload = encode(messages.Issue(service=SERVICE), message_id="0badcafe-5", at=AT)
        await k1.link.publish(Outgoing(topics.request(HALL, "k1"), payload, retain=True))
        await k1.answer("0badcafe-5")
        rig.broker.kick("server-server-1")
        await until(lambda: rig.link.conn_seq == 2 and rig.link.connected)
        await until(lambda: rig.side.counts["retained_command"] == 1)
        assert (await k1.ask(messages.Issue(service=SERVICE))).number == "A002"


async def test_boards_services_and_presence_are_kept_on_the_broker_and_come_back_after_it_lost_them(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.hello()
        await k1.ask(messages.Issue(service=SERVICE))
        await until(lambda: waiting(rig) == 1)
        rig.broker.kill()
        await until(lambda: not rig.link.connected)
        rig.broker.restart(forget=True)
        assert not rig.broker.retained
        await until(lambda: rig.retained(topics.server_presence("server-1")) is not None and waiting(rig) == 1)
        assert rig.retained(topics.server_presence("server-1")).leads == {HALL: 1}
        assert {zone for zone in ("east", "west") if rig.retained(topics.board(HALL, zone))} == {"east", "west"}
        await until(lambda: rig.retained(topics.desired("k1")) is not None)
        bundle = rig.hall.bundle()
        assert bundle is not None
        assert rig.retained(topics.desired("k1")).url == f"{PUBLIC_URL}/bundles/{bundle.sha256}.json"


async def test_a_new_configuration_is_wanted_on_every_terminal_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_side, "REFRESH_S", 3600.0)
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.hello()
        await until(lambda: rig.retained(topics.desired("k1")) is not None)
        newer = replace(sample(), revision=2)
        assert isinstance(await rig.hall.execute(Configure(by=SYSTEM, configuration=newer)), Done)
        await until(lambda: rig.retained(topics.desired("k1")).revision == 2)


def waiting(rig: Rig) -> int | None:
    services = rig.retained(topics.services(HALL))
    return next((s.waiting for s in services.services if s.service == SERVICE), None) if services else None


async def test_every_publication_of_a_topic_carries_a_newer_epoch_and_rev(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        seen: list[tuple[int, int]] = []

        class Spy:
            def copies(self, sender: str, receiver: str, message: Outgoing) -> tuple[float, ...]:
                return (0.0,)

            def publish(self, sender: str, message: Outgoing) -> str:
                if message.topic == topics.board(HALL, "east"):
                    envelope, _ = decode(message.payload)
                    assert envelope.epoch is not None
                    assert envelope.rev is not None
                    seen.append((envelope.epoch, envelope.rev))
                return "taken"

        rig.broker.weather = Spy()  # type: ignore[assignment]  # has all that a weather has
        k1 = await rig.talker("k1")
        for _ in range(5):
            await k1.ask(messages.Issue(service=SERVICE))
        await until(lambda: len(seen) >= 2)
        assert seen == sorted(set(seen))


async def test_a_call_rings_once_and_expires_and_the_board_shows_it(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        calls: list[Outgoing] = []

        class Spy:
            def copies(self, sender: str, receiver: str, message: Outgoing) -> tuple[float, ...]:
                return (0.0,)

            def publish(self, sender: str, message: Outgoing) -> str:
                if "/call/" in message.topic:
                    calls.append(message)
                return "taken"

        rig.broker.weather = Spy()  # type: ignore[assignment]  # has all that a weather has
        k1 = await rig.talker("k1")
        await k1.ask(messages.Issue(service=SERVICE))
        await rig.hall.execute(OpenCounter(by=SYSTEM, session="s1", counter="counter-1", clerk="li"))
        await rig.hall.execute(CallNext(by=SYSTEM, session="s1", seen=1, call="c1"))
        await until(lambda: calls)
        (call,) = calls
        assert (call.topic, call.expiry_s, call.retain) == (topics.call(HALL, "east"), 15, False)
        _, body = decode(call.payload)
        assert isinstance(body, messages.Call)
        assert (body.number, body.counter, body.audio) == ("A001", "1", f"{PUBLIC_URL}/audio/c1.wav")
        await until(lambda: [c.call_id for c in rig.retained(topics.board(HALL, "east")).calls] == ["c1"])
        rig.clock.forward(seconds=30)
        recalled = await rig.hall.execute(Recall(by=SYSTEM, session="s1", seen=2, call="c2"))
        assert isinstance(recalled, Done)
        await until(lambda: len(calls) == 2)


async def test_a_server_that_ends_in_order_or_dies_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await until(lambda: rig.retained(topics.server_presence("server-1")).state == "online")
    assert rig.retained(topics.server_presence("server-1")).state == "offline"
    assert rig.retained(topics.server_presence("server-1")).leads == {}


async def test_the_late_will_of_an_older_connection_is_corrected(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.link.publish(rig.side.will(0))
        await until(lambda: rig.retained(topics.server_presence("server-1")).state == "online")


async def test_presence_health_and_their_alerts_reach_the_projection(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await k1.hello()
        await k1.say(topics.presence("k1"), messages.Presence(boot_id="0badcafe", conn_seq=3, state="ready"))
        printer = messages.PeripheralReport(
            role="ticket-printer", driver="escpos", health="fault", supplies={"paper": "out"}
        )
        await k1.say(topics.reported("k1"), messages.Reported(peripherals=(printer,), backlog=2))
        await until(lambda: {"printer_out_of_paper", "peripheral_fault"} <= codes(rig).keys())
        await until(lambda: [d.backlog for d in rig.hall.projection().devices] == [2])
        (device,) = rig.hall.projection().devices
        assert (device.presence, device.name) == ("ready", "terminal k1")
        assert {alert.code for alert in rig.hall.projection().alerts} >= {"printer_out_of_paper"}
        healed = printer.model_copy(update={"health": "ok", "supplies": {"paper": "ok"}})
        await k1.say(topics.reported("k1"), messages.Reported(peripherals=(healed,)))
        await until(lambda: codes(rig) == {})


async def test_many_terminals_at_once_get_different_numbers(tmp_path: Path) -> None:
    names = [f"k{n}" for n in range(12)]
    async with running(tmp_path, *names) as rig:
        talkers = [await rig.talker(name) for name in names]
        tickets = await asyncio.gather(*(t.ask(messages.Issue(service=SERVICE)) for t in talkers for _ in range(5)))
        assert len({ticket.number for ticket in tickets}) == 60
        assert rig.ledger.head(HALL).seq == 62
