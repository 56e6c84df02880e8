"""Who may lead a hall: the rules of its lease, apart from where it is kept. Times are seconds on the store's clock.

A hall is led by whoever holds its lease. A hall that was moved has a home: the server that should lead it. While its
home stands ready, nobody else takes it; a leader elsewhere hands it over when the home has stood ready for a while.
"""

from collections.abc import Iterable

from queue_server.ledger.errors import LeaseHeld
from queue_server.ledger.port import Candidate, Lease, LeaseState

SETTLED_S = 5.0
"""How long a home must have stood ready before a running hall is handed to it: one that keeps failing gets none."""


def take(state: LeaseState | None, candidates: Iterable[Candidate], hall: str, holder: str, until: float) -> Lease:
    """The lease that `holder` gets; its own earlier one never stands in its way. Raises `LeaseHeld`."""
    if state is None:
        return Lease(hall, holder, 1, until)
    if state.holder not in (None, holder) and state.until > state.now:
        raise LeaseHeld(state.holder or "", state.until - state.now)
    home = _ready(state.home, candidates, state.now)
    if home is not None and home.server != holder:
        raise LeaseHeld(home.server, home.until - state.now)
    ran_out = state.until > 0 and state.holder not in (None, holder)
    return Lease(hall, holder, state.epoch + 1, until, took_from=state.holder if ran_out else None)


def ready(known: Candidate | None, hall: str, server: str, now: float, ttl_s: float) -> Candidate:
    """The row of a server that says at `now` that it stands ready; `known` is its row until now."""
    since = known.since if known is not None and known.until > now else now
    return Candidate(hall, server, since, now + ttl_s)


def wanted_by(state: LeaseState, candidates: Iterable[Candidate]) -> str | None:
    """The server to which the holder must hand the hall; None while it may keep it."""
    home = _ready(state.home, candidates, state.now)
    if home is None or home.server == state.holder or state.now - home.since < SETTLED_S:
        return None
    return home.server


def _ready(server: str | None, candidates: Iterable[Candidate], now: float) -> Candidate | None:
    return next((c for c in candidates if c.server == server and c.until > now), None)
