"""Proofs about the ledger: its chain against the heads that are known, and a backup that comes back whole."""

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from queue_server import day_heads
from queue_server.hall import CORE_VERSION
from queue_server.ledger import Broken, Database, Head, SqliteDatabase, SqlLedger, first_broken
from queue_server.ledger.backup import Contents, Progress, backup, restore
from queue_server.replay import HistoryBroken, load_hall

_WORDS = {
    "missing": "row {seq} is missing",
    "changed": "the text of row {seq} was changed: it does not give the row's hash",
    "unlinked": "row {seq} does not follow the row before it",
    "epoch_fell": "row {seq} was written by an older leader after a newer one",
    "rewritten": "rows after {good_until} were written anew: row {seq} is not the one that was known",
    "cut": "rows from {seq} on are gone",
}


def known_heads(ledger: SqlLedger, hall: str, heads_folder: Path) -> list[Head]:
    """The heads kept beside the chain, and those exported to `heads_folder`.

    Raises `ValueError` for an exported file that is no head, `LedgerUnavailable`.
    """
    kept = (Head(day.seq, day.hash) for day in ledger.day_heads(hall))
    return [*kept, *day_heads.exported(heads_folder, hall)]


def verify(ledger: SqlLedger, hall: str, known: Iterable[Head]) -> Head | Broken:
    """Walk a hall's chain against the heads that are known."""
    snapshot = ledger.snapshot(hall, CORE_VERSION)
    return first_broken(hall, ledger.events(hall), known, snapshot.seq if snapshot else 0)


def in_words(broken: Broken) -> str:
    """What is wrong, in a sentence, with the row as it stands now."""
    said = _WORDS[broken.reason].format(seq=broken.seq, good_until=broken.good_until)
    if broken.row is None:
        return said
    return f"{said} ({broken.row.kind} at {broken.row.at} by {broken.row.by})"


@dataclass(frozen=True)
class Drilled:
    """What a drill found; `faults` are sentences, none if the backup is good. Times in seconds."""

    contents: Contents
    faults: tuple[str, ...]
    size_bytes: int
    backup_s: float
    restore_s: float


def drill(
    database: Database,
    halls: Iterable[str],
    heads_folder: Path,
    at: str,
    *,
    scratch: Path,
    into: Callable[[], Database] | None = None,
    progress: Progress = lambda _table, _done, _total: None,
) -> Drilled:
    """Back the database up, restore it elsewhere, and look whether the same halls come out of it.

    `into` opens the empty database to restore into; a new file of SQLite in `scratch` where none is given. Everything
    in `scratch` goes afterwards; what was restored into `into` stays. Raises what `backup` and `restore` raise.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix="drill-") as folder:
        file, began = Path(folder) / "drill.backup", time.monotonic()
        made = backup(database, file, at, progress)
        backed_up = time.monotonic()
        with into() if into else SqliteDatabase(Path(folder) / "restored.db") as restored:
            restore(restored, file, progress)
            ended = time.monotonic()
            ledger = SqlLedger(restored)
            faults = [fault for hall in halls for fault in _faults(ledger, hall, made, heads_folder)]
        return Drilled(made, tuple(faults), file.stat().st_size, backed_up - began, ended - backed_up)


def _faults(restored: SqlLedger, hall: str, made: Contents, heads_folder: Path) -> Iterable[str]:
    head = made.heads.get(hall)
    if head is None:
        return
    # what was exported while the backup was made may be newer than it
    known = [one for one in known_heads(restored, hall, heads_folder) if one.seq <= head.seq]
    found = verify(restored, hall, known)
    if isinstance(found, Broken):
        yield f"{hall}: {in_words(found)}"
    elif found != head:
        yield f"{hall}: ends at row {found.seq}, the backup at {head.seq}"
    try:
        loaded = load_hall(restored, hall)
    except HistoryBroken as broken:
        yield f"{hall}: makes no hall: {broken}"
    else:
        if loaded.head != head:
            yield f"{hall}: comes up at row {loaded.head.seq}, the backup ends at {head.seq}"
