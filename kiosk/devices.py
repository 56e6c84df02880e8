"""The devices of the terminal on its event loop: reading a card or a code for one session, printing, and their health.

Drivers work on threads of their own; what they say is handed to the loop. A card or code that comes after its session
ended is wiped and dropped, and a code that nobody waits for is dropped where it was heard.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol, cast

import structlog

from hardware.cabinet import Cabinet
from hardware.card_waiting import CardEvent, CardRead
from hardware.events import CodeScanned, DeviceEvent, StatusChanged
from hardware.guide_lights.lights import GuideLights, GuideLightsCapabilities, Light
from hardware.id_card.reader import IdCardReader
from hardware.print_jobs import JobState, PrintJobStore, PrintResult
from hardware.profile import Binding
from hardware.roles import Role
from hardware.session import DeviceSession
from hardware.smart_card.reader import SocialCardReader
from hardware.speaker.speaker import Speaker
from hardware.ticket_printer.document import PrintDocument
from hardware.ticket_printer.printer import TicketPrinter
from hardware.vocabulary import Health, Outcome
from kiosk.code_reading import CodeReader, read_code
from kiosk.hearing import Hearing
from kiosk.journeys import events
from kiosk.journeys.views import CardState, Peripheral, SlipState
from kiosk.self_testing import SelfTests
from kiosk.session import Card, KioskSession, SessionWiped
from kiosk.translate import peripheral, slip_state

CARD_WAIT_S = 60.0
PRINT_LIMIT_S = 45.0
LIGHTS_LIMIT_S = 2.0
READER_PAUSE_S = 1.0
"""After a fault of the reader, before it is asked for a card again."""

_CARD_STATES = {
    CardEvent.PLACE_CARD: CardState.WAITING,
    CardEvent.CARD_FOUND: CardState.READING,
    CardEvent.READING: CardState.READING,
    CardEvent.LIFT_AND_RELAY: CardState.LIFT_AND_LAY_AGAIN,
    CardEvent.ONE_CARD_ONLY: CardState.LIFT_AND_LAY_AGAIN,
    CardEvent.WRONG_CARD: CardState.NOT_THIS_CARD,
}

CardReader = IdCardReader | SocialCardReader
"""Readers of cards that say who somebody is."""
PersonRead = CardRead[Card]
Heard = Callable[[Role, CardEvent], None]

log = structlog.get_logger(__name__)


class Emit(Protocol):
    """Hands an event to the journey; called on the loop."""

    def __call__(self, event: events.Event, /) -> None: ...


class _Progress:
    """What the prompt shows of several readers: the one that has something to say, before those that just wait."""

    def __init__(self, readers: Iterable[CardReader]) -> None:
        self._states = {reader.role: CardState.WAITING for reader in readers}

    def shown(self, role: Role, state: CardState) -> CardState:
        """The state to show after this news of one reader."""
        self._states[role] = state
        if state is not CardState.WAITING:
            return state
        return next((other for other in self._states.values() if other is not CardState.WAITING), state)


class Devices:
    """Made and used on one event loop. A device that the profile does not name counts as not supported."""

    def __init__(self, bindings: Iterable[Binding], jobs: PrintJobStore, hall_key: bytes, emit: Emit) -> None:
        self._emit = emit
        self._hall_key = hall_key
        self._loop = asyncio.get_running_loop()
        self._lines: dict[Role, Peripheral] = {}
        self._reading: asyncio.Task[None] | None = None
        self._scanning: asyncio.Task[None] | None = None
        self._hearing = Hearing()
        self._lit: frozenset[str] = frozenset()
        self._cabinet = Cabinet(bindings, self._heard, jobs=jobs)
        self.self_tests = SelfTests(self._cabinet, partial(self._from_thread, self._emit))
        self._readers: tuple[CardReader, ...] = tuple(
            reader
            for reader in (
                self._cabinet.get(Role.ID_CARD_READER, IdCardReader),
                self._cabinet.get(Role.SOCIAL_CARD_READER, SocialCardReader),
            )
            if reader is not None
        )
        seeing: list[object] = [self._cabinet.devices.get(role) for role in (Role.CODE_SCANNER, Role.CODE_CAMERA)]
        self._code_readers = tuple(reader for reader in seeing if isinstance(reader, CodeReader))
        self._printer = self._cabinet.get(Role.TICKET_PRINTER, TicketPrinter)
        self._lights = self._cabinet.get(Role.GUIDE_LIGHTS, GuideLights)
        for role, device in self._cabinet.devices.items():
            self._said(StatusChanged(role, device.status))

    @property
    def speaker(self) -> Speaker | None:
        return self._cabinet.get(Role.SPEAKER, Speaker)

    @property
    def peripherals(self) -> tuple[Peripheral, ...]:
        return tuple(self._lines.values())

    def start_card_read(self, session: KioskSession) -> None:
        """Look for a card until stopped; what is read belongs to `session`. Every reader of a card that says who
        somebody is looks for one."""
        self.stop_card_read()
        if self._readers:
            self._reading = asyncio.create_task(self._read_cards(self._readers, session), name="card-reading")

    def stop_card_read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def start_code_scan(self, session: KioskSession) -> None:
        """Look for one code until stopped; its text belongs to `session`."""
        self.stop_code_scan()
        if self._code_readers:
            read = read_code(self._code_readers, session, partial(self._from_thread, self._emit))
            self._scanning = asyncio.create_task(read, name="code-reading")

    def stop_code_scan(self) -> None:
        if self._scanning is not None:
            self._scanning.cancel()
            self._scanning = None

    def show_lights(self, lit: Iterable[str]) -> None:
        """Let the lights beside the devices of these roles blink, and put the others out."""
        self._lit = frozenset(lit)
        if self._lights is not None and isinstance(fitted := self._lights.capabilities, GuideLightsCapabilities):
            wanted = dict.fromkeys(self._lit & fitted.lights, Light.BLINKING)
            self._lights.show(wanted, time.monotonic() + LIGHTS_LIMIT_S)

    async def print(
        self,
        document: PrintDocument,
        late: Callable[[], None],
        *,
        job: str,
        label: str,
        reprint_of: str | None = None,
    ) -> tuple[SlipState, str | None]:
        """Print once, as a job that staff know by its label; what became of the paper, and why if not printed. `late`
        is called if an unknown slip turns out printed after all."""
        if self._printer is None:
            return SlipState.NOT_PRINTED, Health.NOT_SUPPORTED.value
        unknown = False

        def on_state(state: JobState) -> None:
            nonlocal unknown
            if state is JobState.PRINTED and unknown:
                self._loop.call_soon_threadsafe(late)
            unknown = state is JobState.UNKNOWN

        deadline = time.monotonic() + PRINT_LIMIT_S
        result: PrintResult = await asyncio.wrap_future(
            self._printer.print(document, deadline, job=job, label=label, reprint_of=reprint_of, on_state=on_state)
        )
        log.info("slip", state=result.state, outcome=result.outcome, detail=result.detail)
        return slip_state(result)

    async def close(self) -> None:
        """End reading and close all devices."""
        self.stop_card_read()
        self.stop_code_scan()
        self.self_tests.stop()
        await asyncio.to_thread(self._cabinet.close)

    def _from_thread(self, call: Callable[..., None], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    def _heard(self, event: DeviceEvent) -> None:
        """On a device's thread."""
        if not isinstance(event, CodeScanned):
            self._from_thread(self._said, event)

    def _said(self, event: DeviceEvent) -> None:
        """Something that a device said by itself."""
        told = self._hearing.hear(event)
        binding, (status, note) = self._cabinet.bindings[event.role], self._hearing.status(event.role)
        line = peripheral(event.role, status, note, binding.driver.id, str(binding.address))
        if line != self._lines.get(event.role):
            self._lines[event.role] = line
            ready = any(reader.status.usable for reader in self._readers)
            self._emit(events.DevicesChanged(self.peripherals, ready))
        for one in told:
            self._emit(one)
        if isinstance(event, StatusChanged) and event.role is Role.GUIDE_LIGHTS and status.usable:
            self.show_lights(self._lit)

    async def _read_cards(self, readers: Sequence[CardReader], session: KioskSession) -> None:
        """Until one reader has taken a card; the task's cancellation cancels the readers' commands."""
        visit = DeviceSession()
        progress = _Progress(readers)

        def heard(role: Role, event: CardEvent) -> None:
            if event in _CARD_STATES and not visit.cancelled:
                self._emit(events.CardProgress(session.number, progress.shown(role, _CARD_STATES[event])))

        reading = [asyncio.create_task(self._read(reader, session, visit, heard)) for reader in readers]
        try:
            await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        finally:
            visit.end()
            for task in reading:
                task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _read(self, reader: CardReader, session: KioskSession, visit: DeviceSession, heard: Heard) -> None:
        """One card after another until one was taken."""
        while not session.wiped:
            deadline = time.monotonic() + CARD_WAIT_S
            command = reader.wait_for_card(
                deadline, session=visit, on_event=lambda event: self._from_thread(heard, reader.role, event)
            )
            read = await asyncio.wrap_future(cast("Future[PersonRead]", command))
            if self._took(read, session) or read.outcome is Outcome.CANCELLED:
                return
            if read.outcome is Outcome.DEVICE_FAULT:
                await asyncio.sleep(READER_PAUSE_S)

    def _took(self, read: PersonRead, session: KioskSession) -> bool:
        """Hand a card over, or say why there is none; True when the reading is over."""
        if read.card is None:
            return False
        try:
            session.take(read.card, self._hall_key)
        except SessionWiped:
            return True
        self._emit(events.CardRead(session.number, session.masked_name, session.masked_number))
        return True
