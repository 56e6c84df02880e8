"""Canonical JSON text: equal values give equal texts, so that texts can be hashed and compared."""

from typing import Any

import orjson


def canonical(plain: Any) -> str:
    """Keys sorted, no spaces, no escapes beyond JSON's own. Raises `TypeError` for what is not JSON.

    Integers have 64 bits at most; NaN and infinity, which JSON lacks, become null.
    """
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()
