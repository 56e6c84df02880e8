"""The rows that an append writes, as plain tuples in the order of their columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from queue_server.ledger.port import AppendBatch, DayHead, EventRow

EVENT = ("seq", "epoch", "at", "by", "why", "kind", "body", "prev_hash", "hash")
"""The columns of `EventRow`, in its order."""
EVENTS = ("hall", *EVENT)
ANSWERS = ("device", "request_id", "body_hash", "answer", "ticket", "at")
AUDIT = ("hall", "at", "by", "act", "subject", "details")
NOTICES = ("id", "hall", "seq", "channel", "kind", "at", "body")
DAY_HEADS = ("hall", "business_date", "seq", "hash", "at")

Rows = list[tuple[Any, ...]]


class Written(NamedTuple):
    """What goes into each table."""

    events: Rows
    answers: Rows
    audit: Rows
    day_heads: Rows
    notices: Rows


def written(batch: AppendBatch, rows: Sequence[EventRow], closed: Sequence[DayHead]) -> Written:
    """The rows of `batch`, whose events stand as `rows` and close the days `closed`."""
    hall = batch.hall
    return Written(
        [(hall, r.seq, r.epoch, r.at, r.by, r.why, r.kind, r.body, r.prev_hash, r.hash) for r in rows],
        [(a.device, a.request_id, a.body_hash, a.body, a.ticket, a.at) for a in batch.answers],
        [(hall, n.at, n.by, n.act, n.subject, n.details) for n in batch.audit],
        [(d.hall, d.business_date, d.seq, d.hash, d.at) for d in closed],
        [(n.id, n.hall, n.seq, n.channel, n.kind, n.at, n.body) for n in batch.notices],
    )
