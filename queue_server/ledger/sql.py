"""The ledger on a database, through SQLAlchemy Core; the append is each engine's own."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, literal, or_, select, update

from queue_server.ledger import leases, tables
from queue_server.ledger.chain import GENESIS
from queue_server.ledger.columns import EVENT
from queue_server.ledger.database import Database
from queue_server.ledger.errors import Fenced
from queue_server.ledger.port import (
    Answer,
    AnswerKey,
    AppendBatch,
    Appended,
    Candidate,
    DayHead,
    EventRow,
    Head,
    Lease,
    LeaseState,
    Snapshot,
)

_PAGE = 2000


class SqlLedger:
    """See `port.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._select_answer = _marked(
            "SELECT body_hash, answer, at, ticket FROM answers WHERE device = ? AND request_id = ?", database
        )
        self._select_ids = _marked(
            "SELECT request_id FROM answers WHERE device = ? AND request_id >= ? AND request_id < ?", database
        )

    def acquire(self, hall: str, holder: str, ttl_s: float) -> Lease:
        # without a lock first: a leader's appends need not wait for those who stand by
        state, ready = self.lease_state(hall)
        mine = next((candidate for candidate in ready if candidate.server == holder), None)
        if mine is None or mine.until - state.now < ttl_s / 2:
            self._stand_ready(mine, hall, holder, ttl_s)
        leases.take(state, ready, hall, holder, 0.0)
        with self._database.write(from_reserve=True, alone=False) as connection:
            state = self._state(connection, hall, lock=True)
            lease = leases.take(state, self._ready(connection, hall), hall, holder, state.now + ttl_s)
            row = {"holder": holder, "epoch": lease.epoch, "until": lease.until}
            connection.execute(update(tables.leases).where(tables.leases.c.hall == hall).values(row))
            return lease

    def _stand_ready(self, known: Candidate | None, hall: str, server: str, ttl_s: float) -> None:
        """Write that the server is there; `known` is what the store says of it until now."""
        table = tables.candidates
        mine = (table.c.hall == hall) & (table.c.server == server)
        with self._database.write(from_reserve=True, durable=False, alone=False) as connection:
            now = connection.execute(select(self._database.now())).scalar_one()
            row = _columns(leases.ready(known, hall, server, now, ttl_s))
            if connection.execute(update(table).where(mine).values(row)).rowcount == 0:
                connection.execute(insert(table).values(row))

    def _state(self, connection: Connection, hall: str, *, lock: bool = False) -> LeaseState:
        table = tables.leases
        found = select(table, self._database.now().label("now")).where(table.c.hall == hall)
        row = connection.execute(found.with_for_update() if lock else found).one_or_none()
        if row is not None:
            return LeaseState(**row._mapping)
        if lock:
            connection.execute(insert(table).values(hall=hall, epoch=0, until=0.0))
        return LeaseState(hall, None, 0, 0.0, None, connection.execute(select(self._database.now())).scalar_one())

    @staticmethod
    def _ready(connection: Connection, hall: str) -> tuple[Candidate, ...]:
        table = tables.candidates
        rows = connection.execute(select(table).where(table.c.hall == hall).order_by(table.c.server))
        return tuple(Candidate(**row._mapping) for row in rows)

    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        with self._database.write(from_reserve=True, durable=False, alone=False) as connection:
            until, home = self._set_until(connection, lease, self._database.now() + ttl_s)
            wanted = None
            if home not in (None, lease.holder):
                wanted = leases.wanted_by(self._state(connection, lease.hall), self._ready(connection, lease.hall))
        return Lease(lease.hall, lease.holder, lease.epoch, until, wanted)

    def release(self, lease: Lease) -> None:
        with suppress(Fenced), self._database.write(from_reserve=True, alone=False) as connection:
            self._set_until(connection, lease, literal(0.0))

    @staticmethod
    def _set_until(connection: Connection, lease: Lease, until: ColumnElement[float]) -> tuple[float, str | None]:
        """Set it, and return it with the hall's home. Raises `Fenced`."""
        table = tables.leases
        mine = (table.c.hall == lease.hall) & (table.c.epoch == lease.epoch) & (table.c.holder == lease.holder)
        changed = update(table).where(mine).values(until=until).returning(table.c.until, table.c.home)
        row = connection.execute(changed).one_or_none()
        if row is None:
            raise Fenced(f"epoch {lease.epoch} of {lease.hall} is over")
        return row.until, row.home

    def set_home(self, hall: str, server: str | None) -> None:
        with self._database.write(from_reserve=True) as connection:
            self._state(connection, hall, lock=True)
            connection.execute(update(tables.leases).where(tables.leases.c.hall == hall).values(home=server))

    def lease_state(self, hall: str) -> tuple[LeaseState, tuple[Candidate, ...]]:
        with self._database.read() as connection:
            state = self._state(connection, hall)
            return state, tuple(c for c in self._ready(connection, hall) if c.until > state.now)

    def halls(self) -> tuple[str, ...]:
        with self._database.read() as connection:
            return tuple(connection.execute(select(tables.leases.c.hall).order_by(tables.leases.c.hall)).scalars())

    def append(self, batch: AppendBatch) -> Appended:
        return self._database.append(batch)

    def check_room(self) -> None:
        self._database.check_room()

    def answers(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        found: dict[AnswerKey, Answer] = {}
        with self._database.read_often() as connection:
            for key in keys:
                row = connection.exec_driver_sql(self._select_answer, key).one_or_none()
                if row is not None:
                    found[key] = Answer(*key, body_hash=row[0], body=row[1], at=row[2], ticket=row[3])
        return found

    def answered(self, device: str, boot: str) -> set[str]:
        # the character after "-" ends the range of ids that begin with "<boot>-", whatever the boot holds
        with self._database.read_often() as connection:
            rows = connection.exec_driver_sql(self._select_ids, (device, f"{boot}-", f"{boot}."))
            return {name for (name,) in rows if name.rpartition("-")[0] == boot}

    def head(self, hall: str) -> Head:
        events = tables.events
        with self._database.read() as connection:
            last = select(events.c.seq, events.c.hash).where(events.c.hall == hall)
            row = connection.execute(last.order_by(events.c.seq.desc()).limit(1)).one_or_none()
        return Head(row.seq, row.hash) if row else Head(0, GENESIS)

    def events(self, hall: str, after: int = 0) -> Iterator[EventRow]:
        events = tables.events
        columns = [events.c[name] for name in EVENT]
        while True:
            page = select(*columns).where(events.c.hall == hall, events.c.seq > after).order_by(events.c.seq)
            with self._database.read() as connection:
                rows = connection.execute(page.limit(_PAGE)).all()
            for row in rows:
                yield EventRow(*row)
            if len(rows) < _PAGE:
                return
            after = rows[-1].seq

    def rows_with(self, hall: str, texts: Iterable[str], *, kinds: Iterable[str] = ()) -> Iterator[EventRow]:
        """The rows of some `kinds` (all, where none are named) whose body holds any of `texts` (no text: any body).

        Reads the whole hall: for a person who waits, not for a turn.
        """
        table = tables.events
        wanted = [table.c.hall == hall]
        if bodies := [table.c.body.contains(part, autoescape=True) for part in texts]:
            wanted.append(or_(*bodies))
        if named := tuple(kinds):
            wanted.append(table.c.kind.in_(named))
        columns = [table.c[name] for name in EVENT]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).where(*wanted).order_by(table.c.seq)).all()
        return (EventRow(*row) for row in rows)

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


def _marked(sql: str, database: Database) -> str:
    return sql.replace("?", database.mark)


def _columns(row: Snapshot | Candidate) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
