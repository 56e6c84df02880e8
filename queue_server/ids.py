"""Ids that the server makes: unguessable, short enough for a topic or an address."""

import base64
import os
import threading

_BLOCK = 4096


class _Randomness:
    """Bytes of the system's source, fetched by the block: a call for each id would cost more than the id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._block = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            if self._at + count > len(self._block):
                self._block, self._at = os.urandom(_BLOCK), 0
            self._at += count
            return self._block[self._at - count : self._at]


_random = _Randomness()


def new_id() -> str:
    """20 hex digits: 80 random bits."""
    return _random.take(10).hex()


def new_token() -> str:
    """22 characters for an address that only its holder may know: 128 random bits."""
    return base64.urlsafe_b64encode(_random.take(16)).rstrip(b"=").decode()
