"""Next with a short line and with a long one: whether what a clerk waits for grows with the people who wait.

Prints one JSON object. `core_*` is the decision and its effect in the hall's core, in microseconds; `server_*` is one
POST to a real server, durable and answered with the hall as it is then, in milliseconds. Both halls stand in one
process and are asked in turns. The ratio is long ÷ short of the medians; goal: ≤ 1.2.
"""

import asyncio
import gc
import json
import logging
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from benchmarks.days import Day, endless_hall, write
from benchmarks.scale import SERVER, answers
from benchmarks.tickets import scratch
from provisioning.city import City
from provisioning.clerk import Clerk
from provisioning.processes import server_program
from queue_server import config as server_config
from queue_server.hall import Actor, CallNext, Refusal, configuration_from_json, decide, evolve
from queue_server.stores import Stores

SERVICE = "social-card"
COUNTER = "counter-1"
BETWEEN_S = 0.3
"""Longer than the hall's pause between two projections: each call finds the server at rest, as a clerk's does."""


def a_day(hall: str, now: datetime, people: int) -> Day:
    """A hall in which so many people wait for one queue."""
    day = Day(hall, configuration_from_json(endless_hall(now)), now - timedelta(minutes=30))
    day.open_counters()
    day.fill(SERVICE, people)
    return day


def core(days: dict[int, Day], calls: int) -> dict[int, list[float]]:
    """Microseconds of each Next in the core, by the people who wait. Whoever was called is replaced by one alike."""
    session = f"session-{COUNTER}"
    gc.collect()
    gc.freeze()
    took: dict[int, list[float]] = {people: [] for people in days}
    for n in range(calls):
        for people, day in days.items():
            held = day.hall.store.open_session(session)
            command = CallNext(by=Actor("clerk", held.clerk), session=session, seen=held.version, call=f"next-{n}")
            began = time.perf_counter()
            outcome = decide(day.hall, command, day.now)
            if isinstance(outcome, Refusal):
                raise RuntimeError(outcome.code)
            for event in outcome:
                evolve(day.hall, event)
            took[people].append((time.perf_counter() - began) * 1e6)
            called = day.hall.ticket(day.hall.store.open_session(session).ticket or "")
            day.finish(session)
            day.issue(SERVICE, called.priority_class if called else "ordinary")
    gc.unfreeze()
    return took


async def server(folder: Path, people: tuple[int, ...], calls: int) -> dict[int, list[float]]:
    """Milliseconds of each Next by HTTP, by the people who wait."""
    now = datetime.now(UTC)
    halls = {f"hall-{count}": count for count in people}
    async with AsyncExitStack() as stack:
        city = City(folder, tuple(halls), console=False)
        stack.enter_context(city.broker)
        city.lay_out()
        with Stores(server_config.read(city.server_file(SERVER))) as stores:
            for hall, count in halls.items():
                day = Day(hall, configuration_from_json(endless_hall(now)), now - timedelta(minutes=30))
                day.fill(SERVICE, count)
                write(stores.ledger, day, server=SERVER)
                (city.server_file(SERVER).parent / f"{hall}.json").write_bytes(endless_hall(now))
        program = server_program(city.server_file(SERVER), folder / "server.log")
        program.start()
        stack.callback(program.stop)
        await program.ready(lambda: answers(city))
        clerks = {}
        port = city.ports[SERVER]
        for hall, count in halls.items():
            login, host = f"clerk-{hall}", f"{hall}.localhost:{port}"
            clerk = Clerk(f"http://127.0.0.1:{port}", login, city.staff_passwords[hall], host=host)
            clerks[count] = await stack.enter_async_context(clerk)
            await clerks[count].open(COUNTER)
        took: dict[int, list[float]] = {count: [] for count in people}
        for _ in range(calls):
            for count, clerk in clerks.items():
                await asyncio.sleep(BETWEEN_S)
                began = time.perf_counter()
                await clerk.act("next")
                took[count].append((time.perf_counter() - began) * 1000)
            for act in ("start", "complete"):
                await asyncio.gather(*(clerk.act(act) for clerk in clerks.values()))
    return took


def report(part: str, unit: str, took: dict[int, list[float]]) -> dict[str, Any]:
    medians = {people: statistics.median(times) for people, times in took.items()}
    short, long = min(medians), max(medians)
    named = {f"{part}_{people}_p50_{unit}": round(value, 2) for people, value in medians.items()}
    return named | {f"{part}_ratio": round(medians[long] / medians[short], 3)}


def main(
    short: Annotated[int, typer.Option(help="People in the short line.", min=1)] = 100,
    long: Annotated[int, typer.Option(help="People in the long line.", min=2)] = 20_000,
    calls: Annotated[
        int, typer.Option(help="Calls in the core; a fiftieth of them through the server.", min=50)
    ] = 3000,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    now = datetime.now(UTC)
    in_core = core({people: a_day("bench", now, people) for people in (short, long)}, calls)
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()) as folder:
        by_server = asyncio.run(server(Path(folder), (short, long), calls // 50))
    found = report("core", "us", in_core) | report("server", "ms", by_server)
    print(json.dumps({"waiting": [short, long], "calls": calls} | found))


if __name__ == "__main__":
    typer.run(main)
