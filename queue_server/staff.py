"""The people of a hall: accounts, roles, signing in, and locking out after wrong passwords."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from queue_server.alerts import AlertBook
from queue_server.clock import instant_text, utc_now
from queue_server.hall.canonical import canonical
from queue_server.ids import new_id
from queue_server.ledger.port import AuditNote
from queue_server.ledger.registers import AlreadyThere, Registers, StaffRow

Role = Literal["clerk", "manager", "technician", "auditor"]
ROLES: tuple[Role, ...] = ("clerk", "manager", "technician", "auditor")

FREE_FAILURES = 4
"""Wrong passwords in a row that cost no pause: people mistype."""
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 3600.0
MIN_PASSWORD = 10


class LoginTaken(Exception):
    """Another person has this login."""


class WeakPassword(Exception):
    """Shorter than `MIN_PASSWORD` characters, or equal to the login."""


class StaffUnknown(Exception):
    """Nobody has this login."""


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who signed in. `id` stands in events; `name` is for screens."""

    id: str
    login: str
    name: str
    roles: frozenset[Role]

    def may(self, *roles: Role) -> bool:
        """True if the person has one of `roles`."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """`wrong_credentials` (login or password: never which), or `locked` until `retry_after` seconds have passed."""

    code: Literal["wrong_credentials", "locked"]
    retry_after: float | None = None


class StaffPort(Protocol):
    """What consoles and the counters' API need of the register."""

    def verify(self, login: str, password: str, *, source: str = "console") -> Staff | SignInRefused:
        """Check a password; audited. Takes tens of milliseconds of CPU: call it in a thread."""
        ...

    def find(self, staff_id: str) -> Staff | None:
        """The person, with today's roles; None if unknown or disabled. From memory, cheap."""
        ...

    def audit(self, staff_id: str, act: str, subject: str = "") -> None:
        """Write an act of a person that is no event of a hall: signed out, looked at a one-time code …"""
        ...

    def all(self) -> Iterable[Staff]:
        """Everybody who may sign in."""
        ...


