"""The rules of the ledger, held by SQLite and by its twin in memory alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from queue_server.ledger import (
    GENESIS,
    Answer,
    AppendBatch,
    AuditNote,
    Broken,
    Database,
    Fenced,
    Head,
    LeaseHeld,
    Ledger,
    LedgerError,
    LedgerUnavailable,
    MemoryLedger,
    NewEvent,
    OutOfStep,
    Snapshot,
    SqliteDatabase,
    SqlLedger,
    first_broken,
)
from tests.postgres import PostgresPlace

HALL = "demo-hall"


def event(n: int, closes_day: str | None = None) -> NewEvent:
    return NewEvent(
        f"2026-03-02T01:00:00.{n:06}+00:00", '{"id":"k1"}', '{"code":"asked"}', "issued", f'{{"n":{n}}}', closes_day
    )


def answer(n: int, body_hash: str = "a" * 64) -> Answer:
    return Answer("kiosk-1", f"0badcafe-{n}", body_hash, b"answer %d" % n, "2026-03-02T01:00:00.000000+00:00", f"t{n}")


class Clock:
    """The store's clock, where a test may move it."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Store:
    ledger: Ledger
    reopened: Callable[[], Ledger]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemoryLedger(clock=Clock())
        yield Store(memory, lambda: memory)
        return
    opened: list[Database] = []

    def reopened() -> Ledger:
        if request.param == "sqlite":
            opened.append(SqliteDatabase(tmp_path / "ledger.db", reserve_bytes=0))
        else:
            place: PostgresPlace = request.getfixturevalue("postgres")
            opened.append(place.open())
        return SqlLedger(opened[-1])

    yield Store(reopened(), reopened)
    for database in opened:
        database.close()


def test_a_new_hall_has_an_empty_chain(store: Store) -> None:
    assert store.ledger.head(HALL) == Head(0, GENESIS)
    assert list(store.ledger.events(HALL)) == []
    assert store.ledger.snapshot(HALL, 1) is None


def test_what_was_appended_is_read_back_in_order_with_its_answers_by_another_connection(store: Store) -> None:
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    first = store.ledger.append(AppendBatch(HALL, epoch, 0, (event(1), event(2)), (answer(1),)))
    second = store.ledger.append(AppendBatch(HALL, epoch, 2, (event(3),), (answer(2),)))
    again = store.reopened()
    rows = list(again.events(HALL))
    assert [(r.seq, r.epoch, r.body) for r in rows] == [
        (1, epoch, '{"n":1}'),
        (2, epoch, '{"n":2}'),
        (3, epoch, '{"n":3}'),
    ]
    assert [r.seq for r in again.events(HALL, after=1)] == [2, 3]
    assert first.head.seq == 2
    assert second.head == again.head(HALL) == Head(3, rows[-1].hash)
    found = again.answers([("kiosk-1", "0badcafe-1"), ("kiosk-1", "0badcafe-2"), ("kiosk-1", "0badcafe-3")])
    assert list(found.values()) == [answer(1), answer(2)]


def test_an_append_at_another_place_than_the_head_is_refused_and_writes_nothing(store: Store) -> None:
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    store.ledger.append(AppendBatch(HALL, epoch, 0, (event(1),)))
    for expected in (0, 2):
        with pytest.raises(OutOfStep):
            store.ledger.append(AppendBatch(HALL, epoch, expected, (event(2),), (answer(2),)))
    assert store.ledger.head(HALL).seq == 1
    assert not store.ledger.answers([("kiosk-1", "0badcafe-2")])


def test_a_stored_answer_is_never_overwritten_and_takes_its_batch_with_it(store: Store) -> None:
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    store.ledger.append(AppendBatch(HALL, epoch, 0, (event(1),), (answer(1),)))
    with pytest.raises(LedgerUnavailable):
        store.ledger.append(AppendBatch(HALL, epoch, 1, (event(2),), (answer(2), answer(1, "b" * 64))))
    assert store.ledger.head(HALL).seq == 1
    keys = [("kiosk-1", "0badcafe-1"), ("kiosk-1", "0badcafe-2")]
    assert store.ledger.answers(keys) == {keys[0]: answer(1)}


