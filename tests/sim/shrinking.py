"""Making a failing plan short: what can be left out while the same invariant still breaks is left out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.sim.plan import Click, Item, Kill, Plan, Storm, Visit
from tests.sim.world import Result, run

TRIES = 400
"""Runs that shrinking may take."""


def shrunk(failed: Result, tries: int = TRIES, again: Callable[[Plan], Result] = run) -> Result:
    """The shortest plan that was found to break the same invariant, carried out."""
    return _Shrinking(failed, tries, again).run()


class _Shrinking:
    def __init__(self, failed: Result, tries: int, again: Callable[[Plan], Result]) -> None:
        self._best = failed
        self._left = tries
        self._again = again

    def run(self) -> Result:
        """Leave out, then make simpler, until neither helps any more."""
        known: Plan | None = None
        while known != self._best.plan and self._left > 0:
            known = self._best.plan
            self._leave_out()
            self._make_simpler()
        return self._best

    def _leave_out(self) -> None:
        """Halves first, then ever shorter stretches."""
        length = len(self._best.plan.items) // 2
        while length >= 1:
            begin = 0
            while begin < len(self._best.plan.items):
                items = self._best.plan.items
                if not self._try(items[:begin] + items[begin + length :]):
                    begin += length
            length //= 2

    def _make_simpler(self) -> None:
        for at in range(len(self._best.plan.items)):
            for simpler in _simpler(self._best.plan.items[at]):
                items = self._best.plan.items
                self._try((*items[:at], simpler, *items[at + 1 :]))

    def _try(self, items: tuple[Item, ...]) -> bool:
        """Whether these items break the same invariant; then they are the best that is known."""
        if self._left <= 0:
            return False
        self._left -= 1
        result = self._again(replace(self._best.plan, items=items))
        if _same(result, self._best):
            self._best = result
            return True
        return False


def _same(one: Result, other: Result) -> bool:
    if one.violation is None or other.violation is None:
        return False
    return one.violation.invariant == other.violation.invariant


def _simpler(item: Item) -> Iterator[Item]:
    for name, plain in _PLAIN.get(type(item), {}).items():
        if getattr(item, name) != plain:
            yield replace(item, **{name: plain})


_PLAIN: Mapping[type[Item], Mapping[str, Any]] = {
    Visit: {"person": None, "patience": None},
    Click: {"double": False, "elsewhere": False},
    Kill: {"half_open": False},
    Storm: {"drop": 0.0, "repeat": 0.0, "delay_s": 0.0, "ack_lost": 0.0},
}
"""Values that surprise nobody."""
