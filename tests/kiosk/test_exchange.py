"""The exchange: nothing is lost, nothing happens twice, and nobody waits for a ghost."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.asking import Times
from kiosk.exchange import Exchange
from kiosk.journal import Journal
from tests.kiosk.stand_in import DEVICE, HALL, StandIn, until
from wire import topics
from wire.inbox import Inbox, Received
from wire.link import LinkSettings
from wire.memory import MemoryBroker
from wire.messages import FactAnswer, HelloAnswer, Help, Issue, IssueAnswer, Message, Refused, Slip, Withdraw

QUICK = Times(first_pause_s=0.02, longest_pause_s=0.05, answer_deadline_s=0.1, ask_again_s=0.05, patient_retry_s=0.2)
BOOT = "0123456789abcdef"


class Ear:
    """Writes down what the exchange says."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Message]] = []
        self.verdicts: list[HelloAnswer | Refused] = []
        self.heard_words: list[str] = []

    def answered(self, request_id: str, body: Message) -> None:
        self.answers.append((request_id, body))

    def verdict(self, answer: HelloAnswer | Refused, took_s: float) -> None:
        self.verdicts.append(answer)

    def silent(self) -> None:
        self.heard_words.append("silent")

    def heard(self) -> None:
        self.heard_words.append("heard")

    def backlog_changed(self) -> None:
        pass


class Site:
    """A terminal's journal and exchange, a stand-in server, and the broker between them."""

    def __init__(self, folder: Path, boot_id: str = BOOT, broker: MemoryBroker | None = None) -> None:
        self.broker = broker or MemoryBroker()
        self.server = StandIn(self.broker)
        self.ear = Ear()
        self.journal = Journal(folder / "journal.sqlite3", boot_id, lambda: datetime.now(UTC))
        inbox = Inbox(("answer",), self._received, device=DEVICE)
        settings = LinkSettings(
            "memory",
            0,
            "device-t1",
            "device-t1",
            "",
            subscriptions=(topics.answer(DEVICE),),
            backoff_first_s=0.01,
            backoff_cap_s=0.02,
        )
        self.link = self.broker.link(settings, inbox, self._connected, lambda _: self.exchange.lost())
        self.exchange = Exchange(
            self.journal,
            self.link,
            self.ear,
            hall=HALL,
            device=DEVICE,
            instance="i-1",
            versions={},
            clock=lambda: datetime.now(UTC),
            rng=random.Random(7),
            times=QUICK,
        )

    async def _received(self, received: Received) -> None:
        self.exchange.receive(received.envelope.id, received.body)

    async def _connected(self, conn_seq: int) -> None:
        self.exchange.connected(conn_seq)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Site"]:
        await self.journal.open()
        await self.exchange.settle_earlier_boot()
        tasks = [asyncio.create_task(part()) for part in (self.server.link.run, self.link.run, self.exchange.run)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.journal.close()

    async def all_answered(self) -> None:
        """Wait until the journal holds nothing that waits."""
        async with asyncio.timeout(20):
            while await self.journal.backlog():  # noqa: ASYNC110 - the journal has no event for it
                await asyncio.sleep(0.005)

    def answer_to(self, request_id: str) -> Message | None:
        return dict(self.ear.answers).get(request_id)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path).open() as made:
        yield made


ISSUE = Issue(service="pension", person="ab" * 32)


async def test_a_request_is_answered_and_leaves_the_journal(site):
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(request_id))
    assert isinstance(site.answer_to(request_id), IssueAnswer)
    assert await site.journal.backlog() == 0


async def test_hello_comes_first_on_every_connection_and_nothing_passes_before_it_is_accepted(tmp_path):
    site = Site(tmp_path)
    site.server.verdict = "pending"
    async with site.open():
        await site.exchange.request(ISSUE)
        await until(lambda: len(site.server.hellos) >= 3)
        assert site.server.asked_for(Issue) == []
        site.server.verdict = "accepted"
        await until(lambda: site.ear.answers)
        first = [body.conn_seq for body in site.server.hellos]
        site.broker.kick("device-t1")
        await until(lambda: site.server.hellos[-1].conn_seq > first[-1])