def test_only_the_newest_epoch_can_append_renew_or_release(store: Store) -> None:
    old = store.ledger.acquire(HALL, "server-1", 15)
    store.ledger.release(old)
    new = store.reopened().acquire(HALL, "server-2", 15)
    assert new.epoch > old.epoch
    with pytest.raises(Fenced):
        store.ledger.append(AppendBatch(HALL, old.epoch, 0, (event(1),)))
    with pytest.raises(Fenced):
        store.ledger.renew(old, 15)
    store.ledger.release(old)
    with pytest.raises(LeaseHeld):
        store.ledger.acquire(HALL, "server-1", 15)
    assert store.ledger.renew(new, 30).until > new.until
    store.ledger.append(AppendBatch(HALL, new.epoch, 0, (event(1),)))


def test_a_running_lease_keeps_others_out_but_its_own_holder_comes_back_under_a_new_epoch(store: Store) -> None:
    first = store.ledger.acquire(HALL, "server-1", 15)
    with pytest.raises(LeaseHeld) as refused:
        store.ledger.acquire(HALL, "server-2", 15)
    assert refused.value.holder == "server-1"
    assert 0 < refused.value.retry_after <= 15
    assert store.ledger.acquire(HALL, "server-1", 15).epoch == first.epoch + 1


def test_a_lease_that_ran_out_may_be_taken(store: Store) -> None:
    first = store.ledger.acquire(HALL, "server-1", 0.0)
    assert store.ledger.acquire(HALL, "server-2", 15).epoch == first.epoch + 1


def test_the_chain_goes_on_over_epochs_and_each_closing_of_a_day_leaves_its_head(store: Store) -> None:
    first = store.ledger.acquire(HALL, "server-1", 0.0)
    store.ledger.append(AppendBatch(HALL, first.epoch, 0, (event(1), event(2, "2026-03-02"))))
    second = store.ledger.acquire(HALL, "server-2", 15)
    appended = store.ledger.append(AppendBatch(HALL, second.epoch, 2, (event(3), event(4, "2026-03-02"), event(5))))
    rows = list(store.ledger.events(HALL))
    assert [d.business_date for d in store.ledger.day_heads(HALL)] == ["2026-03-02", "2026-03-02"]
    assert [d.hash for d in store.ledger.day_heads(HALL)] == [rows[1].hash, rows[3].hash]
    assert appended.day_heads == store.ledger.day_heads(HALL)[1:]
    assert first_broken(HALL, rows, store.ledger.day_heads(HALL)) == Head(5, rows[-1].hash)


def test_the_newest_snapshot_of_the_same_core_is_given_and_old_ones_go(store: Store) -> None:
    for seq in (10, 20, 30, 40):
        store.ledger.save_snapshot(Snapshot(HALL, seq, "h", 7, f"state {seq}"), keep=2)
    assert store.ledger.snapshot(HALL, 7) == Snapshot(HALL, 40, "h", 7, "state 40")
    assert store.ledger.snapshot(HALL, 8) is None
    store.ledger.save_snapshot(Snapshot(HALL, 40, "h", 8, "new core"))
    assert store.ledger.snapshot(HALL, 8) == Snapshot(HALL, 40, "h", 8, "new core")
    assert store.ledger.snapshot(HALL, 7) is None


