"""Driver of an ESC/POS ticket printer: status, and printing a slip with proof.

Order of one slip: `DLE EOT` 1 to 4 → data and feed → fence → cut → fence → `DLE EOT` 3. A finished write proves
nothing; only the fence's answer does. Once the first byte of a slip has been sent nothing is ever repeated by itself.
"""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.errors import DeviceFault, HardwareError, LineLost, NoAnswer
from hardware.events import OnEvent
from hardware.lines import Line
from hardware.print_jobs import JobOnItsWay, JobState, PrintJobStore, PrintResult, wiped
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.ticket_printer import forecast
from hardware.ticket_printer.codec import FORGET_WHAT_WAITS, Answer, FenceEcho, fence_id_of, status_of
from hardware.ticket_printer.conversation import Conversation, PrinterTiming, fence_bytes, send
from hardware.ticket_printer.document import Logo, PrintDocument
from hardware.ticket_printer.encode import Encoded, cut, encode_document, separator
from hardware.ticket_printer.information import FIRMWARE, MAKER, MODEL, store_picture
from hardware.ticket_printer.profile import (
    Fence,
    Identity,
    Presenter,
    PrinterProfile,
    Probed,
    settled,
)
from hardware.ticket_printer.raster import SlipFont
from hardware.ticket_printer.specimen import specimen
from hardware.usb_line import open_printer_line
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome, Supply

_UNCUT: Final = "uncut"


@dataclass(frozen=True, slots=True)
class TicketPrinterCapabilities(Capabilities):
    """What the printer can do. `tells_taken`: whether it sees that a slip was taken; else TAKEN is never reached."""

    width_dots: int
    columns: int
    native_qr: bool
    fence: Fence
    cuts: bool
    tells_taken: bool
    tells_paper_low: bool


class _Slip:
    """A document with its job; the document is given out once, and nothing keeps it after that."""

    def __init__(self, document: PrintDocument, job: JobOnItsWay) -> None:
        self._document: PrintDocument | None = document
        self.job = job

    def take(self) -> PrintDocument:
        document, self._document = self._document, None
        if document is None:
            raise RuntimeError("a slip is printed once")
        return document

    def failed(self, error: HardwareError) -> PrintResult:
        self._document = None
        return self.job.failed(error)


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """A slip whose fence has not come back: it may still, once the paper is there again."""

    fence_id: bytes
    job: JobOnItsWay


@dataclass(slots=True)
class _InMouth:
    """A printed slip that the citizen has not been seen to take."""

    job: JobOnItsWay
    since: float
    seen: bool = False


