"""Sorted lines: who waits, per queue, priority class and addressee, so that a choice compares heads alone."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from queue_server.hall.visits import Addressee, Ticket

Place = tuple[int, str]
"""Order key and ticket."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. The tickets of a `deferred` line are not called before the instant of their order key."""

    queue: str
    priority_class: str
    addressee: Addressee | None
    deferred: bool
    places: list[Place]
    """In order of the keys; to be read only."""


class Lines:
    """Waiting tickets by line, each line in the order of its keys."""

    def __init__(self) -> None:
        self._open: dict[str, dict[tuple[str, bool], Line]] = {}
        self._addressed: dict[Addressee, dict[tuple[str, str, bool], Line]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, ticket: Ticket) -> None:
        step = ticket.steps[-1]
        place = (step.order_key, ticket.id)
        places = self._line(ticket).places
        if places and place < places[-1]:
            insort(places, place)
        else:
            places.append(place)
        self._counts[step.queue] += 1

    def remove(self, ticket: Ticket) -> None:
        """Takes out a ticket, which must be there. Deleting moves pointers only: microseconds for 20,000 people."""
        step = ticket.steps[-1]
        line = self._line(ticket)
        place = (step.order_key, ticket.id)
        index = bisect_left(line.places, place)
        if line.places[index] != place:
            raise KeyError(place)
        del line.places[index]
        self._counts[step.queue] -= 1
        if not line.places:
            self._drop(line)

    def count(self, queue: str) -> int:
        """How many wait in all lines of a queue."""
        return self._counts[queue]

    def count_all(self, queues: Iterable[str]) -> int:
        """How many wait in all lines of several queues."""
        return sum(map(self._counts.__getitem__, queues))

    def of_queue(self, queue: str) -> Iterator[Line]:
        """All lines of a queue, whoever their addressee is."""
        yield from self._open.get(queue, {}).values()
        for lines in self._addressed.values():
            yield from (line for line in lines.values() if line.queue == queue)

    def callable_by(self, queues: Iterable[str], addressees: Iterable[Addressee]) -> Iterator[Line]:
        """The lines of `queues` that wait for anybody, and those that wait for one of `addressees`."""
        for queue in queues:
            if lines := self._open.get(queue):
                yield from lines.values()
        if self._addressed:
            for addressee in addressees:
                yield from self._addressed.get(addressee, {}).values()

    def _line(self, ticket: Ticket) -> Line:
        step = ticket.steps[-1]
        if step.addressee is None:
            lines = self._open.get(step.queue)
            if lines is None:
                lines = self._open[step.queue] = {}
            line = lines.get(key := (ticket.priority_class, step.deferred))
            if line is None:
                line = lines[key] = Line(step.queue, ticket.priority_class, None, step.deferred, [])
            return line
        addressed = self._addressed.setdefault(step.addressee, {})
        place = (step.queue, ticket.priority_class, step.deferred)
        if place not in addressed:
            addressed[place] = Line(step.queue, ticket.priority_class, step.addressee, step.deferred, [])
        return addressed[place]

    def _drop(self, line: Line) -> None:
        if line.addressee is None:
            del self._open[line.queue][line.priority_class, line.deferred]
            return
        lines = self._addressed[line.addressee]
        del lines[line.queue, line.priority_class, line.deferred]
        if not lines:
            del self._addressed[line.addressee]
