"""Issue with fifty open counter consoles and with none: whether clerks' pages hold up the people at the terminals.

Prints one JSON object. Consoles are opened and closed in turns in one run, each held by a clerk at a counter of their
own; the client of `open_consoles` speaks the page's own protocol. Times are milliseconds from a terminal's publish to
the answer in its hands; the ratio is p99 with ÷ p99 without. Goal: ≤ 1.5.
"""

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import structlog
import typer

from benchmarks.disk import fsync_times
from benchmarks.open_consoles import own_address
from benchmarks.terminals import BenchTerminal, terminals
from benchmarks.tickets import HALL, Requests, bench_hall, percentile, scratch, server_is_up
from provisioning.processes import server_program
from provisioning.site import Site
from wire.codec import decode

SERVICE = "social-card"
FSYNCS = 100
PEOPLE_A_SECOND = 20.0
"""Far more than a hall of fifty counters sees; each changes what all consoles show."""


def hall_with(counters: int) -> bytes:
    """The sample hall with so many counters."""
    hall = json.loads(bench_hall())
    first = next(c for c in hall["counters"] if c["id"] == "counter-1")
    for n in range(len(hall["counters"]) + 1, counters + 1):
        name = {"zh": f"{n} 号窗口", "en": f"Counter {n}"}
        hall["counters"].append(first | {"id": f"counter-{n}", "number": str(n), "name": name})
    return json.dumps(hall, ensure_ascii=False).encode()


async def take_counters(site: Site, count: int) -> None:
    """Each clerk takes a counter."""
    for n in range(1, count + 1):
        login = f"bench-counter-{n}"
        transport = httpx.AsyncHTTPTransport(local_address=own_address(n))
        async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", transport=transport, timeout=30) as client:
            signed = await client.post("/sign-in", json={"login": login, "password": site.staff_passwords[login]})
            signed.raise_for_status()
            token = {"Authorization": f"Bearer {signed.json()['token']}"}
            (await client.post(f"/counters/counter-{n}/open", headers=token)).raise_for_status()


class Consoles:
    """The process with the pages."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.drawn = 0

    async def _say(self, word: str) -> str:
        """Raises `RuntimeError` where the process ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        said = await asyncio.to_thread(self._process.stdout.readline)
        if not said:
            raise RuntimeError("the consoles ended")
        return said

    async def open(self) -> None:
        await self._say("open")

    async def close(self) -> None:
        self.drawn += int((await self._say("close")).split()[1])


@contextmanager
def consoles(site: Site, count: int) -> Iterator[Consoles]:
    clerks = dict(list(site.staff_passwords.items())[:count])
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.open_consoles"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"url": site.url, "clerks": clerks}) + "\n")
    process.stdin.flush()
    try:
        yield Consoles(process)
    finally:
        process.terminate()
        process.wait()


async def issues(terminal: BenchTerminal, make: Requests, seconds: float) -> list[float]:
    """People come evenly, one after another; a refusal is a mistake of the bench."""
    latencies, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        took, answer = await terminal.ask(HALL, *make())
        if decode(answer)[0].kind == "refused":
            raise RuntimeError("refused")
        latencies.append(took)
        await asyncio.sleep(max(0.0, began + 1 / PEOPLE_A_SECOND - time.perf_counter()))
    return latencies


async def measure(folder: Path, count: int, rounds: int, seconds: float) -> dict[str, Any]:
    site = Site(folder, hall=HALL, devices=("bench-0",), hall_file=hall_with(count), voice=False)
    with site.broker:
        site.lay_out({f"bench-counter-{n}": (f"Bench {n}", ("clerk",)) for n in range(1, count + 1)})
        server = server_program(site.server_file, folder / "server.log")
        server.start()
        try:
            await server.ready(lambda: server_is_up(site))
            await take_counters(site, count)
            accounts = {"bench-0": site.device_account("bench-0")}
            make, without, with_them, fsync = Requests(SERVICE), list[float](), list[float](), list[float]()
            async with terminals(site.broker.host, site.broker.port, accounts) as (terminal,):
                await issues(terminal, make, min(seconds, 2.0))
                with consoles(site, count) as pages:
                    for _ in range(rounds):
                        fsync += fsync_times(folder, FSYNCS)
                        without += await issues(terminal, make, seconds)
                        await pages.open()
                        with_them += await issues(terminal, make, seconds)
                        await pages.close()
                    drawn = pages.drawn
        finally:
            server.stop()
    p99, p99_with = percentile(without, 99), percentile(with_them, 99)
    return {
        "consoles": count,
        "issues": len(without) + len(with_them),
        "pages_drawn_a_second": round(drawn / (rounds * seconds), 1),
        "fsync_p99_ms": round(percentile(fsync, 99), 2),
        "issue_p50_ms": round(percentile(without, 50), 2),
        "issue_p50_ms_consoles": round(percentile(with_them, 50), 2),
        "issue_p99_ms": round(p99, 2),
        "issue_p99_ms_consoles": round(p99_with, 2),
        "ratio": round(p99_with / p99, 3),
    }


def main(
    count: Annotated[int, typer.Option("--consoles", min=1)] = 50,
    rounds: Annotated[int, typer.Option(help="Of both arms, in turns.", min=1)] = 4,
    seconds: Annotated[float, typer.Option(help="Length of each turn.", min=1)] = 15.0,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()) as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), count, rounds, seconds))))


if __name__ == "__main__":
    typer.run(main)
