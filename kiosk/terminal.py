"""The terminal as a program without a screen: devices, journal, link and journey on one asyncio loop."""

import asyncio
import contextlib
import importlib.metadata
import platform
import secrets
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog

from hardware.print_jobs import PrintJobStore
from kiosk import one_time_code, reporting
from kiosk.bundle import BundleStore
from kiosk.configuration import Configuration
from kiosk.devices import Devices
from kiosk.errors import JournalFault
from kiosk.hall_side import HallSide, MakeLink
from kiosk.journal import Journal
from kiosk.journey import Journey, OnView
from kiosk.journeys import effects, events
from kiosk.journeys.intents import Intent
from kiosk.journeys.lights import lit
from kiosk.journeys.state import Finding, State
from kiosk.journeys.views import Fact, View
from kiosk.offline import Offline
from kiosk.printing import Printing
from kiosk.profile import Profile, Secrets
from kiosk.prompts import Prompts
from kiosk.requests import Requests
from kiosk.session import KioskSession
from kiosk.supervision import Supervisor
from wire.link import MqttLink
from wire.messages import CheckIn, Help, Issue, OfflineUse

TICK_S = 0.2
REPORT_S = 1.0
OFFLINE_LOOK_S = 30.0
JOURNAL_RETRY_S = 5.0
JOURNEY_RETRY_S = 5.0
LONGEST_CODE = 40
"""Characters of an appointment's code on the wire (`CheckIn.code`)."""

log = structlog.get_logger(__name__)


