"""What can go wrong at the ledger.

None of these leaves anything written, but one: when the connection to a database breaks while it commits, nobody can
say whether it did. Whoever gets `LedgerUnavailable` from an append must look again.
"""


class LedgerError(Exception):
    """Base of all."""

    code = "ledger_unavailable"


class Fenced(LedgerError):
    """Another server leads this hall now (its epoch is higher): the writer must step down."""

    code = "not_leading"


class OutOfStep(LedgerError):
    """The ledger's head is not where the writer believed: the hall must be loaded again."""


class LeaseHeld(LedgerError):
    """Another server holds the hall's lease; it may be asked for again after `retry_after` seconds."""

    code = "not_leading"

    def __init__(self, holder: str, retry_after: float) -> None:
        super().__init__(f"held by {holder} for {retry_after:.1f} s")
        self.holder = holder
        self.retry_after = retry_after


class LedgerFull(LedgerError):
    """No room left, or the reserve would be touched. A technician must free space; nothing is lost."""

    code = "ledger_full"


class LedgerUnavailable(LedgerError):
    """The store cannot be used now: locked, unreadable, damaged or gone. A technician must look."""


class SchemaUnknown(LedgerError):
    """The database was made by another version of this program; `init-db` of the right version must run."""
