"""The people of a hall: accounts, roles, signing in, and locking out after wrong passwords."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["clerk", "manager", "technician", "auditor"]
ROLES: tuple[Role, ...] = ("clerk", "manager", "technician", "auditor")


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
