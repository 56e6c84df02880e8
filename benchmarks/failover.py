"""Two servers, one hall, one of them killed or suspended again and again while terminals take numbers.

Prints one JSON object: for each kind of failure the seconds from it to the next answer (`kill -9`, SIGSTOP, an orderly
stop, a move by command), and the tickets lost and doubled of all that were taken. Goals: ≤ 5 s after a kill, ≤ 15 s
after SIGSTOP, 0 lost, 0 doubled.
"""

import asyncio
import json
import logging
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from benchmarks.tickets import bench_hall, scratch
from provisioning.postgres import PrivatePostgres
from provisioning.site import Site
from tests.faults.machines import HALL, Kiosk, ServerProcess, command_line, issued, lay_out, verify
from tests.wire.seats import until
from wire.messages import Issue

SERVERS = ("server-1", "server-2")
SERVICE = "id-card"
WARM_S = 3.0
PATIENCE_S = 120.0


class Crowd:
    """Terminals that take one number after another, and when the last answer came."""

    def __init__(self, kiosks: list[Kiosk]) -> None:
        self.kiosks = kiosks
        self.go_on = True
        self._tasks = [asyncio.create_task(self._one(kiosk)) for kiosk in kiosks]
        self.answered = asyncio.Event()

    async def _one(self, kiosk: Kiosk) -> None:
        while self.go_on:
            await kiosk.ask(Issue(service=SERVICE))
            self.answered.set()

    def count(self) -> int:
        return sum(len(kiosk.answers) for kiosk in self.kiosks)

    async def silence_after(self, failure: float) -> float:
        """Seconds from the instant `failure` (monotonic) to the first answer that came after the change of leaders."""
        self.answered.clear()
        await asyncio.wait_for(self.answered.wait(), PATIENCE_S)
        return time.monotonic() - failure

    async def end(self) -> None:
        self.go_on = False
        await asyncio.wait_for(asyncio.gather(*self._tasks), PATIENCE_S)
        for kiosk in self.kiosks:
            await kiosk.leave()


def newest_epoch(server: ServerProcess) -> int:
    """0 if it never led."""
    led = [json.loads(line)["epoch"] for line in server.log.splitlines() if '"hall_led"' in line]
    return max(led, default=0)


async def measure(folder: Path, cluster: PrivatePostgres, terminals: int, tickets: int) -> dict[str, Any]:
    """One run: at least `tickets` tickets, with every kind of failure at least once."""
    site = lay_out(
        folder, [f"k{n}" for n in range(terminals)], postgres=cluster, standby=SERVERS[1:], hall=bench_hall()
    )
    servers = [ServerProcess(site, name) for name in SERVERS]
    gaps: dict[str, list[float]] = defaultdict(list)
    with site.broker, servers[0], servers[1]:
        crowd = Crowd([Kiosk(site, device) for device in site.devices])
        await until(lambda: crowd.count() > terminals, patience_s=PATIENCE_S)
        while crowd.count() < tickets or len(gaps) < len(_FAILURES):
            for kind in _FAILURES:
                await asyncio.sleep(WARM_S)
                leader, standby = sorted(servers, key=newest_epoch, reverse=True)
                await _stands_ready(site, standby)
                gaps[kind].append(round(await _fail(kind, leader, standby, crowd, site), 2))
        await crowd.end()
        for server in servers:
            await server.end()
    in_ledger = [event.ticket for event in issued(site)]
    numbers = {(event.business_date, event.number) for event in issued(site)}
    in_hands = [ticket for kiosk in crowd.kiosks for ticket in kiosk.tickets()]
    return {
        "gap_s": dict(gaps),
        "tickets": len(in_hands),
        "lost": len(set(in_hands) - set(in_ledger)) + len(set(in_ledger) - set(in_hands)),
        "doubled": len(in_ledger) - len(numbers) + len(in_hands) - len(set(in_hands)),
        "chain_intact": verify(site).returncode == 0,
    }


async def _stands_ready(site: Site, server: ServerProcess) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        told = await asyncio.to_thread(command_line, site, "leaders")
        if server.name in json.loads(told.stdout)["ready"]:
            return
    raise TimeoutError(f"{server.name} does not stand ready")


_FAILURES = ("kill", "suspend", "stop", "move")


async def _fail(kind: str, leader: ServerProcess, standby: ServerProcess, crowd: Crowd, site: Site) -> float:
    """Fail the leader, wait until the other one answers, and put both back into order; seconds without answers."""
    led = standby.log.count('"hall_led"')
    failure = time.monotonic()
    if kind == "kill":
        leader.kill()
    elif kind == "suspend":
        leader.freeze()
    elif kind == "stop":
        await leader.end()
    else:
        # the target must have stood ready for a while; the silence begins when the hall is given up
        given_up = leader.log.count('"hall_given_up"')
        moving = asyncio.create_task(asyncio.to_thread(command_line, site, "move", HALL, "--to", standby.name))
        await until(lambda: leader.log.count('"hall_given_up"') > given_up, patience_s=PATIENCE_S)
        failure = time.monotonic()
        await moving
    await standby.leads(led + 1)
    gap = await crowd.silence_after(failure)
    if kind in ("kill", "stop"):
        leader.start()
    elif kind == "suspend":
        leader.thaw()
        await leader.says("fenced", leader.log.count('"fenced"') + 1)
    return gap


def main(
    terminals: Annotated[int, typer.Option(min=1, max=100)] = 16,
    tickets: Annotated[int, typer.Option(help="At least so many.", min=1)] = 10_000,
) -> None:
    """Measure and print one JSON object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="estation-bench-", dir=scratch()))
        cluster = stack.enter_context(PrivatePostgres())
        print(json.dumps(asyncio.run(measure(Path(folder), cluster, terminals, tickets))))


if __name__ == "__main__":
    typer.run(main)
