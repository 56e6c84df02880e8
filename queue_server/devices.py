"""The devices of a hall: who is registered, who said hello, what each says of itself."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, cast

import pyotp

from queue_server.alerts import AlertBook
from queue_server.clock import instant_text, utc_now
from queue_server.hall.canonical import canonical
from queue_server.ids import new_id
from queue_server.ledger.port import AuditNote
from queue_server.ledger.registers import DeviceRow, Registers
from queue_server.projection import DeviceNow, PeripheralNow
from queue_server.reported_conditions import REPORTED_CODES, conditions
from queue_server.staff import Staff
from wire.messages import Hello, Presence, Reported
from wire.topics import is_id

LOST_AFTER = timedelta(seconds=30)
"""How long a device may be away before staff hear of it: short gaps make no noise."""
MAX_PENDING = 50
"""Unregistered devices that are remembered; more are turned away without a trace."""
BOOTS_KEPT = 32
CODE_DIGITS = 8
"""Of the technician's one-time code (RFC 6238, SHA-1, 30 s); terminals expect the same."""

STOPPED: Final = "cloned"
"""State of a device whose identity two machines hold."""

Standing = Literal["accepted", "pending", "refused", "elsewhere", "unknown", "cloned"]

NOT_ACCEPTED: Mapping[Standing, str] = {
    "unknown": "device_pending",
    "pending": "device_pending",
    "refused": "device_refused",
    "elsewhere": "device_elsewhere",
    "cloned": "cloned_device",
}
"""What a device that may not work is told."""
_AT_THE_GATE = ("device_pending", "cloned_device", "refused_device_speaks")
"""Alerts that end when a device is accepted."""


class DeviceExists(Exception):
    """A device with this id is registered already."""


class DeviceUnknown(Exception):
    """No device with this id is registered."""


class NotAllowed(Exception):
    """The person's roles do not allow this."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a hello; `code` names why a device is not accepted."""

    verdict: Literal["accepted", "pending", "refused"]
    code: str | None = None
    renewed: bool = False
    """This hello bound the device to its instance: the first one, or the first after it was renewed."""


@dataclass(slots=True)
class _Live:
    """What a device said since this program started."""

    presence: Presence | None = None
    presence_since: datetime | None = None
    reported: Reported | None = None
    boots: dict[str, int] = field(default_factory=dict)
    """Boot ids that said hello, the newest last, with the number of the newest connection of each."""


