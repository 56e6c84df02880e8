"""Slips on their way: each a print job that outlives a crash, printed once, and its outcome told to all.

A ticket's slip is the job `ticket:<id>`, and that id is printed once. Printing it again is an explicit act, a job of
its own that names the first, and its slip bears 补打.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hardware.errors import HardwareError
from hardware.print_jobs import JobState, PrintJob, PrintJobStore, WrongStep
from hardware.roles import Role
from hardware.vocabulary import Detail
from kiosk import slip
from kiosk.devices import Devices, Emit
from kiosk.journeys import events
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.effects import PrintSlip
from kiosk.journeys.views import SlipState
from kiosk.requests import Requests
from kiosk.translate import paper_of, slip_fact, unsettled_job

_TICKET: Final = "ticket:"
_STATES: Final = {
    SlipState.PRINTED: JobState.PRINTED,
    SlipState.NOT_PRINTED: JobState.FAILED,
    SlipState.UNKNOWN: JobState.UNKNOWN,
}

_CAUSES: Final = {Detail.INTERRUPTED: "restart", Detail.SEEN_BY_STAFF: "seen_by_staff"}

log = structlog.get_logger(__name__)


class Printing:
    """`clock` gives UTC."""

    def __init__(
        self,
        devices: Devices,
        jobs: PrintJobStore,
        requests: Requests,
        emit: Emit,
        *,
        terminal: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices, self._jobs, self._requests, self._emit = devices, jobs, requests, emit
        self._terminal = terminal
        self._clock = clock

    async def ticket(self, job: PrintSlip, catalogue: Catalogue) -> None:
        """Print a ticket's slip. What cannot be kept as a job is not printed: after a crash it might come twice."""
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
        first = f"{_TICKET}{job.ticket.ticket}"
        name = f"{first}:{secrets.token_hex(4)}" if job.reprint else first
        late = partial(self._done, job, name, SlipState.PRINTED, None)
        outcome, cause = await self._devices.print(
            document, late, job=name, label=job.ticket.number, reprint_of=first if job.reprint else None
        )
        self._done(job, name, outcome, cause)

    async def settle_earlier_run(self) -> bool:
        """What became of slips of which the journal does not know yet, such as those that a crash broke off.

        False if that cannot be known.
        """
        try:
            untold = await asyncio.wrap_future(self._jobs.untold())
        except HardwareError as error:
            log.error("print_jobs_not_read", detail=error.detail)
            return False
        for job in untold:
            self._tell(job)
        await self._requests.idle()
        return True

    async def list_unsettled(self) -> None:
        """Tell the journey which jobs somebody has to look at."""
        try:
            found = await asyncio.wrap_future(self._jobs.unsettled())
        except HardwareError as error:
            log.error("print_jobs_not_read", detail=error.detail)
            self._emit(events.UnsettledJobs(None))
        else:
            self._emit(events.UnsettledJobs(tuple(unsettled_job(job) for job in found)))

    async def settle(self, job: str, *, printed: bool) -> None:
        """Somebody has seen what became of a job's paper. One that a late proof settled before stays as it was."""
        try:
            settled = await asyncio.wrap_future(self._jobs.resolve(job, printed=printed))
        except (WrongStep, KeyError):
            log.info("print_job_settled_before", job=job)
        except HardwareError as error:
            log.error("print_job_not_settled", job=job, detail=error.detail)
        else:
            log.info("print_job_settled", job=job, state=settled.state)
            self._tell(settled)
        await self.list_unsettled()

    def _tell(self, job: PrintJob) -> None:
        """Journal what became of a kept job's paper; one that is no ticket's is nobody's business."""
        ticket = (job.reprint_of or job.job).partition(_TICKET)[2]
        if not ticket:
            self._jobs.told(job)
            return
        outcome = paper_of(job.state)
        cause = _CAUSES.get(job.detail)
        fact = slip_fact(ticket, outcome, cause, reprint=job.reprint_of is not None)
        self._requests.slip(fact, f"{job.job}={outcome}", partial(self._jobs.told, job))

    def _done(self, job: PrintSlip, name: str, outcome: SlipState, cause: str | None) -> None:
        fact = slip_fact(job.ticket.ticket, outcome, cause, reprint=job.reprint)
        kept = PrintJob(name, Role.TICKET_PRINTER, state=_STATES[outcome])
        self._requests.slip(fact, f"{name}={outcome}", partial(self._jobs.told, kept))
        self._emit(events.SlipDone(job.job, outcome, cause))
