"""Loading a hall from the ledger: the newest snapshot of this core, and the events after it."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from queue_server.hall import (
    CORE_VERSION,
    BadEvent,
    BadSnapshot,
    CorruptHistory,
    Hall,
    OtherCoreVersion,
    UnknownEvent,
    dump,
    event_from_json,
    evolve,
    load,
)
from queue_server.ledger import GENESIS, EventRow, Head, Ledger, Snapshot

log = structlog.get_logger(__name__)


class HistoryBroken(Exception):
    """The ledger's events make no hall: row `seq` cannot follow. A technician must look; `verify` says more."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"row {seq}: {reason}")
        self.seq = seq
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Loaded:
    """A hall as the ledger has it. `replayed`: events since the snapshot that was used (or since the beginning)."""

    hall: Hall
    head: Head
    replayed: int


def load_hall(ledger: Ledger, hall_id: str, known: Loaded | None = None) -> Loaded:
    """Load a hall. A snapshot that cannot be read is passed over. Raises `HistoryBroken`, `LedgerUnavailable`.

    `known`: the hall as it was loaded before; it is brought up to date and not usable afterwards.
    """
    with _no_collections():
        return _load(ledger, hall_id, known)


@contextmanager
def _no_collections() -> Iterator[None]:
    """A day is a million new objects, none of them garbage: looking for garbage meanwhile takes longer than loading."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _load(ledger: Ledger, hall_id: str, known: Loaded | None) -> Loaded:
    if known is not None:
        try:
            return _replay(known.hall, known.head, ledger.events(hall_id, known.head.seq), known.replayed)
        except HistoryBroken as error:
            log.error("known_hall_unusable", hall=hall_id, seq=error.seq, reason=error.reason)
    snapshot = ledger.snapshot(hall_id, CORE_VERSION)
    if snapshot is not None:
        try:
            hall = load(snapshot.body)
            return _replay(hall, Head(snapshot.seq, snapshot.head_hash), ledger.events(hall_id, snapshot.seq))
        except (BadSnapshot, OtherCoreVersion, HistoryBroken) as error:
            log.error("snapshot_unusable", hall=hall_id, seq=snapshot.seq, error=type(error).__name__)
    return _replay(Hall(hall_id), Head(0, GENESIS), ledger.events(hall_id))


def _replay(hall: Hall, head: Head, rows: Iterable[EventRow], replayed: int = 0) -> Loaded:
    for row in rows:
        if row.seq != head.seq + 1 or row.prev_hash != head.hash:
            raise HistoryBroken(row.seq, "does not follow the row before it")
        try:
            evolve(hall, event_from_json(row.body))
        except (CorruptHistory, BadEvent, UnknownEvent) as error:
            raise HistoryBroken(row.seq, type(error).__name__) from error
        head = Head(row.seq, row.hash)
        replayed += 1
    return Loaded(hall, head, replayed)


def snapshot_of(hall: Hall, head: Head) -> Snapshot:
    """The snapshot of a hall that stands at `head`."""
    return Snapshot(hall.id, head.seq, head.hash, CORE_VERSION, dump(hall))
