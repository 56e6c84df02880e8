"""Driver of an ESC/POS ticket printer: status, and printing a slip with proof.

Order of one slip: `DLE EOT` 1 to 4 → data and feed → fence → cut → fence → `DLE EOT` 3. A finished write proves
nothing; only the fence's answer does. Once the first byte of a slip has been sent nothing is ever repeated by itself.
"""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import Field

from hardware.addresses import parse_line_address
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options, asset
from hardware.errors import DeviceFault, HardwareError, LineLost, NoAnswer
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.lines import Line, open_line
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.ticket_printer.codec import (
    ASK_PAPER_IN_ORDER,
    REAL_TIME_QUESTIONS,
    Answer,
    AnswerClassifier,
    FenceEcho,
    OrderedPaperStatus,
    RealTimeStatus,
    ask_fence,
    ask_real_time,
    fence_id_of,
    status_of,
)
from hardware.ticket_printer.document import Align, PrintDocument, QrCode, Rule, Text
from hardware.ticket_printer.encode import CUT, encode_document, separator
from hardware.ticket_printer.profile import ChineseFont, Fence, PrinterProfile
from hardware.ticket_printer.raster import SlipFont
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs

PIECE_BYTES: Final = 1024
_TEST_SLIP: Final = PrintDocument(
    (
        Text("打印机自检 Printer self-test", bold=True, align=Align.CENTER),
        Rule(),
        Text("汉字：永和九年，岁在癸丑。㛃", width=1),
        Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"),
        QrCode("SELF-TEST"),
        Text("请核对字迹清晰、二维码可扫、切口整齐。"),
    )
)


class PrintState(StrEnum):
    """Where a print job is. FAILED: nothing was printed. UNKNOWN: perhaps, perhaps in part; a person looks."""

    QUEUED = "queued"
    PREFLIGHT = "preflight"
    SENDING = "sending"
    SENT = "sent"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrintResult:
    """How a job ended.

    DONE: printed and cut. DEVICE_FAULT, CANCELLED, TIMED_OUT, NOT_SUPPORTED with state FAILED: no byte of the slip was
    sent. UNKNOWN with state UNKNOWN: `detail` is the likely cause. State PRINTED with another outcome than DONE: the
    slip is there, but was not cut as it should.
    """

    state: PrintState
    outcome: Outcome
    detail: Detail = Detail.NONE

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


@dataclass(frozen=True, slots=True)
class PrinterTiming:
    """Waiting times in seconds."""

    answer_s: float = 0.5
    """For the answer to one real-time question."""
    misses: int = 3
    """Unanswered questions in a row after which the printer counts as silent."""
    look_interval_s: float = 0.3
    """Between two looks at the status while a fence is awaited."""


class _Job:
    """One slip on its way: what has happened, and who is told."""

    def __init__(self, document: PrintDocument, on_state: Callable[[PrintState], None]) -> None:
        self.document = document
        self.state = PrintState.QUEUED
        self.cause = Detail.NONE
        self._on_state = on_state

    def enter(self, state: PrintState) -> None:
        self.state = state
        self._on_state(state)

    def failed(self, error: HardwareError) -> PrintResult:
        """The result when `error` ended the job where it was."""
        if self.state in {PrintState.SENDING, PrintState.SENT}:
            self.enter(PrintState.UNKNOWN)
            return PrintResult(
                self.state, Outcome.UNKNOWN, self.cause if self.cause is not Detail.NONE else error.detail
            )
        if self.state is PrintState.PRINTED:
            fault = isinstance(error, DeviceFault)
            return PrintResult(self.state, Outcome.DEVICE_FAULT if fault else Outcome.UNKNOWN, error.detail)
        self.enter(PrintState.FAILED)
        return PrintResult(self.state, error.outcome, error.detail)


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """A slip whose fence has not come back: it may still, once the paper is there again."""

    fence_id: bytes
    job: _Job


@dataclass(frozen=True, slots=True)
class TicketPrinterCapabilities(Capabilities):
    """What the printer can do."""

    width_dots: int
    columns: int
    native_qr: bool
    fence: Fence


