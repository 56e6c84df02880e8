"""The self-test live on a technician's terminal: each device's verdict, the step that runs, and what to do."""

from collections.abc import Iterable
from threading import Lock
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hardware.profile import Binding
from hardware.roles import Role
from hardware.self_test import Progress, SelfTestReport, Step, StepBegun
from hardware.technician.words import REQUESTS, VERDICTS, WHO, advice, role_words, step_words
from hardware.vocabulary import Verdict, WhoActs

_STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.NOT_SUPPORTED: "dim",
}


class SelfTestScreen:
    """A context manager. A terminal shows one table that changes; a file or pipe gets one line for each step.

    `said` may be called from any thread.
    """

    def __init__(self, console: Console, bindings: Iterable[Binding]) -> None:
        self._console = console
        self._addresses = {binding.role: str(binding.address) for binding in bindings}
        self._steps: dict[Role, list[Step]] = {}
        self._begun: dict[Role, StepBegun | None] = {}
        self._lock = Lock()
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> "SelfTestScreen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def said(self, role: Role, progress: Progress | None) -> None:
        """A device's test begins (None), a step begins, a step has ended."""
        with self._lock:
            match progress:
                case None:
                    self._steps[role], self._begun[role] = [], None
                case StepBegun():
                    self._begun[role] = progress
                case Step():
                    self._steps[role].append(progress)
                    self._begun[role] = None
        if not self._console.is_terminal:
            self._print_line(role, progress)

    def _print_line(self, role: Role, progress: Progress | None) -> None:
        line = Text(f"{role_words(role)}  ")
        match progress:
            case None:
                line.append(self._addresses[role])
            case StepBegun(name, request):
                asked = f": {REQUESTS[request]}" if request else ""
                line.append(f"… {step_words(name)}{asked}")
            case Step():
                line.append(f"{VERDICTS[progress.verdict]}  {step_words(progress.name)}  {found(progress)}".rstrip())
        self._console.print(line, soft_wrap=True)

    def _table(self) -> RenderableType:
        table = Table(title="设备自检 Device self-test", expand=True)
        table.add_column("设备 Device", ratio=3)
        table.add_column("结果 Verdict", ratio=2)
        table.add_column("步骤 Step", ratio=3)
        table.add_column("说明和处理 What to do", ratio=6)
        with self._lock:
            for role, address in self._addresses.items():
                table.add_row(Text(f"{role_words(role)}\n{address}", overflow="fold"), *self._cells(role))
        return table

    def _cells(self, role: Role) -> tuple[Text, Text, Text]:
        begun, steps = self._begun.get(role), self._steps.get(role)
        if begun is not None:
            asked = str(REQUESTS[begun.request]) if begun.request else ""
            return Text("…"), Text(str(step_words(begun.name))), Text(asked, style="bold reverse" if asked else "")
        if not steps:
            return Text("" if steps is None else "…"), Text(""), Text("")
        report = SelfTestReport(tuple(steps))
        verdict, told = report.verdict, report.decisive or steps[-1]
        return (
            Text(str(VERDICTS[verdict]), _STYLES[verdict]),
            Text(str(step_words(told.name))),
            Text(found(told), overflow="fold"),
        )


def found(step: Step) -> str:
    """What a step found: a measure, or the cause and who acts."""
    if step.verdict in {Verdict.PASS, Verdict.NOT_SUPPORTED}:
        return step.measured
    who = "" if step.who_acts is WhoActs.NOBODY else f" [{WHO[step.who_acts]}]"
    return f"{advice(step.detail)}{who}"
