"""A hall as processes (PostgreSQL, Mosquitto, two servers, eight terminals) in which each of them fails in turn.

Checked at the end, over what the public holds and what the ledger says: invariants I1 (no number in two hands), I2
(every number that was shown is in the ledger, once) and I3 (no number in the ledger that nobody was shown, unless it
was given back).
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.postgres import PrivatePostgres
from provisioning.site import Site, write_toml
from queue_server import config as server_config
from queue_server.hall import TicketCancelled, event_from_json
from queue_server.hall import configuration_from_json as hall_from_json
from queue_server.ledger import SqlLedger
from queue_server.stores import open_database
from tests.faults.machines import HALL, ServerProcess, issued, lay_out, set_server, verify
from tests.faults.proxy import Proxy
from tests.faults.terminals import lay_out_terminal, pending
from tests.wire.seats import until

TERMINALS = 8
SERVERS = ("server-1", "server-2")
PATIENCE_S = 120.0
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(420)


class TerminalProcess:
    """`tests.faults.terminal_program`: a terminal with people at it, behind a line of its own."""

    def __init__(self, home: Path, line: Proxy) -> None:
        self.line = line
        self._profile = home / "profile.toml"
        self._said = home / "said.jsonl"
        self._home = home
        self._log = home / "program.log"
        self._process: subprocess.Popen[bytes] | None = None
        document = tomllib.loads(self._profile.read_text())
        document["broker"]["port"] = line.port
        write_toml(self._profile, document)

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.faults.terminal_program", str(self._profile)]
        with self._said.open("ab") as said, self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=said, stderr=log, cwd=ROOT)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self.send(number)
            self._process.wait(20)
            self._process = None

    @property
    def shown(self) -> list[dict[str, str | bool]]:
        """What people saw."""
        return [line for line in self._lines if "number" in line]

    @property
    def settled(self) -> bool:
        """The last person has left, and the hall has answered all that this terminal told and asked."""
        return any("empty" in line for line in self._lines) and not pending(self._home)

    @property
    def _lines(self) -> list[dict[str, str | bool]]:
        """A line that a kill cut short was seen by nobody."""
        lines = self._said.read_text().splitlines() if self._said.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    @property
    def offline(self) -> int:
        """How many of the numbers it gave by itself."""
        return sum(bool(one["offline"]) for one in self.shown)


@dataclass
class Hall:
    """All processes."""

    site: Site
    cluster: PrivatePostgres
    servers: dict[str, ServerProcess]
    terminals: list[TerminalProcess]

    def leader_and_standby(self) -> tuple[ServerProcess, ServerProcess]:
        """By the newest epoch in their logs."""

        def newest(server: ServerProcess) -> int:
            lines = (json.loads(line) for line in server.log.splitlines() if '"hall_led"' in line)
            return max((line["epoch"] for line in lines), default=0)

        standby, leader = sorted(self.servers.values(), key=newest)
        return leader, standby

    async def goes_on(self, *among: int) -> None:
        """Every terminal, or those of `among`, shows two further numbers that the hall gave."""
        watched = [self.terminals[n] for n in among] if among else self.terminals
        before = [len(terminal.shown) - terminal.offline for terminal in watched]
        await until(
            lambda: all(len(t.shown) - t.offline >= n + 2 for t, n in zip(watched, before, strict=True)),
            patience_s=PATIENCE_S,
        )


@asynccontextmanager
async def hall(directory: Path, cluster: PrivatePostgres) -> AsyncIterator[Hall]:
    devices = [f"k{n}" for n in range(1, TERMINALS + 1)]
    site = lay_out(directory, devices, postgres=cluster, standby=SERVERS[1:])
    set_server(site, store={"lease_s": 3})
    configuration = hall_from_json((ROOT / "assets" / "halls" / "sample.json").read_bytes())
    servers = {name: ServerProcess(site, name) for name in SERVERS}
    async with AsyncExitStack() as stack:
        stack.enter_context(site.broker)
        for server in servers.values():
            stack.enter_context(server)
        terminals = []
        for device in devices:
            line = await stack.enter_async_context(Proxy(site.broker.port))
            terminals.append(TerminalProcess(lay_out_terminal(site, device, configuration), line))
        for terminal in terminals:
            terminal.start()
            stack.callback(terminal.end)
        yield Hall(site, cluster, servers, terminals)


@pytest.fixture
def own_cluster() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        yield running


async def test_whatever_fails_no_number_is_lost_or_in_two_hands(tmp_path: Path, own_cluster: PrivatePostgres) -> None:
    async with hall(tmp_path, own_cluster) as made:
        await made.goes_on()
        for fail in (_a_server_is_killed, _a_leader_sleeps, _lines_fail, _the_broker_forgets, _terminals_end):
            await fail(made)
            await made.goes_on()
        await _everybody_leaves(made)
        shown = [one["number"] for terminal in made.terminals for one in terminal.shown]
        given_offline = sum(terminal.offline for terminal in made.terminals)

    rows = issued(made.site)
    assert given_offline > 0
    assert Counter(shown) - Counter(set(shown)) == Counter(), "I1: a number in two hands"
    in_ledger = Counter(row.printed or row.number for row in rows)
    assert Counter(shown) - in_ledger == Counter(), "I2: a number that was shown is not in the ledger"
    assert in_ledger - Counter(set(in_ledger)) == Counter(), "I2: a number is in the ledger twice"
    unseen = {row.ticket for row in rows if (row.printed or row.number) not in set(shown)}
    assert unseen <= cancelled(made.site), "I3: a number that nobody was shown waits to be called"
    assert verify(made.site).returncode == 0


async def _a_server_is_killed(made: Hall) -> None:
    leader, standby = made.leader_and_standby()
    led = standby.log.count('"hall_led"')
    leader.kill()
    await standby.leads(led + 1)
    leader.start()


async def _a_leader_sleeps(made: Hall) -> None:
    leader, standby = made.leader_and_standby()
    await standby.says("standing_by", standby.log.count('"started"'))
    led = standby.log.count('"hall_led"')
    leader.freeze()
    await standby.leads(led + 1)
    leader.thaw()
    await leader.says("fenced")


async def _lines_fail(made: Hall) -> None:
    """Each terminal's line in another way, and the database dies meanwhile."""
    black_hole, deaf, mute, broken, cut, slow, asleep, _whole = made.terminals
    before = black_hole.offline
    black_hole.line.freeze()
    deaf.line.deafen("client")
    mute.line.deafen("server")
    broken.line.break_off(50)
    cut.line.cut()
    slow.line.delay_s = 0.3
    asleep.send(signal.SIGSTOP)
    made.cluster.kill()
    leader, _ = made.leader_and_standby()
    await leader.says("append_failed")
    made.cluster.start()
    await until(lambda: black_hole.offline > before, patience_s=PATIENCE_S)
    await made.goes_on(1, 2, 3, 4, 5, 7)
    black_hole.line.thaw()
    slow.line.delay_s = 0.0
    asleep.send(signal.SIGCONT)


