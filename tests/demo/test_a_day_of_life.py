"""A demonstration that stays up, with simulated citizens and clerks, until Ctrl-C."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.wire.seats import until

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.timeout(240)


def served(ledger: Path) -> int:
    """Visits that a clerk has completed, the guided one included."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM events WHERE kind = 'service_completed'").fetchone()
    return int(count)


async def test_people_come_and_are_served_and_ctrl_c_ends_all_in_order(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    demonstration = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provisioning.demo", "--life", "6000", "--directory", str(directory)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert demonstration.stdout is not None
    try:
        async with asyncio.timeout(180):
            await demonstration.stdout.readuntil(b"arrive from now on")
            await until(lambda: served(directory / "server" / "data" / "ledger.db") >= 3, patience_s=90)
            # as a terminal does it: every process of the group gets it
            os.killpg(demonstration.pid, signal.SIGINT)
            last = (await demonstration.stdout.read()).decode().split("\n")
            status = await demonstration.wait()
    finally:
        if demonstration.returncode is None:
            # in its order too: its parts are in groups of their own
            demonstration.terminate()
            await demonstration.wait()
    assert [line for line in last if line] == ["ending…", "everything has ended"]
    assert status == 0
