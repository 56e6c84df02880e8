"""SQLite behind ledger and registers: one writing connection, durable settings, the append, named errors."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    insert,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable, DropTable

from queue_server.ledger import tables
from queue_server.ledger.chain import GENESIS, chained
from queue_server.ledger.columns import ANSWERS, AUDIT, DAY_HEADS, EVENTS, NOTICES, Written, written
from queue_server.ledger.database import Database, needs_upgrade, schema_of, upgrade
from queue_server.ledger.errors import Fenced, LedgerError, LedgerFull, LedgerUnavailable, OutOfStep
from queue_server.ledger.port import AppendBatch, Appended, Head, closed_days

RESERVE_BYTES = 64 * 1024 * 1024
"""Free space below which nothing more is taken: enough to finish a day's closing and to let a technician work."""

LOG_BYTES = 4 * 1024 * 1024
"""About the 1,000 pages at which SQLite begins its log anew."""
ROOM_HOLDS_S = 0.1
"""How long a look at the free space holds: no disk writes the reserve full in this time."""

_ROWS_A_STATEMENT = 64
_TABLES = {
    "events": (tables.events, EVENTS),
    "answers": (tables.answers, ANSWERS),
    "audit": (tables.audit, AUDIT),
    "day_heads": (tables.day_heads, DAY_HEADS),
    "notices": (tables.notices, NOTICES),
}
"""Where each part of `Written` goes."""
_SELECT_EPOCH_AND_HEAD = (
    "SELECT leases.epoch, events.seq, events.hash FROM leases LEFT JOIN events ON events.hall = leases.hall "
    "AND events.seq = (SELECT max(seq) FROM events WHERE hall = ?) WHERE leases.hall = ?"
)


