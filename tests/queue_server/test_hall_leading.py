"""Leading a hall: nobody is believed whose lease ran out, whoever stands by is silent, whoever is wanted gets it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from queue_server import day_heads
from queue_server.alerts import AlertBook
from queue_server.hall_leading import ASK_EVERY_S, Leading
from queue_server.hall_port import Done, NotDone
from queue_server.hall_settings import HallSettings
from queue_server.hall_turns import Turns
from queue_server.ledger import EventRow, LeaseHeld, LedgerUnavailable, MemoryLedger, first_broken
from queue_server.ledger.leases import SETTLED_S
from queue_server.ledger.registers import Registers
from queue_server.runner import Ask, Reply
from queue_server.waiting import waiter
from queue_server.worker import Worker
from tests.queue_server.engine import HALL, NOW, Engine, Faulty
from tests.queue_server.rig import PUBLIC_URL, fresh_database, running
from tests.queue_server.test_hall_thread import issue
from tests.wire.seats import until
from wire import messages, topics
from wire.codec import encode

TTL = 3.0


class Time:
    """One clock for the store and for every machine; a machine may sleep."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Server:
    """One server of the hall, as far as leading goes."""

    leading: Leading
    alerts: AlertBook
    worker: Worker

    async def tries(self) -> bool:
        await self.leading.win(self.worker)
        return self.leading.epoch is not None


@dataclass
class Pair:
    """Two servers on one ledger and one register."""

    time: Time
    ledger: Faulty
    registers: Registers
    first: Server
    second: Server

    def open_alerts(self) -> dict[str, str]:
        """What the register keeps."""
        return {row.code: row.subject for row in self.registers.open_alerts(HALL)}


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    time = Time()
    ledger = Faulty(MemoryLedger(clock=time))
    with fresh_database(folder / "registers.db") as database:
        registers = Registers(database)

        def server(name: str) -> Server:
            alerts = AlertBook(HALL, registers, now=lambda: NOW)
            settings = HallSettings(hall=HALL, server=name, public_url=PUBLIC_URL, data=folder, lease_ttl=TTL)
            return Server(Leading(settings, ledger, alerts, monotonic=time), alerts, Worker(name))

        made = Pair(time, ledger, registers, server("server-1"), server("server-2"))
        yield made
        for one in (made.first, made.second):
            one.worker.close()


