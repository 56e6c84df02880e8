"""Questions to an ESC/POS printer and the sorting of its answers, which come in any order. Device's thread only."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from hardware.command import Run
from hardware.errors import DeviceFault, NoAnswer
from hardware.lines import Line
from hardware.print_jobs import JobOnItsWay
from hardware.ticket_printer.codec import (
    ASK_AUTOMATIC_STATUS,
    ASK_PAPER_IN_ORDER,
    REAL_TIME_QUESTIONS,
    Answer,
    AnswerClassifier,
    AutomaticStatus,
    FenceEcho,
    OrderedPaperStatus,
    RealTimeStatus,
    Stray,
    ask_fence,
    ask_real_time,
    automatic_status,
    proves_print,
    status_of,
)
from hardware.ticket_printer.information import (
    ASK_FULL_STATUS,
    ASK_KEPT_PICTURES,
    MORE,
    FullStatus,
    ask_information,
    full_status,
    information,
    kept_pictures,
)
from hardware.ticket_printer.profile import Fence
from hardware.vocabulary import Detail, DeviceStatus, Health

T = TypeVar("T")

PIECE_BYTES: Final = 1024
MAX_ANSWER_BYTES: Final = 4096
MAX_STRAYS: Final = 4
"""So many bytes that mean nothing may come with an answer; with more, what looks like one is noise too."""

QUIET_S: Final = 0.05
"""Without a byte, after which a burst has ended."""


@dataclass(frozen=True, slots=True)
class PrinterTiming:
    """Waiting times in seconds."""

    answer_s: float = 0.5
    """For the answer to one question."""
    misses: int = 3
    """Unanswered questions in a row after which the printer counts as silent."""
    look_interval_s: float = 0.3
    """Between two looks at the status while a fence is awaited."""
    idle_s: float = 60.0
    """Of listening, until a probe ends it."""
    not_taken_s: float = 60.0
    """A slip that hangs in the mouth this long is told."""


class Conversation:
    """`on_stray` hears every answer that nobody asked for just then; `judge` completes a status that is reported."""

    def __init__(
        self,
        device: str,
        timing: PrinterTiming,
        on_stray: Callable[[list[Answer]], None],
        judge: Callable[[DeviceStatus], DeviceStatus],
    ) -> None:
        self._device, self._timing = device, timing
        self._on_stray, self._judge = on_stray, judge
        self._answers = AnswerClassifier()
        self._owed = 0
        self._drowned = False

    def look(self, run: Run[Line]) -> DeviceStatus:
        """Ask `DLE EOT` 1 to 4. Raises `NoAnswer` when the first one stays unanswered, the others may; and when noise
        drowned one of them, since the others may have been noise as well."""
        self._drowned = False
        answers: dict[int, int] = {}
        for _ in range(self._timing.misses):
            first = self.ask(run, 1)
            if first is not None:
                answers[1] = first
                break
        else:
            raise NoAnswer(f"{self._device}: no answer to {self._timing.misses} questions")
        for n in REAL_TIME_QUESTIONS[1:]:
            byte = self.ask(run, n)
            if byte is not None:
                answers[n] = byte
            if self._drowned:
                raise NoAnswer(f"{self._device}: nothing but noise")
        return self._judge(status_of(answers))

    def ask(self, run: Run[Line], n: int) -> int | None:
        """One real-time question; None when unanswered.

        The answer does not name its question, so what came before is taken away first, and where answers that differ
        came, or one among much that is none, it is asked again. Where anything came that is none, the answer counts
        once the line is quiet: what looks like one may be the beginning of noise.
        """
        calm = True
        for _ in range(self._timing.misses):
            before = self._answers.feed(run.discard_input())
            self._on_stray(before)
            self._answers.reset()
            until = deadline = time.monotonic() + self._timing.answer_s
            run.write(ask_real_time(n), deadline)
            found: set[int] = set()
            strays = _strays(before)
            while not (found and calm and not strays) and (data := run.read(until)):
                answers = self._answers.feed(data)
                self._on_stray(answers)
                strays += _strays(answers)
                found |= {answer.byte for answer in answers if isinstance(answer, RealTimeStatus)}
                if found:
                    until = min(deadline, time.monotonic() + QUIET_S)
            if not found:
                return None
            if len(found) == 1 and strays <= MAX_STRAYS:
                return found.pop()
            calm = False
        self._drowned = True
        return None

    def want_changes(self, run: Run[Line]) -> None:
        """Let the printer tell changes by itself (`GS a`)."""
        run.write(ASK_AUTOMATIC_STATUS, time.monotonic() + self._timing.answer_s)

    def hear(self, run: Run[Line], until: float) -> DeviceStatus | None:
        """The next change that the printer tells by itself; None when something else came, or nothing."""
        answers = self._answers.feed(run.read(until))
        self._on_stray(answers)
        told = [answer for answer in answers if isinstance(answer, AutomaticStatus)]
        return self._judge(automatic_status(told[-1].frame)) if told else None

    def information(self, run: Run[Line], n: int) -> str:
        """A name of the printer (`GS I n`); empty when it does not tell."""
        return self._ask_alone(run, ask_information(n), information) or ""

    def full_status(self, run: Run[Line]) -> FullStatus | None:
        """State of a kiosk printer with a mouth; None when it does not answer."""
        return self._ask_alone(run, ASK_FULL_STATUS, full_status)

    def kept_pictures(self, run: Run[Line]) -> frozenset[str]:
        """The keys of the pictures that the printer holds; empty when it does not tell."""
        keys: frozenset[str] = frozenset()
        question = ASK_KEPT_PICTURES
        while (block := self._ask_alone(run, question, kept_pictures)) is not None:
            keys |= block.keys
            if not block.more:
                break
            question = MORE
        return keys

    def knows_fence(self, run: Run[Line], fence: Fence, fence_id: bytes) -> bool:
        """Whether an idle printer answers this kind of fence."""
        self._on_stray(self._answers.feed(run.discard_input()))
        self._answers.reset()
        until = time.monotonic() + self._timing.answer_s
        run.write(fence_bytes(fence, fence_id), until)
        while data := run.read(until):
            if any(is_fence(answer, fence, fence_id) for answer in self._answers.feed(data)):
                return True
        return False

    def pay_what_is_owed(self, run: Run[Line]) -> None:
        """Answers to earlier `GS r` fences that never came could be taken for the next one's: let them come first.

        They stand in order before one more question, which an online printer answers; then silence.
        """
        if not self._owed:
            return
        until = time.monotonic() + self._timing.answer_s * self._timing.misses
        run.write(ASK_PAPER_IN_ORDER, until)
        heard = 0
        while heard <= self._owed and (data := run.read(until)):
            answers = self._answers.feed(data)
            self._on_stray(answers)
            more = sum(isinstance(answer, OrderedPaperStatus) for answer in answers)
            heard += more
            if more:
                until = time.monotonic() + self._timing.answer_s
        if not heard:
            raise NoAnswer(f"{self._device}: silent to ordered questions")
        self._owed = 0

    def await_fence(self, run: Run[Line], fence: Fence, fence_id: bytes, job: JobOnItsWay) -> None:
        """Wait for the fence, looking at the status meanwhile.

        Raises `DeviceFault` when two looks in a row show why it cannot come, `DeadlinePassed` otherwise; `job.cause`
        then holds what the last look showed.
        """
        owes = fence is Fence.PAPER_SENSOR
        self._owed += owes
        looks = _Looks(run, self._timing, job, self._judge)
        while True:
            answers = self._answers.feed(run.read(looks.next_turn))
            if any(is_fence(answer, fence, fence_id) for answer in answers):
                self._owed -= owes
                job.cause = Detail.NONE
                return
            self._on_stray(answers)
            looks.take(answers)

    def _ask_alone(self, run: Run[Line], question: bytes, read: Callable[[bytes], T | None]) -> T | None:
        """A question of which the answer looks like other answers, so nothing else may be on its way."""
        self._on_stray(self._answers.feed(run.discard_input()))
        self._answers.reset()
        until = time.monotonic() + self._timing.answer_s
        run.write(question, until)
        came = bytearray()
        while len(came) < MAX_ANSWER_BYTES and (data := run.read(until)):
            came += data
            found = read(bytes(came))
            if found is not None:
                return found
        return None


class _Looks:
    """Looking at the status while a fence is awaited: one question at a time, none before the last one's answer."""

    def __init__(
        self,
        run: Run[Line],
        timing: PrinterTiming,
        job: JobOnItsWay,
        judge: Callable[[DeviceStatus], DeviceStatus],
    ) -> None:
        self._run, self._timing, self._job = run, timing, job
        self._complete = judge
        self._seen: dict[int, int] = {}
        self._asked: int | None = None
        self._faults_in_a_row = 0
        self.next_turn = time.monotonic() + timing.look_interval_s

    def take(self, answers: list[Answer]) -> None:
        """Take what came, and ask the next question when its time has come."""
        now = time.monotonic()
        for answer in answers:
            self._take_one(answer, now)
        if now < self.next_turn:
            return
        if self._asked is not None:
            if self._job.cause is Detail.NONE:
                self._job.cause = Detail.NO_ANSWER
            self._seen.clear()
        self._asked = len(self._seen) + 1
        self._run.write(ask_real_time(self._asked))
        self.next_turn = now + self._timing.answer_s

    def _take_one(self, answer: Answer, now: float) -> None:
        match answer:
            case AutomaticStatus(frame):
                status = automatic_status(frame)
                self._job.cause = status.detail if status.health is Health.FAULT else Detail.NONE
            case OrderedPaperStatus() if not proves_print(answer):
                self._job.cause = Detail.PAPER_OUT  # a fence that says "no paper" proves nothing
            case RealTimeStatus(byte) if self._asked is not None:
                self._seen[self._asked] = byte
                self._asked = None
                self.next_turn = now
                if len(self._seen) == len(REAL_TIME_QUESTIONS):
                    self._judge(self._complete(status_of(self._seen)))

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


def fence_bytes(fence: Fence, fence_id: bytes) -> bytes:
    """The mark that the printer answers once everything before it has been printed."""
    return ask_fence(fence_id) if fence is Fence.PROCESS_ID else ASK_PAPER_IN_ORDER


def is_fence(answer: Answer, fence: Fence, fence_id: bytes) -> bool:
    if fence is Fence.PROCESS_ID:
        return answer == FenceEcho(fence_id)
    return isinstance(answer, OrderedPaperStatus) and proves_print(answer)


def send(run: Run[Line], stream: bytes | bytearray) -> None:
    """In pieces, so that a printer that stalls is told from a long slip."""
    for at in range(0, len(stream), PIECE_BYTES):
        run.write(bytes(stream[at : at + PIECE_BYTES]))
        run.check()


def _strays(answers: list[Answer]) -> int:
    """How many of them no printer sends unasked; letters look like answers to questions that stand in order."""
    return sum(isinstance(answer, Stray | OrderedPaperStatus) for answer in answers)