async def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(site):
    site.server.lose_answers = 3
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(request_id))
    assert site.server.seen[request_id] >= 4
    assert len(site.server.bodies[request_id]) == 1
    assert site.answer_to(request_id).number == "A001"
    assert len(site.server.asked_for(Issue)) == 1


async def test_an_answer_that_comes_twice_is_heard_once(site):
    site.server.repeat_answers = 3
    first = await site.exchange.request(ISSUE)
    second = await site.exchange.request(ISSUE)
    await until(lambda: len(site.ear.answers) == 2)
    await site.broker.settle()
    assert [key for key, _body in site.ear.answers] == [first, second]


async def test_live_requests_go_one_at_a_time_in_order(site):
    site.server.mute = True
    first = await site.exchange.request(ISSUE)
    second = await site.exchange.request(Help(screen="home"))
    await until(lambda: site.server.seen[first] >= 3)
    assert site.server.seen[second] == 0
    site.server.mute = False
    await until(lambda: len(site.ear.answers) == 2)


async def test_facts_do_not_stop_a_living_citizen_and_the_other_way_round(site):
    site.server.refuse = lambda body: Refused(code="busy", retry_after=0.05) if isinstance(body, Slip) else None
    await site.exchange.slip(Slip(ticket="ticket-9", outcome="printed"), "ticket:ticket-9=printed")
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(request_id))


async def test_a_withdrawn_request_is_never_asked_again_and_the_hall_is_told(site):
    site.server.mute = True
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.server.seen[request_id])
    await site.exchange.withdraw(request_id, "left")
    site.server.mute = False
    await until(lambda: request_id in site.server.withdrawn)
    asked = site.server.seen[request_id]
    await until(lambda: site.server.seen[site.server.asked[-1][0]])
    assert site.answer_to(request_id) is None
    assert site.server.seen[request_id] == asked
    await site.all_answered()


@pytest.mark.parametrize("when", range(6))
async def test_a_withdrawal_at_any_moment_ends_the_request(site, when):
    task = asyncio.create_task(site.exchange.request(ISSUE))
    for _ in range(when * 3):
        await asyncio.sleep(0)
    request_id = await task
    for _ in range(when):
        await asyncio.sleep(0.001)
    await site.exchange.withdraw(request_id, "no_answer")
    await until(lambda: request_id in site.server.withdrawn)
    asked = site.server.seen[request_id]
    following = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(following))
    assert site.server.seen[request_id] == asked


async def test_a_broker_that_dies_and_forgets_loses_nothing(site):
    site.server.mute = True
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.server.seen[request_id])
    site.broker.kill()
    site.server.mute = False
    site.broker.restart(forget=True)
    await until(lambda: site.answer_to(request_id))
    assert len(site.server.bodies[request_id]) == 1


async def test_silence_is_said_and_ends_with_any_answer(site):
    await until(lambda: site.ear.verdicts)
    site.server.dead = True
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.ear.heard_words == ["silent"])
    await site.exchange.withdraw(request_id, "left")
    site.server.dead = False
    await until(lambda: site.ear.heard_words == ["silent", "heard"])


async def test_a_silent_hall_is_asked_until_it_is_back_even_with_nothing_to_send(site):
    await until(lambda: site.ear.verdicts)
    hellos = len(site.server.hellos)
    site.exchange.asking.fell_silent()
    await until(lambda: "heard" in site.ear.heard_words)
    assert len(site.server.hellos) > hellos


async def test_who_waited_before_a_restart_is_withdrawn(tmp_path):
    first = Site(tmp_path)
    first.server.mute = True
    async with first.open():
        request_id = await first.exchange.request(ISSUE)
    async with Site(tmp_path, "fedcba9876543210").open() as second:
        await until(lambda: request_id in second.server.withdrawn)
        assert second.server.asked_for(Issue) == []
        assert [body.reason for body in second.server.asked_for(Withdraw)] == ["left"]


