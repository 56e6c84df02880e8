"""The database behind ledger and registers: one writing connection, durable settings, migrations, named errors."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable, DropTable

from queue_server.ledger.errors import LedgerError, LedgerFull, LedgerUnavailable, SchemaUnknown

SCHEMA = "0001"
"""The migration that this program needs."""

RESERVE_BYTES = 64 * 1024 * 1024
"""Free space below which nothing more is taken: enough to finish a day's closing and to let a technician work."""

LOG_BYTES = 4 * 1024 * 1024
"""About the 1,000 pages at which SQLite begins its log anew."""
ROOM_HOLDS_S = 0.1
"""How long a look at the free space holds: no disk writes the reserve full in this time."""


class Database:
    """SQLite in WAL mode with full synchronisation: a transaction that returned is on the disk.

    One connection writes, under a lock; every read opens its own, so reading never waits for a write. Safe to use
    from several threads.
    """

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVE_BYTES, busy_s: float = 5.0) -> None:
        """Open, and create or migrate the database at `path`.

        Raises `LedgerUnavailable`, `LedgerFull`, or `SchemaUnknown` for a database of a newer program.
        """
        self.path = path
        self._reserve_bytes = reserve_bytes
        self._lock = threading.Lock()
        self._writer: Connection | None = None
        self._often_lock = threading.Lock()
        self._often: Connection | None = None
        self._room_until = 0.0
        with _named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(path, busy_s)
            self._reader = self._engine.execution_options(reads_only=True)
            self._migrate()
            self._grow_log()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the writing connection; a transaction under way ends first."""
        with self._lock, self._often_lock:
            _drop(self._writer)
            _drop(self._often)
            self._writer = self._often = None
            self._engine.dispose()

    @contextmanager
    def write(self, *, from_reserve: bool = False) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed on leaving, rolled back on any error.

        `from_reserve`: for the few bytes that must go through when nothing else may. Raises `LedgerFull`,
        `LedgerUnavailable`.
        """
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
                _drop(self._writer)
                self._writer = None
                raise

    @contextmanager
    def write_lean(self) -> Iterator[Any]:
        """As `write`, with the driver's own cursor: SQLAlchemy's layers cost as much as the disk on each ticket."""
        self.check_room()
        with self._lock, _named_errors(self.path, self._reserve_bytes):
            if self._writer is None:
                self._writer = self._engine.connect()
            try:
                cursor = self._writer.connection.cursor()
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    yield cursor
                    cursor.execute("COMMIT")
                except LedgerError:
                    cursor.execute("ROLLBACK")
                    raise
            except LedgerError:
                raise
            except BaseException:
                _drop(self._writer)
                self._writer = None
                raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database. Raises `LedgerUnavailable`."""
        with _named_errors(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read_often(self) -> Iterator[Connection]:
        """As `read`, on a connection that stays open, one caller at a time: for the look-ups of each turn."""
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
        """Raises `LedgerFull` while less than the reserve is free on the database's disk (looked at every 0.1 s)."""
        now = time.monotonic()
        if now < self._room_until:
            return
        if _free_bytes(self.path) < self._reserve_bytes:
            raise LedgerFull("the reserve of free space would be used")
        self._room_until = now + ROOM_HOLDS_S

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            found = None
            if inspect(connection).has_table("alembic_version"):
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found == SCHEMA:
            return
        if found is not None and found > SCHEMA:
            raise SchemaUnknown(f"the database has schema {found}, this program knows {SCHEMA}")
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


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction."""
    # imported here: Alembic costs a third of a second, and an up-to-date database does not need it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


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
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
        out_of_room = path is not None and _free_bytes(path) < max(reserve_bytes, 1024 * 1024)
        if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and out_of_room):
            raise LedgerFull(name) from error
        raise LedgerUnavailable(name) from error
    except (SQLAlchemyError, OSError) as error:
        raise LedgerUnavailable(type(error).__name__) from error
