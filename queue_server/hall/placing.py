"""Placing: from which instant a step accrues priority, as an order key that no other step has.

Whoever comes now is placed behind everybody who came before, also when the clock was set back. A place at another
instant (an appointment, a number taken offline, a ticket that is put back) is the first free microsecond from that
instant on. Every rule that places a ticket writes the key into its event.
"""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue_server.hall.store import Store

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def micros(instant: datetime) -> int:
    """Microseconds since 1970, exactly."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def key_now(store: "Store", now: datetime) -> int:
    """The key of somebody who comes now: above every key that was given to somebody who came."""
    return free_key(store, max(micros(now), store.order_key + 1))


def key_at(store: "Store", instant: datetime) -> int:
    """The key of a step that accrues from `instant`, past or future."""
    return free_key(store, micros(instant))


def free_key(store: "Store", key: int) -> int:
    """`key`, or the first one above it that no step has."""
    while key in store.order_keys:
        key += 1
    return key
