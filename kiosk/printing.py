"""Slips on their way: kept in the journal before the first byte, printed once, and their outcome told to all."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from kiosk import slip
from kiosk.devices import Devices, Emit
from kiosk.errors import JournalFault
from kiosk.journal import Journal
from kiosk.journeys import events
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.effects import PrintSlip
from kiosk.journeys.views import SlipState
from kiosk.requests import Requests
from kiosk.translate import slip_fact

log = structlog.get_logger(__name__)


class Printing:
    """`clock` gives UTC."""

    def __init__(
        self,
        devices: Devices,
        journal: Journal,
        requests: Requests,
        emit: Emit,
        *,
        terminal: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices, self._journal, self._requests, self._emit = devices, journal, requests, emit
        self._terminal = terminal
        self._clock = clock

    async def ticket(self, job: PrintSlip, catalogue: Catalogue) -> None:
        """Print a ticket's slip. Without the journal nothing is printed: after a crash it might come twice."""
        ticket = job.ticket.ticket
        try:
            await self._journal.begin_print(ticket, reprint=job.reprint)
        except JournalFault as fault:
            log.error("print_not_journaled", reason=fault.reason)
            self._emit(events.SlipDone(job.job, SlipState.NOT_PRINTED, "journal_fault"))
            self._emit(events.JournalChanged(writable=False))
            return
        document = await asyncio.to_thread(
            slip.lay_out,
            job.ticket,
            catalogue,
            language=job.language,
            masked_name=job.masked_name,
            terminal=self._terminal,
            printed_at=self._clock(),
            reprint=job.reprint,
        )
        outcome, cause = await self._devices.print(document, late=partial(self._done, job, SlipState.PRINTED, None))
        self._done(job, outcome, cause)

    async def test(self, job: int) -> None:
        document = slip.test_page(self._terminal, self._clock())
        outcome, cause = await self._devices.print(document, late=lambda: None)
        self._emit(events.SlipDone(job, outcome, cause))

    def _done(self, job: PrintSlip, outcome: SlipState, cause: str | None) -> None:
        self._requests.slip(slip_fact(job.ticket.ticket, outcome, cause, reprint=job.reprint))
        self._emit(events.SlipDone(job.job, outcome, cause))