async def _the_broker_forgets(made: Hall) -> None:
    made.site.broker.kill()
    made.site.broker.forget()
    made.site.broker.start()


async def _terminals_end(made: Hall) -> None:
    """Half of them, in the middle of whatever they do."""
    for terminal in made.terminals[::2]:
        terminal.end(signal.SIGKILL)
        terminal.start()


async def _everybody_leaves(made: Hall) -> None:
    """Nobody comes any more, though some are still being served over slow lines; terminals and servers end when all
    have left, every terminal has told the hall all, and the hall knows all numbers that were shown."""
    for terminal in made.terminals:
        terminal.line.delay_s = 0.1
    for terminal in made.terminals:
        terminal.send(signal.SIGUSR1)

    def all_known() -> bool:
        if not all(terminal.settled for terminal in made.terminals):
            return False
        shown = {one["number"] for terminal in made.terminals for one in terminal.shown}
        return shown <= {row.printed or row.number for row in issued(made.site)}

    await _until_true(all_known)
    for terminal in made.terminals:
        terminal.end(signal.SIGTERM)
    for server in made.servers.values():
        assert await server.end() == 0


async def _until_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another program's ledger
            await asyncio.sleep(0.2)


def cancelled(site: Site) -> set[str]:
    """Tickets that were given back."""
    with open_database(server_config.read(site.server_file).store) as database:
        rows = [row for row in SqlLedger(database).events(HALL) if row.kind == TicketCancelled.kind]
    events = [event_from_json(row.body) for row in rows]
    return {event.ticket for event in events if isinstance(event, TicketCancelled)}
