"""A terminal of the simulation: journey, requests, offline numbers, journal and link are the real ones.

Its printer and card reader are told what to do; its disk survives it. What is simulated of the printer is what the
public holds in its hands: the paper that came out.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from kiosk import reporting
from kiosk.hall_side import HallSide
from kiosk.journey import Journey
from kiosk.journeys import effects, events, intents
from kiosk.journeys.number import offers_way_out
from kiosk.journeys.state import AtHome, Awaiting, Choosing, Holding, LayingCard, Refused, State
from kiosk.journeys.views import SlipState
from kiosk.offline import Offline
from kiosk.requests import Requests
from kiosk.session import KioskSession
from kiosk.translate import slip_fact
from tests.sim.hall import HALL_KEY, PEOPLE, Card, account, catalogue, profile
from tests.sim.loop import Process
from tests.sim.stores import Disk
from wire.link import Link
from wire.messages import Help, Issue

if TYPE_CHECKING:
    from tests.sim.world import World

TICK_S = 1.0
PRINTS_FOR_S = 1.5
LINGERS_S = 4.0
"""How long a person reads what stands on the screen."""
PrinterFault = Literal["out_of_paper", "silent"]


class Terminal:
    """One terminal with its disk; `start` makes a new process of it."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.disk = Disk()
        self.process: Process | None = None
        self.printer: tuple[float, PrinterFault] | None = None
        self._program: _Program | None = None

    @property
    def up(self) -> bool:
        return self.process is not None and not self.process.dead and not self.process.stopped

    def start(self) -> Process:
        self.process = self.world.process(self.name)
        self._program = _Program(self, self.process)
        self.process.start(self._program.run())
        return self.process

    def visit(self, service: str, person: int | None, patience: float | None) -> None:
        """Somebody comes and wants a number; they leave after `patience` seconds without one."""
        if self.up and self._program is not None and self.process is not None:
            self.process.call(self._program.visit, service, person, patience)

    @property
    def settled(self) -> bool:
        """Nothing waits for the hall, nobody stands here, and the hall has accepted the terminal."""
        program = self._program
        if not self.up or program is None or self.disk.jobs or self.disk.pending():
            return False
        state = program.journey.state
        return isinstance(state.page, AtHome) and state.hall.verdict == "accepted" and not reporting.cause(state)

    @property
    def state(self) -> State | None:
        return self._program.journey.state if self._program is not None else None

    @property
    def quarantined(self) -> int:
        return sum(1 for *_, state in self.disk.entries() if state == "quarantined")


