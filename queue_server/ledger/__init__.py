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
    Candidate,
    DayHead,
    EventRow,
    Head,
    Lease,
    LeaseState,
    Ledger,
    NewEvent,
    Notice,
    Snapshot,
)
from queue_server.ledger.postgres import PostgresDatabase
from queue_server.ledger.sql import SqlLedger
from queue_server.ledger.sqlite import SqliteDatabase

__all__ = [
    "GENESIS",
    "VOID",
    "Answer",
    "AnswerKey",
    "AppendBatch",
    "Appended",
    "AuditNote",
    "Broken",
    "Candidate",
    "Database",
    "DayHead",
    "EventRow",
    "Fenced",
    "Head",
    "Lease",
    "LeaseHeld",
    "LeaseState",
    "Ledger",
    "LedgerError",
    "LedgerFull",
    "LedgerUnavailable",
    "MemoryLedger",
    "NewEvent",
    "Notice",
    "OutOfStep",
    "PostgresDatabase",
    "SchemaUnknown",
    "Snapshot",
    "SqlLedger",
    "SqliteDatabase",
    "first_broken",
]
