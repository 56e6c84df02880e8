"""The fault matrix of all devices as a table: outcome, health, time to notice and to return, leaks; plug cycles.

`./dev bench devices --cycles 1000` unplugs and plugs each device a thousand times after its row.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated, Any, Final

import structlog
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.device_latency import ratios
from benchmarks.device_latency import show as show_ratios
from hardware.simulators.catalogue import simulated_drivers

SECONDS_FOR_A_ROW: Final = 600
SECONDS_FOR_A_CYCLE: Final = 30


def main(
    device: Annotated[list[str] | None, typer.Option(help="Driver id; may be repeated. All of them otherwise")] = None,
    *,
    cycles: Annotated[int, typer.Option(help="Plug cycles after each row", min=0)] = 50,
    row: Annotated[bool, typer.Option(help="Run the conditions")] = True,
    at_once: Annotated[int, typer.Option(help="Devices at once, each in its own process", min=1)] = 3,
    turns: Annotated[int, typer.Option(help="Turns of each latency; 0: none is measured", min=0)] = 9,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Exit status 1 where a device in trouble passed, did not come back, missed a cycle or leaked, or where a latency
    missed its goal."""
    chosen = device or list(simulated_drivers())
    unknown = set(chosen) - set(simulated_drivers())
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(simulated_drivers())}")
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    with ThreadPoolExecutor(at_once) as running:
        rows = list(running.map(lambda driver_id: _run(driver_id, cycles, row), chosen))
    latencies = list(ratios(turns)) if turns else []
    if as_json:
        typer.echo(json.dumps({"rows": rows, "latencies": [asdict(each) for each in latencies]}, indent=2))
    else:
        _show(rows)
        if latencies:
            show_ratios(Console(width=None if sys.stdout.isatty() else 180), latencies)
    raise typer.Exit(1 if any(_bad(each) for each in rows) or not all(each.kept for each in latencies) else 0)


def _run(driver_id: str, cycles: int, row: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hardware.fault_matrix", "--device", driver_id, "--cycles", str(cycles)]
    limit = SECONDS_FOR_A_ROW + SECONDS_FOR_A_CYCLE * cycles
    done = subprocess.run(
        command if row else [*command, "--no-row"], capture_output=True, text=True, timeout=limit, check=False
    )
    if done.returncode:
        return {"device": driver_id, "cells": [], "cycles": None, "failed": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show(rows: list[dict[str, Any]]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 180)
    table = Table(title="Fault matrix: what the device's test and status said, and when")
    for title in ("device", "condition", "test", "health", "noticed", "back after", "test then", "leaked"):
        table.add_column(title, overflow="fold")
    for row in rows:
        for number, cell in enumerate(row["cells"]):
            table.add_row(row["device"] if number == 0 else "", *_cells(cell))
        table.add_section()
    console.print(table)
    _show_cycles(console, [row for row in rows if row["cycles"]])
    cells = [cell for row in rows for cell in row["cells"]]
    applicable = [cell for cell in cells if cell["applies"]]
    leaks = [cell["leaked_threads"] + cell["leaked_descriptors"] for cell in applicable]
    console.print(
        f"{len(rows)} devices, {len(cells)} cells, {len(cells) - len(applicable)} that a device cannot have; "
        f"{sum(cell['verdict_after'] == 'pass' for cell in applicable)} of {len(applicable)} well afterwards; "
        f"{sum(leaks)} threads or descriptors leaked"
    )
    for row in rows:
        if row.get("failed"):
            console.print(f"{row['device']}: {row['failed']}", markup=False)


def _show_cycles(console: Console, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = Table(title="Plug cycles")
    columns = ("device", "cycles", "missed", "seconds", "slowest notice", "slowest return", "threads", "descriptors")
    for title in columns:
        table.add_column(title, justify="left" if title == "device" else "right")
    for row in rows:
        ran = row["cycles"]
        counts = (str(ran["cycles"]), str(ran["missed"]), f"{ran['seconds']:.0f}")
        times = (_seconds(ran["slowest_notice_s"]), _seconds(ran["slowest_return_s"]))
        table.add_row(row["device"], *counts, *times, f"{ran['leaked_threads']:+}", f"{ran['leaked_descriptors']:+}")
    console.print(table)


def _cells(cell: dict[str, Any]) -> tuple[str, ...]:
    if not cell["applies"]:
        return cell["condition"], "cannot have it", "", "", "", "", ""
    return (
        cell["condition"],
        _with_cause(cell["verdict"], cell["detail"]),
        _with_cause(cell["health"], cell["health_detail"]),
        _seconds(cell["noticed_s"]),
        _seconds(cell["returned_s"]),
        _with_cause(cell["verdict_after"], cell["detail_after"])
        + (f" ({cell['tests_after']} tests)" if cell["tests_after"] > 1 else ""),
        f"{cell['leaked_threads']}/{cell['leaked_descriptors']}",
    )


def _with_cause(word: str, detail: str) -> str:
    return word if detail in {"", "none"} else f"{word}: {detail}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def _bad(row: dict[str, Any]) -> bool:
    fine = {"slow", "back again"}
    cells = [cell for cell in row["cells"] if cell["applies"]]
    ran = row["cycles"] or {"missed": 0, "leaked_threads": 0, "leaked_descriptors": 0}
    return bool(
        row.get("failed")
        or any(cell["verdict"] == "pass" for cell in cells if cell["condition"] not in fine)
        or any(cell["verdict_after"] != "pass" or cell["leaked_threads"] + cell["leaked_descriptors"] for cell in cells)
        or any(ran.values() if ran.keys() == {"missed", "leaked_threads", "leaked_descriptors"} else _losses(ran))
    )


def _losses(ran: dict[str, Any]) -> tuple[int, int, int]:
    return ran["missed"], ran["leaked_threads"], ran["leaked_descriptors"]


if __name__ == "__main__":
    typer.run(main)
