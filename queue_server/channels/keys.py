"""API keys of the booking channels: made once, shown once, kept as a digest, revocable at once.

A key is `es_<id>_<secret>`. The secret has 256 random bits, so that SHA-256 is digest enough: there is nothing to
guess, and a slow password hash on every request would only serve whoever floods the server.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from queue_server.clock import instant_text, utc_now
from queue_server.hall.canonical import canonical
from queue_server.ids import new_id
from queue_server.ledger.channels import ApiKeyRow, ChannelRegisters
from queue_server.ledger.port import AuditNote
from queue_server.ledger.registers import Registers

Scope = Literal[
    "slots:read", "appointments:read", "appointments:write", "appointments:all", "check-in:write", "blocks:write"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`appointments:all`: also those of other channels (a hotline); `blocks:write`: let a blocked person book again."""

_KEY = re.compile(r"es_([0-9a-f]{20})_([A-Za-z0-9_-]{43})")
_CHANNEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class BadKey(ValueError):
    """No key can be made of this: the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a key: which channel it is and what it may do."""

    key: str
    channel: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


class ApiKeys:
    """The keys of one hall, in memory over the register. Safe to use from several threads; writing methods block."""

    def __init__(
        self, hall: str, channels: ChannelRegisters, registers: Registers, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._hall = hall
        self._channels = channels
        self._registers = registers
        self._now = now
        self._lock = threading.Lock()
        self._keys: dict[str, ApiKeyRow] = {}
        self.reload()

    def reload(self) -> None:
        """Read the register again: the command line may have made or revoked keys."""
        rows = {row.id: row for row in self._channels.api_keys(self._hall)}
        with self._lock:
            self._keys = rows

    def add(self, channel: str, name: str, scopes: Iterable[str]) -> tuple[ApiKeyRow, str]:
        """A new key, and its text, which is stored nowhere. Raises `BadKey`."""
        held = sorted(set(scopes))
        if not _CHANNEL.fullmatch(channel):
            raise BadKey("a channel is lower-case letters, digits and '-'")
        if not held or not set(held) <= set(SCOPES):
            raise BadKey(f"scopes must be some of {', '.join(SCOPES)}")
        secret = secrets.token_urlsafe(32)
        row = ApiKeyRow(new_id(), self._hall, channel, name, _digest(secret), " ".join(held), self._at())
        self._channels.add_api_key(row)
        self._note("api_key_added", row.id)
        with self._lock:
            self._keys[row.id] = row
        return row, f"es_{row.id}_{secret}"

    def revoke(self, key: str) -> bool:
        """Worth nothing from now on, on other servers within seconds; False if there is no such key in force."""
        revoked = self._channels.revoke_api_key(self._hall, key, self._at())
        if revoked:
            self._note("api_key_revoked", key)
            self.reload()
        return revoked

    def all(self) -> tuple[ApiKeyRow, ...]:
        """Every key, revoked ones too, oldest first."""
        with self._lock:
            return tuple(self._keys.values())

    def caller(self, text: str) -> Caller | None:
        """Who shows this key; None if it is none, or revoked."""
        found = _KEY.fullmatch(text)
        if found is None:
            return None
        with self._lock:
            row = self._keys.get(found[1])
        if row is None or not hmac.compare_digest(row.secret_hash, _digest(found[2])) or row.revoked_at is not None:
            return None
        return Caller(row.id, row.channel, frozenset(row.scopes.split()))

    def _at(self) -> str:
        return instant_text(self._now())

    def _note(self, act: str, subject: str) -> None:
        by = canonical({"id": "command-line", "kind": "staff"})
        self._registers.note(self._hall, AuditNote(self._at(), by, act, subject))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
