"""What time it is for a terminal without the hall, and by how much that may be wrong. Pure.

The hall says its time at each hello. From there on the monotonic clock counts, until the next start; after a start the
machine's own clock is taken, corrected by what the hall said last. Quartz clocks of computers are within 100 parts per
million of the truth, and usually far closer.
"""

from datetime import datetime, timedelta
from math import ceil

from pydantic import BaseModel, ConfigDict, ValidationError

DRIFT = 100e-6
"""Seconds that a clock may go wrong in a second."""
RESTART_S = 60.0
"""More uncertainty after a start: somebody may have set the clock meanwhile."""
LOST_S = 7 * 86_400.0
"""Uncertainty when the machine's clock is certainly wrong."""


class Sync(BaseModel):
    """What the hall said last. `clock`: the machine's own clock then; `spread_s`: half the round trip."""

    model_config = ConfigDict(frozen=True)

    server: datetime
    clock: datetime
    spread_s: float


class Clocks(BaseModel):
    """The machine's clocks at one moment: wall clock in UTC, and seconds of the monotonic clock."""

    model_config = ConfigDict(frozen=True)

    wall: datetime
    monotonic: float


def learn(server_time: datetime, took_s: float, clocks: Clocks) -> Sync:
    """The hall's time when its answer, under way for `took_s` at most, arrived at `clocks`."""
    half = took_s / 2
    return Sync(server=server_time + timedelta(seconds=half), clock=clocks.wall, spread_s=half)


def estimate(
    sync: Sync | None, since: float | None, clocks: Clocks, not_before: datetime | None
) -> tuple[datetime, int]:
    """The time (UTC) and the whole seconds by which it may be wrong.

    `since`: the monotonic clock at `sync`, where that was in this run. `not_before`: the latest time that was ever
    given out; time never goes back.
    """
    if sync is None:
        found, uncertain = clocks.wall, LOST_S
    elif since is not None:
        passed = clocks.monotonic - since
        found, uncertain = sync.server + timedelta(seconds=passed), sync.spread_s + passed * DRIFT
    else:
        offset = (sync.server - sync.clock).total_seconds()
        found = clocks.wall + timedelta(seconds=offset)
        passed = (found - sync.server).total_seconds()
        uncertain = sync.spread_s + abs(offset) + RESTART_S + max(0.0, passed) * DRIFT
        if passed < 0:
            found, uncertain = sync.server, LOST_S
    if not_before is not None and found < not_before:
        uncertain += (not_before - found).total_seconds()
        found = not_before
    return found, ceil(uncertain)


def from_json(text: str | None) -> Sync | None:
    """What was kept in the journal's memory."""
    if text is None:
        return None
    try:
        return Sync.model_validate_json(text)
    except ValidationError:
        return None
