"""Bearer tokens of people who signed in: in memory, as hashes, with an end."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

_KEPT = 10_000


class Tokens:
    """Who holds which token. A restart of the server signs everybody out."""

    def __init__(self, lifetime: timedelta, now: Callable[[], datetime]) -> None:
        self._lifetime = lifetime
        self._now = now
        self._held: dict[bytes, tuple[str, datetime]] = {}

    def give(self, staff_id: str) -> tuple[str, datetime]:
        """A new token of 256 random bits, and its end."""
        self._forget_expired()
        token = secrets.token_urlsafe(32)
        expires_at = self._now() + self._lifetime
        self._held[_hash(token)] = (staff_id, expires_at)
        return token, expires_at

    def holder(self, token: str) -> str | None:
        """The id of the person who holds `token`; None if it is unknown, taken back or past its end."""
        held = self._held.get(_hash(token))
        return held[0] if held is not None and self._now() < held[1] else None

    def take_back(self, token: str) -> None:
        """Sign out; an unknown token is nothing to take back."""
        self._held.pop(_hash(token), None)

    def _forget_expired(self) -> None:
        now = self._now()
        self._held = {key: held for key, held in self._held.items() if now < held[1]}
        while len(self._held) >= _KEPT:
            self._held.pop(next(iter(self._held)))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
