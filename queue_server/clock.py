"""Wall time at the edge, and its text."""

from datetime import UTC, datetime
from functools import lru_cache


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=256)
def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, so that text order is time order."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