class DeviceBook:
    """The registry of one hall's devices, with their live state. Safe to use from several threads.

    Methods that change the registry write to the store and may block; `hello`, `standing` and the notes of presence
    and health only touch memory, and hand rows to `defer`.
    """

    def __init__(
        self,
        hall: str,
        registers: Registers,
        alerts: AlertBook,
        *,
        now: Callable[[], datetime] = utc_now,
        defer: Callable[[Callable[[], None]], None] = lambda write: write(),
    ) -> None:
        self._hall = hall
        self._registers = registers
        self._alerts = alerts
        self._now = now
        self._defer = defer
        self._lock = threading.RLock()
        self._stopping: set[str] = set()
        """Stopped, and not written yet: what the store still says of them is out of date."""
        self._stops = 0
        self._started = now()
        self._rows = {row.id: row for row in registers.devices()}
        self._live: dict[str, _Live] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.on_accepted: Callable[[str], None] = lambda _device: None

    # --- the registry

    def add(self, device: str, name: str, *, instance: str | None = None) -> DeviceRow:
        """Register a device as accepted, with a new technician's secret.

        Without an `instance` the first hello binds the device to its own. Raises `DeviceExists`, `ValueError` for an
        id that may not stand in a topic.
        """
        if not is_id(device):
            raise ValueError(f"not an id: {device!r}")
        with self._lock:
            known = self._rows.get(device)
            if known is not None and known.state != "pending":
                raise DeviceExists(device)
            row = DeviceRow(
                id=device,
                hall=self._hall,
                name=name,
                state="accepted",
                registered_at=instant_text(self._now()),
                instance=instance or (known.instance if known else None),
                technician_secret=pyotp.random_base32(),
            )
            if known is None:
                self._registers.add_device(row)
            else:
                self._registers.put_device(row)
            self._rows[device] = row
        self._alerts.clear("device_pending", device)
        self._changed(device)
        return row

    def refuse(self, device: str) -> None:
        """Turn a device away until it is registered anew. Raises `DeviceUnknown`."""
        self._put(replace(self._row(device), state="refused"))
        self.on_change()

    def renew(self, device: str) -> None:
        """Let the next hello bind the device to a new instance: after a disk was replaced. Raises `DeviceUnknown`."""
        self._put(replace(self._row(device), state="accepted", instance=None))
        with self._lock:
            self._live.pop(device, None)
        for code in _AT_THE_GATE:
            self._alerts.clear(code, device)
        self._changed(device)

    def stop(self, device: str, **about: object) -> None:
        """Two machines hold this identity: neither may work until the right one is renewed."""
        with self._lock:
            row = self._rows.get(device)
            if row is None:
                return
            stopped = replace(row, state=STOPPED)
            news = row.state != STOPPED
            if news:
                self._rows[device] = stopped
                self._stopping.add(device)
                self._stops += 1
        self._alerts.raise_("cloned_device", device, **about)
        if news:
            self._defer(lambda: self._write_stopped(stopped))
            self.on_change()

    def _write_stopped(self, row: DeviceRow) -> None:
        self._registers.put_device(row)
        with self._lock:
            self._stopping.discard(row.id)

    def reload(self) -> None:
        """Read the registry again: another program (the command line) may have changed it."""
        stops = self._stops
        rows = {row.id: row for row in self._registers.devices()}
        with self._lock:
            if stops != self._stops:
                return  # what was read may be older than the stop; the next time shows
            rows |= {device: self._rows[device] for device in self._stopping}
            fresh = [d for d, row in rows.items() if row.state == "accepted" and self.standing(d) != "accepted"]
            renewed = [d for d in fresh if self.standing(d) == STOPPED]
            for device in renewed:
                self._live.pop(device, None)
            # hellos that are not written yet must not be undone, but whoever was stopped begins afresh
            self._rows = {
                d: replace(row, instance=row.instance or mine.instance)
                if (mine := self._rows.get(d)) and d not in renewed
                else row
                for d, row in rows.items()
            } | {d: row for d, row in self._rows.items() if d not in rows and row.state == "pending"}
        for device in fresh:
            for code in _AT_THE_GATE:
                self._alerts.clear(code, device)
            self._changed(device)

    def technician_code(self, staff: Staff, device: str) -> str:
        """The eight digits that open the technician's screen of `device` now; audited.

        Raises `NotAllowed` unless the person is a technician or a manager, `DeviceUnknown`.
        """
        if not staff.may("technician", "manager"):
            raise NotAllowed
        row = self._row(device)
        if row.technician_secret is None:
            raise DeviceUnknown(device)
        by = canonical({"id": staff.id, "kind": "technician" if staff.may("technician") else "manager"})
        self._registers.note(self._hall, AuditNote(instant_text(self._now()), by, "technician_code_shown", device))
        return pyotp.TOTP(row.technician_secret, digits=CODE_DIGITS).at(self._now())

    def accepted(self) -> tuple[str, ...]:
        """The ids of the devices that may work."""
        with self._lock:
            return tuple(d for d, row in self._rows.items() if row.state == "accepted" and row.hall == self._hall)

    def standing(self, device: str) -> Standing:
        """Whether a device may ask this hall for anything."""
        with self._lock:
            row = self._rows.get(device)
        if row is None:
            return "unknown"
        if row.hall != self._hall and row.state == "accepted":
            return "elsewhere"
        return cast("Standing", row.state)

    def name(self, device: str) -> str:
        """The name that staff know, or the id."""
        with self._lock:
            row = self._rows.get(device)
        return row.name if row else device

    # --- what devices say

    def hello(self, device: str, hello: Hello) -> Verdict:
        """Judge a hello: registered here, the same instance as ever, and not two machines in turn."""
        with self._lock:
            standing = self.standing(device)
            if standing == "unknown":
                return self._first_sight(device, hello)
            if standing != "accepted":
                self.turned_away(device)
                return Verdict("pending" if standing == "pending" else "refused", NOT_ACCEPTED[standing])
            row, live = self._rows[device], self._live.setdefault(device, _Live())
            if row.instance is not None and row.instance != hello.instance:
                self._alerts.raise_("cloned_device", device, sign="instance")
                return Verdict("refused", "cloned_device")
            if _speaks_again(live, hello):
                self.stop(device, sign="boot")
                return Verdict("refused", "cloned_device")
            live.boots[hello.boot_id] = max(hello.conn_seq, live.boots.get(hello.boot_id, 0))
            for boot in list(live.boots)[:-BOOTS_KEPT]:
                del live.boots[boot]
            at = instant_text(self._now())
            self._rows[device] = replace(row, instance=hello.instance, last_hello=at)
        self._defer(lambda: self._registers.note_hello(device, hello.instance, at))
        self.on_change()
        return Verdict("accepted", renewed=row.instance is None)

    def _first_sight(self, device: str, hello: Hello) -> Verdict:
        pending = sum(1 for row in self._rows.values() if row.state == "pending")
        if pending >= MAX_PENDING:
            return Verdict("refused", "device_unknown")
        at = instant_text(self._now())
        row = DeviceRow(device, self._hall, device, "pending", at, instance=hello.instance, last_hello=at)
        self._rows[device] = row
        self._defer(lambda: self._registers.add_device(row))
        self._alerts.raise_("device_pending", device)
        self.on_change()
        return Verdict("pending", "device_pending")

    def turned_away(self, device: str) -> None:
        """A device that is not accepted speaks: staff must know where it was shut out and speaks on."""
        if self.standing(device) == "refused" and not self._alerts.is_open("refused_device_speaks", device):
            self._alerts.raise_("refused_device_speaks", device)

    def presence(self, device: str, presence: Presence) -> bool:
        """Note a birth or a death; False if it is not news, or the death of an older connection."""
        with self._lock:
            if self.standing(device) != "accepted":
                return False
            live = self._live.setdefault(device, _Live())
            last = live.presence
            if last is not None and presence.state == "offline" and presence.conn_seq != last.conn_seq:
                return False
            if last == presence:
                return False
            if last is None or last.state != presence.state:
                live.presence_since = self._now()
            live.presence = presence
        if presence.state != "offline":
            self._alerts.clear("device_lost", device)
        self.on_change()
        return True

    def reported(self, device: str, reported: Reported) -> None:
        """Note what a device says of its parts; raises and clears the alerts that follow from it."""
        with self._lock:
            if self.standing(device) != "accepted":
                return
            live = self._live.setdefault(device, _Live())
            if live.reported == reported:
                return
            live.reported = reported
        self._alerts.settle(device, REPORTED_CODES, conditions(reported))
        self.on_change()

    def look_again(self) -> None:
        """Settle the alerts of all devices: another server led the hall until now, and left its own."""
        with self._lock:
            known = [(device, live) for device, live in self._live.items() if self.standing(device) == "accepted"]
        for device, live in known:
            if live.presence is not None and live.presence.state != "offline":
                self._alerts.clear("device_lost", device)
            if live.reported is not None:
                self._alerts.settle(device, REPORTED_CODES, conditions(live.reported))

    def look_for_lost(self) -> None:
        """Raise `device_lost` for those who have been away for `LOST_AFTER`. Call every few seconds."""
        now = self._now()
        with self._lock:
            lost = [device for device in self.accepted() if now - self._away_since(device, now) >= LOST_AFTER]
        for device in lost:
            if not self._alerts.is_open("device_lost", device):
                self._alerts.raise_("device_lost", device)

    def _away_since(self, device: str, now: datetime) -> datetime:
        live = self._live.get(device)
        if live is None or live.presence is None:
            # never seen: it counts as away from this program's start, if it has ever worked
            return self._started if self._rows[device].last_hello else now
        return (live.presence_since or now) if live.presence.state == "offline" else now

    def now(self) -> tuple[DeviceNow, ...]:
        """All devices of the hall, as consoles show them."""
        with self._lock:
            mine = [row for row in self._rows.values() if row.hall == self._hall]
            return tuple(_now_of(row, self._live.get(row.id) or _Live()) for row in sorted(mine, key=lambda r: r.id))

    def _row(self, device: str) -> DeviceRow:
        with self._lock:
            if device not in self._rows:
                raise DeviceUnknown(device)
            return self._rows[device]

    def _put(self, row: DeviceRow) -> None:
        self._registers.put_device(row)
        with self._lock:
            self._rows[row.id] = row

    def _changed(self, device: str) -> None:
        self.on_accepted(device)
        self.on_change()


def _speaks_again(live: _Live, hello: Hello) -> bool:
    """A boot that was over has made a new connection: two machines with one identity.

    An old hello that the broker delivers once more names a connection that is known, and means nothing.
    """
    newest = next(reversed(live.boots), hello.boot_id)
    return hello.boot_id != newest and hello.conn_seq > live.boots.get(hello.boot_id, hello.conn_seq)


def new_instance() -> str:
    """An instance id, made once when a device is provisioned."""
    return new_id()


def _now_of(row: DeviceRow, live: _Live) -> DeviceNow:
    reported = live.reported or Reported()
    return DeviceNow(
        device=row.id,
        name=row.name,
        registered=cast("Literal['accepted', 'pending', 'refused', 'cloned']", row.state),
        presence=live.presence.state if live.presence else "unknown",
        presence_since=live.presence_since,
        last_hello=datetime.fromisoformat(row.last_hello) if row.last_hello else None,
        last_ticket_at=reported.last_ticket_at,
        configuration_revision=reported.configuration_revision,
        backlog=reported.backlog,
        versions=reported.versions,
        peripherals=tuple(
            PeripheralNow(p.role, p.driver, p.health, p.detail, p.supplies) for p in reported.peripherals
        ),
    )
