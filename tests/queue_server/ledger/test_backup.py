"""A backup is one state of the database, comes back whole in either engine, and nothing else is taken for one."""

import gzip
import json
import random
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from provisioning.postgres import PrivatePostgres
from queue_server import day_heads
from queue_server.drill import drill, in_words, known_heads, verify
from queue_server.hall import Actor, Issue
from queue_server.ledger import (
    Answer,
    AppendBatch,
    AuditNote,
    Broken,
    Database,
    Head,
    NewEvent,
    PostgresDatabase,
    Snapshot,
    SqliteDatabase,
    SqlLedger,
    first_broken,
    tables,
)
from queue_server.ledger.backup import EPOCH_STEP, BackupUnusable, NotEmpty, backup, inspect, restore
from queue_server.ledger.registers import AlertRow, DeviceRow, Registers, StaffRow
from queue_server.runner import Ask
from tests.postgres import PostgresPlace
from tests.queue_server.engine import NOW, Engine, key, sample

HALL = "demo-hall"
AT = "2026-03-02T01:00:00.000000+00:00"

Open = Callable[[str], Database]


@pytest.fixture
def open_(tmp_path: Path, cluster: PrivatePostgres, postgres: PostgresPlace) -> Iterator[Open]:
    """Opens an empty database of an engine, a new one each time."""
    opened: list[Database] = []
    names: list[str] = []

    def open_one(engine: str) -> Database:
        if engine == "sqlite":
            opened.append(SqliteDatabase(tmp_path / f"{len(opened)}.db", reserve_bytes=0))
        else:
            names.append(f"{postgres.name}_{len(opened)}")
            opened.append(PostgresDatabase(cluster.create(names[-1]), password=cluster.password))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()
    for name in names:
        cluster.drop(name)


def event(n: int, *, closes_day: str | None = None) -> NewEvent:
    return NewEvent(
        AT, '{"id":"k1"}', '{"code":"asked"}', "issued", f'{{"n":{n},"who":"引号\\"与换行\\n"}}', closes_day
    )


def fill(database: Database, rows: int = 25) -> None:
    """Rows in every kind of table, with what is hard to write: bytes, quotes, nothing at all."""
    ledger, registers = SqlLedger(database), Registers(database)
    for hall in (HALL, "other-hall"):
        epoch = ledger.acquire(hall, "server-1", 60).epoch
        for seq in range(rows):
            closes = "2026-03-02" if seq == 9 else None
            answer = Answer("k1", f"{hall}-{seq}", "a" * 64, bytes(range(256)) * 2, AT, None if seq % 2 else f"t{seq}")
            note = AuditNote(AT, '{"id":"k1","kind":"device"}', "slip_printed", f"t{seq}")
            ledger.append(AppendBatch(hall, epoch, seq, (event(seq, closes_day=closes),), (answer,), (note,)))
    ledger.save_snapshot(Snapshot(HALL, rows, ledger.head(HALL).hash, 1, '{"state":"…"}'))
    registers.add_device(DeviceRow("k1", HALL, "一号机", "accepted", AT))
    registers.add_staff(StaffRow("s1", HALL, "li", "李明", "$argon2id$…", AT, roles=("clerk", "manager")))
    registers.put_alert(AlertRow(HALL, "ledger_full", HALL, "critical", "{}", AT, AT, 1))


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables.metadata.sorted_tables
            if table not in (tables.leases, tables.candidates)
        }


