"""The ledger on SQLite, through SQLAlchemy Core."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import sqlite

from queue_server.ledger import tables
from queue_server.ledger.chain import GENESIS, chained
from queue_server.ledger.database import Database
from queue_server.ledger.errors import Fenced, LeaseHeld, OutOfStep
from queue_server.ledger.port import (
    Answer,
    AnswerKey,
    AppendBatch,
    Appended,
    DayHead,
    EventRow,
    Head,
    Lease,
    Snapshot,
    closed_days,
)

_PAGE = 2000
_EVENT_COLUMNS = ("seq", "epoch", "at", "by", "why", "kind", "body", "prev_hash", "hash")


_EVENTS = ("hall", *_EVENT_COLUMNS)
_ANSWERS = ("device", "request_id", "body_hash", "answer", "ticket", "at")
_AUDIT = ("hall", "at", "by", "act", "subject", "details")
_DAY_HEADS = ("hall", "business_date", "seq", "hash", "at")
_ROWS_A_STATEMENT = 64


@lru_cache(maxsize=4 * 64)
def _insert_text(table: Table, columns: tuple[str, ...], rows: int) -> str:
    """One INSERT of so many rows as SQL text.

    One statement, since the driver gives up the interpreter's lock for each, and must win it back from the loop.
    """
    made = insert(table).values([{name: bindparam(f"{name}_{n}") for name in columns} for n in range(rows)])
    return str(made.compile(dialect=sqlite.dialect()))


_SELECT_ANSWER = "SELECT body_hash, answer, at, ticket FROM answers WHERE device = ? AND request_id = ?"
_SELECT_IDS = "SELECT request_id FROM answers WHERE device = ? AND request_id >= ? AND request_id < ?"
_SELECT_EPOCH_AND_HEAD = (
    "SELECT leases.epoch, events.seq, events.hash FROM leases LEFT JOIN events ON events.hall = leases.hall "
    "AND events.seq = (SELECT max(seq) FROM events WHERE hall = ?) WHERE leases.hall = ?"
)


def _now() -> ColumnElement[float]:
    """Seconds since 1970 on the database's clock."""
    return (func.julianday("now", type_=Float) - 2440587.5) * 86400.0


