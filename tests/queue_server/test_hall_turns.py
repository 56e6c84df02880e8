"""Turns of a hall: when one item has its turn at once, and that both ways end alike."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from queue_server.alerts import AlertBook
from queue_server.hall import Actor, Configure, Issue
from queue_server.hall_leading import Leading
from queue_server.hall_port import Done, NotDone, RequestKey
from queue_server.hall_settings import HallSettings
from queue_server.hall_turns import ALONE_AFTER_S, FULL_PAUSE_S, QUICK_APPEND_S, Turns
from queue_server.ledger import Fenced, LedgerFull, LedgerUnavailable, MemoryLedger
from queue_server.runner import Ask, Reply, Unanswered
from queue_server.waiting import waiter
from queue_server.worker import Worker
from tests.queue_server.engine import HALL, NOW, SERVICE, SYSTEM, Faulty, sample

BOOT = "0badcafe"


class Seat:
    """A led and configured hall whose monotonic clock is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.time = 100.0
        self.ledger = Faulty(MemoryLedger(clock=NOW.timestamp))
        self.alerts = AlertBook(HALL, None)
        settings = HallSettings(hall=HALL, server="server-1", public_url="http://127.0.0.1:1", data=folder)
        self.leading = Leading(settings, self.ledger, self.alerts, monotonic=lambda: self.time)  # type: ignore[arg-type]  # passes everything through
        self.turns = Turns(
            settings,
            self.ledger,  # type: ignore[arg-type]  # passes everything through
            self.leading,
            self.alerts,
            now=lambda: NOW,
            monotonic=lambda: self.time,
        )
        self.worker = Worker("test")
        self.append_takes_s = 0.0
        inner = self.ledger.append

        def append(batch: object) -> object:
            self.time += self.append_takes_s
            return inner(batch)  # type: ignore[arg-type]  # handed on

        self.ledger.append = append  # type: ignore[method-assign,assignment]  # takes its time

    def issue(self, n: int) -> Ask:
        by = Actor("device", "k1")
        command = Issue(by=by, visit=f"v{n}", ticket=f"t{n}", step=f"s{n}", service=SERVICE, follow_token=f"f{n}")
        return Ask(command, RequestKey("k1", f"{BOOT}-{n}", "0" * 64), lambda _: b"{}", waiter())

    async def through_the_mailbox(self, item: Ask) -> Reply | Unanswered:
        await self.turns.run(self.worker, [item])
        return await _said(item)

    def wait(self) -> None:
        self.time += 2 * ALONE_AFTER_S


async def _said(item: Ask) -> Reply | Unanswered:
    async with asyncio.timeout(5):
        said: Reply | Unanswered = await item.token.future
        return said


@pytest.fixture
async def seat(tmp_path: Path) -> AsyncIterator[Seat]:
    seat = Seat(tmp_path)
    await seat.leading.win(seat.worker)
    await seat.turns.run(seat.worker, [Ask(Configure(by=SYSTEM, configuration=sample()), token=waiter())])
    assert isinstance(await seat.through_the_mailbox(seat.issue(1)), Reply)
    seat.wait()
    yield seat
    seat.worker.close()


async def test_one_who_comes_alone_is_answered_before_the_call_returns(seat: Seat) -> None:
    said = seat.turns.at_once(seat.issue(2))
    assert isinstance(said, Reply)
    assert isinstance(said.outcome, Done)
    assert said.outcome.seq == seat.ledger.head(HALL).seq


async def test_one_who_comes_right_after_a_turn_waits_for_a_batch(seat: Seat) -> None:
    assert seat.turns.at_once(seat.issue(2))
    assert not seat.turns.at_once(seat.issue(3))
    seat.wait()
    assert seat.turns.at_once(seat.issue(3))


async def test_while_the_disk_is_slow_nobody_has_a_turn_on_the_loop(seat: Seat) -> None:
    seat.append_takes_s = 2 * QUICK_APPEND_S
    assert seat.turns.at_once(seat.issue(2))
    seat.wait()
    assert not seat.turns.at_once(seat.issue(3))
    seat.append_takes_s = 0.0
    await seat.through_the_mailbox(seat.issue(3))
    seat.wait()
    assert seat.turns.at_once(seat.issue(4))


async def test_a_request_that_may_be_a_repeat_goes_through_the_mailbox_and_gets_the_stored_answer(seat: Seat) -> None:
    again = seat.issue(1)
    assert not seat.turns.at_once(again)
    said = await seat.through_the_mailbox(again)
    assert isinstance(said, Reply)
    assert isinstance(said.outcome, Done)
    assert said.outcome.repeated


async def test_a_turn_at_once_is_followed_up_like_any_other(seat: Seat) -> None:
    seat.turns.take_committed()
    seat.turns.at_once(seat.issue(2))
    (committed,) = seat.turns.take_committed()
    assert [event.kind for event in committed.turn.events] == ["ticket_issued"]
    assert seat.turns.take_committed() == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LedgerUnavailable("SQLITE_IOERR"), "ledger_unavailable"),
        (LedgerFull("SQLITE_FULL"), "ledger_full"),
        (Fenced("epoch 1 is over"), "not_leading"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_failed_append_answers_nobody_and_forgets_the_hall_in_memory(
    seat: Seat, error: Exception, code: str, *, at_once: bool
) -> None:
    seat.ledger.fail_before = error
    said = seat.turns.at_once(seat.issue(2)) if at_once else await seat.through_the_mailbox(seat.issue(2))
    assert isinstance(said, Unanswered)
    assert said.reason.code == code
    assert seat.leading.runner is None
    assert code in {alert.code for alert in seat.alerts.open()}


async def test_a_hall_that_is_not_led_refuses(seat: Seat) -> None:
    seat.leading.reload()
    assert seat.turns.at_once(seat.issue(2)) is None
    said = await seat.through_the_mailbox(seat.issue(2))
    assert isinstance(said, Reply)
    assert said.outcome == NotDone("not_leading", 2.0)


async def test_a_full_ledger_refuses_at_once_and_writes_nothing(seat: Seat) -> None:
    def no_room() -> None:
        raise LedgerFull("the reserve would be used")

    seat.ledger.check_room = no_room  # type: ignore[attr-defined]  # stands before the inner ledger's
    written = seat.ledger.appends
    said = seat.turns.at_once(seat.issue(2))
    assert isinstance(said, Reply)
    assert said.outcome == NotDone("ledger_full", FULL_PAUSE_S)
    assert seat.ledger.appends == written
    assert seat.leading.runner is not None
