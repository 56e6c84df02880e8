"""A server killed after a day of 100,000 events: how fast it is back.

Prints one JSON object. `events_per_s`: the whole day replayed without a snapshot. `ready_s`: from the hall's runner
starting to the hall being led, with the snapshot and the tail of events that a busy day leaves (`snapshot_every`).
`first_answer_s`: from `kill -9`, with the server started again at once, to the first answer in a terminal's hands;
`process_start_s` is the part of it before the runner starts. Medians of the kills. Goals: ready_s ≤ 1,
first_answer_s ≤ 3.
"""

import asyncio
import json
import logging
import statistics
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from benchmarks.days import Day, endless_hall, save_snapshot, write
from benchmarks.terminals import BenchTerminal
from benchmarks.tickets import HALL, Requests, scratch, server_is_up
from provisioning.processes import Program, server_program
from provisioning.site import Site
from queue_server import config as server_config
from queue_server.hall import configuration_from_json
from queue_server.hall_settings import HallSettings
from queue_server.ledger import Ledger
from queue_server.replay import load_hall
from queue_server.stores import Stores
from wire import topics
from wire.link import LinkDown, Outgoing

SERVICE = "social-card"
ASK_EVERY_S = 0.02
PATIENCE_S = 120.0
CALM_S = 2.0
"""Between two kills, for the server to be as it is on any day."""
LONGEST_TAIL = HallSettings.snapshot_every - 100
"""Of a hall that is quiet for a second now and then; the kills add a few."""


def replay_rate(ledger: Ledger) -> float:
    """Events a second of a ledger without a snapshot."""
    began = time.perf_counter()
    loaded = load_hall(ledger, HALL)
    return loaded.replayed / (time.perf_counter() - began)


async def first_answer(terminal: BenchTerminal, make: Requests) -> None:
    """The same request again and again, as a terminal does, until it is answered."""
    request_id, payload = make()
    asking = asyncio.create_task(terminal.ask(HALL, request_id, payload))
    while not asking.done():
        with suppress(LinkDown):
            await terminal.link.publish(Outgoing(topics.request(HALL, terminal.device), payload))
        await asyncio.wait((asking,), timeout=ASK_EVERY_S)
    asking.result()


def led(log: Path) -> list[dict[str, Any]]:
    """Each time that the hall was led, as the server's log tells it."""
    return [json.loads(line) for line in log.read_text().splitlines() if '"hall_led"' in line]


async def kill_once(program: Program, terminal: BenchTerminal, make: Requests) -> dict[str, float]:
    """`kill -9`, a new start at once, and how long each part of the way back took."""
    times = len(led(program.log))
    killed_at, killed = datetime.now(UTC), time.perf_counter()
    program.kill()
    program.start()
    await asyncio.wait_for(first_answer(terminal, make), PATIENCE_S)
    answered = time.perf_counter() - killed
    back = led(program.log)[times]
    led_after = (datetime.fromisoformat(back["timestamp"]) - killed_at).total_seconds()
    return {
        "ready_s": back["took_s"],
        "process_start_s": led_after - back["took_s"],
        "first_answer_s": answered,
        "tail": back["replayed"],
    }


async def measure(folder: Path, events: int, tail: int, kills: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    hall_file = endless_hall(now)
    site = Site(folder, hall=HALL, devices=("bench-0",), hall_file=hall_file, voice=False)
    day = Day(HALL, configuration_from_json(hall_file), now - timedelta(hours=1))
    day.pass_until(events)
    found: list[dict[str, float]] = []
    with site.broker:
        site.lay_out({})
        with Stores(server_config.read(site.server_file)) as stores:
            write(stores.ledger, day, server=site.server)
            rate = replay_rate(stores.ledger)
            save_snapshot(stores.ledger, HALL, tail)
        del day
        program = server_program(site.server_file, folder / "server.log")
        program.start()
        terminal = BenchTerminal("bench-0", site.broker.host, site.broker.port, site.device_account("bench-0"))
        make = Requests(SERVICE)
        try:
            await terminal.start()
            await program.ready(lambda: server_is_up(site))
            for _ in range(kills):
                await terminal.ask(HALL, *make())
                found.append(await kill_once(program, terminal, make))
                await program.ready(lambda: server_is_up(site))
                await asyncio.sleep(CALM_S)
        finally:
            await terminal.stop()
            program.stop()
    medians = {name: round(statistics.median(one[name] for one in found), 2) for name in found[0]}
    return {"events": events, "events_per_s": round(rate), "kills": kills} | medians


def main(
    events: Annotated[int, typer.Option(help="Of the day before the first kill.", min=1000)] = 100_000,
    tail: Annotated[int, typer.Option(help="Events since the snapshot.", min=1)] = LONGEST_TAIL,
    kills: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()) as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), events, tail, kills))))


if __name__ == "__main__":
    typer.run(main)
