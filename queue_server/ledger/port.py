"""The ledger's port: what a hall's runner asks of a store, whatever database stands behind it.

Instants are RFC 3339 text in UTC with microseconds, so that the hash chain is over exactly what is stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

AnswerKey = tuple[str, str]
"""(device, request id)."""

VOID = "void"
"""Body hash of a request id that was withdrawn before the request came: any body gets the stored refusal."""


class NewEvent(NamedTuple):
    """An event to be appended. `by` and `body` are canonical JSON text (see `hall.canonical`)."""

    at: str
    by: str
    why: str
    kind: str
    body: str
    closes_day: str | None = None
    """Business date (YYYY-MM-DD) that this event closes; its hash becomes that day's head."""


class EventRow(NamedTuple):
    """An event as it stands in the ledger."""

    seq: int
    epoch: int
    at: str
    by: str
    why: str
    kind: str
    body: str
    prev_hash: str
    hash: str


class Answer(NamedTuple):
    """What a request was answered, kept so that a repeat gets the same."""

    device: str
    request_id: str
    body_hash: str
    body: bytes
    at: str
    ticket: str | None = None
    """The ticket that the request made, for a later withdrawal."""


class AuditNote(NamedTuple):
    """An act or a fact that changes no hall but must be found again. `details` is canonical JSON text."""

    at: str
    by: str
    act: str
    subject: str
    details: str = "{}"


class Notice(NamedTuple):
    """What a booking channel is told of an event of the hall. `body` is canonical JSON without personal data."""

    id: str
    """`<hall>-<seq>`: the same for every delivery, so that a receiver can tell a repeat."""
    hall: str
    seq: int
    channel: str
    kind: str
    at: str
    body: str


@dataclass(frozen=True, slots=True)
class AppendBatch:
    """All that one turn of a hall writes: in one transaction or not at all."""

    hall: str
    epoch: int
    expected_seq: int
    events: tuple[NewEvent, ...] = ()
    answers: tuple[Answer, ...] = ()
    audit: tuple[AuditNote, ...] = ()
    notices: tuple[Notice, ...] = ()


class Head(NamedTuple):
    """The last row of a hall's chain; seq 0 and `chain.GENESIS` when there is none."""

    seq: int
    hash: str


class DayHead(NamedTuple):
    """The chain's head at the close of a business day; a day that was opened again has one for each closing."""

    hall: str
    business_date: str
    seq: int
    hash: str
    at: str


def closed_days(hall: str, events: Sequence[NewEvent], rows: Sequence[EventRow]) -> tuple[DayHead, ...]:
    """The heads of the days that `events` close; `rows` are the same events as they will stand."""
    return tuple(
        DayHead(hall, event.closes_day, row.seq, row.hash, row.at)
        for event, row in zip(events, rows, strict=True)
        if event.closes_day is not None
    )


class Appended(NamedTuple):
    """The new head, and the heads of the days that were closed."""

    head: Head
    day_heads: tuple[DayHead, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A hall's state after `seq`, written by version `core_version` of the core."""

    hall: str
    seq: int
    head_hash: str
    core_version: int
    body: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a hall. `until` is seconds since 1970 on the store's own clock."""

    hall: str
    holder: str
    epoch: int
    until: float
    wanted_by: str | None = None
    """The server to which the holder must hand the hall over; told by `renew`."""
    took_from: str | None = None
    """The server that let its lease run out; told by `acquire`. None: it was given back, or the holder's own."""


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A hall's lease as it stands at `now`; times are seconds since 1970 on the store's own clock."""

    hall: str
    holder: str | None
    """None: nobody led it yet."""
    epoch: int
    until: float
    home: str | None
    """The server that should lead it; None: whoever comes."""
    now: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that stands ready to lead a hall, without a break since `since`, and is gone after `until`."""

    hall: str
    server: str
    since: float
    until: float


class Ledger(Protocol):
    """Blocking calls, for a worker thread. Every method may raise `LedgerUnavailable`."""

    def acquire(self, hall: str, holder: str, ttl_s: float) -> Lease:
        """Lead the hall under a new epoch.

        Raises `LeaseHeld` while another holder's lease runs or another server is its home; the asker is known to
        stand ready for `ttl_s` then, and must ask again before.
        """
        ...

    def renew(self, lease: Lease, ttl_s: float) -> Lease:
        """Prolong the lease. Raises `Fenced` if the epoch has moved on."""
        ...

    def release(self, lease: Lease) -> None:
        """Let another server take over at once; does nothing if the epoch has moved on."""
        ...

    def set_home(self, hall: str, server: str | None) -> None:
        """Say which server should lead the hall (see `leases`)."""
        ...

    def lease_state(self, hall: str) -> tuple[LeaseState, tuple[Candidate, ...]]:
        """Who leads the hall, and who stands ready to."""
        ...

    def halls(self) -> tuple[str, ...]:
        """Every hall that was ever led or given a home, in order of their ids."""
        ...

    def append(self, batch: AppendBatch) -> Appended:
        """Write the batch durably. Raises `Fenced`, `OutOfStep`, `LedgerFull`; then nothing is written.

        After `LedgerUnavailable` the batch may stand all the same, if the connection broke while it was committed:
        the hall must be loaded again.
        """
        ...

    def check_room(self) -> None:
        """Raises `LedgerFull` while an append would be refused for want of room. Cheap; asked before each turn."""
        ...

    def answers(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        """The stored answers of those `keys` that have one."""
        ...

    def answered(self, device: str, boot: str) -> set[str]:
        """The answered request ids of a device that are `<boot>-…`."""
        ...

    def head(self, hall: str) -> Head:
        """The last row of the hall's chain."""
        ...

    def events(self, hall: str, after: int = 0) -> Iterator[EventRow]:
        """The rows with a seq above `after`, in order."""
        ...

    def snapshot(self, hall: str, core_version: int) -> Snapshot | None:
        """The newest snapshot that this version of the core wrote."""
        ...

    def save_snapshot(self, snapshot: Snapshot, keep: int = 3) -> None:
        """Store a snapshot and forget all but the newest `keep` of its core version, and all of other versions."""
        ...

    def day_heads(self, hall: str) -> tuple[DayHead, ...]:
        """Heads of the closed days, oldest first; one for each closing."""
        ...

    def forget_answers(self, before: str) -> int:
        """Remove answers older than the instant `before`; returns how many."""
        ...
