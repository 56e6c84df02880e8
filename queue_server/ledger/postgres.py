"""PostgreSQL behind ledger and registers: connections, the append in one round trip, named errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, LiteralString, NoReturn

import psycopg
from psycopg import errors as pg
from sqlalchemy import ColumnElement, Connection, Engine, Float, create_engine, func, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from queue_server.ledger.chain import GENESIS, chained
from queue_server.ledger.columns import ANSWERS, AUDIT, DAY_HEADS, EVENTS, NOTICES, Written, written
from queue_server.ledger.database import Database, needs_upgrade, schema_of, upgrade
from queue_server.ledger.errors import Fenced, LedgerFull, LedgerUnavailable, OutOfStep
from queue_server.ledger.port import AppendBatch, Appended, Head, closed_days

CONNECT_WITHIN_S = 3
SILENT_AFTER_S = 5
"""A peer that is gone without a word is given up after this."""
APPEND_WITHIN_S = 5
STATEMENT_WITHIN_S = 120

_COLUMNS = {"events": EVENTS, "answers": ANSWERS, "audit": AUDIT, "day_heads": DAY_HEADS, "notices": NOTICES}
_TYPES = {"seq": "bigint", "answer": "bytea"}
_CONSTANT = frozenset({"hall", "epoch"})
"""The same in every row of a batch."""


class PostgresDatabase(Database):
    """A database of a cluster whose clock, locks and durability all servers of the halls in it share.

    Every append has a connection to itself; what is read and kept beside comes from a small pool. What was committed
    is on the disk of the cluster, and of its synchronous standby where there is one.
    """

    mark = "%s"

    def __init__(self, url: str, *, password: str | None = None) -> None:
        """Open, and create or migrate the database at `url` (`postgresql://user@host:port/name`).

        Raises `LedgerUnavailable`, or `SchemaUnknown` for a database of a newer program.
        """
        address = _address(url)
        with _named_errors():
            self.place = address.render_as_string(hide_password=True)
            self._address = address.set(password=password) if password is not None else address
            self._engine = _engine(self._address)
            self._snapshots = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._lock = threading.Lock()
            self._idle: list[psycopg.Connection[Any]] = []
            self._heads: dict[str, Head] = {}
            self._often_lock = threading.Lock()
            self._often: Connection | None = None
            self._closed = False
            self._migrate()

    def close(self) -> None:
        with self._lock, self._often_lock:
            self._closed = True
            for connection in self._idle:
                connection.close()
            if self._often is not None:
                self._often.close()
            self._often = None
            self._engine.dispose()

    @contextmanager
    def write(self, *, from_reserve: bool = False, durable: bool = True, alone: bool = True) -> Iterator[Connection]:
        # the cluster keeps its own reserve
        del from_reserve
        with _named_errors(), self._engine.begin() as connection:
            if not durable:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            if alone:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('estation registers'))")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with _named_errors(), self._snapshots.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read_often(self) -> Iterator[Connection]:
        with self._often_lock, _named_errors():
            if self._often is None:
                self._often = self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
            try:
                yield self._often
            except BaseException:
                with suppress(SQLAlchemyError):
                    self._often.invalidate()
                    self._often.close()
                self._often = None
                raise

    def append(self, batch: AppendBatch) -> Appended:
        """One statement, which does nothing unless the epoch and the head are those that the writer believes in.

        It locks the lease's row: nobody can take the hall over between the look at the epoch and the commit.
        """
        with _named_errors(), self._appender() as connection:
            head = self._heads.get(batch.hall)
            if head is None or head.seq != batch.expected_seq:
                head = _head(connection, batch.hall)
            rows = chained(batch.hall, batch.epoch, head, batch.events)
            closed = closed_days(batch.hall, batch.events, rows)
            statement, parameters = _append_statement(batch, head.hash, written(batch, rows, closed))
            self._heads.pop(batch.hall, None)
            found = connection.execute(statement, parameters, prepare=True).fetchone()
        self._look(batch, head, found)
        self._heads[batch.hall] = Head(rows[-1].seq, rows[-1].hash) if rows else head
        return Appended(self._heads[batch.hall], closed)

    @staticmethod
    def _look(batch: AppendBatch, head: Head, found: tuple[Any, ...] | None) -> None:
        epoch, seq, digest = found if found is not None else (None, None, None)
        if epoch != batch.epoch:
            raise Fenced(f"epoch {batch.epoch} of {batch.hall} is over")
        stands = Head(seq or 0, digest or GENESIS)
        if stands.seq != batch.expected_seq or stands != head:
            raise OutOfStep(f"the ledger stands at {stands.seq}, the writer at {batch.expected_seq}")

    @contextmanager
    def _appender(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the driver's own, one statement a transaction; one that failed is not used again."""
        with self._lock:
            if self._closed:
                raise LedgerUnavailable("closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = psycopg.connect(
                self._address.set(drivername="postgresql").render_as_string(hide_password=False),
                autocommit=True,
                prepare_threshold=0,
                **_arguments(APPEND_WITHIN_S),
            )
        try:
            yield connection
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.OperationalError):
                # what broke this one may have broken the others
                self._drop_idle()
            raise
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def check_room(self) -> None:
        """The room on the cluster's disk cannot be seen from here: an append that finds none says so."""

    def now(self) -> ColumnElement[float]:
        return func.extract("epoch", func.clock_timestamp()).cast(Float(53))

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if connection.execute(text("SHOW server_encoding")).scalar() != "UTF8":
                raise LedgerUnavailable("the database's encoding is not UTF8")
            found = schema_of(connection)
        if needs_upgrade(found):
            upgrade(self._engine)


