"""Counters as the hall has them: their classes, and the work profiles that say what a session calls, in what order."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from queue_server.hall.texts import NO_TEXT, Text

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration

_STRICT = ConfigDict(extra="forbid")
MAX_WEIGHT = 9


@dataclass(frozen=True, kw_only=True)
class CounterClass:
    """A kind of window (商事登记, 社会事务, 综合咨询, 办不成事 …): the queues that its counters are able to serve."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    queues: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileQueue:
    """A queue of a work profile. Queues of a higher weight (1 to 9) are called first; among equals the rule decides."""

    __pydantic_config__ = _STRICT

    queue: str
    weight: int = 1


@dataclass(frozen=True, kw_only=True)
class WorkProfile:
    """Which queues a counter session calls, and in what order of weight."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    queues: tuple[ProfileQueue, ...]

    @cached_property
    def weights(self) -> dict[str, int]:
        """Weight by queue."""
        return {entry.queue: entry.weight for entry in self.queues}


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A window: `number` is what is spoken and shown; `seat` says where to find it.

    It is of a class, and its clerk works by `profile` unless they choose another one of the class.
    """

    __pydantic_config__ = _STRICT

    id: str
    number: str
    name: Text
    counter_class: str
    profile: str
    zone: str
    seat: Text = NO_TEXT


@dataclass(frozen=True, kw_only=True)
class PauseReason:
    """Why a counter pauses, from the hall's own list."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text


def check_workplaces(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that counters, classes and profiles break: code and place."""
    queues, zones = {queue.id for queue in c.queues}, {zone.id for zone in c.zones}
    for counter_class in c.counter_classes:
        yield from _check_queues(f"counter_classes[{counter_class.id}]", counter_class.queues, queues)
    for profile in c.work_profiles:
        where = f"work_profiles[{profile.id}]"
        yield from _check_queues(where, tuple(entry.queue for entry in profile.queues), queues)
        if not all(1 <= entry.weight <= MAX_WEIGHT for entry in profile.queues):
            yield "weight_out_of_range", f"{where}.queues"
    numbers = [counter.number for counter in c.counters]
    for counter in c.counters:
        where = f"counters[{counter.id}]"
        found = c.work_profile(counter.profile)
        if not counter.number or numbers.count(counter.number) > 1:
            yield "counter_number_twice", f"{where}.number"
        if counter.zone not in zones:
            yield "zone_unknown", f"{where}.zone"
        if c.counter_class(counter.counter_class) is None:
            yield "counter_class_unknown", f"{where}.counter_class"
        if found is None:
            yield "profile_unknown", f"{where}.profile"
        elif not set(found.weights) <= set(c.class_queues(counter.id)):
            yield "profile_beyond_class", f"{where}.profile"


def _check_queues(where: str, named: tuple[str, ...], queues: set[str]) -> Iterator[tuple[str, str]]:
    if not named:
        yield "empty", f"{where}.queues"
    if len(set(named)) < len(named):
        yield "id_twice", f"{where}.queues"
    if not set(named) <= queues:
        yield "queue_unknown", f"{where}.queues"
