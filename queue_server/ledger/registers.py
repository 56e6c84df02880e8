"""The registers beside the ledger: devices, staff with roles, alerts, audit. Blocking calls; rows in, rows out."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from queue_server.ledger import tables
from queue_server.ledger.database import Database
from queue_server.ledger.port import AuditNote


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """`state` is accepted, pending or refused; `technician_secret` is the Base32 seed of its one-time codes."""

    id: str
    hall: str
    name: str
    state: str
    registered_at: str
    instance: str | None = None
    technician_secret: str | None = None
    last_hello: str | None = None

    def __repr__(self) -> str:
        return f"DeviceRow({self.id}, {self.hall}, {self.state})"


@dataclass(frozen=True, slots=True)
class StaffRow:
    """`password_hash` is an Argon2id string; `failures` are the wrong passwords since the last right one."""

    id: str
    hall: str
    login: str
    name: str
    password_hash: str
    created_at: str
    roles: tuple[str, ...] = ()
    disabled: bool = False
    failures: int = 0
    locked_until: str | None = None

    def __repr__(self) -> str:
        return f"StaffRow({self.id})"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert; open while `cleared_at` is None. `params` is canonical JSON text."""

    hall: str
    code: str
    subject: str
    severity: str
    params: str
    raised_at: str
    last_at: str
    count: int
    cleared_at: str | None = None
    cleared_by: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit note as it stands, with its place."""

    id: int
    hall: str
    at: str
    by: str
    act: str
    subject: str
    details: str


class AlreadyThere(Exception):
    """A row with this id or login exists; nothing was changed."""


class Registers:
    """Every method may raise `LedgerUnavailable`, the writing ones `LedgerFull`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- devices

    def devices(self, halls: Iterable[str] | None = None) -> list[DeviceRow]:
        """All devices, or those of `halls`."""
        table = tables.devices
        rows = select(table).order_by(table.c.id)
        if halls is not None:
            rows = rows.where(table.c.hall.in_(tuple(halls)))
        with self._database.read() as connection:
            return [DeviceRow(**row._mapping) for row in connection.execute(rows)]

    def add_device(self, device: DeviceRow) -> None:
        """Raises `AlreadyThere`."""
        with self._database.write() as connection:
            self._absent(
                connection.execute(select(tables.devices.c.id).where(tables.devices.c.id == device.id)).first()
            )
            connection.execute(insert(tables.devices).values(asdict(device)))

    def put_device(self, device: DeviceRow) -> None:
        """Overwrite the row with the same id."""
        with self._database.write() as connection:
            connection.execute(update(tables.devices).where(tables.devices.c.id == device.id).values(asdict(device)))

    def note_hello(self, device: str, instance: str, at: str) -> None:
        """Write the time of a hello; binds the device to `instance` if it is bound to none.

        Touches nothing else: the registry may have been changed by another program since it was read.
        """
        table = tables.devices
        mine = (table.c.id == device) & ((table.c.instance == instance) | table.c.instance.is_(None))
        with self._database.write() as connection:
            connection.execute(update(table).where(mine).values(instance=instance, last_hello=at))

    # --- staff

    def staff(self, hall: str) -> list[StaffRow]:
        """Everybody of a hall, disabled ones too."""
        people, held = tables.staff, tables.staff_roles
        with self._database.read() as connection:
            roles: dict[str, list[str]] = {}
            for row in connection.execute(select(held).order_by(held.c.role)):
                roles.setdefault(row.staff, []).append(row.role)
            rows = connection.execute(select(people).where(people.c.hall == hall).order_by(people.c.login)).all()
        return [_staff_row(row, tuple(roles.get(row.id, ()))) for row in rows]

    def add_staff(self, person: StaffRow) -> None:
        """Raises `AlreadyThere` if the login is taken, in whatever hall."""
        people = tables.staff
        with self._database.write() as connection:
            self._absent(connection.execute(select(people.c.id).where(people.c.login == person.login)).first())
            connection.execute(insert(people).values(_staff_columns(person)))
            if person.roles:
                connection.execute(insert(tables.staff_roles), [{"staff": person.id, "role": r} for r in person.roles])

    def put_staff(self, person: StaffRow) -> None:
        """Overwrite the row and the roles of the person with the same id."""
        held = tables.staff_roles
        with self._database.write() as connection:
            connection.execute(
                update(tables.staff).where(tables.staff.c.id == person.id).values(_staff_columns(person))
            )
            connection.execute(delete(held).where(held.c.staff == person.id))
            if person.roles:
                connection.execute(insert(held), [{"staff": person.id, "role": r} for r in person.roles])

    # --- alerts

    def open_alerts(self, hall: str) -> list[AlertRow]:
        """The alerts of a hall that nobody has cleared, oldest first."""
        table = tables.alerts
        columns = [column for column in table.c if column.name != "id"]
        mine = select(*columns).where(table.c.hall == hall, table.c.cleared_at.is_(None)).order_by(table.c.id)
        with self._database.read() as connection:
            return [AlertRow(**row._mapping) for row in connection.execute(mine)]

    def put_alert(self, alert: AlertRow) -> None:
        """Write the alert over the open one of the same hall, code and subject, or add it."""
        table = tables.alerts
        same = (table.c.hall == alert.hall) & (table.c.code == alert.code) & (table.c.subject == alert.subject)
        with self._database.write() as connection:
            written = connection.execute(update(table).where(same, table.c.cleared_at.is_(None)).values(asdict(alert)))
            if written.rowcount == 0:
                connection.execute(insert(table).values(asdict(alert)))

    # --- audit

    def note(self, hall: str, note: AuditNote) -> None:
        """Add an audit note."""
        with self._database.write() as connection:
            connection.execute(insert(tables.audit).values(hall=hall, **note._asdict()))

    def audit(self, hall: str, subject: str | None = None, act: str | None = None, limit: int = 1000) -> list[AuditRow]:
        """The newest notes of a hall, newest first."""
        table = tables.audit
        notes = select(table).where(table.c.hall == hall).order_by(table.c.id.desc()).limit(limit)
        if subject is not None:
            notes = notes.where(table.c.subject == subject)
        if act is not None:
            notes = notes.where(table.c.act == act)
        with self._database.read() as connection:
            return [AuditRow(**row._mapping) for row in connection.execute(notes)]

    @staticmethod
    def _absent(row: object) -> None:
        if row is not None:
            raise AlreadyThere


def _staff_columns(person: StaffRow) -> Mapping[str, Any]:
    columns = asdict(person)
    del columns["roles"]
    return columns | {"disabled": int(person.disabled)}


def _staff_row(row: Row[Any], roles: tuple[str, ...]) -> StaffRow:
    columns = dict(row._mapping)
    return StaffRow(**columns | {"disabled": bool(row.disabled), "roles": roles})
