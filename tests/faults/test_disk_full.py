"""The ledger's disk is full: every terminal is told so, nothing answered is lost, and it goes on when there is room."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.machines import Kiosk, ServerProcess, issued, lay_out, set_server, verify
from tests.wire.seats import until
from wire import messages


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "/bin/mount"
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "estation-test", str(disk)], check=True)
    yield disk
    subprocess.run([shutil.which("umount") or "/bin/umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("reserve_mb", [3, 0], ids=["before the reserve is touched", "when the system says no"])
async def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path: Path, small_disk: Path, reserve_mb: int) -> None:
    site = lay_out(tmp_path, ["k1"])
    database = small_disk / "ledger.db"
    shutil.copy(site.directory / "server" / "data" / "ledger.db", database)
    set_server(site, store={"database": str(database), "reserve_mb": reserve_mb})
    ballast = small_disk / "ballast"
    with site.broker, ServerProcess(site) as server:
        k1 = Kiosk(site, "k1")
        await server.leads(1)
        first = await k1.ask(messages.Issue(service="social-card"))
        fill(ballast, small_disk)

        second = asyncio.create_task(k1.ask(messages.Issue(service="social-card")))
        await until(lambda: "ledger_full" in k1.put_off, patience_s=40)
        assert '"alert": "ledger_full"' in server.log
        assert not second.done()

        ballast.unlink()
        ticket = await asyncio.wait_for(second, 40)
        await until(lambda: '"alert_cleared"' in server.log)
        await k1.leave()
        assert await server.end() == 0
    assert [event.ticket for event in issued(site)] == [first.ticket, ticket.ticket]
    assert verify(site).returncode == 0


def fill(ballast: Path, disk: Path) -> None:
    """Take all that is free, to the last block."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert shutil.disk_usage(disk).free == 0
