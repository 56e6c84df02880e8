"""The ledger's twin in memory: the same promises without a disk, for simulations and tests."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from queue_server.ledger import leases
from queue_server.ledger.chain import GENESIS, chained
from queue_server.ledger.errors import Fenced, LedgerUnavailable, OutOfStep
from queue_server.ledger.port import (
    Answer,
    AnswerKey,
    AppendBatch,
    Appended,
    AuditNote,
    Candidate,
    DayHead,
    EventRow,
    Head,
    Lease,
    LeaseState,
    Notice,
    Snapshot,
    closed_days,
)


class MemoryLedger:
    """See `port.Ledger`. Several servers that share one object share one store."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives the store's own time in seconds since 1970."""
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: dict[str, list[EventRow]] = {}
        self._answers: dict[AnswerKey, Answer] = {}
        self._audit: list[tuple[str, AuditNote]] = []
        self.notices: list[Notice] = []
        self._leases: dict[str, LeaseState] = {}
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._snapshots: dict[str, list[Snapshot]] = {}
        self._day_heads: dict[str, list[DayHead]] = {}

    def acquire(self, hall: str, holder: str, ttl_s: float) -> Lease:
        with self._lock:
            now = self._clock()
            self._candidates[hall, holder] = leases.ready(
                self._candidates.get((hall, holder)), hall, holder, now, ttl_s
            )
            state = self._state(hall)
            lease = leases.take(state, self._ready(hall), hall, holder, now + ttl_s)
            self._leases[hall] = LeaseState(hall, holder, lease.epoch, lease.until, state.home, now)
            return lease

    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        with self._lock:
            until = self._clock() + ttl_s
            state = self._set_until(lease, until)
            wanted = leases.wanted_by(state, self._ready(lease.hall))
            return Lease(lease.hall, lease.holder, lease.epoch, until, wanted)

    def release(self, lease: Lease) -> None:
        with self._lock:
            if self._state(lease.hall).epoch == lease.epoch:
                self._set_until(lease, 0.0)

    def set_home(self, hall: str, server: str | None) -> None:
        with self._lock:
            self._leases[hall] = replace(self._state(hall), home=server)

    def lease_state(self, hall: str) -> tuple[LeaseState, tuple[Candidate, ...]]:
        with self._lock:
            state = self._state(hall)
            return state, tuple(c for c in self._ready(hall) if c.until > state.now)

    def halls(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(self._leases))

    def _state(self, hall: str) -> LeaseState:
        known = self._leases.get(hall) or LeaseState(hall, None, 0, 0.0, None, 0.0)
        return replace(known, now=self._clock())

    def _ready(self, hall: str) -> tuple[Candidate, ...]:
        return tuple(c for c in self._candidates.values() if c.hall == hall)

    def _set_until(self, lease: Lease, until: float) -> LeaseState:
        held = self._state(lease.hall)
        if (held.epoch, held.holder) != (lease.epoch, lease.holder):
            raise Fenced(f"epoch {lease.epoch} of {lease.hall} is over")
        self._leases[lease.hall] = replace(held, until=until)
        return self._leases[lease.hall]

    def append(self, batch: AppendBatch) -> Appended:
        with self._lock:
            lease = self._leases.get(batch.hall)
            if lease is None or lease.epoch != batch.epoch:
                raise Fenced(f"epoch {batch.epoch} of {batch.hall} is over")
            head = self._head(batch.hall)
            if head.seq != batch.expected_seq:
                raise OutOfStep(f"the ledger stands at {head.seq}, the writer at {batch.expected_seq}")
            keys = [(a.device, a.request_id) for a in batch.answers]
            if len(set(keys)) != len(keys) or not self._answers.keys().isdisjoint(keys):
                raise LedgerUnavailable("an answer is stored already")
            rows = chained(batch.hall, batch.epoch, head, batch.events)
            closed = closed_days(batch.hall, batch.events, rows)
            self._rows.setdefault(batch.hall, []).extend(rows)
            self._answers.update(zip(keys, batch.answers, strict=True))
            self._audit.extend((batch.hall, note) for note in batch.audit)
            self._day_heads.setdefault(batch.hall, []).extend(closed)
            self.notices.extend(batch.notices)
            return Appended(self._head(batch.hall), closed)

    def check_room(self) -> None:
        """There is always room."""

    def answers(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        with self._lock:
            return {key: self._answers[key] for key in keys if key in self._answers}

    def answered(self, device: str, boot: str) -> set[str]:
        with self._lock:
            return {name for owner, name in self._answers if owner == device and name.rpartition("-")[0] == boot}

    def head(self, hall: str) -> Head:
        with self._lock:
            return self._head(hall)

    def _head(self, hall: str) -> Head:
        rows = self._rows.get(hall)
        return Head(rows[-1].seq, rows[-1].hash) if rows else Head(0, GENESIS)

    def events(self, hall: str, after: int = 0) -> Iterator[EventRow]:
        with self._lock:
            rows = self._rows.get(hall, [])[after:]
        yield from rows

    def snapshot(self, hall: str, core_version: int) -> Snapshot | None:
        with self._lock:
            mine = [s for s in self._snapshots.get(hall, []) if s.core_version == core_version]
        return max(mine, key=lambda s: s.seq, default=None)

    def save_snapshot(self, snapshot: Snapshot, keep: int = 3) -> None:
        with self._lock:
            others = [
                s
                for s in self._snapshots.get(snapshot.hall, [])
                if s.core_version == snapshot.core_version and s.seq != snapshot.seq
            ]
            newest = sorted([*others, snapshot], key=lambda s: s.seq)
            self._snapshots[snapshot.hall] = newest[-keep:]

    def day_heads(self, hall: str) -> tuple[DayHead, ...]:
        with self._lock:
            return tuple(self._day_heads.get(hall, ()))

    def forget_answers(self, before: str) -> int:
        with self._lock:
            old = [key for key, answer in self._answers.items() if answer.at < before]
            for key in old:
                del self._answers[key]
            return len(old)

    def audit(self, hall: str) -> tuple[AuditNote, ...]:
        """The audit notes of a hall, oldest first."""
        with self._lock:
            return tuple(note for noted, note in self._audit if noted == hall)
