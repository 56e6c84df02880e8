"""What outlives a process: the ledger with its faults, the registers beside it, the disk of a terminal."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from kiosk.journal import Journal
from kiosk.journal_file import LEAST_FREE_BYTES, JournalFile
from queue_server.ledger import AppendBatch, Appended, Lease, LedgerUnavailable, MemoryLedger
from queue_server.ledger.registers import DeviceRow
from tests.sim.loop import Killed, Process, VirtualLoop

AtCommit = Literal["killed_before", "killed_after", "lost_before", "lost_after"]
"""What happens at the next commit: the server dies, or loses the store, before or after the rows are written."""


class Store:
    """The store as one server reaches it."""

    def __init__(self, ledger: MemoryLedger, loop: VirtualLoop, on_commit: Callable[[AppendBatch], None]) -> None:
        self._ledger = ledger
        self._loop = loop
        self._on_commit = on_commit
        self.process: Process | None = None
        self.away_until = 0.0
        self.slow_until = 0.0
        self.at_commit: AtCommit | None = None
        self.lag = 0.0
        """Seconds that slow appends have taken; the server's monotonic clock shows them."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ledger, name)
        if not callable(found):
            return found

        def reached(*args: Any, **more: Any) -> Any:
            self._reach()
            return found(*args, **more)

        return reached

    def check_room(self) -> None:
        """There is always room."""

    def acquire(self, hall: str, holder: str, ttl_s: float) -> Lease:
        self._reach()
        return self._ledger.acquire(hall, holder, ttl_s)

    def append(self, batch: AppendBatch) -> Appended:
        self._reach()
        if self._loop.time() < self.slow_until:
            self.lag += 0.005
        fate, self.at_commit = self.at_commit, None
        if fate == "killed_before":
            self._die()
        if fate == "lost_before":
            raise LedgerUnavailable("lost before the commit")
        appended = self._ledger.append(batch)
        self._on_commit(batch)
        if fate == "killed_after":
            self._die()
        if fate == "lost_after":
            raise LedgerUnavailable("lost after the commit")
        return appended

    def _reach(self) -> None:
        if self._loop.time() < self.away_until:
            raise LedgerUnavailable("away")

    def _die(self) -> None:
        if self.process is not None:
            self.process.kill()
        raise Killed


class MemoryRegisters:
    """The devices of a hall, without a database."""

    def __init__(self, rows: tuple[DeviceRow, ...]) -> None:
        self._rows = {row.id: row for row in rows}

    def devices(self) -> tuple[DeviceRow, ...]:
        return tuple(self._rows.values())

    def add_device(self, row: DeviceRow) -> None:
        self._rows[row.id] = row

    put_device = add_device

    def note_hello(self, device: str, instance: str, at: str) -> None:
        self._rows[device] = replace(self._rows[device], instance=instance, last_hello=at)


class Disk:
    """The disk of one terminal: its journal's database, and the print jobs that were begun."""

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self.jobs: dict[str, str] = {}
        """What is known of each print job: `sending`, then its outcome; gone when the journal has it."""

    def journal(self, boot: str, clock: Callable[[], datetime]) -> Journal:
        """The journal as a new start of the program finds it."""
        made = Journal(_NOWHERE, boot, clock)
        made._file = _FileInMemory(self, clock)
        return made

    def connect(self, make: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        if self._database is None:
            self._database = make()
        return self._database

    def entries(self) -> list[tuple[str, str, str, bytes, str]]:
        """All of the journal: request id, lane, kind, payload, state."""
        if self._database is None:
            return []
        return list(self._database.execute("SELECT request_id, lane, kind, payload, state FROM entries ORDER BY seq"))

    def pending(self) -> int:
        """Entries that wait for their answer."""
        return sum(1 for *_, state in self.entries() if state == "pending")

    def close(self) -> None:
        if self._database is not None:
            self._database.close()


_NOWHERE = Path("journal.sqlite3")


class _FileInMemory(JournalFile):
    """The journal's file in memory: a transaction is one step, so a kill leaves it whole or not at all."""

    def __init__(self, disk: Disk, clock: Callable[[], datetime]) -> None:
        super().__init__(_NOWHERE, clock, lambda: LEAST_FREE_BYTES)
        self._disk = disk

    def close(self) -> None:
        self._connection = None

    def _connect(self) -> sqlite3.Connection:
        return self._disk.connect(self._make)

    def _make(self) -> sqlite3.Connection:
        self._path = Path(":memory:")
        try:
            return super()._connect()
        finally:
            self._path = _NOWHERE
