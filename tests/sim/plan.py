"""What happens in a history: people, clerks and faults, each at its time, all drawn from one seed.

A plan is plain data. The same plan always makes the same history, and a plan with an item less is a plan again: that
is what shrinking lives on.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from tests.sim.hall import CLERKS, SERVICES
from tests.sim.stores import AtCommit
from tests.sim.terminal import PrinterFault

SERVERS = ("server-1", "server-2")
TERMINALS = ("t1", "t2", "t3")
LASTS_S = 60.0
"""From the first item to the last; then everything is mended and comes to rest."""

Verb = Literal[
    "work", "next", "recall", "start", "complete", "no_show", "undo", "pause", "close", "hold", "transfer", "take_up",
    "choose", "cancel",
]  # fmt: skip
ODD_VERBS: tuple[Verb, ...] = get_args(Verb)[1:]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that happens `at` so many virtual seconds."""

    at: float

    def text(self) -> str:
        """One line of a plan."""
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name != "at")
        return f"{self.at:6.2f} s  {type(self).__name__}({shown})"


@dataclass(frozen=True, kw_only=True)
class Visit(Item):
    """Somebody takes a number; `person`: lays a card. They leave after `patience` seconds without an answer."""

    terminal: str
    service: str
    person: int | None
    patience: float | None


@dataclass(frozen=True, kw_only=True)
class Click(Item):
    """A clerk acts; `elsewhere`: at the console of a server that does not lead."""

    clerk: str
    verb: Verb
    double: bool
    elsewhere: bool


@dataclass(frozen=True, kw_only=True)
class Kill(Item):
    """A process dies after so many more of its steps; `half_open`: the network does not tell."""

    process: str
    steps: int
    down_s: float
    half_open: bool


@dataclass(frozen=True, kw_only=True)
class CommitFault(Item):
    """What happens to a server at its next commit."""

    process: str
    fate: AtCommit
    down_s: float


@dataclass(frozen=True, kw_only=True)
class Freeze(Item):
    """SIGSTOP, and SIGCONT later."""

    process: str
    for_s: float


@dataclass(frozen=True, kw_only=True)
class Cut(Item):
    """Nothing passes between a process and the broker, and neither is told."""

    process: str
    for_s: float


@dataclass(frozen=True, kw_only=True)
class StoreAway(Item):
    """A server does not reach the store."""

    process: str
    for_s: float


@dataclass(frozen=True, kw_only=True)
class SlowStore(Item):
    """Each append of a server takes a while."""

    process: str
    for_s: float


@dataclass(frozen=True, kw_only=True)
class BrokerDown(Item):
    """`forget`: it comes back with an empty data directory."""

    for_s: float
    forget: bool


@dataclass(frozen=True, kw_only=True)
class Storm(Item):
    """Messages are lost, doubled, late and out of order."""

    for_s: float
    drop: float
    repeat: float
    delay_s: float
    ack_lost: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class ClockJump(Item):
    """A wall clock is set; `who` is a process, `store`, or `all` (the night comes early)."""

    who: str
    by_s: float


@dataclass(frozen=True, kw_only=True)
class Printer(Item):
    terminal: str
    for_s: float
    fault: PrinterFault


@dataclass(frozen=True, kw_only=True)
class Move(Item):
    """The hall's home is another server from now on."""

    to: str


@dataclass(frozen=True)
class Plan:
    """`seed` also draws ids and pauses."""

    seed: int
    items: tuple[Item, ...]

    def text(self) -> str:
        return "\n".join(item.text() for item in self.items)


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    rng = random.Random(seed)
    terminals = TERMINALS[: rng.choice((1, 2, 2, 3))]
    items: list[Item] = [_visit(rng, terminals) for _ in range(rng.randint(6, 16))]
    items += [_click(rng) for _ in range(rng.randint(6, 24))]
    items += [_fault(rng, terminals) for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6, 8)))]
    return Plan(seed, tuple(sorted(items, key=lambda item: item.at)))


def _when(rng: random.Random) -> float:
    return round(rng.uniform(2.0, LASTS_S), 2)


def _visit(rng: random.Random, terminals: tuple[str, ...]) -> Visit:
    return Visit(
        at=_when(rng),
        terminal=rng.choice(terminals),
        service=rng.choice(SERVICES[:2] if rng.random() < 0.8 else SERVICES),
        person=rng.choice((None, None, None, 0, 1, 2, 3, 4)),
        patience=rng.choice((None, None, 11.0, 15.0)),
    )


