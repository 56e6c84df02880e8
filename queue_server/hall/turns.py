"""Turns: in what ratio the priority classes are called, where the hall calls by ratio instead of by waiting.

Each class has a share. At every turn each class with somebody waiting gains its share, the class with the most credit
is called and pays what all gained (smooth weighted round robin). A class for which nobody waits gains nothing, so
that nobody who comes later finds a heap of credit.
"""

from collections.abc import Iterable, Mapping, MutableMapping


def next_turn(credit: Mapping[str, int], shares: Mapping[str, int], present: Iterable[str]) -> str:
    """The class whose turn it is among those `present`; ties go to the larger share, then to the id."""
    return min(present, key=lambda c: (-credit.get(c, 0) - shares[c], -shares[c], c))


def take_turn(credit: MutableMapping[str, int], shares: Mapping[str, int], present: Iterable[str], chosen: str) -> None:
    """Accounts for a turn of `chosen`."""
    _account(credit, shares, tuple(present), chosen, 1)


def give_turn_back(
    credit: MutableMapping[str, int], shares: Mapping[str, int], present: Iterable[str], chosen: str
) -> None:
    """Undoes `take_turn`."""
    _account(credit, shares, tuple(present), chosen, -1)


def _account(
    credit: MutableMapping[str, int], shares: Mapping[str, int], present: tuple[str, ...], chosen: str, sign: int
) -> None:
    for each in present:
        credit[each] = credit.get(each, 0) + sign * shares.get(each, 1)
    credit[chosen] = credit.get(chosen, 0) - sign * sum(shares.get(each, 1) for each in present)


def turns_before(
    credit: Mapping[str, int], shares: Mapping[str, int], waiting: Mapping[str, int], mine: str, place: int
) -> int:
    """How many are called before the one at `place` (0 is first) in class `mine`, with `waiting` people per class.

    Turns repeat themselves once the credit have settled: whole rounds are then counted at once, so that the cost
    does not grow with the line.
    """
    credit, left, turns = dict(credit), {c: n for c, n in waiting.items() if n}, 0
    while True:
        start, round_ = dict(credit), dict.fromkeys(left, 0)
        for _ in range(sum(shares[c] for c in left)):
            chosen = next_turn(credit, shares, left)
            if chosen == mine and place == 0:
                return turns
            place -= chosen == mine
            turns += 1
            take_turn(credit, shares, left, chosen)
            round_[chosen] += 1
            left[chosen] -= 1
            if not left[chosen]:
                del left[chosen]
                break
        else:
            if credit == start:
                rounds = min(left[c] // n for c, n in round_.items() if n) - 1
                rounds = min(rounds, place // round_[mine]) if round_[mine] else rounds
                if rounds > 0:
                    turns += rounds * sum(round_.values())
                    place -= rounds * round_[mine]
                    left = {c: n - rounds * round_[c] for c, n in left.items()}