class Terminal:
    """Everything but the screens. Made, run and used on one loop.

    `clock` gives UTC, `monotonic` seconds.
    """

    def __init__(
        self,
        profile: Profile,
        keys: Secrets,
        *,
        make_link: MakeLink = MqttLink,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profile, self._keys = profile, keys
        self._make_link, self._clock = make_link, clock
        state = State(terminal=profile.terminal, rules=profile.times.rules(), now=monotonic())
        self._session = KioskSession(state.session)
        self._journey = Journey(state, self._perform, monotonic, self._journey_crashed)
        self._journal = Journal(profile.state_directory / "journal.sqlite3", secrets.token_hex(8), clock)
        self._jobs = PrintJobStore(profile.state_directory / "print-jobs.sqlite3", clock)
        self._journal_down = asyncio.Event()
        self._journal_up = asyncio.Event()
        self._configuration = Configuration(BundleStore(profile.state_directory), self._emit)
        self._requests = Requests(self._emit, self._changed)
        self._offline = Offline(self._journal, self._offline_ready, clock=clock)
        self._prompts = Prompts(profile.prompts_directory or Path(str(files("assets") / "voice")))
        self._supervisor = Supervisor(lambda part: self._emit(events.PartCrashed(part)))
        self._report_wanted = asyncio.Event()
        self._restart = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._versions = {"terminal": _version(), "python": platform.python_version()}
        self._devices: Devices | None = None
        self._printing: Printing | None = None
        self._hall: HallSide | None = None

    @property
    def view(self) -> View:
        """What the screen shows now."""
        return self._journey.view

    def on_view(self, listener: OnView) -> None:
        """Call `listener` with the present view, and with each different one from now on."""
        self._journey.on_view(listener)

    def send(self, intent: Intent) -> None:
        """What a person meant by a touch."""
        self._journey.handle(intent)

    async def run(self) -> None:
        """Serve until cancelled, or until an ordered restart; then end everything cleanly and forget the person."""
        serving = asyncio.create_task(self._supervisor.keep("program", self._serve), name="program")
        ticking = asyncio.create_task(self._tick(), name="ticks")
        restart = asyncio.create_task(self._restart.wait())
        try:
            await asyncio.wait((serving, ticking, restart), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, ticking, restart):
                task.cancel()
            await asyncio.gather(serving, ticking, restart, return_exceptions=True)
            self._session.wipe()
            self._prompts.stop()
            await self._requests.idle()
            with contextlib.suppress(JournalFault):
                await self._journal.close()
            await asyncio.to_thread(self._jobs.close)

    # --- parts ---------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            self._journey.handle(events.Tick(self._offline.now()))
            await asyncio.sleep(TICK_S)

    async def _serve(self) -> None:
        """Start in order, then keep every part running."""
        await self._open_journal()
        self._devices = Devices(self._profile.devices, self._jobs, self._keys.hall_key, self._emit)
        self._devices.show_lights(lit(self._journey.state))
        self._prompts.use(self._devices.speaker)
        try:
            self._printing = Printing(
                self._devices,
                self._jobs,
                self._requests,
                self._emit,
                terminal=self._profile.terminal,
                clock=self._clock,
            )
            self._hall = await self._open_hall()
            if await self._printing.settle_earlier_run():
                await self._hall.exchange.take_back_unseen()
            await self._configuration.load_kept()
            maintenance = await self._journal.recall("maintenance") == "on"
            versions = tuple(Fact(name, value) for name, value in self._versions.items())
            self._emit(events.Started(maintenance, self._prompts.languages, versions))
            keep = self._supervisor.keep
            async with asyncio.TaskGroup() as parts:
                parts.create_task(keep("link", self._hall.link.run))
                parts.create_task(keep("exchange", self._exchange))
                parts.create_task(keep("presence", self._hall.run_reports))
                parts.create_task(keep("report", self._report))
                parts.create_task(keep("offline", self._watch_offline))
                parts.create_task(keep("bundle", self._configuration.run))
                parts.create_task(keep("journal", self._mend_journal))
        finally:
            self._emit(events.Stopped())
            self._prompts.use(None)
            await self._devices.close()

    async def _open_journal(self) -> None:
        while True:
            try:
                await self._journal.open()
            except JournalFault as fault:
                log.error("journal_not_opened", reason=fault.reason)
                self._emit(events.JournalChanged(writable=False))
                await asyncio.sleep(JOURNAL_RETRY_S)
            else:
                self._journal_down.clear()
                self._journal_up.set()
                self._emit(events.JournalChanged(writable=True))
                return

    async def _open_hall(self) -> HallSide:
        conn_seq = int(await self._journal.recall("conn_seq") or 0)
        hall = HallSide(
            self._profile,
            self._keys.account,
            self._journal,
            self._requests,
            self._emit,
            conn_seq=conn_seq,
            versions=self._versions,
            make_link=self._make_link,
            clock=self._clock,
            offline_use=self._offline_use,
            on_desired=self._configuration.want,
            on_self_test=self._changed,
        )
        self._requests.use(hall.exchange, self._offline)
        await self._offline.load()
        await hall.exchange.settle_earlier_boot()
        return hall

    async def _exchange(self) -> None:
        """The lanes stop with the journal and go on with it."""
        while self._hall is not None:
            await self._journal_up.wait()
            try:
                await self._hall.exchange.run()
            except* JournalFault:
                self._emit(events.JournalChanged(writable=False))

    async def _mend_journal(self) -> None:
        while True:
            await self._journal_down.wait()
            await asyncio.sleep(JOURNAL_RETRY_S)
            await self._open_journal()

    async def _watch_offline(self) -> None:
        """The leave to give numbers ends by time; the hall is asked again in good time."""
        while self._hall is not None:
            self._offline.look()
            if self._offline.wants_hello():
                self._hall.exchange.greet_again()
            await asyncio.sleep(OFFLINE_LOOK_S)

    def _offline_ready(self, *, ready: bool) -> None:
        self._emit(events.OfflineReady(ready))

    def _offline_use(self) -> OfflineUse:
        return self._offline.use(gives_back=self._journey.state.condition.maintenance)

    async def _report(self) -> None:
        """Tell the hall and the technician's screen what changed, at most once a second."""
        while self._hall is not None:
            self._report_wanted.clear()
            with contextlib.suppress(JournalFault):
                state, backlog = self._journey.state, await self._journal.backlog()
                said = reporting.reported(
                    state,
                    self._versions,
                    self._requests.last_ticket_at,
                    backlog=backlog,
                    set_aside=await self._journal.set_aside(),
                )
                self._hall.report(said, reporting.presence(state))
                facts = reporting.network(state, self._profile, self._hall.link, backlog)
                self._journey.handle(events.NetworkFacts(facts))
            await asyncio.sleep(REPORT_S)
            await self._report_wanted.wait()

    # --- events and effects --------------------------------------------------------------------

    def _emit(self, event: events.Event) -> None:
        """An event from a part of the program; some concern the program itself too."""
        match event:
            case events.JournalChanged(writable=False):
                self._journal_up.clear()
                self._journal_down.set()
            case events.Verdict(verdict="accepted") if self._hall is not None:
                self._hall.accepted()
            case events.OrderGiven(action="maintenance_on" | "maintenance_off" as action):
                self._spawn(self._journal.remember("maintenance", action.removeprefix("maintenance_")))
                if self._hall is not None:
                    self._hall.exchange.greet_again()
        self._journey.handle(event)
        self._changed()

    def _changed(self) -> None:
        self._report_wanted.set()

    def _journey_crashed(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(JOURNEY_RETRY_S, lambda: self._journey.handle(events.PartCrashed(None)))

    def _perform(self, effect: effects.Effect) -> None:
        match effect:
            case effects.WipeSession(session):
                self._session.wipe()
                self._session = KioskSession(session + 1)
            case effects.RequestNumber(attempt, service, language, identified):
                person = self._session.person_key if identified else None
                self._requests.ask(attempt, Issue(service=service, person=person, language=language))
            case effects.RequestCheckIn(attempt, finding, language):
                self._check_in(attempt, finding, language)
            case effects.GiveOffline(attempt, service, language, identified):
                self._give_offline(attempt, service, language, identified=identified)
            case effects.RequestHelp(attempt, screen):
                self._requests.ask(attempt, Help(screen=screen))
            case effects.WithdrawRequest(attempt, reason):
                self._requests.withdraw(attempt, reason)
            case effects.CheckCode(code):
                self._spawn(self._check_code(code))
            case effects.Speak(prompt, language):
                self._spawn(self._prompts.say(prompt, language))
            case effects.Restart():
                self._restart.set()
            case _:
                self._use_device(effect)

    def _check_in(self, attempt: int, finding: Finding, language: str) -> None:
        """The code or the person; a scanned text that is too long for any code finds nothing, so it is not sent."""
        code = self._session.code if finding.by == "scanned" else finding.code or None
        if code is not None and len(code) > LONGEST_CODE:
            self._emit(events.NumberRefused(attempt, "appointment_unknown"))
            return
        person = self._session.person_key if finding.by == "card" else None
        self._requests.ask(attempt, CheckIn(code=code, person=person, language=language))

    def _give_offline(self, attempt: int, service: str, language: str, *, identified: bool) -> None:
        catalogue = self._configuration.catalogue
        found = catalogue.service(service) if catalogue is not None else None
        if found is None:
            self._emit(events.NumberRefused(attempt, "service_unknown"))
            return
        person = self._session.person_key if identified else None
        self._requests.give_offline(attempt, found, language, person)

    def _use_device(self, effect: effects.Effect) -> None:
        if self._devices is None or self._printing is None:
            return
        match effect:
            case effects.StartCardRead():
                self._devices.start_card_read(self._session)
            case effects.StopCardRead():
                self._devices.stop_card_read()
            case effects.StartCodeScan():
                self._devices.start_code_scan(self._session)
            case effects.StopCodeScan():
                self._devices.stop_code_scan()
            case effects.ShowLights(roles):
                self._devices.show_lights(roles)
            case effects.StartSelfTest(attempt, role, within_s):
                self._devices.self_tests.start(attempt, role, within_s)
            case effects.StopSelfTest():
                self._devices.self_tests.stop()
            case _:
                self._use_paper(effect, self._printing)

    def _use_paper(self, effect: effects.Effect, printing: Printing) -> None:
        match effect:
            case effects.PrintSlip() if self._configuration.catalogue is not None:
                self._spawn(printing.ticket(effect, self._configuration.catalogue))
            case effects.ListUnsettled():
                self._spawn(printing.list_unsettled())
            case effects.SettleJob(job, printed):
                self._spawn(printing.settle(job, printed=printed))

    async def _check_code(self, code: str) -> None:
        """What the gate learnt is kept before the door opens."""
        secret = self._keys.technician_secret.get_secret_value()
        try:
            gate = one_time_code.Gate.from_json(await self._journal.recall("technician_gate"))
            gate, accepted, locked_for = one_time_code.check(gate, code, secret, self._clock())
            await self._journal.remember("technician_gate", gate.to_json())
        except JournalFault as fault:
            log.error("technician_code_not_kept", reason=fault.reason)
            accepted, locked_for = False, 0.0
        log.info("technician_code", accepted=accepted, locked_for=locked_for)
        self._emit(events.CodeChecked(accepted, locked_for))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Work of its own; a failure is logged by name and place, never by content."""
        task = asyncio.create_task(self._supervisor.once(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _version() -> str:
    try:
        return importlib.metadata.version("estation")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
