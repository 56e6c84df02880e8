"""A queue server of the simulation: hall, its side of the wire and the counters' service are the real ones."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from queue_server.alerts import AlertBook
from queue_server.counters.outcomes import CounterState
from queue_server.counters.outcomes import Refused as Refusal
from queue_server.counters.service import CounterService
from queue_server.devices import DeviceBook
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.projection import CounterNow, WaitingTicket
from queue_server.staff import Staff
from queue_server.translator import Edge
from queue_server.wire_side import WireSettings, WireSide
from tests.sim.hall import COUNTERS, HALL, START, URL
from tests.sim.loop import Process
from tests.sim.stores import Store
from wire.link import LinkSettings
from wire.memory import MemoryLink

if TYPE_CHECKING:
    from tests.sim.plan import Verb
    from tests.sim.world import World

LEASE_S = 6.0


class Server:
    """One server and the store as it reaches it; `start` makes a new process of it."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.store = Store(world.ledger, world.loop, world.history.committed)
        self.process: Process | None = None
        self.program: _Program | None = None

    @property
    def up(self) -> bool:
        return self.process is not None and not self.process.dead and not self.process.stopped

    @property
    def leads(self) -> bool:
        return self.up and self.program is not None and self.program.hall.epoch is not None

    def start(self) -> Process:
        self.process = self.store.process = self.world.process(self.name)
        self.program = _Program(self, self.process)
        self.process.start(self.program.run())
        return self.process

    def clerk(self, clerk: str, verb: "Verb", *, double: bool) -> None:
        """A clerk clicks at a console of this server."""
        if self.up and self.program is not None and self.process is not None:
            self.process.call(self.program.click, clerk, verb, double)


class _Program:
    def __init__(self, server: Server, process: Process) -> None:
        world, name = server.world, server.name
        rng = world.chance(name)
        self._world, self._process, self._loop, self._store = world, process, world.loop, server.store
        now = world.clock(name)

        def new_id() -> str:
            return f"{rng.getrandbits(80):020x}"

        self.alerts = AlertBook(HALL, None, now=now)
        devices = DeviceBook(HALL, world.registers, self.alerts, now=now)  # type: ignore[arg-type]  # a twin of what it uses
        settings = HallSettings(
            hall=HALL,
            server=name,
            public_url=URL,
            data=Path("nowhere"),
            lease_ttl=LEASE_S,
            snapshot_every=20,
            projection_every=0.5,
        )
        self.hall = HallThread(
            settings,
            server.store,  # type: ignore[arg-type]  # passes everything through
            self.alerts,
            devices,
            now=now,
            monotonic=self._monotonic,
        )
        self._side = WireSide(
            WireSettings(name, HALL, URL),
            self.hall,
            devices,
            self.alerts,
            now=now,
            monotonic=self._monotonic,
            edge=Edge(URL, new_id=new_id, new_token=new_id),
        )
        self._link = self._link_of(name, random.Random(rng.getrandbits(32)))
        self._side.bind(self._link)
        self._counters = CounterService(self.hall, _Anybody(), token_lifetime=timedelta(hours=1), now=now)
        self._clicks: set[asyncio.Task[None]] = set()

    def _monotonic(self) -> float:
        return self._loop.time() + self._store.lag

    def _link_of(self, name: str, rng: random.Random) -> MemoryLink:
        settings = LinkSettings(
            host="memory",
            port=0,
            client_id=name,
            username=name,
            password="none",
            will=self._side.will,
            subscriptions=self._side.subscriptions,
            conn_seq=int(START.timestamp()) + self._world.starts * 100,
        )
        side = self._side
        return self._world.broker.link_of(
            self._process, settings, side.on_message, side.on_connected, side.on_lost, rng=rng
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.hall.main())
            group.create_task(self._link.run())
            group.create_task(self._side.run())
            group.create_task(self._counters.watch.run())

    # --- clerks

    def click(self, clerk: str, verb: "Verb", double: bool) -> None:
        """Twice, if doubled: both clicks name what stood on the screen at the first."""
        staff = Staff(clerk, clerk, clerk, frozenset({"clerk", "manager"}))
        held = self._counters.held_by(staff)
        for _ in range(2 if double else 1):
            task = asyncio.create_task(self._act(staff, held.counter if held else None, verb))
            self._clicks.add(task)
            task.add_done_callback(self._clicks.discard)

    async def _act(self, staff: Staff, seen: CounterNow | None, verb: "Verb") -> None:
        said = await self._do(staff, seen, verb)
        self._world.history.clicked(staff.id, verb, said.code if isinstance(said, Refusal) else "done")

    async def _do(self, staff: Staff, seen: CounterNow | None, verb: "Verb") -> CounterState | Refusal | None:
        do = self._counters
        if seen is None or seen.session is None:
            counter = COUNTERS[int(staff.id[-1]) - 1]
            return await do.open_counter(staff, counter)
        session, version, current = seen.session, seen.version, seen.current
        if verb == "work":
            step = "next" if current is None else "start" if current.state == "called" else "complete"
            return await getattr(do, step)(staff, session, version)
        if verb in ("next", "recall", "start", "complete", "no_show", "undo"):
            return await getattr(do, verb)(staff, session, version)
        if verb == "pause" and seen.paused_since is None:
            return await do.pause(staff, session, "break", version)
        if verb == "pause":
            return await do.go_on(staff, session, version)
        return await self._handle(staff, seen, verb)

    async def _handle(self, staff: Staff, seen: CounterNow, verb: "Verb") -> CounterState | Refusal | None:
        """Acts on a ticket that the console shows; nothing where it shows none."""
        do, current, waits = self._counters, seen.current, self._last_waiting(seen)
        aside = next(iter(self.hall.projection().aside), None)
        done: Awaitable[CounterState | Refusal | None] | None = None
        match verb:
            case "close" if seen.session is not None:
                done = do.close_counter(staff, seen.session)
            case "hold" if current is not None:
                done = do.hold(staff, current.ticket, current.version)
            case "transfer" if current is not None:
                done = do.transfer(staff, current.ticket, current.version, service="fund-withdraw")
            case "take_up" if aside is not None:
                take = do.resume if aside.state == "held" else do.reinstate
                done = take(staff, aside.ticket, aside.version)
            case "choose" if waits is not None and seen.session is not None:
                done = do.call_ticket(staff, seen.session, waits.ticket, seen.version)
            case "cancel" if waits is not None:
                done = do.cancel(staff, waits.ticket, waits.version)
        return await done if done is not None else None

    def _last_waiting(self, seen: CounterNow) -> WaitingTicket | None:
        shown = (queue for queue in self.hall.projection().queues if queue.queue in seen.queues)
        return next((queue.waiting[-1] for queue in shown if queue.waiting), None)


class _Anybody:
    """Staff of whom every id is known."""

    def find(self, staff_id: str) -> Staff | None:
        return Staff(staff_id, staff_id, staff_id, frozenset({"clerk", "manager"}))

    def verify(self, login: str, password: str, *, source: str = "console") -> Staff:
        return Staff(login, login, login, frozenset({"clerk"}))

    def audit(self, staff_id: str, act: str, subject: str = "") -> None:
        """Nothing is asked of it."""

    def all(self) -> tuple[Staff, ...]:
        return ()
