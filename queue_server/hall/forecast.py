"""The wait forecast: a range in minutes, from people ahead, open counters and the pace observed today.

A person with `a` people ahead is called after `a + 1` counters have become free. Counters that serve other lines too
count for the share of their work that waits in this line. The range is the middle 80 % where single services scatter
as widely as `SCATTER` says; with nobody at any counter that serves the line there is no forecast.
"""

from datetime import datetime
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING, NamedTuple

from queue_server.hall.states import StepState
from queue_server.hall.visits import Ticket

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall

PRIOR_WEIGHT = 5
"""How many observed services the configured minutes are worth."""
SCATTER = 0.8
"""Standard deviation of one service time over its mean."""
Z_80 = 1.2816
"""Standard normal bound of the middle 80 %."""


class WaitRange(NamedTuple):
    """Whole minutes, `low <= high`, and when the range was made."""

    low: int
    high: int
    made_at: datetime


def wait_range(hall: "Hall", of: Ticket | str, now: datetime, ahead: int | None = None) -> WaitRange | None:
    """The wait left to a ticket, or of somebody who joins a queue (by id) now as an ordinary visitor.

    `ahead`: the people ahead, where the caller has counted them already.

    None: no counter that serves the queue is open, or the ticket waits no more.
    """
    if isinstance(of, Ticket) and of.state is not StepState.WAITING:
        return None
    queue = of.queue if isinstance(of, Ticket) else of
    serving = hall.serving(queue)
    if not serving.sessions:
        return None
    if ahead is None:
        ahead = hall.people_ahead(of, now) if isinstance(of, Ticket) else hall.waiting_count(queue)
    lines = hall.store.lines
    here = lines.count(queue) + 1
    # the part of its work that this queue is likely to get, by who waits; the asker counts as waiting
    capacity = sum(counters * here / (1 + lines.count_all(queues)) for queues, counters in serving.shares)
    turns = max(0, ahead + 1 - serving.free)
    mean = turns * minutes_per_ticket(hall, queue) / capacity
    spread = Z_80 * SCATTER * mean / sqrt(turns) if turns else 0.0
    low = max(0, floor(mean - spread))
    return WaitRange(low, max(low + 1, ceil(mean + spread)), now)


def minutes_per_ticket(hall: "Hall", queue: str) -> float:
    """Minutes that a ticket of the queue occupies a counter: the configured ones blended with what was seen today."""
    observed = hall.counter_seconds(queue)
    configured = hall.configuration.minutes_of(queue)
    return (PRIOR_WEIGHT * configured + sum(observed) / 60) / (PRIOR_WEIGHT + len(observed))
