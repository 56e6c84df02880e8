"""What our layer costs over the bare line, device by device, as ratios: `./dev bench device_latency`.

Each subject is a file of its own whose function measures bare and driven turns alternately, on the same machine in the
same minutes. `./dev bench devices` prints the same table.
"""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Annotated, Final

import structlog
import typer
from rich.console import Console
from rich.table import Table

SUBJECTS: Final = (
    "benchmarks.card_latency:card_ratios",
    "benchmarks.device_latency_print:print_ratios",
    "benchmarks.device_latency_camera:camera_ratios",
)
"""`module:function`; the function takes a number of turns and gives `Ratio`s."""


@dataclass(frozen=True)
class Ratio:
    """One comparison: medians in milliseconds, and ours over the yardstick's."""

    what: str
    ours_ms: float
    yardstick_ms: float
    ratio: float
    goal: float
    turns: int

    @property
    def kept(self) -> bool:
        return self.ratio <= self.goal


def ratio(what: str, ours: Sequence[float], yardstick: Sequence[float], goal: float) -> Ratio:
    """Of times in seconds."""
    mine, theirs = statistics.median(ours), statistics.median(yardstick)
    return Ratio(what, round(mine * 1000, 2), round(theirs * 1000, 2), round(mine / theirs, 3), goal, len(ours))


def ratios(turns: int) -> Iterator[Ratio]:
    """All of them, one subject after another."""
    for subject in SUBJECTS:
        module, _, name = subject.partition(":")
        measure: Callable[[int], Sequence[Ratio]] = getattr(import_module(module), name)
        yield from measure(turns)


def show(console: Console, found: Sequence[Ratio]) -> None:
    """A table of them."""
    table = Table(title="Our layer over the bare line")
    for title in ("subject", "ours", "yardstick", "ratio", "goal", ""):
        table.add_column(title)
    for each in found:
        times = (f"{each.ours_ms:.2f} ms", f"{each.yardstick_ms:.2f} ms")
        table.add_row(each.what, *times, f"{each.ratio:.3f}", f"≤ {each.goal}", "kept" if each.kept else "MISSED")
    console.print(table)


def main(
    turns: Annotated[int, typer.Option(min=3)] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Exit status 1 where a goal is missed."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    found = list(ratios(turns))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    else:
        show(Console(), found)
    raise typer.Exit(0 if all(each.kept for each in found) else 1)


if __name__ == "__main__":
    typer.run(main)
