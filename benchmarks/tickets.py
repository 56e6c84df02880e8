"""Tickets through broker, server and ledger, against what the disk and the link cost on this machine in this run.

Prints one JSON object. Times are milliseconds. `issue` is from a terminal's publish to the answer in its hands; the
terminal's own journal write comes before it and is printed apart. Goals: latency_ratio ≤ 1.6, throughput_ratio ≥ 0.5.

A lone request finds disk, broker and server asleep, and the machine's caches with whoever shares the host. So fsync,
echo and issue take turns one by one, and each finds the machine as the others do. The figures `in_a_row` are of a
hundred of each kind on end: disk and echo are then awake and warm, and the server, which goes through all three and
rests at the disk, is not.
"""

import asyncio
import itertools
import json
import logging
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import httpx
import structlog
import typer

from benchmarks.disk import fsync_probe, fsync_times
from benchmarks.echo import ECHO
from benchmarks.terminals import BenchTerminal, closed_loop, terminals
from kiosk.journal import Journal
from provisioning.broker import Account, account_for
from provisioning.postgres import PrivatePostgres
from provisioning.processes import Program, server_program
from provisioning.site import SAMPLE_HALL, Site
from queue_server.config import read
from wire.access import Device
from wire.codec import decode, encode
from wire.messages import Issue

HALL = "bench"
CLERK = "bench"
WARM_UP = 50
ROUNDS = 7
REQUESTS_A_ROUND = 100
"""In each round so many of each kind by turns, and then so many of each in a row."""
CROWD_ROUNDS = 10
"""Of the whole crowd, for the throughput."""
CALM_S = 0.5


@dataclass(frozen=True)
class Alone:
    """Milliseconds of a durable write, of an echo and of an issue, when nobody else asks."""

    fsync: list[float]
    echo: list[float]
    issue: list[float]

    def report(self) -> dict[str, float]:
        fsync, rtt, issue = (statistics.median(times) for times in (self.fsync, self.echo, self.issue))
        return {
            "issue_p50_ms": round(issue, 3),
            "issue_p99_ms": round(percentile(self.issue, 99), 3),
            "fsync_p50_ms": round(fsync, 3),
            "rtt_p50_ms": round(rtt, 3),
            "latency_ratio": round(issue / (fsync + rtt), 3),
        }


@dataclass(frozen=True)
class Figures:
    """What one run measured."""

    by_turns: Alone
    in_a_row: Alone
    echo_rates: list[float]
    issue_rates: list[float]
    issue_crowd: list[float]
    journal: list[float]
    refused: int

    def report(self, crowd: int) -> dict[str, Any]:
        tickets_per_s, echo_per_s = statistics.median(self.issue_rates), statistics.median(self.echo_rates)
        return {
            **self.by_turns.report(),
            "in_a_row": self.in_a_row.report(),
            "terminals": crowd,
            "tickets_per_s": round(tickets_per_s, 1),
            "echo_per_s": round(echo_per_s, 1),
            "throughput_ratio": round(tickets_per_s / echo_per_s, 3),
            "crowd_issue_p50_ms": round(statistics.median(self.issue_crowd), 3),
            "crowd_issue_p99_ms": round(percentile(self.issue_crowd, 99), 3),
            "journal_write_p50_ms": round(statistics.median(self.journal), 3),
            "tickets": len(self.by_turns.issue) + len(self.in_a_row.issue) + len(self.issue_crowd),
            "refused": self.refused,
        }


def percentile(values: list[float], percent: int) -> float:
    """The `percent`-th percentile of at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def bench_hall() -> bytes:
    """The sample hall with one queue that does not run out of numbers."""
    hall = json.loads((files("assets") / SAMPLE_HALL).read_bytes())
    for queue in hall["queues"]:
        queue["last"], queue["digits"] = 999_999, 6
    return json.dumps(hall, ensure_ascii=False).encode()


class Requests:
    """Issue requests with ids of their own; counts answers that are refusals."""

    def __init__(self, service: str) -> None:
        self._boot, self._numbers, self._service = secrets.token_hex(8), itertools.count(1), service

    def __call__(self) -> tuple[str, bytes]:
        request_id = f"{self._boot}-{next(self._numbers)}"
        return request_id, encode(Issue(service=self._service), message_id=request_id, at=datetime.now(UTC))


async def one_after_another(
    terminal: BenchTerminal, hall: str, make: Callable[[], tuple[str, bytes]], count: int
) -> tuple[list[float], int]:
    """Latencies of `count` requests of one terminal, and how many answers were refusals."""
    latencies, refused = [], 0
    for _ in range(count):
        took, answer = await terminal.ask(hall, *make())
        latencies.append(took)
        refused += decode(answer)[0].kind == "refused"
    return latencies, refused


async def journal_times(folder: Path, make: Callable[[], tuple[str, bytes]], count: int) -> list[float]:
    """Milliseconds that a terminal's journal takes to keep one request."""
    journal = Journal(folder / "journal.sqlite3", secrets.token_hex(8), lambda: datetime.now(UTC))
    await journal.open()
    try:
        times = []
        for _ in range(count):
            payload = make()[1]
            began = time.perf_counter()
            await journal.append("live", "issue", lambda _key, payload=payload: payload)  # type: ignore[misc]
            times.append((time.perf_counter() - began) * 1000)
        return times
    finally:
        await journal.close()


