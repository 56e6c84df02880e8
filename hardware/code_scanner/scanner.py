"""What drivers of code scanners have in common: waiting for one usable code.

What was scanned before somebody waits for a code is never given to him, so that nobody gets his predecessor's code.
"""

import contextlib
import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pydantic import Field

from hardware.cancel import CancelToken
from hardware.code_scanner.payload import BadCode, Characters, Code, CodeProblem, CodeRules, RawCode, judge
from hardware.code_scanner.splitter import CodeEnd
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Options
from hardware.errors import DeadlinePassed, HardwareError
from hardware.events import CodeRefused, CodeScanned, OnEvent
from hardware.lines import Line
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs

OnProblem = Callable[[CodeProblem], None]


class KeepOn(Protocol):
    """Keeps a scanner reading: takes the time, and whether it has just read something (which may have ended its
    reading), and says when to be called again."""

    def __call__(self, now: float, *, anew: bool) -> float: ...


class CodeDecoder(Protocol):
    """Codes out of bytes: `CodeSplitter`, `KeyDecoder`."""

    @property
    def receiving(self) -> bool: ...

    def due(self) -> float | None: ...

    def feed(self, data: bytes, now: float) -> list[RawCode]: ...

    def silence(self, now: float) -> list[RawCode]: ...

    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CodeScan:
    """How waiting for a code ended. `code` is there exactly when the outcome is DONE, and its taker wipes it.

    TIMED_OUT carries what hindered: `no_code`, or `bad_code` with the last `problem`.
    """

    outcome: Outcome
    detail: Detail = Detail.NONE
    code: Code | None = None
    problem: CodeProblem | None = None

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


@dataclass(frozen=True, slots=True)
class ScannerTiming:
    """Waiting times in seconds."""

    gap_s: float = 0.1
    """Silence that ends a code without terminator."""
    answer_s: float = 0.5
    """For the answer to a query."""
    misses: int = 3
    """Unanswered queries in a row after which the scanner counts as silent."""
    trigger_again_s: float = 20.0
    """A triggered scanner gives up by itself after a while (30 s as delivered); it is triggered anew before."""


@dataclass(frozen=True, slots=True)
class CodeScannerCapabilities(Capabilities):
    """What the scanner can do."""

    rules: CodeRules
    triggered: bool
    """Whether it reads only while a code is waited for."""
    can_be_asked: bool
    """Whether it answers a question when nothing is scanned."""


class CodeScanner(Device[Line]):
    """What both kinds of scanner have in common. A code that is scanned while nobody waits for one is an event only."""

    listens = True

    def __init__(
        self,
        role: Role,
        opener: Callable[[], Line],
        decoder: CodeDecoder,
        *,
        capabilities: CodeScannerCapabilities,
        on_event: OnEvent | None,
        supervision: Supervision | None,
    ) -> None:
        self._decoder = decoder
        self._rules = capabilities.rules
        self._stale = False
        super().__init__(role, opener, capabilities=capabilities, on_event=on_event, supervision=supervision)

    def scan(
        self,
        deadline: float,
        *,
        session: DeviceSession | None = None,
        cancel: CancelToken | None = None,
        on_problem: OnProblem | None = None,
    ) -> "Future[CodeScan]":
        """Wait for a usable code. One that cannot be used is told to `on_problem` (device's thread) and the wait goes
        on; success, a fault of the line, the deadline or a cancel end it."""
        wait = CodeWait(on_problem or (lambda _: None))
        return self._submit(
            partial(self._scan, wait),
            failed=wait.failed,
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=wipe_scan,
        )

    @abstractmethod
    def _triggered(self, run: Run[Line]) -> "contextlib.AbstractContextManager[KeepOn]":
        """Reading is on inside the block, for as long as the function that it gives is called."""

    def _scan(self, wait: "CodeWait", run: Run[Line]) -> CodeScan:
        self._throw_away(run)
        with self._triggered(run) as keep_on:
            scanned = 0
            while True:
                again = keep_on(time.monotonic(), anew=wait.scanned > scanned)
                scanned = wait.scanned
                code = self._next(wait, run, again)
                if code is not None:
                    self._works(run)
                    self._emit(CodeScanned(self.role, code.text, code.symbology))
                    return CodeScan(Outcome.DONE, code=code)

    def _listen(self, run: Run[Line]) -> None:
        wait = CodeWait(lambda _: None)
        while True:
            code = self._next(wait, run, run.deadline)
            if code is not None:
                self._emit(CodeScanned(self.role, code.text, code.symbology))
                code.wipe()

    def _next(self, wait: "CodeWait", run: Run[Line], until: float) -> Code | None:
        """A usable code, or None when something else has come or nothing until `until`."""
        due = self._decoder.due()
        data = run.read(until if due is None else min(due, until))
        for raw in self._decode(data):
            wait.scanned += 1
            if self._stale:
                self._stale = False  # its beginning came before anybody waited for it
                continue
            judged = judge(raw, self._rules)
            if isinstance(judged, Code):
                self._stale = self._decoder.receiving
                return judged
            self._emit(CodeRefused(self.role, judged.problem))
            wait.refused(judged)
        return None

    def _decode(self, data: bytes) -> list[RawCode]:
        now = time.monotonic()
        return self._decoder.feed(data, now) if data else self._decoder.silence(now)

    def _throw_away(self, run: Run[Line]) -> None:
        """Forget what came unasked. A code whose beginning came unasked goes with it."""
        self._drop(run.discard_input())

    def _drop(self, data: bytes) -> None:
        self._decode(data)
        self._stale = self._decoder.receiving

    def _works(self, run: Run[Line]) -> None:
        if self.status.health is not Health.OK:
            run.report(DeviceStatus(Health.OK))

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            if status.detail is Detail.CANNOT_BE_ASKED:
                step.not_supported()
            else:
                run.report(status)
                step.judge(status)
        if steps.failed:
            return
        with steps.step("code_read", Request.SHOW_CODE) as step:
            wait = CodeWait(lambda _: None)
            try:
                scanned = self._scan(wait, run)
            except DeadlinePassed:
                step.unknown(wait.detail)
                return
            step.measured = "" if scanned.code is None else f"{scanned.code.size} bytes"
            wipe_scan(scanned)


class CodeWait:
    """What one wait for a code has seen."""

    def __init__(self, on_problem: OnProblem) -> None:
        self._on_problem = on_problem
        self.problem: CodeProblem | None = None
        self.scanned = 0
        """Codes that came, good and bad."""

    @property
    def detail(self) -> Detail:
        return Detail.NO_CODE if self.problem is None else Detail.BAD_CODE

    def refused(self, code: BadCode) -> None:
        self.problem = code.problem
        self._on_problem(code.problem)

    def failed(self, error: HardwareError) -> CodeScan:
        detail = self.detail if isinstance(error, DeadlinePassed) else error.detail
        return CodeScan(error.outcome, detail, problem=self.problem)


def wipe_scan(scanned: CodeScan) -> None:
    if scanned.code is not None:
        scanned.code.wipe()


class ScannerOptions(Options):
    """What a profile may say of any scanner."""

    max_bytes: int = Field(default=1024, ge=1, le=7089)
    characters: Characters = Characters.TEXT
    end: CodeEnd | None = None
    """What ends a code; None for what fits the kind of scanner."""

    @property
    def rules(self) -> CodeRules:
        return CodeRules(self.max_bytes, self.characters)