class _Program:
    """As `kiosk.terminal.Terminal`, without threads, screens and devices."""

    def __init__(self, terminal: Terminal, process: Process) -> None:
        world, name = terminal.world, terminal.name
        self._terminal, self._world, self._name, self._process = terminal, world, name, process
        self._rng = world.chance(name)
        self._clock: Callable[[], datetime] = world.clock(name)
        self._loop = world.loop
        state = State(terminal=name, now=self._loop.time())
        self._session = KioskSession(state.session)
        self._patience: float | None = None
        self.journey = Journey(state, self._perform, self._loop.time, lambda: world.broke(f"{name}: journey failed"))
        self._journal = terminal.disk.journal(f"{self._rng.getrandbits(64):016x}", self._clock)
        self._requests = Requests(self._emit, lambda: None)
        self._offline = Offline(
            self._journal,
            self._offline_ready,
            clock=self._clock,
            monotonic=self._loop.time,
            new_id=lambda: f"{self._rng.getrandbits(128):032x}",
            new_token=lambda: f"{self._rng.getrandbits(96):024x}",
        )
        self._hall: HallSide | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        await self._journal.open()
        conn_seq = int(await self._journal.recall("conn_seq") or 0)
        self._hall = HallSide(
            profile(self._name),
            account(self._name),
            self._journal,
            self._requests,
            self._emit,
            conn_seq=conn_seq,
            versions={},
            make_link=self._make_link,
            clock=self._clock,
            offline_use=lambda: self._offline.use(gives_back=self.journey.state.condition.maintenance),
            on_desired=lambda _desired: None,
            on_self_test=lambda: None,
            rng=random.Random(self._rng.getrandbits(32)),
        )
        self._requests.use(self._hall.exchange, self._offline)
        await self._offline.load()
        await self._hall.exchange.settle_earlier_boot()
        self._settle_earlier_prints()
        await self._requests.idle()
        await self._hall.exchange.take_back_unseen()
        self._emit(events.Started())
        self._emit(events.CatalogueLoaded(*catalogue()))
        self._emit(events.DevicesChanged((), reader_ready=True))
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._hall.link.run())
            parts.create_task(self._hall.exchange.run())
            parts.create_task(self._hall.run_reports())
            parts.create_task(self._tick())

    def _make_link(self, settings: Any, on_message: Any, on_connected: Any, on_lost: Any, /) -> Link:
        rng = random.Random(self._rng.getrandbits(32))
        return self._world.broker.link_of(self._process, settings, on_message, on_connected, on_lost, rng=rng)

    async def _tick(self) -> None:
        ticks = 0
        while self._hall is not None:
            self.journey.handle(events.Tick())
            self._move_on()
            ticks += 1
            if ticks % 30 == 0:
                self._offline.look()
                if self._offline.wants_hello():
                    self._hall.exchange.greet_again()
            if ticks % 10 == 0:
                state, backlog = self.journey.state, await self._journal.backlog()
                last = self._requests.last_ticket_at
                aside = await self._journal.set_aside()
                said = reporting.reported(state, {}, last, backlog=backlog, set_aside=aside)
                self._hall.report(said, reporting.presence(state))
            await asyncio.sleep(TICK_S)

    # --- the person

    def visit(self, service: str, person: int | None, patience: float | None) -> None:
        self._leave()
        if not isinstance(self.journey.state.page, AtHome):
            return
        self._patience = patience
        self.journey.handle(intents.ChooseService(service))
        if not isinstance(self.journey.state.page, LayingCard):
            return
        if person is None:
            self.journey.handle(intents.GoOnWithoutCard())
            return
        card = Card(*PEOPLE[person])
        masked = card.masked_name, card.masked_number
        self._session.take(card, HALL_KEY)
        self.journey.handle(events.CardRead(self.journey.state.session, *masked))

    def _move_on(self) -> None:
        """What the person does when they have read the screen, or have waited too long."""
        state = self.journey.state
        page = state.page
        if isinstance(page, Awaiting) and self._patience is not None and state.now - page.since >= self._patience:
            if offers_way_out(state, page):
                self.journey.handle(intents.GiveUp())
        elif (
            isinstance(page, Holding) and page.slip is not SlipState.PRINTING and state.now - page.since >= LINGERS_S
        ) or (isinstance(page, Refused) and state.now - state.touched_at >= LINGERS_S):
            self._leave()

    def _leave(self) -> None:
        page = self.journey.state.page
        if isinstance(page, Holding) and page.slip is SlipState.PRINTING:
            return
        if isinstance(page, Holding | Refused):
            self.journey.handle(intents.Finish())
            self.journey.handle(intents.Home())
        elif isinstance(page, Choosing | LayingCard):
            self.journey.handle(intents.Home())

    # --- events and effects, as in the terminal

    def _emit(self, event: events.Event) -> None:
        if isinstance(event, events.Verdict) and event.verdict == "accepted" and self._hall is not None:
            self._hall.accepted()
        self.journey.handle(event)

    def _offline_ready(self, *, ready: bool) -> None:
        self._emit(events.OfflineReady(ready))

    def _perform(self, effect: effects.Effect) -> None:
        match effect:
            case effects.WipeSession(session):
                self._session.wipe()
                self._session = KioskSession(session + 1)
            case effects.RequestNumber(attempt, service, language, identified):
                person = self._session.person_key if identified else None
                self._requests.ask(attempt, Issue(service=service, person=person, language=language))
            case effects.GiveOffline(attempt, service, language, identified):
                person = self._session.person_key if identified else None
                found = catalogue()[0].service(service)
                assert found is not None
                self._requests.give_offline(attempt, found, language, person)
            case effects.RequestHelp(attempt, screen):
                self._requests.ask(attempt, Help(screen=screen))
            case effects.WithdrawRequest(attempt, reason):
                self._requests.withdraw(attempt, reason)
            case effects.PrintSlip():
                self._spawn(self._print(effect))

    # --- the printer

    async def _print(self, job: effects.PrintSlip) -> None:
        """The job is kept before the paper moves, and its end after: between them nobody knows."""
        ticket, jobs = job.ticket, self._terminal.disk.jobs
        self._world.history.shown(self._name, ticket)
        name = f"ticket:{ticket.ticket}" + (f":{job.job}" if job.reprint else "")
        jobs[name] = "sending"
        fault = self._terminal.printer
        broken = fault[1] if fault is not None and self._loop.time() < fault[0] else None
        await asyncio.sleep(PRINTS_FOR_S)
        if broken != "out_of_paper":
            self._world.history.paper(self._name, ticket, reprint=job.reprint)
        await asyncio.sleep(PRINTS_FOR_S)
        outcome = {None: SlipState.PRINTED, "silent": SlipState.UNKNOWN, "out_of_paper": SlipState.NOT_PRINTED}[broken]
        jobs[name] = outcome
        self._tell_slip(name, outcome, None if broken is None else broken)
        self._emit(events.SlipDone(job.job, outcome, broken))

    def _settle_earlier_prints(self) -> None:
        for name, known in list(self._terminal.disk.jobs.items()):
            outcome = SlipState.UNKNOWN if known == "sending" else SlipState(known)
            self._tell_slip(name, outcome, "restart")

    def _tell_slip(self, name: str, outcome: SlipState, cause: str | None) -> None:
        jobs = self._terminal.disk.jobs
        ticket, reprint = name.split(":")[1], name.count(":") > 1
        fact = slip_fact(ticket, outcome, cause, reprint=reprint)
        self._requests.slip(fact, f"{name}={outcome}", lambda: jobs.pop(name, None))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