class SqlLedger:
    """See `port.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, hall: str, holder: str, ttl_s: float) -> Lease:
        leases = tables.leases
        with self._database.write(from_reserve=True) as connection:
            now = connection.execute(select(_now())).scalar_one()
            row = connection.execute(select(leases).where(leases.c.hall == hall)).one_or_none()
            if row is None:
                lease = Lease(hall, holder, 1, now + ttl_s)
                connection.execute(insert(leases).values(hall=hall, holder=holder, epoch=1, until=lease.until))
                return lease
            if row.holder != holder and row.until > now:
                raise LeaseHeld(row.holder, row.until - now)
            lease = Lease(hall, holder, row.epoch + 1, now + ttl_s)
            connection.execute(
                update(leases).where(leases.c.hall == hall).values(holder=holder, epoch=lease.epoch, until=lease.until)
            )
            return lease

    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        with self._database.write(from_reserve=True) as connection:
            until = connection.execute(select(_now())).scalar_one() + ttl_s
            self._set_until(connection, lease, until)
        return Lease(lease.hall, lease.holder, lease.epoch, until)

    def release(self, lease: Lease) -> None:
        with suppress(Fenced), self._database.write(from_reserve=True) as connection:
            self._set_until(connection, lease, 0.0)

    def _set_until(self, connection: Connection, lease: Lease, until: float) -> None:
        leases = tables.leases
        mine = (leases.c.hall == lease.hall) & (leases.c.epoch == lease.epoch) & (leases.c.holder == lease.holder)
        if connection.execute(update(leases).where(mine).values(until=until)).rowcount != 1:
            raise Fenced(f"epoch {lease.epoch} of {lease.hall} is over")

    def append(self, batch: AppendBatch) -> Appended:
        with self._database.write_lean() as cursor:
            found = cursor.execute(_SELECT_EPOCH_AND_HEAD, (batch.hall, batch.hall)).fetchone()
            if found is None or found[0] != batch.epoch:
                raise Fenced(f"epoch {batch.epoch} of {batch.hall} is over")
            head = Head(found[1] or 0, found[2] or GENESIS)
            if head.seq != batch.expected_seq:
                raise OutOfStep(f"the ledger stands at {head.seq}, the writer at {batch.expected_seq}")
            rows = chained(batch.hall, batch.epoch, head, batch.events)
            closed = closed_days(batch.hall, batch.events, rows)
            _write(cursor, batch, rows, closed)
        return Appended(Head(rows[-1].seq, rows[-1].hash) if rows else head, closed)

    def check_room(self) -> None:
        self._database.check_room()

    def answers(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        found: dict[AnswerKey, Answer] = {}
        with self._database.read_often() as connection:
            for key in keys:
                row = connection.exec_driver_sql(_SELECT_ANSWER, key).one_or_none()
                if row is not None:
                    found[key] = Answer(*key, body_hash=row[0], body=row[1], at=row[2], ticket=row[3])
        return found

    def answered(self, device: str, boot: str) -> set[str]:
        # the character after "-" ends the range of ids that begin with "<boot>-", whatever the boot holds
        with self._database.read_often() as connection:
            rows = connection.exec_driver_sql(_SELECT_IDS, (device, f"{boot}-", f"{boot}."))
            return {name for (name,) in rows if name.rpartition("-")[0] == boot}

    def head(self, hall: str) -> Head:
        events = tables.events
        with self._database.read() as connection:
            last = select(events.c.seq, events.c.hash).where(events.c.hall == hall)
            row = connection.execute(last.order_by(events.c.seq.desc()).limit(1)).one_or_none()
        return Head(row.seq, row.hash) if row else Head(0, GENESIS)

    def events(self, hall: str, after: int = 0) -> Iterator[EventRow]:
        events = tables.events
        columns = [events.c[name] for name in _EVENT_COLUMNS]
        while True:
            page = select(*columns).where(events.c.hall == hall, events.c.seq > after).order_by(events.c.seq)
            with self._database.read() as connection:
                rows = connection.execute(page.limit(_PAGE)).all()
            for row in rows:
                yield EventRow(*row)
            if len(rows) < _PAGE:
                return
            after = rows[-1].seq

    def snapshot(self, hall: str, core_version: int) -> Snapshot | None:
        table = tables.snapshots
        mine = select(table).where(table.c.hall == hall, table.c.core_version == core_version)
        with self._database.read() as connection:
            row = connection.execute(mine.order_by(table.c.seq.desc()).limit(1)).one_or_none()
        return Snapshot(**row._mapping) if row else None

    def save_snapshot(self, snapshot: Snapshot, keep: int = 3) -> None:
        table = tables.snapshots
        hall = table.c.hall == snapshot.hall
        mine = hall & (table.c.core_version == snapshot.core_version)
        with self._database.write() as connection:
            connection.execute(delete(table).where(hall, table.c.seq == snapshot.seq))
            connection.execute(insert(table), [_columns(snapshot)])
            newest = select(table.c.seq).where(mine).order_by(table.c.seq.desc()).limit(keep)
            connection.execute(delete(table).where(hall, table.c.seq.not_in(newest.scalar_subquery())))

    def day_heads(self, hall: str) -> tuple[DayHead, ...]:
        table = tables.day_heads
        with self._database.read() as connection:
            rows = connection.execute(select(table).where(table.c.hall == hall).order_by(table.c.seq)).all()
        return tuple(DayHead(**row._mapping) for row in rows)

    def forget_answers(self, before: str) -> int:
        with self._database.write() as connection:
            return connection.execute(delete(tables.answers).where(tables.answers.c.at < before)).rowcount


def _write(cursor: Any, batch: AppendBatch, rows: Sequence[EventRow], closed: Sequence[DayHead]) -> None:
    hall = batch.hall
    _insert(cursor, tables.events, _EVENTS, [(hall, *_values(row, _EVENT_COLUMNS)) for row in rows])
    _insert(
        cursor,
        tables.answers,
        _ANSWERS,
        [(a.device, a.request_id, a.body_hash, a.body, a.ticket, a.at) for a in batch.answers],
    )
    _insert(cursor, tables.audit, _AUDIT, [(hall, n.at, n.by, n.act, n.subject, n.details) for n in batch.audit])
    _insert(cursor, tables.day_heads, _DAY_HEADS, [_values(day, _DAY_HEADS) for day in closed])


def _insert(cursor: Any, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        part = rows[start : start + _ROWS_A_STATEMENT]
        cursor.execute(_insert_text(table, columns, len(part)), [value for row in part for value in row])


def _values(row: EventRow | DayHead, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def _columns(row: Snapshot | DayHead) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
