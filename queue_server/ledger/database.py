"""What ledger and registers ask of a database, whichever engine stands behind it; and the migrations of both."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Connection, Engine, inspect, text

from queue_server.ledger.errors import SchemaUnknown
from queue_server.ledger.port import AppendBatch, Appended

SCHEMA = "0001"
"""The migration that this program needs."""


class Database(ABC):
    """A database of today's schema: a transaction that returned is on the disk. Safe to use from several threads.

    Every method may raise `LedgerUnavailable`, the writing ones `LedgerFull`.
    """

    place: str
    """Where it is, for people: never with a password."""

    mark: str
    """How the driver's own SQL marks a parameter."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the connections; a transaction under way ends first."""

    @abstractmethod
    def write(
        self, *, from_reserve: bool = False, durable: bool = True, alone: bool = True
    ) -> AbstractContextManager[Connection]:
        """A transaction, committed on leaving, rolled back on any error.

        `from_reserve`: for the few bytes that must go through when nothing else may. `durable` False: for what may be
        lost when the machine fails. `alone` False: for a change that guards its own rows; otherwise no other such
        transaction runs at the same time.
        """

    @abstractmethod
    def append(self, batch: AppendBatch) -> Appended:
        """See `port.Ledger.append`."""

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """A connection that sees one state of the database."""

    @abstractmethod
    def read_often(self) -> AbstractContextManager[Connection]:
        """As `read`, on a connection that stays open, one caller at a time: for the look-ups of each turn."""

    @abstractmethod
    def check_room(self) -> None:
        """Raises `LedgerFull` while less than the reserve is free, as far as that can be seen from here. Cheap."""

    @abstractmethod
    def now(self) -> ColumnElement[float]:
        """Seconds since 1970 on the database's clock."""


def schema_of(connection: Connection) -> str | None:
    """The migration at which a database stands; None if it is empty of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def needs_upgrade(found: str | None) -> bool:
    """Whether a database at `found` must be migrated. Raises `SchemaUnknown` if a newer program made it."""
    if found is not None and found > SCHEMA:
        raise SchemaUnknown(f"the database has schema {found}, this program knows {SCHEMA}")
    return found != SCHEMA


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction; of several programs that start together one does it."""
    # imported here: Alembic costs a third of a second, and an up-to-date database does not need it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('estation migrations'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
