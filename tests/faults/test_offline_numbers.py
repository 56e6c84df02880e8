"""Terminals that lose the hall go on giving numbers, which join once and in order; copied machines are stopped."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.journeys.views import Network
from provisioning.site import Site
from queue_server.hall import HallConfiguration, configuration_from_json, configuration_to_json
from queue_server.hall.offline_numbers import LeasedRange
from tests.faults.machines import HALL, Kiosk, ServerProcess, issued, set_server, verify
from tests.faults.terminals import RunningTerminal, copy_disk, lay_out_terminal, pending
from tests.wire.seats import until
from wire import messages

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


def leasing() -> HallConfiguration:
    """The sample hall; the household queue has a few numbers to lease."""
    plain = configuration_from_json((ROOT / "assets" / "halls" / "sample.json").read_bytes())
    leased = LeasedRange(first=1001, last=1016, block=2)
    queues = tuple(replace(queue, leased=leased) if queue.id == "household" else queue for queue in plain.queues)
    return replace(plain, queues=queues)


def lay_out(directory: Path, *devices: str) -> Site:
    hall = configuration_to_json(leasing()).encode()
    site = Site(directory, hall=HALL, devices=devices, readers=("watcher",), hall_file=hall)
    site.broker.start()
    site.lay_out({})
    set_server(site, web={"enabled": False})
    return site


def open_alerts(site: Site) -> dict[str, str]:
    path = site.directory / "server" / "data" / "ledger.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return dict(database.execute("SELECT code, subject FROM alerts WHERE cleared_at IS NULL"))


def untold(home: Path) -> int:
    """How many offline numbers a terminal that is switched off has not told the hall yet."""
    return pending(home, "offline_ticket")


async def until_issued(site: Site, count: int) -> None:
    async with asyncio.timeout(90):
        while len(await asyncio.to_thread(issued, site)) < count:  # noqa: ASYNC110 - another program's ledger
            await asyncio.sleep(0.2)


async def test_f3_f5_terminals_that_lose_the_broker_go_on_and_their_numbers_join_once_and_in_order(
    tmp_path: Path,
) -> None:
    site = lay_out(tmp_path, "k1", "k2", "k9")
    homes = [lay_out_terminal(site, device, leasing()) for device in ("k1", "k2")]
    with site.broker, ServerProcess(site) as server:
        async with AsyncExitStack() as halls:
            await server.leads(1)
            one, two = [await halls.enter_async_context(RunningTerminal(home)) for home in homes]
            for terminal in (one, two):
                await terminal.serves(Network.CONNECTED)
            assert (await one.takes()).number == "H001"

            site.broker.kill()
            began, taken = datetime.now(UTC), []
            for terminal in (one, two):
                await terminal.serves(Network.OFFLINE)
            for terminal in (one, two, one, one, two, one):
                ticket = await terminal.takes()
                assert ticket.offline
                taken.append(ticket.number)
            own = sorted(taken)[-2:]
            assert own in (["XA001", "XA002"], ["XB001", "XB002"]), "a block of two runs out; the own series goes on"
            assert len({number for number in taken if number.startswith("H10")}) == 4

            site.broker.start()
            live = Kiosk(site, "k9")
            assert (await live.ask(messages.Issue(service="id-card"))).number == "H002"
            for terminal in (one, two):
                await terminal.serves(Network.CONNECTED)
            await until_issued(site, 8)
            await live.leave()
            assert (await one.takes()).number == "H003"
        events = issued(site)
        assert await server.end() == 0
    joined = [event for event in events if event.printed is not None]
    assert sorted(event.number for event in joined) == sorted(taken)
    for device in ("k1", "k2"):
        line = sorted((event for event in joined if event.device == device), key=lambda event: event.order_key)
        assert [event.number for event in line] == [number for number in taken if number in {e.number for e in line}]
    assert all(event.uncertain_s <= 5 for event in joined)
    assert all(abs((event.arrived_at or event.at) - began).total_seconds() < 60 for event in joined)
    before = next(event for event in events if event.number == "H002")
    assert all(event.order_key < before.order_key for event in joined), "they came before whoever came after"
    assert verify(site).returncode == 0


async def test_r61_a_killed_server_is_missed_by_nobody_at_the_terminal(tmp_path: Path) -> None:
    site = lay_out(tmp_path, "k1")
    home = lay_out_terminal(site, "k1", leasing())
    with site.broker, ServerProcess(site) as server:
        await server.leads(1)
        async with RunningTerminal(home) as terminal:
            await terminal.serves(Network.CONNECTED)
        server.kill()
        async with RunningTerminal(home) as terminal:
            await terminal.serves(Network.OFFLINE)
            numbers = [(await terminal.takes()).number for _ in range(2)]
        async with RunningTerminal(home) as terminal:
            await terminal.serves(Network.OFFLINE)
            numbers.append((await terminal.takes()).number)
            server.start()
            await server.leads(2)
            await until_issued(site, 3)
        assert await server.end() == 0
    assert [event.number for event in issued(site)] == numbers
    assert len(set(numbers)) == 3


async def test_two_machines_with_one_disk_are_both_stopped_and_nobody_is_lost(tmp_path: Path) -> None:
    site = lay_out(tmp_path, "k1")
    home = lay_out_terminal(site, "k1", leasing())
    with site.broker, ServerProcess(site) as server:
        await server.leads(1)
        async with RunningTerminal(home) as terminal:
            await terminal.serves(Network.CONNECTED)
        twin = copy_disk(home, tmp_path / "twin")
        site.broker.kill()
        async with RunningTerminal(home) as one, RunningTerminal(twin) as two:
            slips = []
            for terminal in (one, two):
                await terminal.serves(Network.OFFLINE)
                slips += [(await terminal.takes()).number for _ in range(2)]
            assert slips[:2] == slips[2:], "both gave the same numbers, which is what must be found"
            site.broker.start()
            await until(lambda: open_alerts(site).get("cloned_device") == "k1")
            for terminal in (one, two):
                await terminal.stands_still("cloned")

        renewed = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "queue_server", "renew-device", "--config", str(site.server_file), "--id", "k1"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        assert json.loads(renewed.stdout)["state"] == "accepted"
        await until(lambda: "cloned_device" not in open_alerts(site))
        right = max(home, twin, key=untold)
        assert untold(right) > 0, "the other one was heard first: the hall knows its numbers from there"
        async with RunningTerminal(right) as terminal:
            await terminal.serves(Network.CONNECTED)
            await until(lambda: untold(right) == 0)
            assert (await terminal.takes()).number.startswith("H0")
        assert "cloned_device" not in open_alerts(site), "what it still told of the time before stopped nobody"
        events = issued(site)
        assert await server.end() == 0
    numbers = [event.number for event in events]
    assert len(set(numbers)) == len(numbers)
    printed = [event.printed for event in events if event.printed is not None]
    assert set(slips[:2]) <= set(printed), "whoever holds a slip of the right machine is in the queue"
    assert verify(site).returncode == 0
