"""The choice: who is next. One order serves the call, the waiting list and the estimate.

`score = rate(class) × waited + head_start(class)`, where a ticket waits from the instant in its order key; ties go to
the lower key. Before the score comes the weight that the session's work profile gives to the queue, and before both
the cap: who has waited longer than the cap of the class goes first, earliest deadline first. Within a line (queue,
class, addressee) rank falls with the key, so that only heads are compared.

A hall that calls by ratio replaces the score by turns (`turns.py`): the classes alternate in their shares, and within
a class the longest waiting is called. Weight and cap stay.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, NamedTuple

from queue_server.hall.base import Why
from queue_server.hall.lines import Line, Place
from queue_server.hall.placing import micros
from queue_server.hall.rules import PriorityClass
from queue_server.hall.turns import next_turn, take_turn, turns_before
from queue_server.hall.visits import Addressee

if TYPE_CHECKING:
    from queue_server.hall.counters import CounterSession
    from queue_server.hall.hall import Hall
    from queue_server.hall.visits import Ticket

_SECOND = 100 * 1_000_000
"""Score of one second at rate 1: hundredths of a rate times microseconds, so that scores are whole numbers."""
_LAST = chr(0x10FFFF)
"""Above every ticket id."""
Rank = tuple[int, int, int, int, str]
"""The lowest rank is called first."""


@dataclass(frozen=True, kw_only=True)
class Considered:
    """One head of a line as the choice saw it. `score` in seconds of ordinary waiting, rounded down."""

    ticket: str
    number: str
    priority_class: str
    waited_s: int
    score: int
    weight: int = 1
    over_cap: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The ticket to call next, why, and the heads that were compared, best first.

    `turn`: the classes that took part in the ratio's turn; empty where no turn decided.
    """

    ticket: "Ticket"
    why: Why
    considered: tuple[Considered, ...]
    turn: tuple[str, ...] = ()


class _Head(NamedTuple):
    """A line as a choice sees it: its rule, its weight, and how many of its places may be called (from the first)."""

    line: Line
    rule: PriorityClass
    weight: int
    length: int

    def rank(self, place: Place, instant: int) -> Rank:
        return rank(self.rule, self.weight, place, instant)


def score(priority_class: PriorityClass, order_key: int, now: int) -> int:
    """Exact score at `now` (µs); `_SECOND` is one second of ordinary waiting."""
    return priority_class.hundredths * (now - order_key) + priority_class.head_start_s * _SECOND


def rank(rule: PriorityClass, weight: int, place: Place, instant: int) -> Rank:
    """Where a place stands at `instant` among all that a counter may serve."""
    key, ticket = place
    if rule.cap_s is not None and instant - key >= rule.cap_s * 1_000_000:
        return (0, key + rule.cap_s * 1_000_000, 0, key, ticket)
    return (1, -weight, -score(rule, key, instant), key, ticket)


def pick(hall: "Hall", session: "CounterSession", now: datetime) -> Choice | None:
    """The ticket that `session` calls next at `now`; None where nobody waits for it."""
    instant = micros(now)
    ranked_heads = sorted(
        (head.rank(head.line.places[0], instant), index, head)
        for index, head in enumerate(_heads(hall, _lines_of(hall, session), instant))
    )
    if not ranked_heads:
        return None
    turn: tuple[str, ...] = ()
    if hall.configuration.rules.calling == "ratio" and ranked_heads[0][0][0]:
        group = [entry for entry in ranked_heads if entry[0][1] == ranked_heads[0][0][1]]
        turn = tuple(sorted({head.rule.id for _, _, head in group}))
        chosen = next_turn(hall.store.turns, hall.configuration.shares, turn)
        first = min((entry for entry in group if entry[2].rule.id == chosen), key=lambda entry: entry[0][3:])
        ranked_heads.remove(first)
        ranked_heads.insert(0, first)
    heads = [head for _, _, head in ranked_heads]
    considered = tuple(_considered(hall, head, instant) for head in heads)
    ticket = hall.store.tickets[heads[0].line.places[0][1]]
    return Choice(ticket=ticket, why=_why(hall, heads, turn, instant), considered=considered, turn=turn)


