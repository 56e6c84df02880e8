"""Webhooks to a real receiver: signed, at least once, in spite of a receiver that is down, slow, failing or gone."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from queue_server.clock import instant_text
from queue_server.hall import CallNext, NoShow, OpenCounter
from queue_server.hall.base import Actor
from queue_server.hall_port import Done
from queue_server.ids import new_id
from queue_server.ledger.channels import WebhookRow
from queue_server.notices import NOTICE_KINDS
from queue_server.webhooks import FIRST_PAUSE_S, LONGEST_PAUSE_S, WebhookSender, pause_s
from queue_server.webhooks_signing import BadTarget, check_addresses, check_url, new_secret
from tests.queue_server.channels.conftest import MONDAY, TEN, Clock, Programs
from tests.queue_server.web.rig import HALL, Rig

CLERK = Actor("clerk", "limin")


@dataclass
class Receiver:
    """A receiver of webhooks on a real socket; answers `status`, or not at all while `hangs`."""

    status: int = 204
    hangs: bool = False
    extra: bytes = b""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.seen]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append((headers, body))
                if self.hangs:
                    await asyncio.Event().wait()
                writer.write(f"HTTP/1.1 {self.status} X\r\n".encode() + self.extra + b"Content-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator["Receiver"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


@asynccontextmanager
async def sending(rig: Rig, **settings: Any) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(
        rig.port,
        rig.channels,
        rig.alerts,
        leads=lambda: rig.port.epoch is not None,
        **{"pause": lambda _attempt: 0.0, "timeout_s": 5.0, **settings},
    )
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def hook(rig: Rig, url: str, channel: str = "app", *kinds: str) -> WebhookRow:
    row = WebhookRow(new_id(), HALL, channel, url, new_secret(), " ".join(kinds or NOTICE_KINDS), instant_text(MONDAY))
    rig.channels.add_webhook(row)
    return row


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - waits for other threads and sockets
            await asyncio.sleep(0.02)


async def booked(program: Programs, channel: str = "app", who: int = 1) -> Any:
    answer = await program(channel).book(who, client=f"u-{who}")
    assert answer.status_code == 201, answer.text
    return answer.json()


async def cancel(program: Programs, appointment: Any, channel: str = "app") -> None:
    path = f"/appointments/{appointment['appointment']}/cancel"
    assert (await program(channel).post(path, {"seen": appointment["version"]})).status_code == 200


async def test_a_channel_is_told_of_near_called_recalled_and_missed_and_can_prove_who_told_it(
    rig: Rig, program: Programs, clock: Clock
) -> None:
    async with Receiver().open() as receiver, sending(rig):
        row = hook(rig, receiver.url)
        appointment = await booked(program)
        clock.now = TEN
        code = {"code": appointment["code"]}
        ticket = (await program().post("/check-ins", code)).json()["ticket"]
        await until(lambda: len(receiver.seen) == 1)
        opened = await rig.port.execute(OpenCounter(by=CLERK, session="s-1", counter="counter-2", clerk="limin"))
        assert isinstance(opened, Done)
        called = await rig.port.execute(CallNext(by=CLERK, session="s-1", call="c-1", seen=1))
        assert isinstance(called, Done), called
        clock.now += timedelta(minutes=5)
        missed = await rig.port.execute(NoShow(by=CLERK, session="s-1", seen=2))
        assert isinstance(missed, Done), missed
        await until(lambda: len(receiver.seen) >= 3)
    near, call, no_show = receiver.bodies()[:3]
    assert [body["type"] for body in (near, call, no_show)] == ["near", "called", "no_show"]
    assert near["data"] == {
        "hall": HALL,
        "appointment": appointment["appointment"],
        "client": "u-1",
        "service": "social-card",
        "starts_at": "2026-03-02T02:00:00.000000+00:00",
        "number": ticket["number"],
        "ahead": 0,
    }
    assert call["data"]["counter"] == "2"
    assert call["data"]["recall"] is False
    for headers, body in receiver.seen:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(row.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["webhook-id"] == json.loads(body)["id"]
        assert int(headers["webhook-timestamp"]) == int(TEN.timestamp()) or clock.now > TEN
        assert b"1101011990" not in body
    assert len({headers["webhook-id"] for headers, _ in receiver.seen}) == len(receiver.seen)


async def test_a_notice_goes_to_its_own_channel_and_to_hooks_that_want_its_kind(rig: Rig, program: Programs) -> None:
    async with Receiver().open() as mine, Receiver().open() as other, Receiver().open() as called_only, sending(rig):
        hook(rig, mine.url)
        hook(rig, other.url, "mini-programme")
        hook(rig, called_only.url, "app", "called")
        await cancel(program, await booked(program))
        await until(lambda: len(mine.seen) == 1)
        await cancel(program, await booked(program, "mini-programme", 2), "mini-programme")
        await until(lambda: len(other.seen) == 1)
    assert mine.bodies()[0]["type"] == "cancelled"
    assert mine.bodies()[0]["data"]["client"] == "u-1"
    assert other.bodies()[0]["data"]["client"] == "u-2"
    assert called_only.seen == []


async def test_a_receiver_that_is_down_gets_it_when_it_is_back_even_over_a_restart_of_the_sender(
    rig: Rig, program: Programs
) -> None:
    receiver = Receiver()
    async with receiver.open():
        port = receiver.port
    row = hook(rig, receiver.url)
    async with sending(rig):
        await cancel(program, await booked(program))
        await until(lambda: rig.alerts.is_open("webhook_failing", row.id))
    assert rig.channels.counts(row.id).pending == 1
    async with receiver.open(port), sending(rig):
        await until(lambda: rig.channels.counts(row.id).delivered == 1)
        await until(lambda: not rig.alerts.is_open("webhook_failing", row.id))
    assert len(receiver.seen) == 1


async def test_a_receiver_that_fails_is_tried_again_under_the_same_id_until_it_takes_it(
    rig: Rig, program: Programs
) -> None:
    receiver = Receiver(status=500)
    async with receiver.open(), sending(rig):
        row = hook(rig, receiver.url)
        await cancel(program, await booked(program))
        await until(lambda: len(receiver.seen) >= 3)
        receiver.status = 200
        await until(lambda: rig.channels.counts(row.id).delivered == 1)
    assert len({headers["webhook-id"] for headers, _ in receiver.seen}) == 1
    assert len({body for _, body in receiver.seen}) == 1


async def test_after_the_last_attempt_it_is_dead_staff_know_and_it_can_be_sent_again(
    rig: Rig, program: Programs
) -> None:
    receiver = Receiver(status=503)
    async with receiver.open(), sending(rig, attempts=4):
        row = hook(rig, receiver.url)
        await cancel(program, await booked(program))
        await until(lambda: rig.alerts.is_open("webhook_dead", row.id))
        assert rig.channels.counts(row.id).dead == 1
        assert len(receiver.seen) == 4
        receiver.status = 204
        assert rig.channels.retry_dead(row.id, instant_text(MONDAY)) == 1
        await until(lambda: not rig.alerts.is_open("webhook_dead", row.id))
    assert len(receiver.seen) == 5


async def test_a_receiver_that_hangs_holds_up_no_other_and_is_given_up_in_time(rig: Rig, program: Programs) -> None:
    slow, quick = Receiver(hangs=True), Receiver()
    async with slow.open(), quick.open(), sending(rig, timeout_s=0.3):
        row = hook(rig, slow.url)
        hook(rig, quick.url)
        await cancel(program, await booked(program))
        await until(lambda: len(quick.seen) == 1)
        await cancel(program, await booked(program, "app", 2))
        await until(lambda: len(quick.seen) == 2)
        await until(lambda: len(slow.seen) >= 4)
        assert rig.channels.counts(row.id).pending == 2


async def test_gone_ends_the_delivery_and_a_redirect_is_not_followed(rig: Rig, program: Programs) -> None:
    async with Receiver().open() as elsewhere, Receiver(status=410).open() as gone:
        moved = Receiver(status=307, extra=f"Location: {elsewhere.url}\r\n".encode())
        async with moved.open(), sending(rig, attempts=2):
            rows = [hook(rig, gone.url), hook(rig, moved.url)]
            await cancel(program, await booked(program))
            await until(lambda: all(rig.channels.counts(row.id).dead == 1 for row in rows))
    assert (len(gone.seen), len(moved.seen), elsewhere.seen) == (1, 2, [])


async def test_a_day_that_ends_tells_who_never_came_and_whose_ticket_was_not_reached(
    rig: Rig, program: Programs, clock: Clock
) -> None:
    async with Receiver().open() as receiver, sending(rig):
        hook(rig, receiver.url, "app", "no_show", "cancelled")
        never, waiting = await booked(program, who=1), await booked(program, who=2)
        clock.now = TEN
        assert (await program().post("/check-ins", {"code": waiting["code"]})).status_code == 200
        clock.now = MONDAY + timedelta(hours=20)
        await until(lambda: len(receiver.seen) == 2)
    told = {body["data"]["appointment"]: (body["type"], body["data"]["reason"]) for body in receiver.bodies()}
    assert told == {
        never["appointment"]: ("no_show", "never_came"),
        waiting["appointment"]: ("cancelled", "day_ended"),
    }


async def test_what_is_delivered_is_forgotten_and_what_is_not_is_kept(rig: Rig, program: Programs) -> None:
    receiver = Receiver()
    async with receiver.open(), sending(rig):
        row = hook(rig, receiver.url)
        await cancel(program, await booked(program))
        await until(lambda: rig.channels.counts(row.id).delivered == 1)
    await cancel(program, await booked(program, who=2))
    late = instant_text(MONDAY + timedelta(days=30))
    rig.channels.spread(HALL)
    assert rig.channels.forget_notices(HALL, late) == 1
    assert rig.channels.counts(row.id).pending == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "http://10.0.0.1/hook",
        "http://169.254.169.254/latest",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https://user:password@example.com/",
        "https://example.com/#x",
        "http://127.0.0.1.example.com/",
        "http://[::ffff:10.0.0.1]/",
        "https://[broken",
        "gopher://127.0.0.1/",
        "//127.0.0.1/",
    ],
)
def test_nothing_but_https_or_this_machine_is_an_address(url: str) -> None:
    with pytest.raises(BadTarget):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.com/a?b=c", "http://127.0.0.1:9/x", "http://localhost/", "http://[::1]/"]
)
def test_https_and_loopback_are_addresses(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("93.184.216.34", True),
        ("10.1.2.3", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
    ],
)
def test_a_name_that_leads_to_the_wrong_address_is_not_sent_to(address: str, good: bool) -> None:
    if good:
        check_addresses("https://example.com/", [address])
    else:
        with pytest.raises(BadTarget):
            check_addresses("https://example.com/", ["93.184.216.34", address])


def test_pauses_grow_to_an_hour_and_are_spread() -> None:
    for attempt in range(1, 100):
        whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
        assert all(whole / 2 <= pause_s(attempt) <= whole for _ in range(20))
    assert len({pause_s(9) for _ in range(50)}) > 1
