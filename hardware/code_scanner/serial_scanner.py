"""Driver of code scanners on a serial line or virtual COM port: trigger, query, and codes out of their bytes."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from hardware.addresses import parse_line_address
from hardware.code_scanner.dialects import COMMANDS, AnswerFilter, Dialect
from hardware.code_scanner.payload import Code, CodeRules
from hardware.code_scanner.scanner import (
    CodeScanner,
    CodeScannerCapabilities,
    CodeWait,
    KeepOn,
    ScannerOptions,
    ScannerTiming,
)
from hardware.code_scanner.splitter import CodeEnd, CodeSplitter
from hardware.command import Run
from hardware.device import Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import LineLost, LineStalled
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.lines import Line, open_line
from hardware.roles import Role
from hardware.vocabulary import Detail, DeviceStatus, Health


class SerialCodeScanner(CodeScanner):
    """A scanner on a line such as `serial:/dev/serial/by-id/…?baud=115200`. Raises `BadAddress`.

    Where the dialect has no query, the scanner's health is UNKNOWN (`cannot_be_asked`) until it has sent a code.
    """

    def __init__(
        self,
        address: str,
        dialect: Dialect = Dialect.HONEYWELL,
        *,
        role: Role = Role.CODE_SCANNER,
        rules: CodeRules | None = None,
        end: CodeEnd = CodeEnd.EITHER,
        timing: ScannerTiming | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._timing = timing or ScannerTiming()
        self._commands = COMMANDS[dialect]
        self._heard = False
        rules = rules or CodeRules()
        opener = partial(open_line, parse_line_address(address))
        super().__init__(
            role,
            partial(self._opened, opener),
            CodeSplitter(rules.max_bytes, end=end, gap_s=self._timing.gap_s),
            capabilities=CodeScannerCapabilities(rules, bool(self._commands.trigger_on), bool(self._commands.query)),
            on_event=on_event,
            supervision=supervision,
        )

    def _opened(self, opener: Callable[[], Line]) -> Line:
        line = opener()
        self._decoder.reset()
        self._heard = False
        return line

    @contextlib.contextmanager
    def _triggered(self, run: Run[Line]) -> Iterator[KeepOn]:
        if not self._commands.trigger_on:
            yield _always_on
            return
        due = 0.0

        def keep_on(now: float, *, anew: bool) -> float:
            nonlocal due
            if anew or now >= due:
                run.write(self._commands.trigger_on, now + self._timing.answer_s)
                due = now + self._timing.trigger_again_s
            return due

        try:
            yield keep_on
        finally:
            with contextlib.suppress(LineLost, LineStalled):  # what ended the scan is told, not this
                run.write(self._commands.trigger_off, time.monotonic() + self._timing.answer_s)

    def _next(self, wait: "CodeWait", run: Run[Line], until: float) -> Code | None:
        code = super()._next(wait, run, until)
        self._heard = self._heard or code is not None
        return code

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        self._throw_away(run)
        if not self._commands.query:
            return DeviceStatus(Health.OK) if self._heard else DeviceStatus(Health.UNKNOWN, Detail.CANNOT_BE_ASKED)
        for _ in range(self._timing.misses):
            if self._answers(run):
                return DeviceStatus(Health.OK)
        return DeviceStatus(Health.UNKNOWN, Detail.NO_ANSWER)

    def _answers(self, run: Run[Line]) -> bool:
        """Ask once; what else comes meanwhile is nobody's code."""
        answers = AnswerFilter()
        until = time.monotonic() + self._timing.answer_s
        run.write(self._commands.query, until)
        while not answers.answered and time.monotonic() < until:
            self._drop(answers.feed(run.read(until)))
        if answers.answered and not answers.ended:
            self._drop(answers.feed(run.read(time.monotonic() + self._timing.gap_s)))
        self._drop(answers.flush())
        return answers.answered


def _always_on(now: float, *, anew: bool) -> float:  # noqa: ARG001 - nothing is to be told to such a scanner
    return math.inf


class SerialScannerOptions(ScannerOptions):
    """What a profile may say of a serial scanner."""

    dialect: Dialect = Dialect.HONEYWELL


def _open(opening: Opening[SerialScannerOptions]) -> SerialCodeScanner:
    return SerialCodeScanner(
        str(opening.address),
        opening.options.dialect,
        role=opening.role,
        rules=opening.options.rules,
        end=opening.options.end or CodeEnd.EITHER,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="code-serial",
    title="Code scanner on a serial line or virtual COM port",
    roles=frozenset({Role.CODE_SCANNER}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=SerialScannerOptions,
    bauds=(115200, 9600),
    find=serial_ports,
    probe=partial(probe_by_opening, _open, SerialScannerOptions(), Role.CODE_SCANNER),
)
