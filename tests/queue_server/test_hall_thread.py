"""The thread of a hall: leading and standing down, faults of the ledger, snapshots, the day's end, the feed."""

import asyncio
import gc
import json
import threading
import weakref
from dataclasses import replace
from pathlib import Path

from queue_server import day_heads
from queue_server.hall import (
    CORE_VERSION,
    Actor,
    CallNext,
    CloseDay,
    Configure,
    HallConfigured,
    Issue,
    OpenCounter,
    TicketIssued,
    refusals,
)
from queue_server.hall_port import BoardChanged, Called, Done, NotDone, ProjectionChanged
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.hall_work import MAX_BATCH
from queue_server.ledger import (
    AppendBatch,
    Appended,
    Broken,
    Fenced,
    Head,
    LeaseHeld,
    LedgerFull,
    LedgerUnavailable,
    MemoryLedger,
    Snapshot,
    first_broken,
)
from queue_server.replay import load_hall
from tests.queue_server.engine import HALL, NOW, SERVICE, SYSTEM, Faulty, sample
from tests.queue_server.rig import PUBLIC_URL, Clock, Rig, running
from tests.wire.seats import until


def issue(n: int) -> Issue:
    return Issue(
        by=Actor("device", "k1"), visit=f"v{n}", ticket=f"t{n}", step=f"s{n}", service=SERVICE, follow_token=f"f{n}"
    )


def open_codes(rig: Rig) -> set[str]:
    return {alert.code for alert in rig.alerts.open()}


def faulty() -> Faulty:
    return Faulty(MemoryLedger(clock=NOW.timestamp))


