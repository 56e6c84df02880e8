"""The database: durable settings, migrations that give exactly the tables, room that is kept, errors with names."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from queue_server.ledger import (
    AppendBatch,
    Head,
    LedgerFull,
    LedgerUnavailable,
    NewEvent,
    SchemaUnknown,
    SqliteDatabase,
    SqlLedger,
)
from queue_server.ledger.sqlite import ROOM_HOLDS_S
from queue_server.ledger.tables import metadata


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB of its own: what is full here is really full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "/bin/mount"
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "estation-test", str(disk)], check=True)
    yield disk
    subprocess.run([shutil.which("umount") or "/bin/umount", "-l", str(disk)], check=True)


def big(n: int) -> NewEvent:
    return NewEvent("2026-03-02T01:00:00.000000+00:00", "{}", "{}", "issued", '{"x":"' + "y" * 20_000 + f'{n}"}}')


def test_the_migrations_give_the_tables_that_the_program_uses(tmp_path: Path) -> None:
    with SqliteDatabase(tmp_path / "x.db", reserve_bytes=0) as database, database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    with SqliteDatabase(tmp_path / "x.db", reserve_bytes=0) as database, database.write() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with SqliteDatabase(tmp_path / "x.db", reserve_bytes=0) as database, database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaUnknown):
        SqliteDatabase(tmp_path / "x.db", reserve_bytes=0)


def test_a_file_that_is_no_database_is_named_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(LedgerUnavailable):
        SqliteDatabase(tmp_path / "x.db", reserve_bytes=0)
    assert (tmp_path / "x.db").read_bytes() == b"not a database" * 1000


def test_an_append_on_a_disk_that_fills_up_is_refused_whole_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    with SqliteDatabase(small_disk / "x.db", reserve_bytes=0) as database:
        ledger = SqlLedger(database)
        epoch = ledger.acquire("h", "s", 60).epoch
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"x" * 400_000)

        def append_until_full() -> None:
            for n in range(200):
                ledger.append(AppendBatch("h", epoch, 2 * n, (big(n), big(n))))

        with pytest.raises(LedgerFull):
            append_until_full()
        seq = ledger.head("h").seq
        assert seq > 0
        assert seq % 2 == 0
        ballast.unlink()
        assert ledger.append(AppendBatch("h", epoch, seq, (big(0),))).head.seq == seq + 1
    with SqliteDatabase(small_disk / "x.db", reserve_bytes=0) as database:
        assert SqlLedger(database).head("h").seq == seq + 1


def test_writing_stops_before_the_reserve_is_touched_while_reading_goes_on(small_disk: Path) -> None:
    with SqliteDatabase(small_disk / "x.db", reserve_bytes=512 * 1024) as database:
        ledger = SqlLedger(database)
        epoch = ledger.acquire("h", "s", 60).epoch
        ledger.append(AppendBatch("h", epoch, 0, (big(1),)))
        (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 400_000))
        time.sleep(ROOM_HOLDS_S)
        with pytest.raises(LedgerFull):
            ledger.append(AppendBatch("h", epoch, 1, (big(2),)))
        assert ledger.head("h").seq == 1


def test_a_locked_database_is_unavailable_and_recovers(tmp_path: Path) -> None:
    with (
        SqliteDatabase(tmp_path / "x.db", reserve_bytes=0, busy_s=0.05) as mine,
        SqliteDatabase(tmp_path / "x.db") as foreign,
    ):
        ledger = SqlLedger(mine)
        epoch = ledger.acquire("h", "s", 60).epoch
        with foreign.write(), pytest.raises(LedgerUnavailable):
            ledger.append(AppendBatch("h", epoch, 0, (big(1),)))
        assert ledger.append(AppendBatch("h", epoch, 0, (big(1),))).head.seq == 1


def test_threads_take_turns_at_writing(tmp_path: Path) -> None:
    with SqliteDatabase(tmp_path / "x.db", reserve_bytes=0) as database:
        ledger = SqlLedger(database)
        epochs = {hall: ledger.acquire(hall, "s", 60).epoch for hall in ("a", "b", "c")}

        def write(hall: str) -> None:
            for seq in range(20):
                ledger.append(AppendBatch(hall, epochs[hall], seq, (big(seq),)))

        threads = [threading.Thread(target=write, args=(hall,)) for hall in epochs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {ledger.head(hall).seq for hall in epochs} == {20}
        assert ledger.head("d") == Head(0, "0" * 64)
