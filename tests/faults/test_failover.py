"""Two servers, one hall, with real processes: whoever fails or sleeps, one leads, and no ticket is lost or doubled."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.postgres import PrivatePostgres
from provisioning.site import Site
from tests.faults.machines import (
    HALL,
    Kiosk,
    ServerProcess,
    Watcher,
    command_line,
    issued,
    lay_out,
    set_server,
    verify,
)
from tests.wire.seats import until
from wire.codec import decode

KIOSKS = 6
SERVERS = ("server-1", "server-2")


@dataclass
class City:
    """A site with both servers running and a crowd at its terminals."""

    site: Site
    servers: dict[str, ServerProcess]
    kiosks: list[Kiosk]

    async def leader(self) -> ServerProcess:
        """The server whose word is the newest that it leads."""

        def newest() -> tuple[int, str]:
            return max((epoch, name) for name, server in self.servers.items() for epoch in epochs(server))

        await until(lambda: any(epochs(server) for server in self.servers.values()), patience_s=60)
        return self.servers[newest()[1]]

    def other(self, server: ServerProcess) -> ServerProcess:
        return next(one for one in self.servers.values() if one is not server)

    async def takes_numbers(self, more: int = KIOSKS) -> None:
        """Wait for so many further answers."""
        wanted = sum(len(kiosk.answers) for kiosk in self.kiosks) + more
        await until(lambda: sum(len(kiosk.answers) for kiosk in self.kiosks) >= wanted, patience_s=60)


def epochs(server: ServerProcess) -> list[int]:
    lines = (json.loads(line) for line in server.log.splitlines() if '"hall_led"' in line)
    return [line["epoch"] for line in lines]


@asynccontextmanager
async def city(directory: Path, cluster: PrivatePostgres, *, lease_s: float = 3) -> AsyncIterator[City]:
    """Both servers under load; afterwards every ticket is in exactly one hand and the chain is whole."""
    site = lay_out(directory, [f"k{n}" for n in range(KIOSKS)], postgres=cluster, standby=SERVERS[1:])
    set_server(site, store={"lease_s": lease_s})
    servers = {name: ServerProcess(site, name) for name in SERVERS}
    with site.broker, servers["server-1"], servers["server-2"]:
        kiosks = [Kiosk(site, device) for device in site.devices]
        made = City(site, servers, kiosks)
        go_on = asyncio.Event()
        go_on.set()
        crowds = [asyncio.create_task(kiosk.crowd(go_on)) for kiosk in kiosks]
        await made.takes_numbers()
        yield made
        await made.takes_numbers()
        go_on.clear()
        await asyncio.wait_for(asyncio.gather(*crowds), 60)
        for kiosk in kiosks:
            await kiosk.leave()
        for server in servers.values():
            if server.running:
                assert await server.end() == 0
    in_ledger = issued(site)
    in_hands = [ticket for kiosk in kiosks for ticket in kiosk.tickets()]
    assert sorted(in_hands) == sorted(event.ticket for event in in_ledger)
    assert len({(event.business_date, event.number) for event in in_ledger}) == len(in_ledger)
    for kiosk in kiosks:
        for name, answers in kiosk.answers.items():
            assert len(set(answers)) == 1, (kiosk.device, name)
    assert verify(site).returncode == 0


@pytest.fixture
def own_cluster() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        yield running


async def test_whoever_is_killed_the_other_leads_and_no_ticket_is_lost_or_doubled(
    tmp_path: Path, cluster: PrivatePostgres
) -> None:
    async with city(tmp_path, cluster) as made:
        for _ in range(2):
            leader = await made.leader()
            standby = made.other(leader)
            led = len(epochs(standby))
            leader.kill()
            await standby.leads(led + 1)
            await made.takes_numbers()
            leader.start()
            await leader.says("standing_by", leader.log.count('"standing_by"') + 1)


async def test_a_leader_that_slept_finds_itself_fenced_and_says_nothing_old(
    tmp_path: Path, cluster: PrivatePostgres
) -> None:
    async with city(tmp_path, cluster) as made:
        watcher = Watcher(made.site)
        sleeper = await made.leader()
        standby = made.other(sleeper)
        await until(lambda: watcher.frames)
        sleeper.freeze()
        await standby.leads(len(epochs(standby)) + 1)
        await made.takes_numbers()
        woken_at = len(watcher.frames)
        sleeper.thaw()
        await sleeper.says("fenced")
        await made.takes_numbers()
        new = epochs(standby)[-1]
        stamped = [(decode(frame.payload)[0].epoch, frame.topic) for frame in watcher.frames[woken_at:]]
        assert [one for one in stamped if one[0] not in (None, new)] == []
        assert (await made.leader()) is standby
        await watcher.leave()


async def test_a_server_that_is_stopped_in_order_hands_the_hall_over_at_once(
    tmp_path: Path, cluster: PrivatePostgres
) -> None:
    # were the lease not given back, the other one would have to wait a minute
    async with city(tmp_path, cluster, lease_s=60) as made:
        leader = await made.leader()
        standby = made.other(leader)
        await standby.says("standing_by")
        assert await leader.end() == 0
        await standby.leads(1)
        await made.takes_numbers()
        assert "server_lost" not in standby.log


async def test_a_hall_is_moved_by_one_command_while_people_take_numbers(
    tmp_path: Path, cluster: PrivatePostgres
) -> None:
    async with city(tmp_path, cluster) as made:
        for name in ("server-2", "server-1"):
            target = made.servers[name]
            if (await made.leader()) is not target:
                moved = await asyncio.to_thread(command_line, made.site, "move", HALL, "--to", name, "--within", "60")
                assert moved.returncode == 0, moved.stderr
                assert json.loads(moved.stdout)["leader"] == name
            await made.takes_numbers()
            assert (await made.leader()) is target
        nobody = await asyncio.to_thread(command_line, made.site, "move", HALL, "--to", "server-9")
        assert nobody.returncode == 2
        assert "does not stand ready" in nobody.stderr
        told = json.loads((await asyncio.to_thread(command_line, made.site, "leaders")).stdout)
        assert (told["leader"], told["home"], told["ready"]) == ("server-1", "server-1", ["server-2"])


async def test_the_database_may_be_killed_and_the_hall_goes_on_where_it_was(
    tmp_path: Path, own_cluster: PrivatePostgres
) -> None:
    async with city(tmp_path, own_cluster) as made:
        for _ in range(2):
            own_cluster.kill()
            leader = await made.leader()
            await leader.says("append_failed")
            own_cluster.start()
            await made.takes_numbers(3 * KIOSKS)
