"""How a hall is run."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class HallSettings:
    """One hall of one server. Times are in seconds."""

    hall: str
    server: str
    public_url: str
    data: Path
    lease_ttl: float = 15.0
    projection_every: float = 0.25
    refresh_every: float = 10.0
    snapshot_every: int = 2000
    """Events after which a quiet moment is used for a snapshot; after ten times as many it is made in any case."""
    quiet: float = 1.0
    """How long nothing happened when a moment is quiet: a snapshot takes 0.1 s, and the hall waits for it."""
    projection_share: float = 0.05
    """The part of the loop's time that making projections may take, unless that would leave them too old."""
    projection_within: float = 1.0
    """The longest pause after a projection while something changes, however slow the machine is."""