async def test_a_refusal_that_may_be_tried_at_once_is_without_asking_the_person(site):
    refusals = iter([Refused(code="not_leading", retry_after=0.01)] * 2)
    site.server.refuse = lambda body: next(refusals, None) if isinstance(body, Issue) else None
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(request_id))
    assert isinstance(site.answer_to(request_id), IssueAnswer)


@pytest.mark.parametrize("retry_after", [None, 60.0, 0.01])
async def test_a_refusal_reaches_the_person_and_settles_the_request(site, retry_after):
    refused = Refused(code="numbers_exhausted", retry_after=retry_after)
    site.server.refuse = lambda body: refused if isinstance(body, Issue) else None
    request_id = await site.exchange.request(ISSUE)
    await until(lambda: site.answer_to(request_id))
    assert site.answer_to(request_id).code == "numbers_exhausted"
    assert await site.journal.backlog() == 0


async def test_a_poison_fact_is_set_aside_and_the_rest_flows(site):
    site.server.refuse = lambda body: (
        Refused(code="bad_body") if isinstance(body, Slip) and body.ticket == "ticket-1" else None
    )
    for ticket in ("ticket-1", "ticket-2"):
        await site.exchange.slip(Slip(ticket=ticket, outcome="printed"), f"ticket:{ticket}=printed")
    await until(lambda: len(site.server.asked_for(Slip)) == 2)
    await until(lambda: site.exchange.counts["quarantined"] == 1)


@pytest.mark.parametrize("code", ["ledger_full", "not_leading"])
async def test_a_fact_that_the_hall_cannot_keep_now_waits_as_long_as_it_takes(site, code):
    busy = True
    site.server.refuse = lambda body: Refused(code=code, retry_after=0.01) if busy and isinstance(body, Slip) else None
    await site.exchange.slip(Slip(ticket="ticket-1", outcome="printed"), "ticket:ticket-1=printed")
    await until(lambda: site.server.asked_for(Slip) and site.server.seen[site.server.asked[-1][0]] > 2 * QUICK.tries)
    busy = False
    await site.all_answered()
    assert site.exchange.counts["quarantined"] == 0


async def test_a_terminal_that_is_no_longer_accepted_asks_again_and_keeps_its_facts(site):
    await until(lambda: site.ear.verdicts)
    site.server.verdict = "refused"
    site.server.refuse = lambda body: Refused(code="device_refused") if isinstance(body, Slip | Issue) else None
    await site.exchange.slip(Slip(ticket="ticket-1", outcome="printed"), "ticket:ticket-1=printed")
    await until(lambda: site.ear.verdicts[-1].verdict == "refused")
    assert len(await site.journal.pending("facts")) == 1
    site.server.verdict, site.server.refuse = "accepted", lambda _: None
    await until(lambda: site.ear.verdicts[-1].verdict == "accepted")
    await site.all_answered()


async def test_an_answer_that_nobody_waits_for_is_counted(site):
    site.exchange.receive(f"{BOOT}-99", FactAnswer())
    assert site.exchange.asking.counts["answers_ignored"] == 1


async def test_f3_a_long_replay_starves_no_live_request(site):
    """Facts are told one at a time; a person who asks meanwhile is answered before they are all told."""
    site.server.mute = True
    for number in range(60):
        fact = Withdraw(request_id=f"{BOOT}-{1000 + number}", reason="served_offline")
        await site.journal.append("facts", "withdraw", lambda key, fact=fact: site.exchange._encode(fact, key))
    site.exchange.served_offline(None)
    site.server.mute = False
    asked = await site.exchange.request(Issue(service="pension"))
    await until(lambda: site.answer_to(asked) is not None)
    assert len(site.server.withdrawn) < 60
    await site.all_answered()
    assert len(site.server.withdrawn) == 60
    assert [body.request_id for body in site.server.asked_for(Withdraw)] == [f"{BOOT}-{1000 + n}" for n in range(60)]
