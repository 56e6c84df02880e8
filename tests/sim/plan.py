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
    """SIGSTOP, and SIGCONT later; `at_commit`: of a server, between a decision and its commit."""

    process: str
    for_s: float
    at_commit: bool = False


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
    people: list[Item] = [_visit(rng, terminals) for _ in range(rng.randint(6, 16))]
    people += [_click(rng) for _ in range(rng.randint(6, 24))]
    chance = _Chance(rng, terminals, tuple(people))
    faults = [chance.fault() for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6, 8)))]
    return Plan(seed, tuple(sorted((*people, *faults), key=lambda item: item.at)))


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


class _Chance:
    """Draws faults, the grave ones more often, and half of them right where somebody does something."""

    def __init__(self, rng: random.Random, terminals: tuple[str, ...], people: tuple[Item, ...]) -> None:
        self._rng = rng
        self._terminals = terminals
        self._people = people

    def fault(self) -> Item:
        makers: tuple[Callable[[], Item], ...] = (
            *(3 * (self._kill,)), *(3 * (self._commit_fault,)), *(2 * (self._freeze,)), *(2 * (self._cut,)),
            self._store_away, self._slow_store, *(2 * (self._broker_down,)), *(3 * (self._storm,)),
            *(2 * (self._clock,)), self._printer, self._move,
        )  # fmt: skip
        return self._rng.choice(makers)()

    def _when(self) -> tuple[float, str | None]:
        """An instant, and the terminal at which somebody is just then."""
        chance = self._rng.random()
        if chance < 0.3:
            return _when(self._rng), None
        visits = [item for item in self._people if isinstance(item, Visit)]
        item = self._rng.choice(visits if chance < 0.75 else self._people)
        return item.at, item.terminal if isinstance(item, Visit) else None

    def _process(self, terminal: str | None = None) -> str:
        if terminal is not None and self._rng.random() < 0.6:
            return terminal
        return self._rng.choice((*SERVERS, *self._terminals))

    def _kill(self) -> Item:
        at, terminal = self._when()
        # a number that is asked for stands on the screen some thirty steps later
        steps = self._rng.randint(1, 45) if terminal is not None else self._rng.choice((1, self._rng.randint(1, 400)))
        return Kill(
            at=at,
            process=self._process(terminal),
            steps=steps,
            down_s=self._rng.choice((0.5, 3.0, 9.0, 20.0)),
            half_open=self._rng.random() < 0.3,
        )

    def _commit_fault(self) -> Item:
        fate: AtCommit = self._rng.choice(get_args(AtCommit))
        return CommitFault(
            at=self._when()[0], process=self._rng.choice(SERVERS), fate=fate, down_s=self._rng.choice((0.5, 9.0))
        )

    def _freeze(self) -> Item:
        at, terminal = self._when()
        for_s = self._rng.choice((1.0, 5.0, 8.0, 20.0))
        if self._rng.random() < 0.6:
            return Freeze(at=at, process=self._rng.choice(SERVERS), for_s=for_s, at_commit=self._rng.random() < 0.5)
        return Freeze(at=at, process=self._process(terminal), for_s=for_s)

    def _cut(self) -> Item:
        at, terminal = self._when()
        return Cut(at=at, process=self._process(terminal), for_s=self._rng.choice((2.0, 12.0, 30.0)))

    def _store_away(self) -> Item:
        return StoreAway(
            at=self._when()[0], process=self._rng.choice(SERVERS), for_s=self._rng.choice((0.5, 4.0, 10.0))
        )

    def _slow_store(self) -> Item:
        return SlowStore(at=self._when()[0], process=self._rng.choice(SERVERS), for_s=self._rng.choice((5.0, 20.0)))

    def _broker_down(self) -> Item:
        return BrokerDown(at=self._when()[0], for_s=self._rng.choice((0.2, 4.0, 12.0)), forget=self._rng.random() < 0.6)

    def _storm(self) -> Item:
        return Storm(
            at=self._when()[0],
            for_s=self._rng.choice((3.0, 10.0, 25.0)),
            drop=self._rng.choice((0.0, 0.1, 0.4)),
            repeat=self._rng.choice((0.0, 0.3, 0.6)),
            delay_s=self._rng.choice((0.0, 0.5, 8.0, 15.0)),
            ack_lost=self._rng.choice((0.0, 0.0, 0.05)),
            seed=self._rng.getrandbits(32),
        )

    def _clock(self) -> Item:
        who = self._rng.choice((*SERVERS, *self._terminals, "store", "all", "all"))
        by = (-7200.0, -90.0, -2.0, 2.0, 90.0, 7200.0) if who != "all" else (600.0, 54_000.0)
        return ClockJump(at=_when(self._rng), who=who, by_s=self._rng.choice(by))

    def _printer(self) -> Item:
        fault: PrinterFault = self._rng.choice(("out_of_paper", "silent"))
        return Printer(
            at=_when(self._rng),
            terminal=self._rng.choice(self._terminals),
            for_s=self._rng.choice((5.0, 30.0)),
            fault=fault,
        )

    def _move(self) -> Item:
        return Move(at=_when(self._rng), to=self._rng.choice(SERVERS))
