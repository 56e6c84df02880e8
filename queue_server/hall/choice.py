"""The choice: who is next. One order serves the call, the waiting list and the estimate.

`score = rate(class) × waited + head_start(class)`, where a ticket waits from the instant in its order key; ties go to
the lower key. Within a line (queue and class) the score falls with the key, so that only heads are compared.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from queue_server.hall.base import Why
from queue_server.hall.configuration import PriorityClass
from queue_server.hall.store import micros

if TYPE_CHECKING:
    from queue_server.hall.counters import CounterSession
    from queue_server.hall.hall import Hall
    from queue_server.hall.tickets import Ticket

_SECOND = 100 * 1_000_000
"""Score of one second at rate 1: hundredths of a rate times microseconds, so that scores are whole numbers."""


@dataclass(frozen=True, kw_only=True)
class Considered:
    """One head of a line as the choice saw it. `score` in seconds of ordinary waiting, rounded down."""

    ticket: str
    number: str
    priority_class: str
    waited_s: int
    score: int


def score(priority_class: PriorityClass, order_key: int, now: int) -> int:
    """Exact score at `now` (µs); `_SECOND` is one second of ordinary waiting."""
    return priority_class.hundredths * (now - order_key) + priority_class.head_start_s * _SECOND


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The ticket to call next, why, and the heads that were compared, best first."""

    ticket: "Ticket"
    why: Why
    considered: tuple[Considered, ...]


def pick(hall: "Hall", session: "CounterSession", now: datetime) -> Choice | None:
    """The ticket that `session` calls next at `now`; None where nobody waits for it."""
    instant = micros(now)
    heads = [
        (-score(priority_class, key, instant), key, ticket)
        for priority_class, places in _lines(hall, hall.queues_of(session))
        for key, ticket in places[:1]
    ]
    if not heads:
        return None
    heads.sort()
    tickets = [hall.store.tickets[ticket] for _, _, ticket in heads]
    considered = tuple(
        Considered(
            ticket=ticket.id,
            number=ticket.number,
            priority_class=ticket.priority_class,
            waited_s=_waited_s(ticket, instant),
            score=-negative // _SECOND,
        )
        for ticket, (negative, _, _) in zip(tickets, heads, strict=True)
    )
    return Choice(ticket=tickets[0], why=_why(hall, tickets, instant), considered=considered)


def ranked(hall: "Hall", queues: Iterable[str], now: datetime) -> Iterator["Ticket"]:
    """The waiting tickets of `queues` in the order in which repeated picks at `now` call them."""
    instant = micros(now)
    heads = [
        (-score(priority_class, places[0][0], instant), *places[0], 0, priority_class, places)
        for priority_class, places in _lines(hall, queues)
    ]
    heapify(heads)
    while heads:
        _, _, ticket, index, priority_class, places = heads[0]
        yield hall.store.tickets[ticket]
        index += 1
        if index < len(places):
            place = places[index]
            heapreplace(heads, (-score(priority_class, place[0], instant), *place, index, priority_class, places))
        else:
            heappop(heads)


def count_ahead(hall: "Hall", ticket: "Ticket", now: datetime) -> int:
    """How many waiting tickets of the same queue are called before `ticket`, as things stand at `now`."""
    instant = micros(now)
    mine = hall.class_of(ticket)
    place = (ticket.step.order_key, ticket.id)
    rank = (-score(mine, ticket.step.order_key, instant), *place)
    return sum(
        bisect_left(places, place)
        if rule.id == mine.id
        else bisect_left(places, rank, key=lambda other, rule=rule: (-score(rule, other[0], instant), *other))  # type: ignore[misc]  # the default binds the loop's rule
        for rule, places in _lines(hall, (ticket.queue,))
    )


def _lines(hall: "Hall", queues: Iterable[str]) -> Iterator[tuple[PriorityClass, list[tuple[int, str]]]]:
    for queue in queues:
        for priority_class in hall.configuration.priority_classes:
            if places := hall.store.lines.of(queue, priority_class.id):
                yield priority_class, places


def _waited_s(ticket: "Ticket", instant: int) -> int:
    return max(0, (instant - ticket.step.order_key) // 1_000_000)


def _why(hall: "Hall", heads: list["Ticket"], instant: int) -> Why:
    chosen = heads[0]
    minutes = _waited_s(chosen, instant) // 60
    oldest = min(heads, key=lambda ticket: ticket.step.order_key)
    if oldest is chosen:
        return Why("longest_waiting", {"number": chosen.number, "minutes": minutes})
    rule, other = hall.class_of(chosen), hall.class_of(oldest)
    params: dict[str, str | int] = {
        "number": chosen.number,
        "minutes": minutes,
        "priority_class": rule.id,
        "other": oldest.number,
    }
    if rule.hundredths == other.hundredths:
        return Why("head_start", params | {"head_start_s": rule.head_start_s - other.head_start_s})
    return Why("higher_score", params)