class StaffRegister:
    """See `StaffPort`; with the administration of accounts. Safe to use from several threads, every method may block.

    After `FREE_FAILURES` wrong passwords in a row each further one doubles the pause, up to an hour. The pause is the
    account's, survives a restart, and does not depend on where the attempts come from.
    """

    def __init__(
        self,
        hall: str,
        registers: Registers,
        alerts: AlertBook,
        *,
        now: Callable[[], datetime] = utc_now,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._hall = hall
        self._registers = registers
        self._alerts = alerts
        self._now = now
        self._hasher = hasher or PasswordHasher()
        self._lock = threading.RLock()
        self._people = {row.login: row for row in registers.staff(hall)}
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        """Verified for unknown logins, so that time does not tell whether a login exists."""

    def add(self, login: str, name: str, password: str, roles: Iterable[Role]) -> Staff:
        """A new account. Raises `LoginTaken`, `WeakPassword`, `ValueError` for an unknown role or no login."""
        login, held = _login(login), _roles(roles)
        if not login:
            raise ValueError("a login is needed")
        _check_password(login, password)
        digest = self._hasher.hash(password)
        row = StaffRow(new_id(), self._hall, login, name, digest, instant_text(self._now()), held)
        with self._lock:
            try:
                self._registers.add_staff(row)
            except AlreadyThere:
                raise LoginTaken(login) from None
            self._people[login] = row
        return _staff(row)

    def set_password(self, login: str, password: str) -> None:
        """Replace the password and lift a lock. Raises `StaffUnknown`, `WeakPassword`."""
        _check_password(_login(login), password)
        self._change(login, password_hash=self._hasher.hash(password), failures=0, locked_until=None)

    def set_roles(self, login: str, roles: Iterable[Role]) -> None:
        """Raises `StaffUnknown`, `ValueError`."""
        self._change(login, roles=_roles(roles))

    def disable(self, login: str) -> None:
        """Nobody signs in with this login any more. Raises `StaffUnknown`."""
        self._change(login, disabled=True)

    def reload(self) -> None:
        """Read the register again: another program (the command line) may have changed it."""
        rows = {row.login: row for row in self._registers.staff(self._hall)}
        with self._lock:
            self._people = rows

    def verify(self, login: str, password: str, *, source: str = "console") -> Staff | SignInRefused:
        login = _login(login)
        with self._lock:
            row = self._people.get(login)
        now = self._now()
        if row is not None and (left := _locked_for(row, now)) > 0:
            return SignInRefused("locked", left)
        try:
            self._hasher.verify(row.password_hash if row else self._nobody, password)
        except (VerificationError, InvalidHashError):
            return self._failed(row, now, source)
        with self._lock:
            row = self._people.get(login)
        if row is None or row.disabled:
            return self._failed(None, now, source)
        if (left := _locked_for(row, now)) > 0:
            # locked meanwhile by guesses that ran side by side with this one
            return SignInRefused("locked", left)
        self._change(login, failures=0, locked_until=None, password_hash=self._rehashed(row, password))
        self._alerts.clear("sign_in_locked", row.login)
        self._note(row.id, "signed_in", source)
        return _staff(row)

    def find(self, staff_id: str) -> Staff | None:
        with self._lock:
            row = next((row for row in self._people.values() if row.id == staff_id), None)
        return _staff(row) if row and not row.disabled else None

    def audit(self, staff_id: str, act: str, subject: str = "") -> None:
        self._note(staff_id, act, subject)

    def all(self) -> tuple[Staff, ...]:
        with self._lock:
            return tuple(_staff(row) for row in self._people.values() if not row.disabled)

    def _failed(self, row: StaffRow | None, now: datetime, source: str) -> SignInRefused:
        if row is None:
            self._note("unknown", "sign_in_failed", source)
            return SignInRefused("wrong_credentials")
        with self._lock:
            failures = self._people[row.login].failures + 1
            pause = pause_s(failures)
            until = instant_text(now + timedelta(seconds=pause)) if pause else None
            self._change(row.login, failures=failures, locked_until=until)
        self._note(row.id, "sign_in_failed", source)
        if not pause:
            return SignInRefused("wrong_credentials")
        self._alerts.raise_("sign_in_locked", row.login, failures=failures)
        return SignInRefused("locked", pause)

    def _rehashed(self, row: StaffRow, password: str) -> str:
        if self._hasher.check_needs_rehash(row.password_hash):
            return self._hasher.hash(password)
        return row.password_hash

    def _change(self, login: str, **changes: object) -> None:
        with self._lock:
            row = self._people.get(_login(login))
            if row is None:
                raise StaffUnknown(login)
            changed = replace(row, **changes)  # type: ignore[arg-type]  # field names checked by replace
            if changed != row:
                self._registers.put_staff(changed)
                self._people[row.login] = changed

    def _note(self, staff_id: str, act: str, subject: str) -> None:
        by = canonical({"id": staff_id, "kind": "staff"})
        self._registers.note(self._hall, AuditNote(instant_text(self._now()), by, act, subject))


def pause_s(failures: int) -> float:
    """Seconds that an account is locked after so many wrong passwords in a row."""
    over = failures - FREE_FAILURES
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(over - 1, 20)) if over > 0 else 0.0


def _locked_for(row: StaffRow, now: datetime) -> float:
    if row.locked_until is None:
        return 0.0
    return (datetime.fromisoformat(row.locked_until) - now).total_seconds()


def _login(login: str) -> str:
    return login.strip().casefold()


def _roles(roles: Iterable[Role]) -> tuple[Role, ...]:
    held = tuple(sorted(set(roles)))
    if not held or not set(held) <= set(ROLES):
        raise ValueError(f"roles must be some of {', '.join(ROLES)}")
    return held


def _check_password(login: str, password: str) -> None:
    if len(password) < MIN_PASSWORD or password.casefold() == login:
        raise WeakPassword


def _staff(row: StaffRow) -> Staff:
    return Staff(row.id, row.login, row.name, frozenset(cast("tuple[Role, ...]", row.roles)))