def test_halls_do_not_see_each_other(store: Store) -> None:
    one, other = store.ledger.acquire("hall-1", "s", 15), store.ledger.acquire("hall-2", "s", 15)
    store.ledger.append(AppendBatch("hall-1", one.epoch, 0, (event(1),), audit=(AuditNote("t", "k", "slip", "t1"),)))
    store.ledger.append(AppendBatch("hall-2", other.epoch, 0, (event(1),)))
    assert store.ledger.head("hall-1").hash != store.ledger.head("hall-2").hash
    assert [r.seq for r in store.ledger.events("hall-2")] == [1]


def test_old_answers_are_forgotten_on_demand(store: Store) -> None:
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    new = answer(2)._replace(at="2026-06-02T01:00:00.000000+00:00")
    store.ledger.append(AppendBatch(HALL, epoch, 0, (), (answer(1), new)))
    assert store.ledger.forget_answers("2026-05-01T00:00:00.000000+00:00") == 1
    assert list(store.ledger.answers([("kiosk-1", "0badcafe-1"), ("kiosk-1", "0badcafe-2")])) == [
        ("kiosk-1", "0badcafe-2")
    ]


def test_an_edited_removed_or_rewritten_row_is_named(store: Store) -> None:
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    store.ledger.append(
        AppendBatch(HALL, epoch, 0, tuple(event(n, "2026-03-02" if n == 5 else None) for n in range(1, 8)))
    )
    rows, days = list(store.ledger.events(HALL)), store.ledger.day_heads(HALL)
    edited = [r._replace(body='{"n":99}') if r.seq == 3 else r for r in rows]
    assert first_broken(HALL, edited, days) == Broken(3, "changed", 0, edited[2])
    shifted = [r._replace(by=f"{r.by}\n{r.why}", why=r.kind, kind=r.body, body="") if r.seq == 3 else r for r in rows]
    assert first_broken(HALL, shifted, days) == Broken(3, "changed", 0, shifted[2])
    assert first_broken(HALL, rows[:3] + rows[4:], days) == Broken(4, "missing", 0)
    assert first_broken(HALL, rows[:6], days, known_seq=7) == Broken(7, "cut", 5)
    assert first_broken(HALL, rows[:4], days) == Broken(5, "cut", 0)
    later = rows[5]._replace(body="{}")
    assert first_broken(HALL, [*rows[:5], later, rows[6]], days) == Broken(6, "changed", 5, later)
    moved = MemoryLedger(clock=lambda: 0.0)
    moved.acquire(HALL, "forger", 15)
    moved.append(AppendBatch(HALL, 1, 0, tuple(event(n if n != 3 else 99) for n in range(1, 8))))
    forged = list(moved.events(HALL))
    assert first_broken(HALL, forged, days) == Broken(5, "rewritten", 0, forged[4])
    mixed = [*rows[:3], *forged[3:]]
    assert first_broken(HALL, mixed, days) == Broken(4, "unlinked", 0, mixed[3])


def test_a_tail_that_was_made_anew_is_found_by_a_head_that_was_exported_before(store: Store) -> None:
    """The forger has the whole database, kept heads and all; the exported heads are elsewhere."""
    epoch = store.ledger.acquire(HALL, "server-1", 15).epoch
    store.ledger.append(AppendBatch(HALL, epoch, 0, tuple(event(n) for n in range(1, 9))))
    exported = [Head(row.seq, row.hash) for row in store.ledger.events(HALL) if row.seq in (2, 4, 6)]
    forged = MemoryLedger(clock=lambda: 0.0)
    forged.acquire(HALL, "forger", 15)
    forged.append(AppendBatch(HALL, 1, 0, tuple(event(n if n != 5 else 99) for n in range(1, 9))))
    rows = list(forged.events(HALL))
    assert first_broken(HALL, rows) == Head(8, rows[-1].hash)
    assert first_broken(HALL, rows, exported) == Broken(6, "rewritten", 4, rows[5])


def test_every_ledger_error_says_what_the_terminal_is_told() -> None:
    assert {kind.code for kind in LedgerError.__subclasses__()} <= {"ledger_full", "ledger_unavailable", "not_leading"}