def waiting(hall: "Hall", where: "str | CounterSession", now: datetime) -> Iterator["Ticket"]:
    """Who waits in a queue (by id) or for a session, in the order in which repeated picks at `now` call them."""
    instant = micros(now)
    lines = ((line, 1) for line in hall.store.lines.of_queue(where)) if isinstance(where, str) else None
    heads = list(_heads(hall, _lines_of(hall, where) if lines is None else lines, instant))  # type: ignore[arg-type]  # no str here
    by_ratio = hall.configuration.rules.calling == "ratio"
    order = _by_turns(hall, heads, instant) if by_ratio else _by_rank(heads, instant)
    for ticket in order:
        yield hall.store.tickets[ticket]


def deferred(hall: "Hall", queue: str, now: datetime) -> list["Ticket"]:
    """Who waits in a queue but is not called yet, in the order of the instants from which they are."""
    instant = micros(now)
    later = sorted(
        place
        for line in hall.store.lines.of_queue(queue)
        if line.deferred
        for place in line.places[_due(line, instant) :]
    )
    return [hall.store.tickets[ticket] for _, ticket in later]


def count_ahead(hall: "Hall", ticket: "Ticket", now: datetime) -> int:
    """How many waiting tickets of the same queue are called before `ticket`, as things stand at `now`."""
    instant = micros(now)
    step = ticket.steps[-1]
    place = (step.order_key, ticket.id)
    heads = list(_heads(hall, ((line, 1) for line in hall.store.lines.of_queue(step.queue)), instant))
    if step.deferred and step.order_key > instant:
        later = (line for line in hall.store.lines.of_queue(step.queue) if line.deferred)
        return sum(head.length for head in heads) + sum(
            max(0, bisect_left(line.places, place) - _due(line, instant)) for line in later
        )
    rule = hall.class_of(ticket)
    mine = rank(rule, 1, place, instant)
    if hall.configuration.rules.calling == "ratio" and mine[0]:
        return _ahead_by_turns(hall, heads, rule.id, place, instant)
    return sum(
        _before(head.line.places, place, head.length)
        if head.rule is rule
        else bisect_left(head.line.places, mine, 0, head.length, key=lambda other, head=head: head.rank(other, instant))  # type: ignore[misc]  # the default binds the loop's head
        for head in heads
    )


def _before(places: list[Place], place: Place, length: int) -> int:
    """How many of the first `length` places stand before `place`; mostly it is the last one that is asked for."""
    last = length - 1
    return last if places[last] == place else bisect_left(places, place, 0, length)


def _lines_of(hall: "Hall", session: "CounterSession") -> Iterator[tuple[Line, int]]:
    """The lines from which a session calls, each with the weight of its queue in the work profile."""
    weights = hall.weights_of(session)
    most = max(weights.values(), default=1)
    mine = (Addressee("counter", session.counter), Addressee("clerk", session.clerk))
    for line in hall.store.lines.callable_by(weights, mine):
        yield line, weights[line.queue] if line.addressee is None else most


def _heads(hall: "Hall", lines: Iterable[tuple[Line, int]], instant: int) -> Iterator[_Head]:
    configuration = hall.configuration
    for line, weight in lines:
        length = _due(line, instant) if line.deferred else len(line.places)
        rule = configuration.priority_class(line.priority_class)
        if length and rule is not None:
            yield _Head(line, rule, weight, length)


def _due(line: Line, instant: int) -> int:
    """How many of a deferred line may be called at `instant`."""
    return bisect_right(line.places, (instant, _LAST))


def _by_rank(heads: list[_Head], instant: int) -> Iterator[str]:
    heap = [(head.rank(head.line.places[0], instant), index, 0) for index, head in enumerate(heads)]
    heapify(heap)
    while heap:
        (*_, ticket), index, at = heap[0]
        yield ticket
        head, at = heads[index], at + 1
        if at < head.length:
            heapreplace(heap, (head.rank(head.line.places[at], instant), index, at))
        else:
            heappop(heap)