@pytest.mark.parametrize("source", ["sqlite", "postgres"])
@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_what_comes_back_is_what_went_in_whichever_engine_holds_it(
    source: str, target: str, open_: Open, tmp_path: Path
) -> None:
    old, new = open_(source), open_(target)
    fill(old)
    seen: list[tuple[str, int, int]] = []
    made = backup(old, tmp_path / "hall.backup", AT, lambda *step: seen.append(step))
    restored = restore(new, tmp_path / "hall.backup")
    assert contents(new) == contents(old)
    assert made == restored == inspect(tmp_path / "hall.backup")
    assert made.heads == {HALL: SqlLedger(old).head(HALL), "other-hall": SqlLedger(old).head("other-hall")}
    assert made.counts["events"] == 50
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1] == seen[-1][2] == sum(made.counts.values())
    assert stat.S_IMODE((tmp_path / "hall.backup").stat().st_mode) == 0o600


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_restored_hall_goes_on_at_once_under_a_much_later_epoch_and_counts_on(
    engine: str, open_: Open, tmp_path: Path
) -> None:
    old, new = open_("sqlite"), open_(engine)
    fill(old)
    backup(old, tmp_path / "b", AT)
    restore(new, tmp_path / "b")
    ledger = SqlLedger(new)
    lease = ledger.acquire(HALL, "server-9", 60)
    assert lease.epoch == SqlLedger(old).lease_state(HALL)[0].epoch + EPOCH_STEP + 1
    note = AuditNote(AT, "{}", "checked", "x")
    assert ledger.append(AppendBatch(HALL, lease.epoch, 25, (event(25),), (), (note,))).head.seq == 26
    ids = [row.id for row in Registers(new).audit(HALL)]
    assert max(ids) > 50
    Registers(new).put_alert(AlertRow(HALL, "device_lost", "k1", "warning", "{}", AT, AT, 1))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_backup_made_under_load_is_one_state_that_existed(engine: str, open_: Open, tmp_path: Path) -> None:
    database = open_(engine)
    ledger = SqlLedger(database)
    epoch = ledger.acquire(HALL, "server-1", 60).epoch
    stop = threading.Event()

    def write() -> None:
        seq = 0
        while not stop.is_set():
            answer = Answer("k1", f"boot-{seq}", "a" * 64, b"x", AT)
            ledger.append(AppendBatch(HALL, epoch, seq, (event(seq),), (answer,)))
            seq += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while ledger.head(HALL).seq < 100:
            pass
        made = [backup(database, tmp_path / f"{n}", AT) for n in range(3)]
    finally:
        stop.set()
        thread.join()
    rows = list(ledger.events(HALL))
    for one in made:
        head = one.heads[HALL]
        assert head.seq >= 100
        assert head.seq == one.counts["events"] == one.counts["answers"]
        assert head == Head(head.seq, rows[head.seq - 1].hash)
    assert made[0].heads[HALL].seq < rows[-1].seq


def test_nothing_is_overwritten_neither_a_file_nor_a_database(open_: Open, tmp_path: Path) -> None:
    database = open_("sqlite")
    fill(database)
    backup(database, tmp_path / "b", AT)
    before = (tmp_path / "b").read_bytes()
    with pytest.raises(FileExistsError):
        backup(database, tmp_path / "b", AT)
    assert (tmp_path / "b").read_bytes() == before
    kept = contents(database)
    with pytest.raises(NotEmpty):
        restore(database, tmp_path / "b")
    assert contents(database) == kept
    used = open_("sqlite")
    with used.write() as connection:
        connection.execute(insert(tables.audit).values(hall=HALL, at=AT, by="{}", act="a", subject="", details="{}"))
    with pytest.raises(NotEmpty):
        restore(used, tmp_path / "b")


