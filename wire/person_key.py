"""How a person is known to the hall: an HMAC of the document number, made with the hall's own key.

An ID number has too little randomness for a plain or salted digest: whoever had the digests could try all numbers.
"""

import hashlib
import hmac
import unicodedata

KEY_BYTES = 32


class BadHallKey(ValueError):
    """The hall's key is not 32 bytes; the technician must provision this machine again."""


def canonical(number: str) -> str:
    """The one spelling of a document number: full-width folded, no spaces or hyphens, upper case (`x` becomes `X`)."""
    folded = unicodedata.normalize("NFKC", number).upper()
    return "".join(character for character in folded if character.isalnum())


def person_key(number: str, hall_key: bytes) -> str:
    """64 lower-case hex digits of HMAC-SHA256 over the canonical number. Raises `BadHallKey`."""
    if len(hall_key) != KEY_BYTES:
        raise BadHallKey(f"want {KEY_BYTES} bytes")
    return hmac.new(hall_key, canonical(number).encode(), hashlib.sha256).hexdigest()