def start_echo(host: str, port: int, account: Account) -> subprocess.Popen[str]:
    """The echo process, ready to answer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the echo has no pipes")
    given = {"host": host, "port": port, "username": account.username, "password": account.password}
    process.stdin.write(json.dumps(given) + "\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.strip() == "ready":
            return process
    raise RuntimeError("the echo ended")


async def open_all_counters(site: Site) -> None:
    """A clerk at one counter of every queue, so that no service is closed."""
    hall = json.loads((site.server_file.parent / "hall.json").read_bytes())
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1") as client:
        for counter in hall["counters"]:
            login = f"{CLERK}-{counter['id']}"
            signed = await client.post("/sign-in", json={"login": login, "password": site.staff_passwords[login]})
            signed.raise_for_status()
            token = {"Authorization": f"Bearer {signed.json()['token']}"}
            (await client.post(f"/counters/{counter['id']}/open", headers=token)).raise_for_status()


async def server_is_up(site: Site) -> bool:
    """The web part answers."""
    async with httpx.AsyncClient(timeout=2) as client:
        try:
            return (await client.get(f"{site.url}/health")).status_code == 200
        except httpx.HTTPError:
            return False


async def measure(folder: Path, crowd: int, seconds: float, cluster: PrivatePostgres | None = None) -> Figures:
    """One run: server and echo are both up and asked in turns, so that what the machine does meets both alike.

    The ledger is a file of SQLite, or stands in `cluster`.
    """
    devices = tuple(f"bench-{n}" for n in range(crowd))
    site = Site(
        folder,
        hall=HALL,
        devices=devices,
        hall_file=bench_hall(),
        voice=False,
        console=False,
        postgres=cluster,
        device_rate=100_000,  # a terminal here asks as fast as it can; whom it would hold up is not measured
    )
    for device in devices:
        # the same account asks both halls
        account = site.device_account(device)
        both = account_for(Device(device, (HALL, "echo")))
        site.broker.accounts[account.username] = both
    echo_account = account_for(ECHO)
    site.broker.accounts[echo_account.username] = echo_account
    hall = json.loads(bench_hall())
    with site.broker:
        site.lay_out({f"{CLERK}-{c['id']}": (f"Bench {c['id']}", ("clerk",)) for c in hall["counters"]})
        server = server_program(site.server_file, folder / "server.log")
        echo = start_echo(site.broker.host, site.broker.port, echo_account)
        server.start()
        try:
            return await _measure(site, server, seconds)
        finally:
            server.stop()
            echo.terminate()
            echo.wait()


async def _measure(site: Site, server: Program, seconds: float) -> Figures:
    await server.ready(lambda: server_is_up(site))
    await open_all_counters(site)
    make = Requests(json.loads(bench_hall())["services"][0]["id"])
    folder = site.postgres.directory if site.postgres else Path(read(site.server_file).store.database).parent
    by_turns, in_a_row, refused = Alone([], [], []), Alone([], [], []), 0
    accounts = {device: site.device_account(device) for device in site.devices}
    async with terminals(site.broker.host, site.broker.port, accounts) as everybody:
        await _echoes(everybody[0], make, WARM_UP)
        await one_after_another(everybody[0], HALL, make, WARM_UP)
        for _ in range(ROUNDS):
            with fsync_probe(folder) as append:
                for _ in range(REQUESTS_A_ROUND):
                    refused += await _once_each(by_turns, append, everybody[0], make)
            in_a_row.fsync.extend(fsync_times(folder, REQUESTS_A_ROUND))
            in_a_row.echo.extend(await _echoes(everybody[0], make, REQUESTS_A_ROUND))
            times, bad = await one_after_another(everybody[0], HALL, make, REQUESTS_A_ROUND)
            in_a_row.issue.extend(times)
            refused += bad
        echo_rates, issue_rates, issue_crowd = [], [], []
        for _ in range(CROWD_ROUNDS):
            echo_rates.append((await closed_loop(everybody, "echo", make, seconds=seconds))[0])
            rate, times = await closed_loop(everybody, HALL, make, seconds=seconds)
            issue_rates.append(rate)
            issue_crowd += times
            # displays and lists follow the last answers: work of the hall, not of the echo that comes next
            await asyncio.sleep(CALM_S)
    journal = await journal_times(folder, make, REQUESTS_A_ROUND)
    return Figures(by_turns, in_a_row, echo_rates, issue_rates, issue_crowd, journal, refused)


async def _once_each(
    alone: Alone, append: Callable[[], float], terminal: BenchTerminal, make: Callable[[], tuple[str, bytes]]
) -> int:
    """A durable write, an echo, an issue; how many answers were refusals."""
    alone.fsync.append(append())
    alone.echo.extend(await _echoes(terminal, make, 1))
    times, refused = await one_after_another(terminal, HALL, make, 1)
    alone.issue.extend(times)
    return refused


async def _echoes(terminal: BenchTerminal, make: Callable[[], tuple[str, bytes]], count: int) -> list[float]:
    return [(await terminal.ask("echo", *make()))[0] for _ in range(count)]


def main(
    crowd: Annotated[int, typer.Option("--terminals", help="Terminals for the throughput.", min=1, max=500)] = 50,
    seconds: Annotated[float, typer.Option(help="Length of each throughput round.", min=1)] = 1.5,
    postgres: Annotated[bool, typer.Option("--postgres", help="The ledger in PostgreSQL.")] = False,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()))
        cluster = stack.enter_context(PrivatePostgres()) if postgres else None
        figures = asyncio.run(measure(Path(folder), crowd, seconds, cluster)).report(crowd)
        print(json.dumps({"ledger": "postgresql" if postgres else "sqlite"} | figures))


def scratch() -> Path:
    """On the disk of the checkout: the system's temporary directory may be memory."""
    scratch = Path(__file__).parent.parent / "var"
    scratch.mkdir(exist_ok=True)
    return scratch


if __name__ == "__main__":
    typer.run(main)
