"""The world of one history: two servers on one store, terminals, a display, the network, and a plan carried out."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from queue_server import day_heads, hall_work
from queue_server.counters import service as counters_service
from queue_server.ledger import Head, MemoryLedger
from queue_server.ledger.registers import DeviceRow
from tests.sim import plan as plans
from tests.sim.hall import HALL, START, ZONES, put_first_rows
from tests.sim.history import History, Violation
from tests.sim.loop import WORLD, LoopWorker, Process, VirtualLoop
from tests.sim.network import Broker
from tests.sim.plan import LASTS_S, SERVERS, Item, Plan
from tests.sim.server import Server
from tests.sim.stores import MemoryRegisters
from tests.sim.terminal import Terminal
from wire import topics
from wire.codec import decode
from wire.port import Incoming, LinkSettings

RESTS_WITHIN_S = 240.0
"""After the last item: longer than every pause of every part."""
LOOKS_EVERY_S = 6.0
MAX_STEPS = 400_000
"""A history that takes more goes round in circles."""


class World:
    def __init__(self, plan: Plan, terminals: tuple[str, ...]) -> None:
        self.plan = plan
        self.loop = VirtualLoop()
        self.starts = 0
        self._offsets: Counter[str] = Counter()
        self._starts_of: Counter[str] = Counter()
        self.history = History(self)
        self.ledger = MemoryLedger(clock=lambda: self.clock("store")().timestamp())
        put_first_rows(self.ledger)
        self.exported: list[Head] = []
        """Heads of the chain that a server left outside the store."""
        self.registers = MemoryRegisters(
            tuple(DeviceRow(t, HALL, t, "accepted", START.isoformat(), f"machine-{t}") for t in terminals)
        )
        self.broker = Broker(self.loop, self.history.published)
        self.servers = {name: Server(self, name) for name in SERVERS}
        self.terminals = [Terminal(self, name) for name in terminals]
        self.display = _Display(self, "display")

    # --- what the parts ask of it

    def chance(self, name: str) -> random.Random:
        """Ids and pauses of the next start of a process."""
        return random.Random(f"{self.plan.seed}/{name}/{self._starts_of[name]}")

    def clock(self, name: str) -> Callable[[], datetime]:
        """The wall clock of a machine (UTC)."""
        return lambda: START + timedelta(seconds=self.loop.time() + self._offsets[name])

    def process(self, name: str) -> Process:
        self.starts += 1
        self._starts_of[name] += 1
        self.broker.heal(name)
        return Process(name, self.loop)

    def broke(self, text: str) -> None:
        self.history.broken("L1", text)

    @property
    def leader(self) -> Server | None:
        return next((server for server in self.servers.values() if server.leads), None)

    # --- the history

    def run(self) -> History:
        """Carry the plan out, mend everything, wait for rest, and check."""
        for name in (*self.servers, *(terminal.name for terminal in self.terminals)):
            self._start(name)
        self.display.start()
        for item in self.plan.items:
            self.loop.call_at(item.at, partial(self._happens, item), context=WORLD)
        self.loop.run_until(LASTS_S, self._is_over)
        if not self._is_over():
            self._mend()
            self._rest()
        self.history.end(at_rest=self.settled)
        self.loop.end()
        for terminal in self.terminals:
            terminal.disk.close()
        return self.history

    def _is_over(self) -> bool:
        return bool(self.history.violations) or self.loop.steps > MAX_STEPS

    def _rest(self) -> None:
        """Until nothing waits any more, and the display has heard of it."""
        end = self.loop.time() + RESTS_WITHIN_S
        while self.loop.time() < end and not self._is_over():
            self.loop.run_until(self.loop.time() + LOOKS_EVERY_S, self._is_over)
            if self.settled and self.history.display_lags() is None:
                return

    @property
    def settled(self) -> bool:
        return self.leader is not None and all(terminal.settled for terminal in self.terminals)

    def unrest(self) -> str:
        """What is not settled, in words."""
        if self.loop.steps > MAX_STEPS:
            return "goes round in circles"
        if self.leader is None:
            return "nobody leads"
        return "; ".join(
            f"{t.name}: {t.disk.pending()} in the journal, {len(t.disk.jobs)} slips untold, {t.state and t.state.page}"
            for t in self.terminals
            if not t.settled
        )

    # --- processes

    def _start(self, name: str) -> None:
        machine = self._machine(name)
        if machine.process is not None and not machine.process.dead:
            return
        self.history.note(f"{name} starts")
        process = machine.start()
        process.on_death = partial(self._died, name, 3.0, half_open=False)

    def _machine(self, name: str) -> Server | Terminal:
        found = self.servers.get(name)
        return found if found is not None else next(t for t in self.terminals if t.name == name)

    def _died(self, name: str, down_s: float, *, half_open: bool) -> None:
        self.history.note(f"{name} is killed")
        tell = self.broker.cut if half_open else self.broker.kick
        self.loop.call_later(0.001, tell, name, context=WORLD)
        self.loop.call_later(down_s, self._start, name, context=WORLD)

    # --- what happens

    def _happens(self, item: Item) -> None:
        match item:
            case plans.Visit():
                terminal = self._machine(item.terminal)
                assert isinstance(terminal, Terminal)
                terminal.visit(item.service, item.person, item.patience)
            case plans.Click():
                self._click(item)
            case _:
                self.history.note(f"-- {item.text().split('  ')[-1]}")
                self._fault(item)

    def _click(self, item: plans.Click) -> None:
        leader = self.leader
        others = [server for server in self.servers.values() if server is not leader]
        console = others[0] if item.elsewhere or leader is None else leader
        console.clerk(item.clerk, item.verb, double=item.double)

    def _fault(self, item: Item) -> None:
        match item:
            case plans.Kill() | plans.CommitFault() | plans.Freeze():
                self._hit_process(item)
            case plans.ClockJump():
                everybody = (*self.servers, *(t.name for t in self.terminals), "store")
                for name in everybody if item.who == "all" else (item.who,):
                    self._offsets[name] += item.by_s
            case plans.Move():
                self.ledger.set_home(HALL, item.to)
            case _:
                self._hit_surroundings(item, self.loop.time() + getattr(item, "for_s", 0.0))

    def _hit_surroundings(self, item: Item, until: float) -> None:
        match item:
            case plans.Cut():
                self.broker.cut(item.process)
                self.loop.call_at(until, self.broker.heal, item.process, context=WORLD)
            case plans.StoreAway():
                self.servers[item.process].store.away_until = until
            case plans.SlowStore():
                self.servers[item.process].store.slow_until = until
            case plans.BrokerDown():
                self.broker.kill()
                self.loop.call_at(until, partial(self.broker.restart, forget=item.forget), context=WORLD)
            case plans.Storm():
                self.broker.sky.storm(
                    until,
                    item.seed,
                    drop=item.drop,
                    repeat=item.repeat,
                    delay_s=item.delay_s,
                    ack_lost=item.ack_lost,
                )
            case plans.Printer():
                for terminal in self.terminals:
                    if terminal.name == item.terminal:
                        terminal.printer = (until, item.fault)

    def _hit_process(self, item: plans.Kill | plans.CommitFault | plans.Freeze) -> None:
        process = self._process(item.process)
        if process is None:
            return
        match item:
            case plans.Kill():
                process.on_death = partial(self._died, item.process, item.down_s, half_open=item.half_open)
                process.steps_to_death = item.steps
            case plans.CommitFault():
                process.on_death = partial(self._died, item.process, item.down_s, half_open=False)
                self.servers[item.process].store.at_commit = item.fate
            case plans.Freeze():
                self._freeze(item, process)

    def _freeze(self, item: plans.Freeze, process: Process) -> None:
        def later() -> None:
            self.history.note(f"{item.process} is stopped")
            self.loop.call_later(item.for_s, process.go_on, context=WORLD)

        if not item.at_commit:
            process.stop()
            later()
            return
        # a slow store sends appends to the worker, where there is a moment to be stopped
        self.servers[item.process].store.slow_until = self.loop.time() + LASTS_S
        process.stops_before, process.on_stop = "_timed_append", later

    def _process(self, name: str) -> Process | None:
        if name not in self.servers and all(terminal.name != name for terminal in self.terminals):
            return None
        process = self._machine(name).process
        return process if process is not None and not process.dead else None

    def _mend(self) -> None:
        """The faults are over; what they left must heal by itself."""
        self.history.note("-- everything is mended")
        self.broker.sky.clear()
        if not self.broker.up:
            self.broker.restart()
        for server in self.servers.values():
            server.store.away_until = server.store.slow_until = 0.0
            server.store.at_commit = None
        for name in (*self.servers, *(terminal.name for terminal in self.terminals)):
            machine = self._machine(name)
            if machine.process is not None and machine.process.stopped:
                machine.process.go_on()
            if machine.process is not None:
                machine.process.steps_to_death = machine.process.stops_before = None
            self.broker.heal(name)
            self._start(name)
        for terminal in self.terminals:
            terminal.printer = None


class _Display:
    """An LED display: draws the newest board of its zones, as the wire's rule says."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self._process = Process(name, world.loop)
        self._stamps: dict[str, tuple[int, int]] = {}

    def start(self) -> None:
        async def nothing(_: Any) -> None:
            """A display says nothing."""

        settings = LinkSettings(
            host="memory",
            port=0,
            client_id=self._name,
            username=self._name,
            password="none",
            subscriptions=tuple(topics.board(HALL, zone) for zone in ZONES),
        )
        rng = random.Random(self._world.plan.seed)
        link = self._world.broker.link_of(self._process, settings, self._take, nothing, lambda _: None, rng=rng)
        self._process.start(link.run())

    async def _take(self, incoming: Incoming) -> None:
        envelope, _ = decode(incoming.payload)
        zone = incoming.topic.rpartition("/")[2]
        assert envelope.epoch is not None
        assert envelope.rev is not None
        stamp = (envelope.epoch, envelope.rev)
        if is_newer(stamp, self._stamps.get(zone)):
            self._stamps[zone] = stamp
            frame = {"epoch": envelope.epoch, "rev": envelope.rev, "body": envelope.body.model_dump(mode="json")}
            self._world.history.displayed(self._name, zone, frame)