def test_a_file_that_is_cut_or_changed_anywhere_is_refused_and_nothing_is_written(open_: Open, tmp_path: Path) -> None:
    database, empty = open_("sqlite"), open_("sqlite")
    fill(database)
    backup(database, tmp_path / "b", AT)
    whole = (tmp_path / "b").read_bytes()
    nothing = contents(empty)
    rng = random.Random(20260302)
    damaged = [whole[: rng.randrange(len(whole))] for _ in range(25)]
    for _ in range(25):
        at = rng.randrange(10, len(whole))
        damaged.append(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
    for content in [b"", b"not a backup", gzip.compress(b"{}\n"), gzip.compress(b"[]\n[]\n"), *damaged]:
        (tmp_path / "damaged").write_bytes(content)
        with pytest.raises(BackupUnusable):
            restore(empty, tmp_path / "damaged")
    assert contents(empty) == nothing


def test_a_row_taken_out_by_somebody_who_knows_the_format_is_found(open_: Open, tmp_path: Path) -> None:
    database, empty = open_("sqlite"), open_("sqlite")
    fill(database)
    backup(database, tmp_path / "b", AT)
    lines = gzip.decompress((tmp_path / "b").read_bytes()).decode().splitlines(keepends=True)
    (tmp_path / "b").write_bytes(gzip.compress("".join(lines[:5] + lines[6:]).encode()))
    with pytest.raises(BackupUnusable, match="changed"):
        restore(empty, tmp_path / "b")


def test_a_backup_of_another_schema_is_named(open_: Open, tmp_path: Path) -> None:
    end = json.dumps({"end": {"counts": {}, "heads": {}, "sha256": ""}})
    for version, schema in ((1, "9999"), (2, "0001")):
        header = json.dumps({"format": "estation-backup", "version": version, "schema": schema, "made_at": AT})
        (tmp_path / "b").write_bytes(gzip.compress(f"{header}\n{end}\n".encode()))
        with pytest.raises(BackupUnusable, match="schema"):
            restore(open_("sqlite"), tmp_path / "b")


def test_a_backup_that_fails_leaves_no_file(open_: Open, tmp_path: Path) -> None:
    database = open_("sqlite")
    fill(database)

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        backup(database, tmp_path / "b", AT, fail)
    assert not list(tmp_path.glob("b*"))


def lived_in(database: Database) -> None:
    """A hall that really happened."""
    engine = Engine(SqlLedger(database))
    service = sample().services[0].id
    for n in range(5):
        issue = Issue(
            by=Actor("device", "k1"),
            service=service,
            visit=f"v{n}",
            ticket=f"t{n}",
            step=f"s{n}",
            follow_token=f"f{n}",
            device="k1",
        )
        engine.turn([Ask(issue, key("k1", f"boot-{n}", f"{n}"), lambda _decided: b"answer")], NOW)
    assert engine.ledger.head(HALL).seq > 5


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_drill_proves_that_the_same_halls_come_back(engine: str, open_: Open, tmp_path: Path) -> None:
    database = open_(engine)
    lived_in(database)
    before = sorted(tmp_path.iterdir())
    found = drill(database, [HALL], tmp_path / "heads", AT, scratch=tmp_path)
    assert found.faults == ()
    assert found.contents.heads[HALL] == SqlLedger(database).head(HALL)
    assert sorted(tmp_path.iterdir()) == before
    into = open_(engine)
    assert drill(database, [HALL], tmp_path / "heads", AT, scratch=tmp_path, into=lambda: into).faults == ()
    assert SqlLedger(open_("sqlite")).head(HALL).seq == 0


def test_a_drill_says_what_is_wrong_with_what_came_back(open_: Open, tmp_path: Path) -> None:
    database = open_("sqlite")
    lived_in(database)
    with database.write() as connection:
        connection.execute(
            tables.events.update().where(tables.events.c.seq == 4).values(body='{"kind":"ticket_issued"}')
        )
    found = drill(database, [HALL], tmp_path / "heads", AT, scratch=tmp_path)
    assert [fault.split(" (")[0] for fault in found.faults] == [
        f"{HALL}: the text of row 4 was changed: it does not give the row's hash",
        f"{HALL}: makes no hall: row 4: BadEvent",
    ]


def test_rows_of_a_backup_older_than_the_exported_heads_are_told_to_be_gone(open_: Open, tmp_path: Path) -> None:
    """After the last backup the hall went on: whoever restores it must know that tickets are missing."""
    old, new = open_("sqlite"), open_("sqlite")
    fill(old, rows=12)
    backup(old, tmp_path / "b", AT)
    ledger = SqlLedger(old)
    epoch = ledger.acquire(HALL, "server-1", 60).epoch
    head = ledger.append(AppendBatch(HALL, epoch, 12, (event(12), event(13)))).head
    day_heads.export_running(tmp_path / "heads", HALL, head, AT)
    restore(new, tmp_path / "b")
    restored = SqlLedger(new)
    found = verify(restored, HALL, known_heads(restored, HALL, tmp_path / "heads"))
    assert found == Broken(13, "cut", 10)
    assert in_words(found) == "rows from 13 on are gone"
    assert first_broken(HALL, restored.events(HALL)) == restored.head(HALL)
    assert drill(old, [HALL], tmp_path / "heads", AT, scratch=tmp_path).faults != ()
