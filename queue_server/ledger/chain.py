"""The hash chain: each row's hash covers its text and the hash of the row before it.

The text that is hashed is the hash before, then the columns hall, seq, epoch, at, by, why, kind, body, one a line. It
is canonical: none of them holds a line break (three are JSON, which escapes it), and JSON here has one form only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol

from queue_server.ledger.port import EventRow, Head, NewEvent

GENESIS = "0" * 64


def row_hash(hall: str, row: EventRow) -> str:
    """The hash that `row` must carry, from its own columns; empty if they hold a line break, which none is given."""
    if any("\n" in column for column in (row.at, row.by, row.why, row.kind, row.body)):
        return ""
    return _hash(hall, row.prev_hash, row.seq, row.epoch, row)


def _hash(hall: str, prev_hash: str, seq: int, epoch: int, text: NewEvent | EventRow) -> str:
    lines = (prev_hash, hall, str(seq), str(epoch), text.at, text.by, text.why, text.kind, text.body)
    return sha256("\n".join(lines).encode()).hexdigest()


def chained(hall: str, epoch: int, head: Head, events: Iterable[NewEvent]) -> list[EventRow]:
    """The rows that follow `head`."""
    rows: list[EventRow] = []
    seq, prev_hash = head.seq, head.hash
    for event in events:
        seq += 1
        digest = _hash(hall, prev_hash, seq, epoch, event)
        rows.append(EventRow(seq, epoch, event.at, event.by, event.why, event.kind, event.body, prev_hash, digest))
        prev_hash = digest
    return rows


class Known(Protocol):
    """A head that is known from elsewhere: a day's, or one that was exported."""

    @property
    def seq(self) -> int: ...

    @property
    def hash(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row at which the chain does not hold.

    `missing`: no row with this seq; `changed`: its text does not give its hash; `unlinked`: it does not name the
    hash of the row before it; `epoch_fell`: written by an older leader after a newer one; `rewritten`: the chain holds
    in itself, but a head that was kept or exported says that this row was another; `cut`: rows after the last one are
    known to have existed.
    """

    seq: int
    reason: Literal["missing", "changed", "unlinked", "epoch_fell", "rewritten", "cut"]
    good_until: int
    """The last row that a known head vouches for; 0: none. What was `rewritten` begins after it."""
    row: EventRow | None = None
    """The row as it stands now."""


def first_broken(hall: str, rows: Iterable[EventRow], known: Iterable[Known] = (), known_seq: int = 0) -> Head | Broken:
    """Walk the whole chain; returns its head, or the first broken row.

    `known` are heads from the table and from exported files; `known_seq` is the highest seq that anything else names.
    """
    expected: dict[int, set[str]] = {}
    for head in known:
        expected.setdefault(head.seq, set()).add(head.hash)
    seq, prev_hash, epoch, good_until = 0, GENESIS, 0, 0
    for row in rows:
        seq += 1
        if row.seq != seq:
            return Broken(seq, "missing", good_until)
        if row.prev_hash != prev_hash:
            return Broken(seq, "unlinked", good_until, row)
        if row_hash(hall, row) != row.hash:
            return Broken(seq, "changed", good_until, row)
        if row.epoch < epoch:
            return Broken(seq, "epoch_fell", good_until, row)
        if (hashes := expected.pop(seq, None)) is not None:
            if hashes != {row.hash}:
                return Broken(seq, "rewritten", good_until, row)
            good_until = seq
        prev_hash, epoch = row.hash, row.epoch
    last_known = max([known_seq, *expected])
    return Broken(seq + 1, "cut", good_until) if last_known > seq else Head(seq, prev_hash)
