"""Making a failing plan short: what can be left out while the same invariant still breaks is left out."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.sim.plan import Click, Item, Kill, Plan, Storm, Visit
from tests.sim.world import Result, run

TRIES = 400
"""Runs that shrinking may take."""


def shrunk(failed: Result, tries: int = TRIES, again: Callable[[Plan], Result] = run) -> Result:
    """The shortest plan that was found to break the same invariant, carried out."""
    best = failed
    left = tries
    changed = True
    while changed and left > 0:
        changed = False
        for candidate in _smaller(best.plan):
            if left <= 0:
                break
            left -= 1
            result = again(candidate)
            if _same(result, failed):
                best, changed = result, True
                break
    return best


def _same(one: Result, other: Result) -> bool:
    if one.violation is None or other.violation is None:
        return False
    return one.violation.invariant == other.violation.invariant


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans with fewer items, halves first, then with simpler ones."""
    items = plan.items
    length = len(items) // 2
    while length >= 1:
        for begin in range(0, len(items), length):
            yield replace(plan, items=items[:begin] + items[begin + length :])
        length //= 2
    for at, item in enumerate(items):
        for simpler in _simpler(item):
            yield replace(plan, items=(*items[:at], simpler, *items[at + 1 :]))


def _simpler(item: Item) -> Iterator[Item]:
    match item:
        case Visit():
            if item.person is not None:
                yield replace(item, person=None)
            if item.patience is not None:
                yield replace(item, patience=None)
        case Click():
            if item.double:
                yield replace(item, double=False)
            if item.elsewhere:
                yield replace(item, elsewhere=False)
        case Kill():
            if item.half_open:
                yield replace(item, half_open=False)
        case Storm():
            for quiet in ("drop", "repeat", "delay_s", "ack_lost"):
                if getattr(item, quiet):
                    yield replace(item, **{quiet: 0.0})
