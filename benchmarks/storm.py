"""A hall of 500 terminals whose broker was restarted: when the last of them is back, and whether anybody is left out.

Prints one JSON object, times in seconds from the broker's start. `ready`: the hall accepted the terminal's hello on
its new connection; `served`: the number that somebody asked for meanwhile is in the terminal's hands. `starved` are
terminals that were not served within two minutes. Terminals wait with the back-off of every terminal (full jitter, 30 s
at most), after so long a time without a broker that the pauses have grown.
"""

import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from benchmarks.tickets import HALL, bench_hall, percentile, scratch, server_is_up
from provisioning.processes import server_program
from provisioning.site import Panel, Site

PROCESSES = 2
PATIENCE_S = 120.0
SETTLE_S = 3.0


class Crowd:
    """Terminals, spread over processes."""

    def __init__(self, profiles: list[Path]) -> None:
        self._parts = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.storm_terminals", *profiles[n::PROCESSES]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(PROCESSES)
        ]

    async def asks(self) -> None:
        """Somebody at every terminal asks for a number; returns when all requests stand in their journals."""
        for part in self._parts:
            _say(part, "ask")
        for part in self._parts:
            await _hear(part)

    async def served(self) -> list[dict[str, float | None]]:
        """When each terminal was ready and served; None where it was not in time."""
        hearing = asyncio.gather(*(_hear(part) for part in self._parts))
        try:
            said = await asyncio.wait_for(asyncio.shield(hearing), PATIENCE_S)
        except TimeoutError:
            for part in self._parts:
                _say(part, "enough")
            said = await hearing
        return [terminal for lines in said for terminal in json.loads(lines)]

    def end(self) -> None:
        for part in self._parts:
            part.terminate()
            part.wait()


def _say(part: "subprocess.Popen[str]", line: str) -> None:
    assert part.stdin is not None
    part.stdin.write(line + "\n")
    part.stdin.flush()


async def _hear(part: "subprocess.Popen[str]") -> str:
    """Raises `RuntimeError` where the process ended."""
    assert part.stdout is not None
    line = await asyncio.to_thread(part.stdout.readline)
    if not line:
        raise RuntimeError("the terminals ended")
    return line


async def measure(folder: Path, terminals: int, down_s: float) -> dict[str, Any]:
    devices = tuple(f"k{n:04}" for n in range(terminals))
    site = Site(folder, hall=HALL, devices=devices, hall_file=bench_hall(), voice=False, console=False)
    with site.broker:
        site.lay_out({})
        server = server_program(site.server_file, folder / "server.log")
        server.start()
        await server.ready(lambda: server_is_up(site))
        crowd = Crowd([site.write_profile(device, {}, Panel(offscreen=True)) for device in devices])
        try:
            await crowd.asks()
            first = await crowd.served()
            if any(terminal["served"] is None for terminal in first):
                raise RuntimeError("not all terminals are served even before the storm")
            await asyncio.sleep(SETTLE_S)
            site.broker.kill()
            await asyncio.sleep(down_s)
            await crowd.asks()
            site.broker.start()
            restarted = time.monotonic()
            storm = await crowd.served()
        finally:
            crowd.end()
            server.stop()
    return {"terminals": terminals, "broker_down_s": down_s} | _report(storm, restarted)


def _report(terminals: list[dict[str, float | None]], began: float) -> dict[str, Any]:
    found: dict[str, Any] = {"served": sum(t["served"] is not None for t in terminals)}
    found["starved"] = len(terminals) - found["served"]
    for what in ("ready", "served"):
        times = [at - began for t in terminals if (at := t[what]) is not None]
        if len(times) > 1:
            found[f"{what}_p50_s"] = round(statistics.median(times), 2)
            found[f"{what}_p99_s"] = round(percentile(times, 99), 2)
            found[f"all_{what}_s"] = round(max(times), 2)
    return found


def main(
    terminals: Annotated[int, typer.Option(min=2, max=2000)] = 500,
    down_s: Annotated[float, typer.Option("--down", help="Seconds without a broker.", min=0)] = 30.0,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()) as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), terminals, down_s))))


if __name__ == "__main__":
    typer.run(main)
