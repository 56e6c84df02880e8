"""Fuzzing of every parser of the device layer, for as long as one likes: `./dev bench fuzz --seconds 3600`.

Prints one JSON object: parser → inputs, inputs a second, failures (each with its shortest input). Every run has a seed
of its own unless one is given; it is printed too, and the same seed finds the same failures again.
"""

import json
import secrets
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Annotated, Any

import typer

from tests.hardware.fuzzing import Report, fuzz
from tests.hardware.parsers import PARSERS

BY_NAME = {parser.name: parser for parser in PARSERS}


def main(
    parser: Annotated[list[str] | None, typer.Option(help="A parser; may be repeated. All of them otherwise")] = None,
    *,
    seconds: Annotated[float, typer.Option(help="In all, shared by the parsers", min=0.1)] = 60.0,
    seed: Annotated[int | None, typer.Option(help="To see a run again")] = None,
    at_once: Annotated[int, typer.Option(help="Parsers at once, each in its own process", min=1)] = 2,
) -> None:
    """Exit status 1 where a parser failed. A failure is told on standard error as soon as its parser is done."""
    chosen: Sequence[str] = parser or list(BY_NAME)
    unknown = set(chosen) - set(BY_NAME)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(BY_NAME)}")
    seed = secrets.randbits(32) if seed is None else seed
    share = seconds * min(at_once, len(chosen)) / len(chosen)
    found: dict[str, Any] = {"seed": seed}
    with ProcessPoolExecutor(at_once) as running:
        for report in running.map(partial(_run, seed=seed, seconds=share), chosen):
            _tell(report, seed)
            found[report.parser] = _row(report)
    typer.echo(json.dumps(found, indent=2))
    raise typer.Exit(1 if any(row["failures"] for row in found.values() if isinstance(row, dict)) else 0)


def _run(name: str, *, seed: int, seconds: float) -> Report:
    return fuzz(BY_NAME[name], seed, seconds=seconds)


def _row(report: Report) -> dict[str, Any]:
    return {
        "inputs": report.inputs,
        "inputs_per_s": round(report.inputs / report.seconds) if report.seconds else 0,
        "failures": [
            {"error": failure.error, "input": failure.data.hex(), "shortest": failure.shortest.hex()}
            for failure in report.failures
        ],
    }


def _tell(report: Report, seed: int) -> None:
    for failure in report.failures:
        print(f"{report.parser}: {failure.error} (seed {seed}): {failure.shortest.hex()}", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
