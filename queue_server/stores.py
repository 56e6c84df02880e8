"""The database of a server with everything that stands on it: ledger, registers, and the books of each hall."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import structlog

from queue_server.alerts import AlertBook
from queue_server.channels.keys import ApiKeys
from queue_server.config import Config, StoreConfig, secret
from queue_server.devices import DeviceBook
from queue_server.ledger import Database, LedgerError, PostgresDatabase, SqliteDatabase, SqlLedger
from queue_server.ledger.channels import ChannelRegisters
from queue_server.ledger.registers import Registers
from queue_server.staff import StaffRegister

log = structlog.get_logger(__name__)


def open_database(store: StoreConfig) -> Database:
    """The database that a configuration names, brought to today's schema.

    Raises `LedgerUnavailable`, `LedgerFull`, `SchemaUnknown`, `ConfigError`.
    """
    if store.shared:
        return PostgresDatabase(store.database, password=secret(store.password_file) if store.password_file else None)
    return SqliteDatabase(Path(store.database), reserve_bytes=store.reserve_mb * 1024 * 1024)


class HallBooks:
    """The registers of one hall."""

    def __init__(
        self,
        hall: str,
        registers: Registers,
        channels: ChannelRegisters,
        defer: Callable[[Callable[[], None]], None],
    ) -> None:
        self.alerts = AlertBook(hall, registers, defer=defer)
        self.devices = DeviceBook(hall, registers, self.alerts, defer=defer)
        self.staff = StaffRegister(hall, registers, self.alerts)
        self.keys = ApiKeys(hall, channels, registers)

    def reload(self) -> None:
        """Read what the command line or another server may have changed."""
        self.devices.reload()
        self.staff.reload()
        self.keys.reload()


class Stores:
    """A context manager."""

    def __init__(self, config: Config) -> None:
        """Raises `LedgerUnavailable`, `LedgerFull`, `SchemaUnknown`, `ConfigError`."""
        self._config = config
        self.database = open_database(config.store)
        self.writer = ThreadPoolExecutor(1, "registers")
        self.ledger = SqlLedger(self.database)
        self.registers = Registers(self.database)
        self.channels = ChannelRegisters(self.database)
        self._books: dict[str, HallBooks] = {}

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.shutdown()
        self.database.close()

    def books(self, hall: str | None = None) -> HallBooks:
        """The books of a hall; of the only one, where none is named. Raises `ConfigError`."""
        hall = self._config.seat(hall).hall
        if hall not in self._books:
            self._books[hall] = HallBooks(hall, self.registers, self.channels, self.defer)
        return self._books[hall]

    def defer(self, write: Callable[[], None]) -> None:
        """Run `write` on the thread of the registers, in order."""

        def run() -> None:
            try:
                write()
            except LedgerError as error:
                log.error("register_not_written", error=type(error).__name__)

        # after the end nothing is written any more
        with suppress(RuntimeError):
            self.writer.submit(run)
