"""Driver of an A4 printer behind IPP: a PDF job, watched at the scheduler and at the printer until it may be believed.

A job that the scheduler calls completed has only been handed over. It counts as printed when scheduler and printer are
idle, no trouble was seen since it began, and as many sides came out as there should be; else it is UNKNOWN and staff
look. Whatever fails is taken out of the queue, or it would come out later, before the next citizen.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from pyipp.enums import IppOperation

from hardware.addresses import IppAddress
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.document_printer.document import PdfDocument
from hardware.document_printer.ipp import NOT_FOUND, NOT_POSSIBLE, IppConnection, IppRefused
from hardware.document_printer.specimen import specimen
from hardware.document_printer.state import (
    Belief,
    JobLook,
    PrinterState,
    believe,
    blocking,
    job_look,
    merged,
    of_the_queue,
    printer_state,
    status_of,
)
from hardware.errors import BadDocument, DeviceFault, HardwareError, LineLost, NoAnswer
from hardware.events import OnEvent
from hardware.print_jobs import JobOnItsWay, JobState, PrintJobStore, PrintResult, wiped
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome

_QUEUES: Final = ("/printers/", "/classes/")
"""Where a CUPS scheduler has its queues."""
MAX_PDF_BYTES: Final = 64 * 1024 * 1024
PRINTER_ATTRIBUTES: Final = [
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "marker-types",
    "marker-colors",
    "marker-names",
    "marker-levels",
    "printer-supply",
]
JOB_ATTRIBUTES: Final = [
    "job-id",
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions-completed",
    "job-media-sheets-completed",
    "time-at-processing",
]


@dataclass(frozen=True, slots=True)
class DocumentPrinterTiming:
    """Waiting times in seconds."""

    answer_s: float = 4.0
    """For the answer to one question."""
    send_s: float = 30.0
    """For taking the document."""
    look_s: float = 0.7
    """Between two looks at a job."""
    misses: int = 3
    """Unanswered looks in a row after which a printer counts as gone: a USB printer disappears for seconds at times."""
    trouble_s: float = 20.0
    """So long a printer may stand still for a cause that people can put right, before the job is given up."""
    stuck_s: float = 90.0
    """So long a job may show no progress at all."""
    settle_s: float = 15.0
    """After `completed`: so long the printer may take to become idle and count its sides."""


@dataclass(frozen=True, slots=True)
class DocumentPrinterCapabilities(Capabilities):
    """What the printer can do. `asks_printer`: whether the printer itself is asked beside its scheduler."""

    media: str
    asks_printer: bool
    tells_taken: bool = False


class _Watch:
    """What has been seen of one job since it began."""

    def __init__(self, sides: int) -> None:
        self.sides = sides
        self.trouble: Detail | None = None
        """The worst that was seen since the beginning; it is never forgotten."""
        self.looks: tuple[PrinterState, ...] = ()
        self.job = JobLook(None)
        self._moved_at = self._clear_at = time.monotonic()
        self._completed_at: float | None = None

    def see(self, job: JobLook, looks: tuple[PrinterState, ...]) -> Belief:
        """Take one look, and say what may be believed now."""
        now = time.monotonic()
        if (job.state, job.impressions) != (self.job.state, self.job.impressions):
            self._moved_at = now
        standing = next((detail for detail in map(blocking, looks) if detail is not None), None)
        if standing is None:
            self._clear_at = now
        elif self.trouble is None:
            self.trouble = standing
        if job.over and self._completed_at is None:
            self._completed_at = now
        self.job, self.looks = job, looks
        return believe(job, looks, trouble=self.trouble, sides=self.sides)

    def given_up(self, timing: DocumentPrinterTiming) -> bool:
        """Whether waiting longer makes no sense."""
        now = time.monotonic()
        if self._completed_at is not None:
            return now - self._completed_at > timing.settle_s
        return now - self._clear_at > timing.trouble_s or now - self._moved_at > timing.stuck_s


class DocumentPrinter(Device[IppConnection]):
    """A printer at `ipp://…`: a queue of a CUPS scheduler, or a printer that speaks IPP itself.

    `printer`: the address of the printer itself where `address` is a scheduler's queue; both are asked. `jobs` keeps
    the jobs; without it nothing outlives the driver.
    """

    def __init__(
        self,
        address: IppAddress,
        *,
        printer: IppAddress | None = None,
        role: Role = Role.DOCUMENT_PRINTER,
        media: str = "iso_a4_210x297mm",
        verify_tls: bool = True,
        jobs: PrintJobStore | None = None,
        on_event: OnEvent | None = None,
        timing: DocumentPrinterTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._queue, self._printer, self._media = address, printer, media
        self._scheduled = address.path.startswith(_QUEUES)
        self._timing = timing or DocumentPrinterTiming()
        self._own_jobs = jobs is None
        self._jobs = jobs or PrintJobStore(None, lambda: datetime.now(UTC))
        self._misses = 0
        self._abandoned: bool | None = None
        """Whether a job may be left in the queue: nobody answered when it was to be taken out, or this program ended
        before it could. None: not looked up yet."""
        self._last_of_printer: PrinterState | None = None
        super().__init__(
            role,
            partial(IppConnection, verify_tls=verify_tls),
            capabilities=DocumentPrinterCapabilities(media, asks_printer=printer is not None),
            on_event=on_event,
            supervision=supervision or Supervision(probe_timeout_s=2 * self._timing.answer_s + 1),
        )

    def print(
        self,
        document: PdfDocument,
        deadline: float,
        *,
        job: str | None = None,
        reprint_of: str | None = None,
        label: str = "",
        cancel: CancelToken | None = None,
        on_state: Callable[[JobState], None] | None = None,
    ) -> "Future[PrintResult]":
        """Print one document as `job`, under the same rules as a ticket printer's slip; `document.pdf` is overwritten
        whatever happens. The result's `pages` are the sides that are known to have come out."""
        on_its_way = JobOnItsWay(self._jobs, self.role, job, reprint_of, on_state or (lambda _: None), label=label)

        def failed(error: HardwareError) -> PrintResult:
            with wiped(document.pdf):
                return on_its_way.failed(error)

        return self._submit(partial(self._print, document, on_its_way), failed=failed, deadline=deadline, cancel=cancel)

    def clear_queue(self, deadline: float) -> "Future[Outcome]":
        """Take every job that waits out of the queue. For staff, before the next citizen."""

        def clear(run: Run[IppConnection]) -> Outcome:
            return Outcome.DONE if self._clear(run) else Outcome.UNKNOWN

        return self._submit(clear, failed=lambda error: error.outcome, deadline=deadline)

    def close(self) -> None:
        super().close()
        if self._own_jobs:
            self._jobs.close()

    # --- one document (device's thread) --------------------------------------------------------

    def _print(self, document: PdfDocument, job: JobOnItsWay, run: Run[IppConnection]) -> PrintResult:
        with wiped(document.pdf):
            if not document.pdf.startswith(b"%PDF-") or len(document.pdf) > MAX_PDF_BYTES:
                raise BadDocument("no PDF, or a very large one")
            job.enter(JobState.PREFLIGHT)
            self._preflight(run)
            job_id = self._create(document, job, run)
            try:
                run.commit()
                job.enter(JobState.SENDING)
                self._send(bytes(document.pdf), job_id, run)
                job.enter(JobState.SENT)
            except HardwareError as error:
                last = self._give_up(run, job_id)
                if job.state is JobState.SENDING and last is not None and _never_printed(last):
                    job.enter(JobState.FAILED, error.detail)
                    return PrintResult(job.state, error.outcome, error.detail, pages=0)
                raise
        return self._watched(job, job_id, _Watch(document.sides), run)

    def _preflight(self, run: Run[IppConnection]) -> None:
        status, _ = self._look(run)
        run.report(status)
        if status.health is Health.FAULT:
            raise DeviceFault(status.detail)
        if not self._clear(run):
            raise DeviceFault(Detail.JOB_STUCK)

    def _create(self, document: PdfDocument, job: JobOnItsWay, run: Run[IppConnection]) -> int:
        """A job without a document: nothing can come out of it, and it has an id by which it can be taken back."""
        wanted = {
            "job-name": job.kept.job[:200],
            "ipp-attribute-fidelity": False,
        }
        template = {
            "copies": 1,
            "media": self._media,
            "sides": "two-sided-long-edge" if document.double_sided else "one-sided",
        }
        answer = self._ask(
            run, IppOperation.CREATE_JOB, {"operation-attributes-tag": wanted, "job-attributes-tag": template}
        )
        job_id = next((entry.get("job-id") for entry in answer["jobs"]), None)
        if not isinstance(job_id, int):
            raise NoAnswer(f"{self._queue}: no job id")
        return job_id

    def _send(self, pdf: bytes, job_id: int, run: Run[IppConnection]) -> None:
        attributes = {"job-id": job_id, "document-format": "application/pdf", "last-document": True}
        groups = {"operation-attributes-tag": attributes, "data": pdf}
        run.connection.ask(
            self._queue, IppOperation.SEND_DOCUMENT, groups, within_s=self._timing.send_s, check=run.check
        )

    def _watched(self, job: JobOnItsWay, job_id: int, watch: _Watch, run: Run[IppConnection]) -> PrintResult:
        """Look until the job may be believed, or makes no progress; then nothing of it is left in the queue."""
        try:
            belief = self._watch(job, job_id, watch, run)
        except HardwareError as error:  # the deadline passed, or nobody answers any more
            stuck = Detail.JOB_STUCK if error.outcome is Outcome.TIMED_OUT else error.detail
            belief = Belief(None, final=True, detail=watch.trouble or stuck)
        if belief.done is None:
            last = self._give_up(run, job_id)
            if last is not None and (after := watch.see(last, ())).done is False:
                belief = after
        return self._ended(job, watch, belief)

    def _watch(self, job: JobOnItsWay, job_id: int, watch: _Watch, run: Run[IppConnection]) -> Belief:
        missed = 0
        while True:
            run.pause(self._timing.look_s)
            try:
                looked = self._look_at_job(run, job_id)
                status, looks = self._look(run)
            except NoAnswer:
                missed += 1
                if missed >= self._timing.misses:
                    raise
                continue
            missed = 0
            run.report(status)
            if looked is None:
                return Belief(None, final=True, detail=Detail.JOB_LOST)
            belief = watch.see(looked, looks)
            job.cause = watch.trouble or Detail.NONE
            if belief.final or watch.given_up(self._timing):
                return belief

    def _ended(self, job: JobOnItsWay, watch: _Watch, belief: Belief) -> PrintResult:
        sides = watch.job.impressions
        if belief.done:
            job.enter(JobState.PRINTED)
            return PrintResult(job.state, Outcome.DONE, pages=sides)
        if belief.done is False:
            job.enter(JobState.FAILED, belief.detail)
            return PrintResult(job.state, Outcome.DEVICE_FAULT, belief.detail, pages=0)
        job.enter(JobState.UNKNOWN, belief.detail)
        return PrintResult(job.state, Outcome.UNKNOWN, belief.detail, pages=sides)

    # --- the queue (device's thread) -----------------------------------------------------------

    def _give_up(self, run: Run[IppConnection], job_id: int) -> JobLook | None:
        """Take a job out of the queue, past every deadline; what it is now, or None when nobody says."""
        cancel = {"operation-attributes-tag": {"job-id": job_id}}
        try:
            run.connection.ask(self._queue, IppOperation.CANCEL_JOB, cancel, within_s=self._timing.answer_s)
        except IppRefused as refused:
            if refused.status in NOT_FOUND:
                return None
        except HardwareError:
            self._abandoned = True
            return None
        until = time.monotonic() + self._timing.answer_s
        looked: JobLook | None = None
        while time.monotonic() < until:
            try:
                looked = self._look_at_job(run, job_id, checked=False)
            except HardwareError:
                return None
            if looked is None or looked.over:
                break
            time.sleep(min(0.1, self._timing.look_s))
        return looked

    def _clear(self, run: Run[IppConnection]) -> bool:
        """Whether no job is left in the queue."""
        for _ in range(self._timing.misses):
            waiting = self._waiting(run)
            if not waiting:
                return True
            for job_id in waiting:
                self._give_up(run, job_id)
        return not self._waiting(run)

    def _waiting(self, run: Run[IppConnection]) -> list[int]:
        wanted = {"which-jobs": "not-completed", "requested-attributes": JOB_ATTRIBUTES}
        answer = self._ask(run, IppOperation.GET_JOBS, {"operation-attributes-tag": wanted})
        return [entry["job-id"] for entry in answer["jobs"] if isinstance(entry.get("job-id"), int)]

    # --- looks (device's thread) ---------------------------------------------------------------

    def _probe(self, run: Run[IppConnection]) -> DeviceStatus:
        status = self._look(run)[0]
        if self._abandoned is None:
            self._abandoned = self._broken_off_earlier()
        if self._abandoned:  # a scheduler that was away keeps its jobs, and would print them now
            self._abandoned = not self._clear(run)
        return status

    def _broken_off_earlier(self) -> bool:
        try:
            unsettled = self._jobs.unsettled().result()
        except HardwareError:
            return True
        return any(job.device == self.role and job.detail is Detail.INTERRUPTED for job in unsettled)

    def _look(self, run: Run[IppConnection]) -> tuple[DeviceStatus, tuple[PrinterState, ...]]:
        """Scheduler and printer; a printer that is missed now and then counts as it was."""
        queue = self._state(run, self._queue)
        if self._scheduled:
            queue = of_the_queue(queue, printer_asked=self._printer is not None)
        if self._printer is None:
            return status_of(queue), (queue,)
        try:
            self._last_of_printer = self._state(run, self._printer)
            self._misses = 0
        except (LineLost, NoAnswer):
            self._misses += 1
        except IppRefused:
            self._last_of_printer = PrinterState(None)
        if self._misses >= self._timing.misses:
            self._last_of_printer = PrinterState(None, ("offline",))
        printer = self._last_of_printer or PrinterState(None)
        return merged(status_of(queue), status_of(printer)), (queue, printer)

    def _state(self, run: Run[IppConnection], where: IppAddress) -> PrinterState:
        groups = {"operation-attributes-tag": {"requested-attributes": PRINTER_ATTRIBUTES}}
        answer = run.connection.ask(
            where, IppOperation.GET_PRINTER_ATTRIBUTES, groups, within_s=self._timing.answer_s, check=run.check
        )
        return printer_state(next(iter(answer["printers"]), {}))

    def _look_at_job(self, run: Run[IppConnection], job_id: int, *, checked: bool = True) -> JobLook | None:
        """None when the job is not known any more."""
        attributes = {"job-id": job_id, "requested-attributes": JOB_ATTRIBUTES}
        try:
            answer = run.connection.ask(
                self._queue,
                IppOperation.GET_JOB_ATTRIBUTES,
                {"operation-attributes-tag": attributes},
                within_s=self._timing.answer_s,
                check=run.check if checked else lambda: None,
            )
        except IppRefused as refused:
            if refused.status in NOT_FOUND | {NOT_POSSIBLE}:
                return None
            raise
        return job_look(next(iter(answer["jobs"]), {}))

    def _ask(self, run: Run[IppConnection], operation: IppOperation, groups: dict[str, Any]) -> dict[str, Any]:
        return run.connection.ask(self._queue, operation, groups, within_s=self._timing.answer_s, check=run.check)

    def _self_test(self, run: Run[IppConnection], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
            step.measured = ", ".join(f"{name} {level} %" for name, level in sorted(status.levels.items()))
        if steps.failed:
            return
        with steps.step("page", Request.TAKE_SLIP) as step:
            job = JobOnItsWay(self._jobs, self.role, None, None, lambda _: None)
            try:
                printed = self._print(specimen(), job, run)
            except HardwareError as error:
                printed = job.failed(error)
            step.result(printed.outcome, printed.detail)
            step.measured = f"{printed.pages} page" if printed.pages is not None else ""


def _never_printed(job: JobLook) -> bool:
    return believe(job, (), trouble=None, sides=1).done is False