def _append_statement(batch: AppendBatch, head_hash: str, rows: Written) -> tuple[LiteralString, dict[str, Any]]:
    parameters = {
        "hall": batch.hall,
        "epoch": batch.epoch,
        "head_seq": batch.expected_seq,
        "head_hash": head_hash,
        "genesis": GENESIS,
    }
    filled = []
    for (table, columns), values in zip(_COLUMNS.items(), rows, strict=True):
        if values:
            filled.append(table)
            varying = zip(columns, zip(*values, strict=True), strict=True)
            parameters |= {f"{table}_{name}": list(column) for name, column in varying if name not in _CONSTANT}
    return _append_text(tuple(filled)), parameters


@lru_cache
def _append_text(filled: tuple[str, ...]) -> LiteralString:
    """The append of any number of rows to the tables `filled`: a column's values travel as one array."""
    inserts = ""
    for table in filled:
        columns = _COLUMNS[table]
        chosen = ", ".join(f"%({name})s" if name in _CONSTANT else f"r.{name}" for name in columns)
        varying = [name for name in columns if name not in _CONSTANT]
        arrays = ", ".join(f"%({table}_{name})s::{_TYPES.get(name, 'text')}[]" for name in varying)
        inserts += (
            f", i_{table} AS (INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - names of this module's own
            f"SELECT {chosen} FROM agreed, unnest({arrays}) AS r({', '.join(varying)})"
        )
        # events first: of two writers at one place the second one learns that, not that an answer is there already
        after_events = " WHERE (SELECT count(*) FROM i_events) > 0" if "events" in filled else ""
        inserts += " RETURNING 1)" if table == "events" else f"{after_events})"
    return f"""
        WITH lease AS (SELECT epoch FROM leases WHERE hall = %(hall)s FOR SHARE),
        head AS (SELECT seq, hash FROM events WHERE hall = %(hall)s ORDER BY seq DESC LIMIT 1),
        agreed AS (
            SELECT FROM lease LEFT JOIN head ON true
            WHERE lease.epoch = %(epoch)s AND coalesce(head.seq, 0) = %(head_seq)s
            AND coalesce(head.hash, %(genesis)s) = %(head_hash)s
        ){inserts}
        SELECT (SELECT epoch FROM lease), (SELECT seq FROM head), (SELECT hash FROM head)
        """  # noqa: S608 - the parts above are of this module's own names


def _head(connection: psycopg.Connection[Any], hall: str) -> Head:
    row = connection.execute(
        "SELECT seq, hash FROM events WHERE hall = %s ORDER BY seq DESC LIMIT 1", (hall,)
    ).fetchone()
    return Head(*row) if row else Head(0, GENESIS)


def _arguments(statement_s: int) -> dict[str, Any]:
    """What every connection says: libpq's own time limits, and the session's settings."""
    settings = {
        "synchronous_commit": "on",
        "statement_timeout": f"{statement_s}s",
        "idle_in_transaction_session_timeout": f"{STATEMENT_WITHIN_S}s",
        "timezone": "UTC",
    }
    return {
        "connect_timeout": CONNECT_WITHIN_S,
        "tcp_user_timeout": SILENT_AFTER_S * 1000,
        "keepalives_idle": SILENT_AFTER_S,
        "keepalives_interval": 1,
        "keepalives_count": SILENT_AFTER_S,
        "application_name": "estation",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # its text would show the address, and whatever stands in it
        raise LedgerUnavailable("the address of the database cannot be read") from None
    if address.drivername != "postgresql":
        raise LedgerUnavailable("not an address of PostgreSQL")
    return address


def _engine(address: URL) -> Engine:
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args=_arguments(STATEMENT_WITHIN_S),
        pool_size=4,
        max_overflow=12,
        pool_timeout=CONNECT_WITHIN_S,
    )


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        _raise_named(cause, error)
    except SQLAlchemyError as error:
        raise LedgerUnavailable(type(error).__name__) from error


def _raise_named(cause: BaseException | None, error: BaseException) -> NoReturn:
    if isinstance(cause, pg.UniqueViolation) and cause.diag.constraint_name == "events_pkey":
        raise OutOfStep("another writer was at this place first") from error
    if isinstance(cause, pg.DiskFull):
        raise LedgerFull("DiskFull") from error
    raise LedgerUnavailable(type(cause).__name__) from error
