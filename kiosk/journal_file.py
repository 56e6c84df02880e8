"""The journal's file: schema, transactions, repair and the reserve against a full disk. One thread only."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog

from kiosk.errors import JournalFault, JournalFull

Lane = Literal["live", "facts"]
Settled = Literal["answered", "withdrawn", "quarantined"]

SCHEMA_VERSION = 2
RESERVE_BYTES = 4 * 1024 * 1024
LEAST_FREE_BYTES = 16 * 1024 * 1024
KEEP_SETTLED = timedelta(days=30)
_SCHEMA = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL CHECK (lane IN ('live', 'facts')),
    kind TEXT NOT NULL,
    payload BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'answered', 'withdrawn', 'quarantined')),
    made_at TEXT NOT NULL,
    settled_at TEXT,
    reason TEXT,
    owed TEXT
);
CREATE INDEX pending ON entries (lane, seq) WHERE state = 'pending';
CREATE INDEX owed ON entries (owed) WHERE owed IS NOT NULL;
CREATE TABLE slips (outcome TEXT PRIMARY KEY, noted_at TEXT NOT NULL);
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_INSERT = "INSERT INTO entries (request_id, lane, kind, payload, made_at) VALUES (?, ?, ?, ?, ?)"
_PENDING = "SELECT seq, request_id, lane, kind, payload FROM entries WHERE state = 'pending'"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Entry:
    """A request or fact; `payload` is what was and will be sent, byte for byte."""

    seq: int
    request_id: str
    lane: Lane
    kind: str
    payload: bytes


@dataclass(frozen=True)
class Opened:
    """What was found at the start. `aside`: where a damaged file was put; `salvaged`: entries saved from it."""

    aside: Path | None = None
    salvaged: int = 0


class JournalFile:
    """SQLite in WAL mode with `synchronous=FULL`: what a method has returned from survives a kill and a power cut.

    Methods raise `JournalFault`, `sqlite3.Error` or `OSError`.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], free_bytes: Callable[[], int] | None = None) -> None:
        self._path = path
        self._clock = clock
        self._free_bytes = free_bytes or (lambda: shutil.disk_usage(path.parent).free)
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Opened:
        """Check integrity; a damaged file is put aside, and what can be read of it is carried over. May be called
        again after a fault."""
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        opened = Opened()
        try:
            self._connection = self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            opened = self._rebuild(type(error).__name__)
        self._keep_reserve()
        horizon = (self._clock() - KEEP_SETTLED).isoformat()
        with self._transaction() as database:
            database.execute("DELETE FROM entries WHERE state <> 'pending' AND settled_at < ?", (horizon,))
            database.execute("DELETE FROM slips WHERE noted_at < ?", (horizon,))
        return opened

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def append(self, lane: Lane, kind: str, request_id: str, payload: bytes) -> Entry:
        """Raises `JournalFull` for a live request while the disk is nearly full; facts may use the reserve."""
        if not self._keep_reserve() and lane == "live":
            raise JournalFull
        with self._transaction() as database:
            return self._insert(database, lane, kind, request_id, payload)

    def pending(self, lane: Lane, limit: int) -> tuple[Entry, ...]:
        rows = self._database().execute(f"{_PENDING} AND lane = ? ORDER BY seq LIMIT ?", (lane, limit))
        return tuple(Entry(*row) for row in rows)

    def backlog(self) -> int:
        return int(self._database().execute("SELECT count(*) FROM entries WHERE state = 'pending'").fetchone()[0])

    def set_aside(self) -> int:
        rows = self._database().execute("SELECT count(*) FROM entries WHERE state = 'quarantined'")
        return int(rows.fetchone()[0])

    def settle(self, request_id: str, state: Settled, reason: str | None = None, *, owed: str | None = None) -> bool:
        """False if the entry was settled before. `owed`: the ticket that its answer brought."""
        with self._transaction() as database:
            settled = self._settle(database, request_id, state, reason)
            if settled and owed is not None:
                self._owe(database, request_id, owed)
            return settled

    def owing(self) -> tuple[str, ...]:
        """Request ids that brought a ticket of whose slip nothing was noted, and that were not withdrawn."""
        rows = self._database().execute("SELECT request_id FROM entries WHERE owed IS NOT NULL ORDER BY seq")
        return tuple(str(row[0]) for row in rows)

    def owes(self, ticket: str) -> str | None:
        """The request that brought the ticket, while it is owed."""
        row = self._database().execute("SELECT request_id FROM entries WHERE owed = ?", (ticket,)).fetchone()
        return None if row is None else str(row[0])

    def withdraw(self, request_id: str, fact_id: str, payload: bytes) -> Entry:
        with self._transaction() as database:
            self._settle(database, request_id, "withdrawn", None)
            self._owe(database, request_id, None)
            return self._insert(database, "facts", "withdraw", fact_id, payload)

    def give_offline(
        self,
        ticket: str,
        memory: tuple[str, str],
        fact: tuple[str, bytes],
        withdrawal: tuple[str, str, bytes] | None,
    ) -> bool:
        """A number given offline: what is held afterwards (key and text), the fact (id and payload), and the request
        that it stands for (its id; id and payload of the withdrawal), in one transaction. False, and nothing done, if
        that request was answered before."""
        with self._transaction() as database:
            if withdrawal is not None:
                request_id, fact_id, payload = withdrawal
                if not self._settle(database, request_id, "withdrawn", None):
                    return False
                self._insert(database, "facts", "withdraw", fact_id, payload)
            database.execute("INSERT OR REPLACE INTO memory (key, value) VALUES (?, ?)", memory)
            self._insert(database, "facts", "offline_ticket", *fact)
            self._owe(database, fact[0], ticket)
            return True

    def note_slip(self, ticket: str, outcome: str, fact_id: str, payload: bytes) -> Entry | None:
        """None, and nothing done, if this outcome of this slip was noted before."""
        with self._transaction() as database:
            row = (outcome, self._clock().isoformat())
            if not database.execute("INSERT OR IGNORE INTO slips (outcome, noted_at) VALUES (?, ?)", row).rowcount:
                return None
            database.execute("UPDATE entries SET owed = NULL WHERE owed = ?", (ticket,))
            return self._insert(database, "facts", "slip", fact_id, payload)

    def remember(self, key: str, value: str) -> None:
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO memory (key, value) VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        row = self._database().execute("SELECT value FROM memory WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if verdict != "ok" or version not in (0, SCHEMA_VERSION):
                raise sqlite3.DatabaseError("damaged" if verdict != "ok" else "schema_version")
            if version == 0:
                database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        except BaseException:
            database.close()
            raise
        return database

    def _rebuild(self, cause: str) -> Opened:
        """Put the damaged files aside; start anew with the pending entries that can still be read."""
        aside = self._path.parent / "damaged" / f"{self._clock():%Y%m%dT%H%M%S%f}"
        aside.mkdir(parents=True)
        for suffix in ("", "-wal", "-shm"):
            file = self._path.with_name(self._path.name + suffix)
            if file.exists():
                file.rename(aside / file.name)
        self._connection = self._connect()
        entries = _readable(aside / self._path.name)
        with self._transaction() as database:
            for entry in entries:
                self._insert(database, entry.lane, entry.kind, entry.request_id, entry.payload)
        log.error("journal_damaged", cause=cause, aside=aside.name, salvaged=len(entries))
        return Opened(aside, len(entries))

    def _insert(self, database: sqlite3.Connection, lane: Lane, kind: str, request_id: str, payload: bytes) -> Entry:
        row = (request_id, lane, kind, payload, self._clock().isoformat())
        seq = database.execute(_INSERT, row).lastrowid
        return Entry(seq or 0, request_id, lane, kind, payload)

    def _settle(self, database: sqlite3.Connection, request_id: str, state: Settled, reason: str | None) -> bool:
        changed = database.execute(
            "UPDATE entries SET state = ?, reason = ?, settled_at = ? WHERE request_id = ? AND state = 'pending'",
            (state, reason, self._clock().isoformat(), request_id),
        )
        return changed.rowcount > 0

    def _owe(self, database: sqlite3.Connection, request_id: str, ticket: str | None) -> None:
        database.execute("UPDATE entries SET owed = ? WHERE request_id = ?", (ticket, request_id))

    def _keep_reserve(self) -> bool:
        """Hold a file that is given up when the disk is nearly full; True while there is room for new requests."""
        reserve = self._path.with_name("reserve")
        enough = self._free_bytes() >= LEAST_FREE_BYTES
        if not enough and reserve.exists():
            reserve.unlink()
            log.error("journal_disk_nearly_full", free_bytes=self._free_bytes())
        elif enough and not reserve.exists() and self._free_bytes() >= LEAST_FREE_BYTES + RESERVE_BYTES:
            with reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        return enough

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = self._database()
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalFault("not_open")
        return self._connection


def _readable(path: Path) -> list[Entry]:
    """The pending entries that a damaged file still gives, in order, up to the damage."""
    entries: list[Entry] = []
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as database:
        entries.extend(Entry(*row) for row in database.execute(f"{_PENDING} ORDER BY seq"))
    return list({entry.request_id: entry for entry in entries}.values())