async def test_a_command_is_answered_after_it_is_committed(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        done = await rig.hall.execute(issue(1))
        assert isinstance(done, Done)
        assert done.seq == rig.ledger.head(HALL).seq
        assert isinstance(await rig.hall.execute(issue(1)), refusals.IdAlreadyUsed)


async def test_commands_come_from_any_event_loop(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        outcomes: list[object] = []

        def elsewhere(n: int) -> None:
            outcomes.append(asyncio.run(rig.hall.execute(issue(n))))

        threads = [threading.Thread(target=elsewhere, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join() for thread in threads])
        assert [type(outcome) for outcome in outcomes] == [Done] * 8
        await until_waiting(rig, 8)


async def test_a_crowd_is_answered_in_turns_that_are_short_and_in_its_order(tmp_path: Path) -> None:
    written: list[int] = []
    go_on = threading.Event()
    go_on.set()

    class Counting(MemoryLedger):
        def append(self, batch: AppendBatch) -> Appended:
            assert go_on.wait(20)
            written.append(len(batch.events))
            return super().append(batch)

    async with running(tmp_path, ledger=Counting(clock=NOW.timestamp)) as rig:
        written.clear()
        go_on.clear()
        crowd = 3 * MAX_BATCH
        asked = [asyncio.create_task(rig.hall.execute(issue(n))) for n in range(crowd)]
        # each has asked once it had its turn here; the disk holds up the first of them meanwhile
        await asyncio.sleep(0)
        go_on.set()
        outcomes = await asyncio.gather(*asked)
        given = [event for done in outcomes if isinstance(done, Done) for event in done.events]
        numbers = [event.number for event in given if isinstance(event, TicketIssued)]
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == crowd
        # the day that the first of them opens is an event more
        assert max(written) <= MAX_BATCH + 1


async def test_nothing_of_an_answered_command_waits_for_the_garbage_collector(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        gc.disable()
        try:
            command = issue(1)
            kept = weakref.ref(command)
            assert isinstance(await rig.hall.execute(command), Done)
            del command
            await until(lambda: kept() is None)
        finally:
            gc.enable()


async def test_however_long_a_projection_takes_the_next_one_comes_in_time(tmp_path: Path) -> None:
    async with running(tmp_path, projection_share=1e-9, projection_within=0.05, refresh_every=1e6) as rig:
        for n in range(1, 4):
            await rig.hall.execute(issue(n))
            await until_waiting(rig, n)


async def until_waiting(rig: Rig, count: int) -> None:
    """Until the projection shows so many."""
    await until(lambda: sum(q.waiting_count for q in rig.hall.projection().queues) == count)


async def test_what_cannot_be_written_is_not_done_and_the_hall_goes_on_from_the_ledger(tmp_path: Path) -> None:
    ledger = faulty()
    async with running(tmp_path, ledger=ledger) as rig:  # type: ignore[arg-type]  # passes everything else through
        await rig.hall.execute(issue(1))
        ledger.fail_before = LedgerUnavailable("SQLITE_IOERR")
        assert await rig.hall.execute(issue(2)) == NotDone("ledger_unavailable", 5.0)
        done = await rig.hall.execute(issue(2))
        assert isinstance(done, Done)
        await until(lambda: [q.waiting_count for q in rig.hall.projection().queues if q.waiting_count] == [2])
        await until(lambda: not open_codes(rig))


async def test_a_full_ledger_refuses_everybody_by_name_until_there_is_room(tmp_path: Path) -> None:
    ledger = faulty()
    async with running(tmp_path, ledger=ledger) as rig:  # type: ignore[arg-type]  # passes everything else through
        room = True

        def check_room() -> None:
            if not room:
                raise LedgerFull("the reserve would be used")

        ledger.check_room = check_room  # type: ignore[attr-defined]  # stands before the inner ledger's
        await rig.hall.execute(issue(1))
        room, written = False, ledger.appends
        outcome = await rig.hall.execute(issue(2))
        assert isinstance(outcome, NotDone)
        assert (outcome.code, outcome.retry_after) == ("ledger_full", 5.0)
        assert ledger.appends == written
        assert open_codes(rig) == {"ledger_full"}
        room = True
        assert isinstance(await rig.hall.execute(issue(2)), Done)
        assert open_codes(rig) == set()


async def test_after_an_append_found_the_disk_full_the_next_ones_are_refused_without_trying(tmp_path: Path) -> None:
    ledger = faulty()
    async with running(tmp_path, ledger=ledger) as rig:  # type: ignore[arg-type]  # passes everything else through
        ledger.fail_before = LedgerFull("SQLITE_FULL")
        assert await rig.hall.execute(issue(1)) == NotDone("ledger_full", 5.0)
        tried = ledger.appends
        assert await rig.hall.execute(issue(1)) == NotDone("ledger_full", 5.0)
        assert ledger.appends == tried
        assert open_codes(rig) == {"ledger_full"}


async def test_a_fenced_writer_steps_down_and_says_so(tmp_path: Path) -> None:
    ledger = faulty()
    async with running(tmp_path, ledger=ledger) as rig:  # type: ignore[arg-type]  # passes everything else through
        ledger.fail_before = Fenced("epoch 1 is over")
        ledger.acquire = held_by_another  # type: ignore[attr-defined]  # stands before the inner ledger's
        assert await rig.hall.execute(issue(1)) == NotDone("not_leading", 5.0)
        await until(lambda: rig.hall.epoch is None)
        assert await rig.hall.execute(issue(1)) == NotDone("not_leading", 2.0)
        assert not rig.hall.projection().leading
        assert "not_leading" in open_codes(rig)


def held_by_another(_hall: str, _holder: str, _ttl_s: float) -> None:
    raise LeaseHeld("server-2", 60.0)


async def test_a_second_server_waits_for_the_lease_and_takes_over_what_the_first_left(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.hall.execute(issue(1))
        settings = HallSettings(hall=HALL, server="server-2", public_url=PUBLIC_URL, data=tmp_path)
        second = HallThread(settings, rig.ledger, rig.alerts, rig.devices, now=rig.clock)
        second.start()
        await until(lambda: "not_leading" in open_codes(rig))
        assert second.epoch is None
        assert await second.execute(issue(2)) == NotDone("not_leading", 2.0)
        assert await asyncio.to_thread(rig.hall.stop)
        await until(lambda: second.epoch == 2)
        assert isinstance(await second.execute(issue(2)), Done)
        assert [c.number for c in second.projection().queues[0].waiting[:1]] == ["A001"]
        assert await asyncio.to_thread(second.stop)


async def test_a_stopped_hall_leaves_a_snapshot_from_which_the_next_one_starts(tmp_path: Path) -> None:
    ledger = MemoryLedger(clock=NOW.timestamp)
    async with running(tmp_path, ledger=ledger) as rig:
        for n in range(5):
            await rig.hall.execute(issue(n))
    loaded = load_hall(ledger, HALL)
    assert loaded.replayed == 0
    assert loaded.head == ledger.head(HALL)
    assert len(list(loaded.hall.tickets())) == 5


async def test_a_snapshot_that_cannot_be_read_or_is_of_another_core_is_passed_over(tmp_path: Path) -> None:
    ledger = MemoryLedger(clock=NOW.timestamp)
    async with running(tmp_path, ledger=ledger) as rig:
        await rig.hall.execute(issue(1))
    head = ledger.head(HALL)
    ledger.save_snapshot(Snapshot(HALL, head.seq, head.hash, CORE_VERSION, "{]"))
    assert load_hall(ledger, HALL).replayed == head.seq
    ledger.save_snapshot(Snapshot(HALL, head.seq, head.hash, CORE_VERSION + 1, "of tomorrow"))
    assert load_hall(ledger, HALL).replayed == head.seq


async def test_the_day_ends_by_the_halls_own_clock_and_its_head_is_exported(tmp_path: Path) -> None:
    clock: Clock
    async with running(tmp_path) as rig:
        clock = rig.clock
        await rig.hall.execute(issue(1))
        clock.forward(hours=24)
        await until(lambda: rig.ledger.day_heads(HALL))
        (day,) = rig.ledger.day_heads(HALL)
        assert day.business_date == "2026-03-02"
        await until(lambda: Head(day.seq, day.hash) in day_heads.exported(tmp_path / "day-heads", HALL))
        await until(lambda: sum(q.waiting_count for q in rig.hall.projection().queues) == 0)
        done = await rig.hall.execute(issue(2))
        assert isinstance(done, Done)
        assert done.events[-1].number == "A001"  # type: ignore[attr-defined]  # the last event is the ticket's
        assert first_broken(HALL, rig.ledger.events(HALL), [day]) == rig.ledger.head(HALL)


async def test_an_exported_day_head_finds_a_history_that_was_written_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.hall.execute(issue(1))
        await rig.hall.execute(CloseDay(by=SYSTEM, business_date=rig.clock.now.date()))
        await until(lambda: list((tmp_path / "day-heads" / HALL).glob("*.json")))
        (path,) = (tmp_path / "day-heads" / HALL).glob("*.json")
        found = json.loads(path.read_text())
        path.write_text(json.dumps(found | {"hash": "f" * 64}))
        broken = first_broken(HALL, rig.ledger.events(HALL), day_heads.exported(tmp_path / "day-heads", HALL))
        assert isinstance(broken, Broken)
        assert (broken.seq, broken.reason) == (found["seq"], "rewritten")


async def test_the_feed_gives_every_call_and_the_newest_board_to_a_slow_reader(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        feed = rig.hall.feed()
        first = [await anext(feed), await anext(feed)]
        assert {item.board.zone for item in first if isinstance(item, BoardChanged)} == {"east", "west"}
        for n in range(3):
            await rig.hall.execute(issue(n))
        for n, counter in enumerate(("counter-1", "counter-2", "counter-3")):
            await rig.hall.execute(OpenCounter(by=SYSTEM, session=f"s{n}", counter=counter, clerk=f"c{n}"))
            await rig.hall.execute(CallNext(by=SYSTEM, session=f"s{n}", seen=1, call=f"call-{n}"))
        await until(lambda: len(board_calls(rig)) == 3)
        await rig.hall.look(lambda *_: None)  # the boards are told in the same step in which they are made
        seen = []
        async for item in feed:
            seen.append(item)
            if isinstance(item, ProjectionChanged):
                break
        assert [item.call.call_id for item in seen if isinstance(item, Called)] == ["call-0", "call-1", "call-2"]
        boards = [item for item in seen if isinstance(item, BoardChanged)]
        assert len(boards) == 2
        assert [c.call_id for c in boards[0].board.calls] == ["call-2", "call-1", "call-0"]


def board_calls(rig: Rig) -> tuple[object, ...]:
    return next((b.board.calls for b in rig.hall.boards() if b.board.zone == "east"), ())


async def test_projections_show_counters_next_tickets_and_why(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.hall.execute(issue(1))
        await rig.hall.execute(issue(2))
        await rig.hall.execute(OpenCounter(by=SYSTEM, session="s1", counter="counter-1", clerk="li"))
        await rig.hall.execute(CallNext(by=SYSTEM, session="s1", seen=1, call="c1"))
        await until(lambda: (c := rig.hall.projection().counter("counter-1")) and c.current)
        counter = rig.hall.projection().counter_of_session("s1")
        assert counter is not None
        assert counter.current is not None
        assert counter.next is not None
        assert (counter.clerk, counter.current.number, counter.current.state) == ("li", "A001", "called")
        assert counter.next.number == "A002"
        assert "A002" in counter.next.why["zh"]
        queue = rig.hall.projection().queue("social-security")
        assert queue is not None
        assert (queue.waiting_count, queue.open_counters) == (1, ("1",))
        assert queue.wait is not None


async def test_a_new_configuration_changes_the_bundle_and_its_address(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        first = rig.hall.bundle()
        assert first is not None
        newer = replace(sample(), revision=2)
        done = await rig.hall.execute(Configure(by=SYSTEM, configuration=newer))
        assert isinstance(done, Done)
        assert isinstance(done.events[0], HallConfigured)
        await until(lambda: (b := rig.hall.bundle()) is not None and b.revision == 2)
        second = rig.hall.bundle()
        assert second is not None
        assert second.sha256 != first.sha256
        assert json.loads(second.body)["hall"] == HALL


async def test_an_unconfigured_hall_refuses_by_name_and_shows_an_empty_picture(tmp_path: Path) -> None:
    async with running(tmp_path, configured=False) as rig:
        assert isinstance(await rig.hall.execute(issue(1)), refusals.HallNotConfigured)
        assert rig.hall.projection().business_date is None
        assert rig.hall.bundle() is None
        assert await rig.hall.follow("nothing") is None
        assert rig.ledger.head(HALL) == Head(0, "0" * 64)
