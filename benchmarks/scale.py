"""What a hall costs: memory and processor time of server, broker and database, with few halls and with many.

Prints one JSON object. `own`: each hall has a server, a broker and a file of SQLite of its own (one is measured).
`shared`: one server process leads all halls, with one broker and one PostgreSQL. Memory is proportional (PSS): pages
that several processes share are counted once. Processor time is in milliseconds: idle a minute, and for each ticket.
"""

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import structlog
import typer

from benchmarks.terminals import BenchTerminal, terminals
from benchmarks.tickets import Requests, scratch
from provisioning.city import City
from provisioning.postgres import PrivatePostgres
from provisioning.processes import Program, server_program
from wire.codec import decode

SERVICE = "id-card"
SETTLE_S = 8.0
"""After the start, until caches are warm and the first projections are made."""
SERVER = "city-1"


@dataclass(frozen=True)
class Use:
    """Memory in megabytes and processor time in seconds of some processes, at one moment."""

    memory_mb: float
    processor_s: float


def use_of(pids: Iterable[int]) -> Use:
    """What processes use now; those that ended meanwhile count nothing."""
    memory, ticks = 0.0, 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        memory += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
        # its own, and that of its children that ended
        ticks += sum(map(int, fields[11:15]))
    return Use(memory, ticks / 100)


def children_of(pid: int) -> list[int]:
    """A process and its children: PostgreSQL has one for each connection."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, listed)]


@dataclass
class Running:
    """The processes of one arm."""

    city: City
    server: Program
    cluster: PrivatePostgres | None

    def use(self) -> dict[str, Use]:
        parts = {"server": [self.server.pid or 0], "broker": [self.city.broker.pid or 0]}
        if self.cluster is not None and self.cluster.pid is not None:
            parts["database"] = children_of(self.cluster.pid)
        return {name: use_of(pids) for name, pids in parts.items()}


async def answers(city: City) -> bool:
    """Every hall is led."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            said = (await client.get(f"http://127.0.0.1:{city.ports[SERVER]}/health")).json()
        except (httpx.HTTPError, ValueError):
            return False
    halls = said.get("halls", {"only": said})
    return all(hall["leading"] == "ok" for hall in halls.values())


async def measure(folder: Path, halls: int, *, shared: bool, seconds: float, a_minute: float) -> dict[str, Any]:
    """One arm: `halls` halls in one process, idle for `seconds`, then with tickets for as long."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(PrivatePostgres()) if shared else None
        city = City(folder, tuple(f"hall-{n}" for n in range(1, halls + 1)), postgres=cluster)
        stack.enter_context(city.broker)
        city.lay_out()
        server = server_program(city.server_file(SERVER), folder / "server.log")
        began = time.monotonic()
        server.start()
        stack.callback(server.stop)
        await server.ready(lambda: answers(city))
        ready_s = time.monotonic() - began
        accounts = {device: city.device_account(device) for hall in city.halls for device in city.devices(hall)}
        crowd = await stack.enter_async_context(terminals(city.broker.host, city.broker.port, accounts))
        await asyncio.sleep(SETTLE_S)
        running = Running(city, server, cluster)
        before = running.use()
        await asyncio.sleep(seconds)
        idle = running.use()
        taken, refused = await _load(city, crowd, seconds, a_minute)
        after = running.use()
    return {
        "halls": halls,
        "ready_s": round(ready_s, 1),
        "memory_mb": {name: round(use.memory_mb, 1) for name, use in after.items()},
        "memory_mb_a_hall": round(sum(use.memory_mb for use in after.values()) / halls, 1),
        "idle_ms_a_minute_and_hall": _each(before, idle, 60_000 / seconds / halls),
        "ms_a_ticket": _each_beyond_idle(before, idle, after, 1000 / max(taken, 1)),
        "tickets": taken,
        "refused": refused,
    }


def _each(before: dict[str, Use], after: dict[str, Use], factor: float) -> dict[str, float]:
    return {name: round((after[name].processor_s - before[name].processor_s) * factor, 2) for name in after}


def _each_beyond_idle(
    before: dict[str, Use], idle: dict[str, Use], after: dict[str, Use], factor: float
) -> dict[str, float]:
    """What the loaded part took more than the idle part before it, which was as long."""
    rested, worked = _each(before, idle, factor), _each(idle, after, factor)
    return {name: round(worked[name] - rested[name], 2) for name in worked}


async def _load(city: City, crowd: list[BenchTerminal], seconds: float, a_minute: float) -> tuple[int, int]:
    """Every hall takes `a_minute` tickets a minute, spread evenly; how many were taken, and how many refused."""
    make, taken, refused = Requests(SERVICE), 0, 0
    until = time.monotonic() + seconds
    pause = 60 / a_minute

    async def one(number: int, hall: str, terminal: BenchTerminal) -> None:
        nonlocal taken, refused
        await asyncio.sleep(pause * number / len(crowd))
        while time.monotonic() < until:
            began = time.monotonic()
            _, answer = await terminal.ask(hall, *make())
            taken += 1
            refused += decode(answer)[0].kind == "refused"
            await asyncio.sleep(max(0.0, began + pause - time.monotonic()))

    await asyncio.gather(*(one(n, hall, crowd[n]) for n, hall in enumerate(city.halls)))
    return taken, refused


def main(
    halls: Annotated[str, typer.Option(help="Numbers of halls of a shared server, with commas.")] = "2,10,40",
    seconds: Annotated[float, typer.Option(help="Length of the idle and of the loaded part.", min=5)] = 20.0,
    a_minute: Annotated[float, typer.Option("--tickets-a-minute", help="Of each hall.", min=0.1)] = 12.0,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    arms: dict[str, Any] = {"tickets_a_minute_and_hall": a_minute}
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()) as folder:
        arms["own"] = asyncio.run(measure(Path(folder) / "own", 1, shared=False, seconds=seconds, a_minute=a_minute))
        arms["shared"] = [
            asyncio.run(measure(Path(folder) / f"{count}", count, shared=True, seconds=seconds, a_minute=a_minute))
            for count in map(int, halls.split(","))
        ]
    print(json.dumps(arms))


if __name__ == "__main__":
    typer.run(main)
