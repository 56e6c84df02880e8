"""Number series: the next free number of a queue on a business day."""

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue_server.hall.configuration import Queue
    from queue_server.hall.store import Store


def next_serial(store: "Store", queue: "Queue", business_date: date) -> tuple[int, tuple[int, ...]] | None:
    """The next serial and those passed over because a ticket of an earlier day still lives; None: exhausted.

    A series belongs to the prefix, not to the queue: two queues that exchange their prefixes by a new configuration
    still never give one number twice on a day. It grows only; it never wraps.
    """
    last = store.series.get(business_date, {}).get(queue.prefix)
    serial = queue.first if last is None else max(last + 1, queue.first)
    skipped: list[int] = []
    while (queue.prefix, serial) in store.live_numbers:
        skipped.append(serial)
        serial += 1
    return (serial, tuple(skipped)) if serial <= queue.last else None


def numbers_left(store: "Store", queue: "Queue", business_date: date) -> int:
    """How many numbers the queue can still give on that day (at least, where old numbers live)."""
    found = next_serial(store, queue, business_date)
    return queue.last - found[0] + 1 if found else 0