class TicketPrinter(Device[Line]):
    """A printer on a line such as `tcp:192.0.2.7:9100` or `serial:/dev/serial/by-id/…`.

    `font` draws what the printer's own font cannot. Raises `BadAddress`, and OSError for a font that cannot be read.
    """

    def __init__(
        self,
        address: str,
        font: Path,
        *,
        role: Role = Role.TICKET_PRINTER,
        profile: PrinterProfile | None = None,
        on_event: OnEvent | None = None,
        timing: PrinterTiming | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._profile = profile or PrinterProfile()
        self._timing = timing or PrinterTiming()
        self._font = SlipFont(font)
        self._answers = AnswerClassifier()
        self._fence_numbers = itertools.count(int(time.time()) & 0xFFFF)
        self._unsettled: _Unsettled | None = None
        self._uncut = False
        model = self._profile
        super().__init__(
            role,
            partial(open_line, parse_line_address(address)),
            capabilities=TicketPrinterCapabilities(model.width_dots, model.columns, model.native_qr, model.fence),
            on_event=on_event,
            supervision=supervision,
        )

    def print(
        self,
        document: PrintDocument,
        deadline: float,
        *,
        cancel: CancelToken | None = None,
        on_state: Callable[[PrintState], None] | None = None,
    ) -> "Future[PrintResult]":
        """Print one slip. A cancel is heard until SENDING; after that the slip is on its way.

        `on_state` hears each state before what it names is done (so a journal that writes in it knows of SENDING before
        the first byte), on the printer's thread. PRINTED may still come after UNKNOWN, when the printer answers late.
        """
        job = _Job(document, on_state or (lambda _: None))
        job.enter(PrintState.QUEUED)
        return self._submit(partial(self._print, job), failed=job.failed, deadline=deadline, cancel=cancel)

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
        if steps.failed:
            return
        with steps.step("slip_with_fence", Request.TAKE_SLIP) as step:
            job = _Job(_TEST_SLIP, lambda _: None)
            try:
                printed = self._print(job, run)
            except HardwareError as error:
                printed = job.failed(error)
            step.result(printed.outcome, printed.detail)

    def _print(self, job: _Job, run: Run[Line]) -> PrintResult:
        commands = encode_document(job.document, self._profile, self._font)
        job.enter(PrintState.PREFLIGHT)
        status = self._preflight(run)
        run.report(status)
        if status.health is Health.FAULT:
            raise DeviceFault(status.detail)
        run.commit()
        job.enter(PrintState.SENDING)
        fence_id = self._next_fence()
        if self._uncut:
            commands = separator(self._profile) + commands
        self._uncut = True
        self._unsettled = _Unsettled(fence_id, job)
        self._send(run, [*commands, self._fence(fence_id)])
        job.enter(PrintState.SENT)
        self._await_fence(run, fence_id, job)
        self._unsettled = None
        job.enter(PrintState.PRINTED)
        fence_id = self._next_fence()
        self._send(run, [CUT, self._fence(fence_id)])
        self._await_fence(run, fence_id, job)
        self._uncut = False
        return self._after_cut(run, job)

    def _after_cut(self, run: Run[Line], job: _Job) -> PrintResult:
        error = self._ask(run, 3)
        if error is not None and (status := status_of({3: error})).health is Health.FAULT:
            run.report(status)
            self._uncut = True
            return PrintResult(job.state, Outcome.DEVICE_FAULT, status.detail)
        return PrintResult(job.state, Outcome.DONE)

    def _preflight(self, run: Run[Line]) -> DeviceStatus:
        """Status before the first byte. A connection that a printer dropped while idle is opened again here."""
        try:
            return self._ask_all(run)
        except LineLost:
            run.reopen()
            return self._ask_all(run)

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        try:
            return self._ask_all(run)
        except NoAnswer as error:
            return DeviceStatus(Health.UNKNOWN, error.detail)

    def _ask_all(self, run: Run[Line]) -> DeviceStatus:
        """Ask `DLE EOT` 1 to 4. Raises `NoAnswer` when the first one stays unanswered; the others may."""
        answers: dict[int, int] = {}
        for _ in range(self._timing.misses):
            first = self._ask(run, 1)
            if first is not None:
                answers[1] = first
                break
        else:
            raise NoAnswer(f"{self.role}: no answer to {self._timing.misses} questions")
        for n in REAL_TIME_QUESTIONS[1:]:
            byte = self._ask(run, n)
            if byte is not None:
                answers[n] = byte
        return status_of(answers)

    def _ask(self, run: Run[Line], n: int) -> int | None:
        """One real-time question; None when unanswered.

        The answer does not name its question, so what came before is taken away first, and where answers that differ
        came it is asked again.
        """
        for _ in range(self._timing.misses):
            self._note(self._answers.feed(run.discard_input()))
            self._answers.reset()
            until = time.monotonic() + self._timing.answer_s
            run.write(ask_real_time(n), until)
            found: set[int] = set()
            while not found and (data := run.read(until)):
                answers = self._answers.feed(data)
                self._note(answers)
                found = {answer.byte for answer in answers if isinstance(answer, RealTimeStatus)}
            if not found:
                return None
            if len(found) == 1:
                return found.pop()
        return None

    def _send(self, run: Run[Line], commands: list[bytes]) -> None:
        stream = b"".join(commands)
        for start in range(0, len(stream), PIECE_BYTES):
            run.write(stream[start : start + PIECE_BYTES])
            run.check()

    def _fence(self, fence_id: bytes) -> bytes:
        return ask_fence(fence_id) if self._profile.fence is Fence.PROCESS_ID else ASK_PAPER_IN_ORDER

    def _next_fence(self) -> bytes:
        return fence_id_of(next(self._fence_numbers))

    def _await_fence(self, run: Run[Line], fence_id: bytes, job: _Job) -> None:
        """Wait for the fence, looking at the status meanwhile.

        Raises `DeviceFault` when two looks in a row show why it cannot come, `DeadlinePassed` otherwise; `job.cause`
        then holds what the last look showed.
        """
        looks = _Looks(run, self._timing, job)
        while True:
            answers = self._answers.feed(run.read(looks.next_turn))
            if any(self._is_fence(answer, fence_id) for answer in answers):
                job.cause = Detail.NONE
                return
            self._note(answers)
            looks.take(answers)

    def _is_fence(self, answer: Answer, fence_id: bytes) -> bool:
        if self._profile.fence is Fence.PROCESS_ID:
            return answer == FenceEcho(fence_id)
        return isinstance(answer, OrderedPaperStatus)

    def _note(self, answers: list[Answer]) -> None:
        """Hear a fence that comes late, after its slip was given up as unknown."""
        late = self._unsettled
        if late is not None and late.job.state is PrintState.UNKNOWN and FenceEcho(late.fence_id) in answers:
            self._unsettled = None
            late.job.enter(PrintState.PRINTED)


class _Looks:
    """Looking at the status while a fence is awaited: one question at a time, none before the last one's answer."""

    def __init__(self, run: Run[Line], timing: PrinterTiming, job: _Job) -> None:
        self._run = run
        self._timing = timing
        self._job = job
        self._seen: dict[int, int] = {}
        self._asked: int | None = None
        self._faults_in_a_row = 0
        self.next_turn = time.monotonic() + timing.look_interval_s

    def take(self, answers: list[Answer]) -> None:
        """Take what came, and ask the next question when its time has come."""
        now = time.monotonic()
        for answer in answers:
            if isinstance(answer, RealTimeStatus) and self._asked is not None:
                self._seen[self._asked] = answer.byte
                self._asked = None
                self.next_turn = now
                if len(self._seen) == len(REAL_TIME_QUESTIONS):
                    self._judge(status_of(self._seen))
        if now < self.next_turn:
            return
        if self._asked is not None:
            self._job.cause = Detail.NO_ANSWER
            self._seen.clear()
        self._asked = len(self._seen) + 1
        self._run.write(ask_real_time(self._asked))
        self.next_turn = now + self._timing.answer_s

    def _judge(self, status: DeviceStatus) -> None:
        self._seen.clear()
        self._run.report(status)
        self.next_turn = time.monotonic() + self._timing.look_interval_s
        if status.health is not Health.FAULT:
            self._faults_in_a_row = 0
            self._job.cause = Detail.NONE
            return
        self._job.cause = status.detail
        self._faults_in_a_row += 1
        if self._faults_in_a_row > 1:
            raise DeviceFault(status.detail)


class PrinterOptions(Options):
    """What a profile may say of a printer: what is particular about its model."""

    width_dots: int = Field(default=576, ge=200, le=2000, multiple_of=8)
    chinese: ChineseFont = ChineseFont.GBK
    native_qr: bool = True
    fence: Fence = Fence.PROCESS_ID
    feed_before_cut_lines: int = Field(default=4, ge=0, le=20)
    font: Path = Field(default_factory=lambda: asset("fonts/NotoSansSC-Regular.otf"))

    def model(self) -> PrinterProfile:
        return PrinterProfile(
            width_dots=self.width_dots,
            chinese=self.chinese,
            native_qr=self.native_qr,
            fence=self.fence,
            feed_before_cut_lines=self.feed_before_cut_lines,
        )


def _open(opening: Opening[PrinterOptions]) -> TicketPrinter:
    return TicketPrinter(
        str(opening.address),
        opening.options.font,
        role=opening.role,
        profile=opening.options.model(),
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="escpos",
    title="Ticket printer (ESC/POS)",
    roles=frozenset({Role.TICKET_PRINTER}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=PrinterOptions,
    find=serial_ports,
    probe=partial(probe_by_opening, _open, PrinterOptions(), Role.TICKET_PRINTER),
)