def is_newer(stamp: tuple[int, int], shown: tuple[int, int] | None) -> bool:
    """The rule for every reader of what is retained."""
    return shown is None or stamp > shown


@dataclass(frozen=True)
class Result:
    """What became of a plan."""

    plan: Plan
    violation: Violation | None
    log: tuple[tuple[float, str], ...]
    steps: int
    tickets: int

    @property
    def failed(self) -> bool:
        return self.violation is not None


def run(plan: Plan) -> Result:
    """Carry out a plan. The same plan always gives the same result."""
    terminals = tuple(
        name for name in plans.TERMINALS if any(getattr(item, "terminal", None) == name for item in plan.items)
    )
    world = World(plan, terminals)
    with _simulated(world):
        history = world.run()
    violation = history.violations[0] if history.violations else None
    return Result(plan, violation, tuple(history.log), world.loop.steps, len(history.on_screen))


@contextmanager
def _simulated(world: World) -> Iterator[None]:
    """No threads, no files, no log lines, and ids from the seed."""
    logging = structlog.get_config()
    worker, new_id = hall_work.Worker, counters_service.new_id
    export, export_running = day_heads.export, day_heads.export_running
    ids = random.Random(0)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    hall_work.Worker = LoopWorker  # type: ignore[misc,assignment]  # its twin without a thread
    counters_service.new_id = lambda: f"{ids.getrandbits(80):020x}"
    day_heads.export = lambda _folder, day: world.exported.append(Head(day.seq, day.hash))  # type: ignore[assignment]
    day_heads.export_running = lambda _folder, _hall, head, _at: world.exported.append(head)
    try:
        yield
    finally:
        day_heads.export, day_heads.export_running = export, export_running
        structlog.configure(**logging)
        hall_work.Worker, counters_service.new_id = worker, new_id  # type: ignore[misc]  # as above
