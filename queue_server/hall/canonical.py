"""Canonical JSON text: equal values give equal texts, so that texts can be hashed and compared."""

import json
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(plain: Any) -> str:
    """Keys sorted, no spaces, no escapes beyond JSON's own; no NaN."""
    return _ENCODER.encode(plain)
