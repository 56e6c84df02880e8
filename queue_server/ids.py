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


_CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: no I, L, O or U, so that a code read aloud or typed from paper is not mistaken."""
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_code() -> str:
    """10 letters and digits for a person to type: 50 random bits."""
    bits = int.from_bytes(_random.take(7), "big")
    return "".join(_CODE_LETTERS[bits >> 5 * place & 31] for place in range(10))


def read_code(text: str) -> str:
    """The code that somebody typed: any case, with spaces or hyphens, and with letters that look like digits."""
    return text.upper().translate(_READ_AS)


def new_token() -> str:
    """22 characters for an address that only its holder may know: 128 random bits."""
    return base64.urlsafe_b64encode(_random.take(16)).rstrip(b"=").decode()
