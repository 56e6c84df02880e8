"""The rows that an append writes, as plain tuples in the order of their columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from queue_server.ledger.port import AppendBatch, AuditNote, DayHead, EventRow, Notice

EVENT = EventRow._fields
EVENTS = ("hall", *EVENT)
ANSWERS = ("device", "request_id", "body_hash", "answer", "at", "ticket")
"""Those of `Answer`, in its order."""
AUDIT = ("hall", *AuditNote._fields)
NOTICES = Notice._fields
DAY_HEADS = DayHead._fields

Rows = Sequence[tuple[Any, ...]]


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
        [(hall, *row) for row in rows], batch.answers, [(hall, *note) for note in batch.audit], closed, batch.notices
    )