def _click(rng: random.Random) -> Click:
    odd = rng.random() < 0.35
    return Click(
        at=_when(rng),
        clerk=rng.choice(CLERKS[:2] if rng.random() < 0.8 else CLERKS),
        verb=rng.choice(ODD_VERBS) if odd else "work",
        double=rng.random() < 0.15,
        elsewhere=rng.random() < 0.05,
    )


def _fault(rng: random.Random, terminals: tuple[str, ...]) -> Item:
    """One of the faults, the grave ones more often."""
    makers: tuple[Callable[[random.Random, tuple[str, ...]], Item], ...] = (
        _kill, _kill, _kill, _commit_fault, _commit_fault, _commit_fault, _freeze, _freeze, _cut, _cut, _store_away,
        _slow_store, _broker_down, _broker_down, _storm, _storm, _storm, _clock, _clock, _printer, _move,
    )  # fmt: skip
    return rng.choice(makers)(rng, terminals)


def _any(rng: random.Random, terminals: tuple[str, ...]) -> str:
    return rng.choice((*SERVERS, *terminals))


def _kill(rng: random.Random, terminals: tuple[str, ...]) -> Kill:
    return Kill(
        at=_when(rng),
        process=_any(rng, terminals),
        steps=rng.choice((1, 3, rng.randint(1, 40), rng.randint(1, 400))),
        down_s=rng.choice((0.5, 3.0, 9.0, 20.0)),
        half_open=rng.random() < 0.3,
    )


def _commit_fault(rng: random.Random, _: tuple[str, ...]) -> CommitFault:
    return CommitFault(
        at=_when(rng), process=rng.choice(SERVERS), fate=rng.choice(get_args(AtCommit)), down_s=rng.choice((0.5, 9.0))
    )


def _freeze(rng: random.Random, terminals: tuple[str, ...]) -> Freeze:
    process = rng.choice(SERVERS) if rng.random() < 0.7 else rng.choice(terminals)
    return Freeze(at=_when(rng), process=process, for_s=rng.choice((1.0, 5.0, 8.0, 20.0)))


def _cut(rng: random.Random, terminals: tuple[str, ...]) -> Cut:
    return Cut(at=_when(rng), process=_any(rng, terminals), for_s=rng.choice((2.0, 12.0, 30.0)))


def _store_away(rng: random.Random, _: tuple[str, ...]) -> StoreAway:
    return StoreAway(at=_when(rng), process=rng.choice(SERVERS), for_s=rng.choice((0.5, 4.0, 10.0)))


def _slow_store(rng: random.Random, _: tuple[str, ...]) -> SlowStore:
    return SlowStore(at=_when(rng), process=rng.choice(SERVERS), for_s=rng.choice((5.0, 20.0)))


def _broker_down(rng: random.Random, _: tuple[str, ...]) -> BrokerDown:
    return BrokerDown(at=_when(rng), for_s=rng.choice((0.2, 4.0, 12.0)), forget=rng.random() < 0.6)


def _storm(rng: random.Random, _: tuple[str, ...]) -> Storm:
    return Storm(
        at=_when(rng),
        for_s=rng.choice((3.0, 10.0, 25.0)),
        drop=rng.choice((0.0, 0.1, 0.4)),
        repeat=rng.choice((0.0, 0.3)),
        delay_s=rng.choice((0.0, 0.5, 8.0)),
        ack_lost=rng.choice((0.0, 0.0, 0.05)),
        seed=rng.getrandbits(32),
    )


def _clock(rng: random.Random, terminals: tuple[str, ...]) -> ClockJump:
    who = rng.choice((*SERVERS, *terminals, "store", "all", "all"))
    by = rng.choice((-7200.0, -90.0, -2.0, 2.0, 90.0, 7200.0)) if who != "all" else rng.choice((600.0, 54_000.0))
    return ClockJump(at=_when(rng), who=who, by_s=by)


def _printer(rng: random.Random, terminals: tuple[str, ...]) -> Printer:
    fault: PrinterFault = rng.choice(("out_of_paper", "silent"))
    return Printer(at=_when(rng), terminal=rng.choice(terminals), for_s=rng.choice((5.0, 30.0)), fault=fault)


def _move(rng: random.Random, _: tuple[str, ...]) -> Move:
    return Move(at=_when(rng), to=rng.choice(SERVERS))
