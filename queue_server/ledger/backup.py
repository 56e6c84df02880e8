"""Backup and restore: one portable file for both databases, made while the servers run.

The file is gzip of lines of JSON: what it is, then table by table its columns and its rows, then the counts, the heads
of the chains and the SHA-256 of everything before. It holds one state of the database, the one at its beginning.
"""

import base64
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy import Connection, Table, func, insert, select, text

from queue_server.ledger.chain import GENESIS
from queue_server.ledger.database import SCHEMA, Database
from queue_server.ledger.port import Head
from queue_server.ledger.tables import candidates, events, leases, metadata

FORMAT = "estation-backup"
VERSION = 1
EPOCH_STEP = 1000
"""A restored hall begins so many epochs later: readers drop what is older than what they saw after the backup."""
_PAGE = 1000
_COMPRESSION = 3
"""Three quarters of what more would save, in a third of the time."""

Progress = Callable[[str, int, int], None]
"""Called with the table, the rows done and the rows there are, over all tables."""


class BackupUnusable(Exception):
    """The file is no backup, is damaged, or was made by another version; the text says which."""


class NotEmpty(Exception):
    """The database to restore into holds rows already; nothing was written."""


@dataclass(frozen=True)
class Contents:
    """What a backup holds: the rows of each table, and the head of each hall's chain."""

    made_at: str
    counts: Mapping[str, int]
    heads: Mapping[str, Head]


def _quiet(_table: str, _done: int, _total: int) -> None:
    return None


def backup(database: Database, path: Path, at: str, progress: Progress = _quiet) -> Contents:
    """Write the database as it is now to `path`, readable for its owner alone.

    `at`: the instant, for the file. Raises `LedgerError`, `OSError`; `FileExistsError` if the file is there already.
    """
    if path.exists():
        raise FileExistsError(path)
    new = path.with_name(path.name + ".part")
    with database.read() as connection, _digested(new) as out:
        _unhurried(connection)
        totals = {table.name: _count(connection, table) for table in _tables()}
        out.line({"format": FORMAT, "version": VERSION, "schema": SCHEMA, "made_at": at})
        done = 0
        for table in _tables():
            out.line({"table": table.name, "columns": [column.name for column in table.columns]})
            for rows in _pages(connection, table):
                for row in rows:
                    out.line([_packed(value) for value in row])
                done += len(rows)
                progress(table.name, done, sum(totals.values()))
        heads = _heads(connection)
        out.end({"counts": totals, "heads": {hall: [head.seq, head.hash] for hall, head in heads.items()}})
    new.replace(path)
    return Contents(at, totals, heads)


def restore(database: Database, path: Path, progress: Progress = _quiet) -> Contents:
    """Fill an empty database of today's schema from the file: whole, or not at all.

    Raises `NotEmpty`, `BackupUnusable`, `LedgerError`, `OSError`.
    """
    contents = inspect(path)
    total = sum(contents.counts.values())
    by_name = {table.name: table for table in _tables()}
    with database.write() as connection:
        _unhurried(connection)
        if any(_count(connection, table) for table in _tables()):
            raise NotEmpty(database.place)
        done = 0
        with _read(path) as lines:
            for table, page in _tables_of(lines, by_name):
                connection.execute(insert(table), page)
                done += len(page)
                progress(table.name, done, total)
        connection.execute(leases.update().values(until=0.0, epoch=leases.c.epoch + EPOCH_STEP))
        _continue_numbering(connection)
        if {name: _count(connection, table) for name, table in by_name.items()} != contents.counts:
            raise BackupUnusable("it does not hold the rows that it says")
    return contents


def inspect(path: Path) -> Contents:
    """Read a backup through, and check that it is whole. Raises `BackupUnusable`, `OSError`."""
    digest, last = sha256(), b""
    with _read(path) as lines:
        first = next(lines, "")
        made_at, last = _header(first), first.encode()
        for line in lines:
            digest.update(last)
            last = line.encode()
    try:
        end = json.loads(last)["end"]
        heads = {hall: Head(seq, hash_) for hall, (seq, hash_) in end["heads"].items()}
        found, counts = end["sha256"], dict(end["counts"])
    except (ValueError, KeyError, TypeError):
        raise BackupUnusable("it ends in the middle") from None
    if found != digest.hexdigest():
        raise BackupUnusable("it was changed since it was made")
    return Contents(made_at, counts, heads)


def _unhurried(connection: Connection) -> None:
    """PostgreSQL is told that statements may take their time here."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _tables() -> list[Table]:
    """Every table but the one of those who stand ready now."""
    return [table for table in metadata.sorted_tables if table is not candidates]


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _pages(connection: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    rows = select(table).order_by(*table.primary_key.columns)
    result = connection.execute(rows, execution_options={"yield_per": _PAGE})
    for page in result.partitions(_PAGE):
        yield [tuple(row) for row in page]


def _heads(connection: Connection) -> dict[str, Head]:
    found = {}
    for hall in connection.execute(select(leases.c.hall).order_by(leases.c.hall)).scalars().all():
        last = select(events.c.seq, events.c.hash).where(events.c.hall == hall).order_by(events.c.seq.desc()).limit(1)
        row = connection.execute(last).one_or_none()
        found[hall] = Head(row.seq, row.hash) if row else Head(0, GENESIS)
    return found


def _packed(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


class _Out:
    """Lines on their way into the file, with the digest of all of them."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._digest = sha256()

    def line(self, content: object) -> None:
        line = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
        self._digest.update(line.encode())
        self._file.write(line)

    def end(self, content: dict[str, Any]) -> None:
        self.line({"end": content | {"sha256": self._digest.hexdigest()}})


@contextmanager
def _digested(path: Path) -> Iterator[_Out]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb") as raw:
            with gzip.open(raw, "wt", compresslevel=_COMPRESSION, encoding="utf-8", newline="\n") as file:
                yield _Out(cast("TextIO", file))
            raw.flush()
            os.fsync(raw.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _read(path: Path) -> Iterator[Iterator[str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield iter(file)
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError):
        raise BackupUnusable("it is no backup, or ends in the middle") from None


def _header(line: str) -> str:
    """When the backup was made."""
    try:
        found = json.loads(line)
        if found["format"] != FORMAT:
            raise BackupUnusable("it is no backup")
        if (found["version"], found["schema"]) != (VERSION, SCHEMA):
            raise BackupUnusable(f"it has schema {found['schema']}, this program knows {SCHEMA}")
        return str(found["made_at"])
    except (ValueError, KeyError, TypeError):
        raise BackupUnusable("it is no backup") from None


def _tables_of(lines: Iterator[str], by_name: Mapping[str, Table]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """The rows of a backup that was inspected, in pages of one table each."""
    _header(next(lines))
    table: Table | None = None
    columns: list[str] = []
    page: list[dict[str, Any]] = []
    for line in lines:
        content = json.loads(line)
        if isinstance(content, list):
            page.append(dict(zip(columns, map(_unpacked, content), strict=True)))
        if table is not None and page and (isinstance(content, dict) or len(page) == _PAGE):
            yield table, page
            page = []
        if isinstance(content, dict) and "table" in content:
            table, columns = by_name[content["table"]], content["columns"]


def _continue_numbering(connection: Connection) -> None:
    """PostgreSQL counts on from where its own counters stand, whatever was inserted."""
    if connection.dialect.name != "postgresql":
        return
    for table in _tables():
        column = table.autoincrement_column
        if column is not None and _count(connection, table):
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"),
                {
                    "table": table.name,
                    "column": column.name,
                    "last": connection.execute(select(func.max(column))).scalar_one(),
                },
            )
