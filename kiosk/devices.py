"""The devices of the terminal on its event loop: reading a card for one session, printing, and their health.

Drivers work on threads of their own; everything they say is handed to the loop. A card that comes after its session
ended is wiped and dropped.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from hardware.cancel import CancelToken
from hardware.id_card.reader import CardEvent, CardRead, IdCardReader
from hardware.ticket_printer.document import PrintDocument
from hardware.ticket_printer.printer import PrintResult, PrintState, TicketPrinter
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome
from kiosk.journeys import events
from kiosk.journeys.views import CardState, Peripheral, SlipState
from kiosk.profile import Printer, Reader
from kiosk.session import KioskSession, SessionWiped
from kiosk.translate import peripheral, slip_state

CARD_WAIT_S = 60.0
PRINT_LIMIT_S = 45.0
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

log = structlog.get_logger(__name__)


class Emit(Protocol):
    """Hands an event to the journey; called on the loop."""

    def __call__(self, event: events.Event, /) -> None: ...


class Devices:
    """Made and used on one event loop. A device that the profile does not name counts as not supported."""

    def __init__(self, reader: Reader | None, printer: Printer | None, font: Path, hall_key: bytes, emit: Emit) -> None:
        self._emit = emit
        self._hall_key = hall_key
        self._loop = asyncio.get_running_loop()
        self._lines: dict[str, Peripheral] = {}
        self._reading: asyncio.Task[None] | None = None
        self._reader = None if reader is None else self._open_reader(reader)
        self._printer = None if printer is None else self._open_printer(printer, font)

    @property
    def peripherals(self) -> tuple[Peripheral, ...]:
        return tuple(self._lines.values())

    def start_card_read(self, session: KioskSession, *, test: bool) -> None:
        """Look for a card until stopped; what is read belongs to `session`, or is only shown masked in a test."""
        self.stop_card_read()
        if self._reader is not None:
            self._reading = asyncio.create_task(self._read_cards(self._reader, session, test), name="card-reading")

    def stop_card_read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def print(self, document: PrintDocument, late: Callable[[], None]) -> tuple[SlipState, str | None]:
        """Print once; what became of the paper, and why if not printed. `late` is called if an unknown slip turns out
        printed after all."""
        if self._printer is None:
            return SlipState.NOT_PRINTED, Health.NOT_SUPPORTED.value
        unknown = False

        def on_state(state: PrintState) -> None:
            nonlocal unknown
            if state is PrintState.PRINTED and unknown:
                self._loop.call_soon_threadsafe(late)
            unknown = state is PrintState.UNKNOWN

        deadline = time.monotonic() + PRINT_LIMIT_S
        result: PrintResult = await asyncio.wrap_future(self._printer.print(document, deadline, on_state=on_state))
        log.info("slip", state=result.state, outcome=result.outcome, detail=result.detail)
        return slip_state(result)

    async def close(self) -> None:
        """End reading and close both lines."""
        self.stop_card_read()
        for device in (self._reader, self._printer):
            if device is not None:
                await asyncio.to_thread(device.close)

    def _open_reader(self, reader: Reader) -> IdCardReader:
        on_status = partial(self._from_thread, self._status_changed, "sam_v", reader.address)
        device = IdCardReader(reader.address, on_status=on_status)
        self._status_changed("sam_v", reader.address, device.last_status)
        return device

    def _open_printer(self, printer: Printer, font: Path) -> TicketPrinter:
        on_status = partial(self._from_thread, self._status_changed, "escpos", printer.address)
        device = TicketPrinter(printer.address, font, profile=printer.model_profile(), on_status=on_status)
        self._status_changed("escpos", printer.address, device.last_status)
        return device

    def _from_thread(self, call: Callable[..., None], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    def _status_changed(self, driver: str, address: str, status: DeviceStatus) -> None:
        self._lines[status.device] = peripheral(status, driver, address)
        ready = any(line.driver == "sam_v" and line.health in ("ok", "degraded") for line in self._lines.values())
        self._emit(events.DevicesChanged(self.peripherals, ready))

    async def _read_cards(self, reader: IdCardReader, session: KioskSession, test: bool) -> None:
        """One card after another until one was taken; the task's cancellation cancels the reader's command."""
        cancel = CancelToken()

        def on_event(event: CardEvent) -> None:
            if event in _CARD_STATES and not test:
                progress = events.CardProgress(session.number, _CARD_STATES[event])
                self._from_thread(lambda: None if cancel.cancelled else self._emit(progress))

        try:
            while not session.wiped:
                deadline = time.monotonic() + CARD_WAIT_S
                command = reader.wait_for_card(deadline, cancel=cancel, on_event=on_event)
                read: CardRead = await asyncio.wrap_future(command)
                if self._took(read, session, test) or read.outcome is Outcome.CANCELLED:
                    return
                if read.outcome is Outcome.DEVICE_FAULT:
                    await asyncio.sleep(READER_PAUSE_S)
        finally:
            cancel.cancel()

    def _took(self, read: CardRead, session: KioskSession, test: bool) -> bool:
        """Hand a card over, or say why there is none; True when the reading is over."""
        if test:
            return self._tested(read, session)
        if read.outcome is Outcome.NOT_SUPPORTED:
            self._emit(events.CardProgress(session.number, CardState.NOT_THIS_CARD))
        if read.card is None:
            return False
        try:
            session.take(read.card, self._hall_key)
        except SessionWiped:
            return True
        self._emit(events.CardRead(session.number, session.masked_name, session.masked_number))
        return True

    def _tested(self, read: CardRead, session: KioskSession) -> bool:
        """A technician's card is shown masked and kept nowhere."""
        if read.card is not None:
            masked = f"{read.card.masked_name} {read.card.masked_number}"
            read.card.wipe()
            self._emit(events.TestCardRead(session.number, "read", masked))
            return True
        if read.outcome in (Outcome.NOT_SUPPORTED, Outcome.DEVICE_FAULT):
            outcome = "failed" if read.detail is Detail.NONE else read.detail.value
            self._emit(events.TestCardRead(session.number, outcome))
            return True
        return False