def _by_turns(hall: "Hall", heads: list[_Head], instant: int) -> Iterator[str]:
    """First who is over the cap; then, weight by weight, the classes in turn."""
    over: list[Rank] = []
    rest: dict[int, dict[str, list[Place]]] = {}
    for head in heads:
        capped = _over_cap(head, instant)
        over.extend(head.rank(place, instant) for place in head.line.places[:capped])
        rest.setdefault(-head.weight, {}).setdefault(head.rule.id, []).extend(head.line.places[capped : head.length])
    yield from (ticket for *_, ticket in sorted(over))
    credit, shares = dict(hall.store.turns), hall.configuration.shares
    for _, classes in sorted(rest.items()):
        left = {each: iter(sorted(places)) for each, places in classes.items()}
        first = {each: next(places, None) for each, places in left.items()}
        while present := sorted(each for each, place in first.items() if place is not None):
            chosen = next_turn(credit, shares, present)
            take_turn(credit, shares, present, chosen)
            place = first[chosen]
            first[chosen] = next(left[chosen], None)
            if place is not None:
                yield place[1]


def _ahead_by_turns(hall: "Hall", heads: list[_Head], mine: str, place: Place, instant: int) -> int:
    over = {id(head): _over_cap(head, instant) for head in heads}
    waiting_in: Counter[str] = Counter()
    before = 0
    for head in heads:
        waiting_in[head.rule.id] += head.length - over[id(head)]
        if head.rule.id == mine:
            before += bisect_left(head.line.places, place, over[id(head)], head.length) - over[id(head)]
    capped = sum(over.values())
    return capped + turns_before(hall.store.turns, hall.configuration.shares, waiting_in, mine, before)


def _over_cap(head: _Head, instant: int) -> int:
    """How many of a line have waited longer than the cap of their class."""
    if head.rule.cap_s is None:
        return 0
    return bisect_right(head.line.places, (instant - head.rule.cap_s * 1_000_000, _LAST), 0, head.length)


def _leads_over_cap(head: _Head, instant: int) -> bool:
    """Whether the first of a line has waited longer than the cap of its class: a look at one place, not a search."""
    return head.rule.cap_s is not None and instant - head.line.places[0][0] >= head.rule.cap_s * 1_000_000


def _considered(hall: "Hall", head: _Head, instant: int) -> Considered:
    key, ticket = head.line.places[0]
    return Considered(
        ticket=ticket,
        number=hall.store.tickets[ticket].number,
        priority_class=head.rule.id,
        waited_s=_waited_s(key, instant),
        score=score(head.rule, key, instant) // _SECOND,
        weight=head.weight,
        over_cap=_leads_over_cap(head, instant),
    )


def _waited_s(order_key: int, instant: int) -> int:
    return max(0, (instant - order_key) // 1_000_000)


def _why(hall: "Hall", heads: list[_Head], turn: tuple[str, ...], instant: int) -> Why:
    chosen, oldest = heads[0], min(heads, key=lambda head: head.line.places[0])
    key, ticket = chosen.line.places[0]
    params: dict[str, str | int] = {
        "number": hall.store.tickets[ticket].number,
        "minutes": _waited_s(key, instant) // 60,
    }
    rule, other = chosen.rule, oldest.rule
    if rule.cap_s is not None and _leads_over_cap(chosen, instant):
        return Why("over_cap", params | {"cap": rule.cap_s // 60, "priority_class": rule.id})
    if chosen.line.addressee is not None and oldest is not chosen:
        return Why("addressed", params)
    if oldest is chosen:
        return Why("longest_waiting", params)
    params |= {"priority_class": rule.id, "other": hall.store.tickets[oldest.line.places[0][1]].number}
    if chosen.weight != oldest.weight:
        return Why("higher_weight", params | {"queue": chosen.line.queue})
    if turn:
        return Why("turn_of_class", params | {"shares": _shares(hall, turn)})
    return _why_by_score(rule, other, params)


def _why_by_score(rule: PriorityClass, other: PriorityClass, params: dict[str, str | int]) -> Why:
    if rule.hundredths == other.hundredths:
        return Why("head_start", params | {"head_start_s": rule.head_start_s - other.head_start_s})
    return Why("higher_score", params)


def _shares(hall: "Hall", turn: tuple[str, ...]) -> str:
    """The shares of a turn, such as `2 : 1`, in the order of the class ids."""
    return " : ".join(str(hall.configuration.shares[each]) for each in turn)
