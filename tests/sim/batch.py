"""Many histories, on several processors: `python -m tests.sim.batch --seeds 500`."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from random import SystemRandom
from typing import Annotated

import typer

from tests.sim.plan import plan_of
from tests.sim.shrinking import shrunk
from tests.sim.world import Result, run


def run_seed(seed: int) -> Result:
    """The history of a seed; its log only where it failed, since that travels between processes."""
    result = run(plan_of(seed))
    return result if result.failed else Result(result.plan, None, (), result.steps, result.tickets)


def run_seeds(seeds: Sequence[int], processes: int, window: int = 128) -> Iterator[Result]:
    """The histories of many seeds, in their order; who has seen enough waits for the rest of a `window` at most."""
    with ProcessPoolExecutor(processes) as pool:
        for begin in range(0, len(seeds), window):
            yield from pool.map(run_seed, seeds[begin : begin + window])


def report(result: Result) -> str:
    """A failed history for a reader: what broke, what was done, what happened, and how to see it again."""
    assert result.violation is not None
    log = "\n".join(f"{at:9.3f}  {text}" for at, text in result.log)
    return (
        f"seed {result.plan.seed}: {result.violation.invariant} — {result.violation.text}\n"
        f"again: ./dev sim --seed {result.plan.seed}\n\n"
        f"plan:\n{result.plan.text()}\n\nhistory:\n{log}\n"
    )


def main(
    seeds: Annotated[int, typer.Option(help="How many histories.")] = 500,
    seed: Annotated[int | None, typer.Option(help="This one alone, with its whole history.")] = None,
    start: Annotated[int | None, typer.Option(help="The first seed; by chance where none is given.")] = None,
    processes: Annotated[int, typer.Option(help="Processes side by side.")] = os.cpu_count() or 1,
    shrink: Annotated[bool, typer.Option(help="Make a failing plan short.")] = True,
) -> None:
    """Simulate histories of a hall under faults, and check what must always hold."""
    if seed is not None:
        _one(seed, shrink=shrink)
        return
    first = SystemRandom().randrange(1_000_000_000) if start is None else start
    began, failed, tickets = time.monotonic(), 0, 0
    for result in run_seeds(range(first, first + seeds), processes):
        tickets += result.tickets
        if result.failed:
            failed += 1
            typer.echo(report(shrunk(result) if shrink else result))
    took = time.monotonic() - began
    typer.echo(
        f"{seeds} histories from seed {first} in {took:.1f} s with {processes} processes: "
        f"{seeds / took * 60:.0f} a minute, {tickets} numbers taken, {failed} failed"
    )
    raise typer.Exit(1 if failed else 0)


def _one(seed: int, *, shrink: bool) -> None:
    result = run(plan_of(seed))
    if result.failed:
        typer.echo(report(shrunk(result) if shrink else result))
        raise typer.Exit(1)
    typer.echo(result.plan.text() + "\n")
    for at, text in result.log:
        typer.echo(f"{at:9.3f}  {text}")
    typer.echo(f"\nseed {seed}: all invariants hold ({result.steps} steps, {result.tickets} numbers taken)")


if __name__ == "__main__":
    typer.run(main)
