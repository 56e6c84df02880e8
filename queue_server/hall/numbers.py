"""Number series: the next free number of a queue on a business day, and what a series may look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pydantic import ConfigDict

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration, Queue
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

CLEAR_LETTERS = frozenset("ABCDHLNPQSTVWXYZ")
"""Letters that cannot be misheard for another one or a digit when the hall's voice speaks them.

Measured on the recordings: `assets/voice/README.md`.
"""
MAX_DIGITS = 6
_PREFIX = re.compile(r"[A-Z]{1,2}")


@dataclass(frozen=True, kw_only=True)
class Numbering:
    """`unclear_letters`: the hall takes prefixes that can be misheard. `warn_left`: when so few numbers are left, staff
    hear of it, before people are turned away."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    unclear_letters: bool = False
    warn_left: int = 20


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """A series that runs out: `left` numbers can be given; `extended`: it is beyond its `last` already."""

    queue: str
    left: int
    extended: bool


def next_serial(store: "Store", queue: "Queue", business_date: date) -> tuple[int, tuple[int, ...]] | None:
    """The next serial and those passed over because a ticket of an earlier day still lives; None: exhausted.

    A series belongs to the prefix, not to the queue: two queues that exchange their prefixes by a new configuration
    still never give one number twice on a day. It grows only; it never wraps. All channels of a queue share it.
    """
    last = store.series.get(business_date, {}).get(queue.prefix)
    serial = queue.first if last is None else max(last + 1, queue.first)
    skipped: list[int] = []
    while (queue.prefix, serial) in store.live_numbers:
        skipped.append(serial)
        serial += 1
    return (serial, tuple(skipped)) if serial <= queue.limit else None


def numbers_left(store: "Store", queue: "Queue", business_date: date) -> int:
    """How many numbers the queue can still give on that day (at least, where old numbers live)."""
    found = next_serial(store, queue, business_date)
    return queue.limit - found[0] + 1 if found else 0


def shortages(hall: "Hall", business_date: date) -> list[Shortage]:
    """The queues whose numbers run out, or that give numbers beyond their `last`, for a named alert."""
    found = []
    for queue in hall.configuration.queues:
        left = numbers_left(hall.store, queue, business_date)
        given = hall.store.series.get(business_date, {}).get(queue.prefix, 0)
        if left <= hall.configuration.numbering.warn_left or given > queue.last:
            found.append(Shortage(queue=queue.id, left=left, extended=given > queue.last))
    return found


def check_series(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that the queues' series break: code and place."""
    prefixes = [queue.prefix for queue in c.queues]
    for queue in c.queues:
        where = f"queues[{queue.id}]"
        if not _PREFIX.fullmatch(queue.prefix):
            yield "not_a_prefix", f"{where}.prefix"
        elif not c.numbering.unclear_letters and not CLEAR_LETTERS.issuperset(queue.prefix):
            yield "prefix_unclear", f"{where}.prefix"
        if prefixes.count(queue.prefix) > 1:
            yield "prefix_twice", f"{where}.prefix"
        if not 0 <= queue.first <= queue.last:
            yield "range_empty", f"{where}.last"
        if not 1 <= queue.digits <= MAX_DIGITS or queue.last >= 10**queue.digits:
            yield "digits_too_few", f"{where}.digits"
        if queue.extended_to is not None and not queue.last < queue.extended_to < 10**MAX_DIGITS:
            yield "range_empty", f"{where}.extended_to"
    if c.numbering.warn_left < 0:
        yield "negative", "numbering.warn_left"