async def test_one_leads_and_the_other_stands_by_and_asks_again_soon(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        assert await two.first.tries()
        assert not await two.second.tries()
        assert 0 < two.second.leading.next_try - two.time() <= ASK_EVERY_S
        assert two.first.leading.sure
        assert not two.second.leading.sure


async def test_who_is_silent_for_a_lease_is_replaced_and_finds_out_before_it_says_anything(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        assert await two.first.tries()
        old = two.first.leading.epoch
        assert not await two.second.tries()
        two.time.seconds += TTL
        assert await two.second.tries()
        assert two.second.leading.epoch == (old or 0) + 1
        assert two.first.leading.runner is not None
        assert (two.first.leading.epoch, two.first.leading.renewal_overdue) == (None, True)
        lost: list[bool] = []
        two.first.leading.on_lost = lambda: lost.append(True)
        await two.first.leading.renew(two.first.worker)
        assert two.first.leading.runner is None
        assert lost == [True]


async def test_who_slept_and_was_not_replaced_goes_on(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        await two.first.tries()
        two.time.seconds += 100 * TTL
        assert two.first.leading.epoch is None
        await two.first.leading.renew(two.first.worker)
        assert two.first.leading.epoch == 1


async def test_while_it_cannot_be_sure_a_leader_refuses_even_what_it_knows(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        await two.first.tries()
        turns = Turns(
            HallSettings(hall=HALL, server="server-1", public_url=PUBLIC_URL, data=tmp_path),
            two.ledger,  # type: ignore[arg-type]  # passes everything else through
            two.first.leading,
            two.first.alerts,
            now=lambda: datetime(2026, 3, 2, 1, tzinfo=UTC),
            monotonic=two.time,
        )
        two.time.seconds += TTL
        asker = waiter()
        item = Ask(issue(1), token=asker)
        assert turns.at_once(item) is None
        appends = two.ledger.appends
        await turns.run(two.first.worker, [item])
        said = await asker.future
        assert isinstance(said, Reply)
        assert said.outcome == NotDone("not_leading", 2.0)
        assert two.ledger.appends == appends


async def test_a_ledger_that_cannot_be_reached_costs_the_lead_only_when_the_lease_has_run_out(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        await two.first.tries()

        def unreachable(*_: object) -> None:
            raise LedgerUnavailable("gone")

        two.ledger.renew = unreachable  # type: ignore[attr-defined]  # stands before the inner ledger's
        two.time.seconds += TTL / 3
        await two.first.leading.renew(two.first.worker)
        assert two.first.leading.epoch == 1
        assert two.open_alerts() == {"ledger_unavailable": HALL}
        two.time.seconds += TTL
        assert two.first.leading.epoch is None
        del two.ledger.renew  # type: ignore[attr-defined]
        await two.first.leading.renew(two.first.worker)
        assert two.first.leading.epoch == 1


async def test_who_stands_by_has_read_what_the_leader_wrote_and_reads_the_rest_when_it_takes_over(
    tmp_path: Path,
) -> None:
    async with pair(tmp_path) as two:
        engine = Engine(two.ledger, "server-1")  # type: ignore[arg-type]  # passes everything else through
        asked: list[int] = []
        events = two.ledger.events

        def read(hall: str, after: int = 0) -> Iterator[EventRow]:
            asked.append(after)
            yield from events(hall, after)

        two.ledger.events = read  # type: ignore[method-assign]  # stands before the inner ledger's
        for n in range(1, 4):
            assert not await two.second.tries()
            engine.turn([Ask(issue(n))])
            two.time.seconds += 1
        engine.ledger.release(engine.ledger.acquire(HALL, "server-1", TTL))
        assert await two.second.tries()
        runner = two.second.leading.runner
        assert runner is not None
        assert runner.head == two.ledger.head(HALL)
        assert len(list(runner.hall.tickets())) == 3
        assert asked[0] == 0
        assert 0 not in asked[1:]


async def test_a_hall_is_handed_to_its_home_and_comes_back_when_the_home_is_gone(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        await two.first.tries()
        two.ledger.set_home(HALL, "server-2")
        for _ in range(int(SETTLED_S) + 1):
            assert not await two.second.tries()
            two.time.seconds += 1
            await two.first.leading.renew(two.first.worker)
        assert two.first.leading.wanted_by == "server-2"
        await two.first.leading.release(two.first.worker)
        assert not await two.first.tries()
        assert await two.second.tries()
        assert "server_lost" not in two.open_alerts()
        two.time.seconds += 2 * TTL
        assert await two.first.tries()
        await two.first.leading.renew(two.first.worker)
        assert two.first.leading.wanted_by is None


async def test_only_the_leaders_alerts_are_written_and_a_lost_server_is_one_until_it_is_back(tmp_path: Path) -> None:
    async with pair(tmp_path) as two:
        await two.first.tries()
        two.first.alerts.raise_("device_lost", "k1")
        assert not await two.second.tries()
        two.second.alerts.raise_("device_lost", "k2")
        assert two.second.alerts.is_open("not_leading", HALL)
        assert two.open_alerts() == {"device_lost": "k1"}
        two.time.seconds += TTL
        assert await two.second.tries()
        assert {(row.code, row.subject) for row in two.registers.open_alerts(HALL)} == {
            ("device_lost", "k1"),
            ("device_lost", "k2"),
            ("server_lost", "server-1"),
        }
        await two.first.leading.renew(two.first.worker)
        two.first.alerts.raise_("broker_lost", "server-1")
        assert "broker_lost" not in two.open_alerts()
        with pytest.raises(LeaseHeld):
            two.ledger.acquire(HALL, "server-1", TTL)
        await two.second.leading.renew(two.second.worker)
        assert not two.second.alerts.is_open("server_lost", "server-1")
        assert "server_lost" not in two.open_alerts()


async def test_a_server_that_stands_by_says_nothing_on_the_wire_about_the_hall(tmp_path: Path) -> None:
    ledger = MemoryLedger(clock=lambda: 0.0)
    ledger.acquire(HALL, "server-2", 1e9)
    async with running(tmp_path, "k1", ledger=ledger, leads=False) as rig:
        k1 = await rig.talker("k1")
        for body in (messages.Hello(boot_id="0badcafe", conn_seq=1, instance="i"), messages.Issue(service="x")):
            await k1.send(encode(body, message_id=k1.next_id(), at=NOW))
        await until(lambda: rig.side.counts["standing_by"] == 2)
        await rig.broker.settle()
        assert k1.answers.empty()
        assert rig.retained(topics.server_presence("server-1")).leads == {}
        assert set(rig.broker.retained) == {topics.server_presence("server-1")}
        assert rig.devices.now()[0].last_hello is None


async def test_the_chains_head_is_left_outside_the_database_when_the_hall_is_given_up(tmp_path: Path) -> None:
    ledger = MemoryLedger(clock=lambda: 0.0)
    async with running(tmp_path, ledger=ledger) as rig:
        assert isinstance(await rig.hall.execute(issue(1)), Done)
    heads = list(day_heads.exported(tmp_path / "day-heads", HALL))
    assert ledger.head(HALL) in heads
    assert first_broken(HALL, ledger.events(HALL), heads) == ledger.head(HALL)


def test_lines_that_the_power_cut_short_hide_no_head(tmp_path: Path) -> None:
    ledger = MemoryLedger(clock=lambda: 0.0)
    heads = [ledger.head(HALL)] * 2
    day_heads.export_running(tmp_path, HALL, heads[0], "t1")
    with (tmp_path / HALL / "running.jsonl").open("a") as file:
        file.write('\n{"hall":"demo-h')
    day_heads.export_running(tmp_path, HALL, heads[1], "t2")
    assert list(day_heads.exported(tmp_path, HALL)) == heads