class TicketPrinter(Device[Line]):
    """A printer at `serial:…`, `tcp:…`, `usb:<vendor>:<product>` or `usblp:/dev/usb/lp0`.

    `font` draws what the printer's own font cannot. `jobs` keeps the jobs and the paper count; without it nothing
    outlives the driver. Raises `BadAddress`, and OSError for a font that cannot be read.
    """

    listens = True

    def __init__(
        self,
        address: str,
        font: Path,
        *,
        role: Role = Role.TICKET_PRINTER,
        profile: PrinterProfile | None = None,
        jobs: PrintJobStore | None = None,
        on_event: OnEvent | None = None,
        timing: PrinterTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._profile = model = profile or PrinterProfile()
        self._timing = timing or PrinterTiming()
        self._font = SlipFont(font)
        self._own_jobs = jobs is None
        self._jobs = jobs or PrintJobStore(None, lambda: datetime.now(UTC))
        self._talk = Conversation(role, self._timing, self._note, self._judged)
        self._fence_numbers = itertools.count(int(time.time()) & 0xFFFF)
        self._unsettled: _Unsettled | None = None
        self._in_mouth: _InMouth | None = None
        self._greeted: Line | None = None
        self._kept_pictures: frozenset[str] = frozenset()
        self._counters: dict[str, float] | None = None
        self._roll: forecast.Roll | None = None
        self._paper = Supply.UNKNOWN
        capabilities = TicketPrinterCapabilities(
            width_dots=model.width_dots,
            columns=model.columns,
            native_qr=model.native_qr,
            fence=model.fence,
            cuts=cut(model) != b"",
            tells_taken=model.presenter is not Presenter.NONE,
            tells_paper_low=model.near_end_sensor,
        )
        opener = open_printer_line(address)
        super().__init__(role, opener, capabilities=capabilities, on_event=on_event, supervision=supervision)

    def print(
        self,
        document: PrintDocument,
        deadline: float,
        *,
        job: str | None = None,
        reprint_of: str | None = None,
        label: str = "",
        cancel: CancelToken | None = None,
        on_state: Callable[[JobState], None] | None = None,
    ) -> "Future[PrintResult]":
        """Print one slip as `job` (an id that says nothing of a person, used once; one is made up where none is given);
        `label` is by what staff know the paper, such as its number.

        Printing again what was printed before is a new job that names the old one as `reprint_of`; its document bears
        补打. A cancel is heard until SENDING. `on_state` hears each state before what it names is done, on the
        printer's thread; PRINTED may still come after UNKNOWN, and TAKEN follows by itself where the printer tells.
        """
        on_its_way = JobOnItsWay(self._jobs, self.role, job, reprint_of, on_state or (lambda _: None), label=label)
        slip = _Slip(document, on_its_way)
        return self._submit(partial(self._print, slip), failed=slip.failed, deadline=deadline, cancel=cancel)

    def identify(self, deadline: float) -> "Future[Probed | None]":
        """Find out the model and the fences that it answers; None when it does not answer at all.

        For a technician: a printer that does not know a question may print some of its letters.
        """
        return self._submit(self._identify, failed=lambda _: None, deadline=deadline)

    def store_logo(self, logo: Logo, deadline: float) -> "Future[Outcome]":
        """Keep a picture in the printer. For a technician: the memory takes only so many writings in its life."""
        return self._submit(partial(self._store_logo, logo), failed=lambda error: error.outcome, deadline=deadline)

    def recover(self, deadline: float) -> "Future[DeviceStatus]":
        """After a person has cleared a jam: the printer forgets what it still held, and is asked how it is."""

        def forget(run: Run[Line]) -> DeviceStatus:
            run.write(FORGET_WHAT_WAITS)
            status = self._talk.look(run)
            run.report(status)
            return status

        return self._submit(forget, failed=lambda error: DeviceStatus(Health.UNKNOWN, error.detail), deadline=deadline)

    def roll_loaded(self, deadline: float) -> "Future[Outcome]":
        """Somebody has loaded a fresh roll, and says so."""

        def load(run: Run[Line]) -> Outcome:
            self._keep_roll(forecast.new_roll(self._paper_roll(), self._profile.roll_mm))
            run.report(self._probe(run))
            return Outcome.DONE

        return self._submit(load, failed=lambda error: error.outcome, deadline=deadline)

    def close(self) -> None:
        super().close()
        if self._own_jobs:
            self._jobs.close()

    # --- one slip (device's thread) ------------------------------------------------------------

    def _print(self, slip: _Slip, run: Run[Line]) -> PrintResult:
        encoded = encode_document(slip.take(), self._profile, self._font, self._kept_pictures)
        with wiped(encoded.stream):
            return self._print_encoded(encoded, slip.job, run)

    def _print_encoded(self, encoded: Encoded, job: JobOnItsWay, run: Run[Line]) -> PrintResult:
        model = self._profile
        job.enter(JobState.PREFLIGHT)
        status = self._preflight(run)
        run.report(status)
        if status.health is Health.FAULT:
            raise DeviceFault(status.detail)
        self._talk.pay_what_is_owed(run)
        run.commit()
        job.enter(JobState.SENDING)
        self._in_mouth = None
        fence_id = self._next_fence()
        if self._uncut():
            send(run, separator(model))
        self._keep_uncut(uncut=True)
        self._unsettled = _Unsettled(fence_id, job)
        try:
            send(run, encoded.stream)
            send(run, fence_bytes(model.fence, fence_id))
            job.enter(JobState.SENT)
            self._talk.await_fence(run, model.fence, fence_id, job)
        except HardwareError:
            self._count_paper(encoded.height_dots, whole=False)
            raise
        self._unsettled = None
        job.enter(JobState.PRINTED)
        self._count_paper(encoded.height_dots, whole=True)
        fence_id = self._next_fence()
        send(run, cut(model) + fence_bytes(model.fence, fence_id))
        self._talk.await_fence(run, model.fence, fence_id, job)
        self._keep_uncut(uncut=False)
        return self._after_cut(run, job)

    def _after_cut(self, run: Run[Line], job: JobOnItsWay) -> PrintResult:
        error = self._talk.ask(run, 3)
        if error is not None and (status := status_of({3: error})).health is Health.FAULT:
            run.report(self._judged(status))
            self._keep_uncut(uncut=True)
            return PrintResult(job.state, Outcome.DEVICE_FAULT, status.detail)
        if self._profile.presenter is not Presenter.NONE:
            self._in_mouth = _InMouth(job, time.monotonic())
            self._look_at_mouth(run)
        return PrintResult(job.state, Outcome.DONE)

    def _preflight(self, run: Run[Line]) -> DeviceStatus:
        """Status before the first byte. A connection that a printer dropped while idle is opened again here."""
        try:
            return self._talk.look(run)
        except LineLost:
            run.reopen()
            return self._talk.look(run)

    def _next_fence(self) -> bytes:
        return fence_id_of(next(self._fence_numbers))

    def _note(self, answers: list[Answer]) -> None:
        """Hear a fence that comes late, after its slip was given up as unknown."""
        late = self._unsettled
        if late is not None and late.job.state is JobState.UNKNOWN and FenceEcho(late.fence_id) in answers:
            self._unsettled = None
            late.job.enter(JobState.PRINTED)

    # --- state (device's thread) ---------------------------------------------------------------

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        try:
            status = self._talk.look(run)
        except NoAnswer as error:
            return DeviceStatus(Health.UNKNOWN, error.detail)
        if status.usable and self._greeted is not run.connection:
            self._greet(run)
        return self._with_mouth(status, self._look_at_mouth(run)) if self._in_mouth is not None else status

    def _listen(self, run: Run[Line]) -> None:
        """Changes that the printer tells by itself, where it does; a connection that it drops is opened again."""
        while True:
            if not self._profile.automatic_status:
                run.pause(self._timing.idle_s)
                continue
            try:
                status = self._talk.hear(run, time.monotonic() + self._timing.idle_s)
            except LineLost:
                run.reopen()
                return
            if status is not None:
                run.report(status)

    def _greet(self, run: Run[Line]) -> None:
        """Once for each connection."""
        self._greeted = run.connection
        if self._profile.automatic_status:
            self._talk.want_changes(run)
        if self._profile.stored_logos:
            self._kept_pictures = self._talk.kept_pictures(run)

    def _look_at_mouth(self, run: Run[Line]) -> bool:
        """Whether a slip has been hanging in the mouth for too long; one that was there and is gone has been taken."""
        waiting = self._in_mouth
        full = self._talk.full_status(run)
        if waiting is None or full is None:
            return False
        if full.slip_in_mouth:
            waiting.seen = True
            return time.monotonic() - waiting.since > self._timing.not_taken_s
        if waiting.seen:
            self._in_mouth = None
            waiting.job.enter(JobState.TAKEN)
        return False

    def _with_mouth(self, status: DeviceStatus, forgotten: bool) -> DeviceStatus:
        if not forgotten or status.health is not Health.OK:
            return status
        return DeviceStatus(Health.DEGRADED, Detail.SLIP_NOT_TAKEN, status.supplies, status.levels)

    def _judged(self, status: DeviceStatus) -> DeviceStatus:
        """A status of the sensors, completed by what the paper count says."""
        sensed = status.supplies.get(forecast.PAPER, Supply.UNKNOWN)
        if not self._profile.near_end_sensor and sensed is Supply.LOW:
            sensed = Supply.OK
        roll = forecast.after_look(
            self._paper_roll(),
            self._paper,
            sensed,
            cover_open=status.detail is Detail.COVER_OPEN,
            length_mm=self._profile.roll_mm,
            near_end_mm=self._profile.near_end_mm,
        )
        if sensed is not Supply.UNKNOWN and status.detail is not Detail.COVER_OPEN:
            self._paper = sensed
        self._keep_roll(roll)
        paper = forecast.supply(sensed, roll)
        health, detail = status.health, status.detail
        if health in {Health.OK, Health.DEGRADED}:
            low = paper is Supply.LOW
            health, detail = (Health.DEGRADED, Detail.PAPER_LOW) if low else (Health.OK, Detail.NONE)
        return DeviceStatus(health, detail, {forecast.PAPER: paper}, {"slips": roll.slips_left})

    def _uncut(self) -> bool:
        """Whether something of an earlier slip may hang out of the printer, also one of an earlier start."""
        return bool(self._kept().get(_UNCUT, 0.0))

    def _keep_uncut(self, *, uncut: bool) -> None:
        self._kept()[_UNCUT] = float(uncut)
        self._jobs.set_counters(self.role, {_UNCUT: float(uncut)})

    def _kept(self) -> dict[str, float]:
        """What was kept of this printer when the driver started."""
        if self._counters is None:
            try:
                self._counters = self._jobs.counters(self.role).result()
            except HardwareError:
                self._counters = {}
        return self._counters

    def _paper_roll(self) -> forecast.Roll:
        if self._roll is None:
            self._roll = forecast.roll_of(self._kept(), self._profile.roll_mm)
        return self._roll

    def _keep_roll(self, roll: forecast.Roll) -> None:
        if roll != self._roll:
            self._roll = roll
            self._jobs.set_counters(self.role, roll.counters())

    def _count_paper(self, dots: int, *, whole: bool) -> None:
        mm = dots / self._profile.dots_per_mm
        self._keep_roll(forecast.after_paper(self._paper_roll(), mm, whole_slip=whole))

    # --- a technician's acts (device's thread) -------------------------------------------------

    def _identify(self, run: Run[Line]) -> Probed:
        status = self._talk.look(run)
        run.report(status)
        if not status.usable:
            raise DeviceFault(status.detail)
        maker, model, firmware = (self._talk.information(run, n) for n in (MAKER, MODEL, FIRMWARE))
        fences = frozenset(fence for fence in Fence if self._talk.knows_fence(run, fence, self._next_fence()))
        return settled(Identity(maker, model, firmware), fences)

    def _store_logo(self, logo: Logo, run: Run[Line]) -> Outcome:
        if not self._profile.stored_logos:
            return Outcome.NOT_SUPPORTED
        picture = logo.image
        send(run, store_picture(logo.key, picture.width, picture.height, picture.bits))
        self._kept_pictures = self._talk.kept_pictures(run)
        return Outcome.DONE if logo.key in self._kept_pictures else Outcome.UNKNOWN

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
        if steps.failed:
            return
        with steps.step("slip_with_fence", Request.TAKE_SLIP) as step:
            job = JobOnItsWay(self._jobs, self.role, None, None, lambda _: None)
            slip = _Slip(specimen(self._profile), job)
            try:
                printed = self._print(slip, run)
            except HardwareError as error:
                printed = slip.failed(error)
            step.result(printed.outcome, printed.detail)
