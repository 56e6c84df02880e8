"""The ledger: what a hall decided, in order, chained, durable; with the registers beside it."""

from queue_server.ledger.chain import GENESIS, Broken, first_broken
from queue_server.ledger.database import Database
from queue_server.ledger.errors import (
    Fenced,
    LeaseHeld,
    LedgerError,
    LedgerFull,
    LedgerUnavailable,
    OutOfStep,
    SchemaUnknown,
)
from queue_server.ledger.memory import MemoryLedger
from queue_server.ledger.port import (
    VOID,
    Answer,
    AnswerKey,
    AppendBatch,
    Appended,
    AuditNote,
    DayHead,
    EventRow,
    Head,
    Lease,
    Ledger,
    NewEvent,
    Snapshot,
)
from queue_server.ledger.sql import SqlLedger

__all__ = [
    "GENESIS",
    "VOID",
    "Answer",
    "AnswerKey",
    "AppendBatch",
    "Appended",
    "AuditNote",
    "Broken",
    "Database",
    "DayHead",
    "EventRow",
    "Fenced",
    "Head",
    "Lease",
    "LeaseHeld",
    "Ledger",
    "LedgerError",
    "LedgerFull",
    "LedgerUnavailable",
    "MemoryLedger",
    "NewEvent",
    "OutOfStep",
    "SchemaUnknown",
    "Snapshot",
    "SqlLedger",
    "first_broken",
]