class SqliteDatabase(Database):
    """SQLite in WAL mode with full synchronisation.

    One connection writes, under a lock; every read opens its own, so reading never waits for a write.
    """

    mark = "?"

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVE_BYTES, busy_s: float = 5.0) -> None:
        """Open, and create or migrate the database at `path`.

        Raises `LedgerUnavailable`, `LedgerFull`, or `SchemaUnknown` for a database of a newer program.
        """
        self.path = path
        self.place = str(path)
        self._reserve_bytes = reserve_bytes
        self._lock = threading.Lock()
        self._writer: Connection | None = None
        self._cursor: Any = None
        """The driver's own, of the writer."""
        self._often_lock = threading.Lock()
        self._often: Connection | None = None
        self._room_until = 0.0
        _make_folder(path.parent)
        with _named_errors():
            self._engine = _engine(path, busy_s)
            self._reader = self._engine.execution_options(reads_only=True)
            self._migrate()
            self._grow_log()

    def close(self) -> None:
        with self._lock, self._often_lock:
            self._drop_writer()
            _drop(self._often)
            self._often = None
            self._engine.dispose()

    @contextmanager
    def write(self, *, from_reserve: bool = False, durable: bool = True, alone: bool = True) -> Iterator[Connection]:
        # there is one writer, and each of its transactions is durable
        del durable, alone
        if not from_reserve:
            self.check_room()
        with self._lock, _named_errors(self.path, self._reserve_bytes):
            if self._writer is None:
                self._writer = self._engine.connect()
            try:
                with self._writer.begin():
                    yield self._writer
            except LedgerError:
                raise
            except BaseException:
                self._drop_writer()
                raise

    def append(self, batch: AppendBatch) -> Appended:
        # with the driver's own cursor: SQLAlchemy's layers cost as much as the disk on each ticket
        self.check_room()
        with self._lock:
            try:
                cursor = self._cursor or self._open_cursor()
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    appended = _append(cursor, batch)
                except LedgerError:
                    cursor.execute("ROLLBACK")
                    raise
                cursor.execute("COMMIT")
            except LedgerError:
                raise
            except BaseException as error:
                self._drop_writer()
                if isinstance(error, SQLAlchemyError | sqlite3.Error):
                    raise _named(error, self.path, self._reserve_bytes) from error
                raise
        return appended

    def _open_cursor(self) -> Any:
        if self._writer is None:
            self._writer = self._engine.connect()
        self._cursor = self._writer.connection.cursor()
        return self._cursor

    def _drop_writer(self) -> None:
        _drop(self._writer)
        self._writer = self._cursor = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with _named_errors(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read_often(self) -> Iterator[Connection]:
        with self._often_lock, _named_errors():
            if self._often is None:
                self._often = self._reader.connect()
            try:
                with self._often.begin():
                    yield self._often
            except BaseException:
                _drop(self._often)
                self._often = None
                raise

    def check_room(self) -> None:
        # looked at every 0.1 s
        now = time.monotonic()
        if now < self._room_until:
            return
        if _free_bytes(self.path) < self._reserve_bytes:
            raise LedgerFull("the reserve of free space would be used")
        self._room_until = now + ROOM_HOLDS_S

    def now(self) -> ColumnElement[float]:
        return (func.julianday("now", type_=Float) - 2440587.5) * 86400.0

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            found = schema_of(connection)
        if needs_upgrade(found):
            self.check_room()
            upgrade(self._engine)

    def _grow_log(self) -> None:
        """Give the write-ahead log its full length once: a commit that need not lengthen it takes half the time.

        What is written goes into pages that the next start, or the ledger, uses again.
        """
        if _free_bytes(self.path) < self._reserve_bytes + 4 * LOG_BYTES:
            return
        # the connection stays: the last one to close would remove the log
        self._writer = self._engine.connect()
        ballast = Table("ballast", MetaData(), Column("x", LargeBinary))
        for statement in (CreateTable(ballast), insert(ballast).values(x=bytes(LOG_BYTES)), DropTable(ballast)):
            with self._writer.begin():
                self._writer.execute(statement)
        self._writer.connection.cursor().execute("PRAGMA wal_checkpoint(RESTART)")


def _append(cursor: Any, batch: AppendBatch) -> Appended:
    """Within a transaction."""
    row = cursor.execute(_SELECT_EPOCH_AND_HEAD, (batch.hall, batch.hall)).fetchone()
    epoch, head = (row[0], Head(row[1] or 0, row[2] or GENESIS)) if row else (None, Head(0, GENESIS))
    if epoch != batch.epoch:
        raise Fenced(f"epoch {batch.epoch} of {batch.hall} is over")
    if head.seq != batch.expected_seq:
        raise OutOfStep(f"the ledger stands at {head.seq}, the writer at {batch.expected_seq}")
    rows = chained(batch.hall, batch.epoch, head, batch.events)
    closed = closed_days(batch.hall, batch.events, rows)
    for name, made in zip(Written._fields, written(batch, rows, closed), strict=True):
        for start in range(0, len(made), _ROWS_A_STATEMENT):
            part = made[start : start + _ROWS_A_STATEMENT]
            cursor.execute(_insert_text(name, len(part)), [value for row in part for value in row])
    return Appended(Head(rows[-1].seq, rows[-1].hash) if rows else head, closed)


@lru_cache(maxsize=4 * _ROWS_A_STATEMENT)
def _insert_text(name: str, rows: int) -> str:
    """One INSERT of so many rows as SQL text.

    One statement, since the driver gives up the interpreter's lock for each, and must win it back from the loop.
    """
    table, columns = _TABLES[name]
    made = insert(table).values([{name: bindparam(f"{name}_{n}") for name in columns} for n in range(rows)])
    return str(made.compile(dialect=sqlite.dialect()))


def _engine(path: Path, busy_s: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "timeout": busy_s},
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        # the driver's own transaction handling would begin too late; `_begin` says when
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")

    return engine


def _drop(connection: Connection | None) -> None:
    """Close a connection that may be broken already."""
    if connection is not None:
        with suppress(SQLAlchemyError):
            connection.invalidate()
            connection.close()


def _writes(connection: Connection) -> bool:
    return not connection.get_execution_options().get("reads_only", False)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailable(f"the database's folder cannot be made: {error.strerror}") from error


def _free_bytes(path: Path) -> int:
    try:
        stat = os.statvfs(path.parent)
    except OSError as error:
        raise LedgerUnavailable(f"the database's folder cannot be read: {error.strerror}") from error
    return stat.f_bavail * stat.f_frsize


@contextmanager
def _named_errors(path: Path | None = None, reserve_bytes: int = 0) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _named(error, path, reserve_bytes) from error


def _named(error: Exception, path: Path | None, reserve_bytes: int) -> LedgerError:
    """What the driver or SQLAlchemy raised, as the ledger calls it."""
    if not isinstance(error, DBAPIError | sqlite3.Error):
        return LedgerUnavailable(type(error).__name__)
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
    out_of_room = path is not None and _free_bytes(path) < max(reserve_bytes, 1024 * 1024)
    if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and out_of_room):
        return LedgerFull(name)
    return LedgerUnavailable(name)
