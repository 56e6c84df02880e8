"""The journal keeps what it said it kept: over a kill, a damaged file, and a full disk."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.errors import JournalFault, JournalFull
from kiosk.journal import Journal

BOOT = "0123456789abcdef"
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def payload(request_id: str) -> bytes:
    return f"body of {request_id}".encode()


async def opened(path: Path, boot_id: str = BOOT, **options) -> Journal:
    journal = Journal(path, boot_id, lambda: NOW, **options)
    await journal.open()
    return journal


async def test_entries_wait_in_order_with_their_exact_bytes_until_they_are_settled(tmp_path):
    journal = await opened(tmp_path / "journal.sqlite3")
    entries = [await journal.append("live", "issue", payload) for _ in range(3)]
    assert [entry.request_id for entry in entries] == [f"{BOOT}-{n}" for n in (1, 2, 3)]
    assert await journal.pending("live") == tuple(entries)
    assert entries[0].payload == f"body of {BOOT}-1".encode()
    assert await journal.answered(entries[0].request_id)
    assert not await journal.answered(entries[0].request_id), "a second answer finds it settled"
    assert await journal.pending("live", 1) == (entries[1],)
    assert await journal.backlog() == 2
    await journal.close()


async def test_lanes_do_not_mix_and_a_withdrawal_is_one_step(tmp_path):
    journal = await opened(tmp_path / "journal.sqlite3")
    live = await journal.append("live", "issue", payload)
    fact = await journal.withdraw(live.request_id, payload)
    assert await journal.pending("live") == ()
    assert await journal.pending("facts") == (fact,)
    assert not await journal.answered(live.request_id), "a late answer does not revive a withdrawn request"
    await journal.close()


async def test_a_quarantined_fact_no_longer_blocks_its_lane_and_is_kept(tmp_path):
    journal = await opened(tmp_path / "journal.sqlite3")
    bad = await journal.append("facts", "slip", payload)
    good = await journal.append("facts", "slip", payload)
    assert await journal.set_aside() == 0
    assert await journal.quarantine(bad.request_id, "body_refused")
    assert await journal.set_aside() == 1
    assert await journal.pending("facts") == (good,)
    await journal.close()


async def test_an_outcome_of_a_slip_is_noted_once_and_another_one_of_the_same_slip_too(tmp_path):
    path = tmp_path / "journal.sqlite3"
    first = await opened(path)
    assert await first.note_slip("t-1", "ticket:t-1=unknown", payload) is not None
    await first.close()
    second = await opened(path, "fedcba9876543210")
    assert await second.note_slip("t-1", "ticket:t-1=unknown", payload) is None
    assert await second.note_slip("t-1", "ticket:t-1=printed", payload) is not None
    assert [fact.kind for fact in await second.pending("facts")] == ["slip", "slip"]
    await second.close()


async def test_the_next_start_finds_everything_and_never_repeats_an_id(tmp_path):
    path = tmp_path / "journal.sqlite3"
    first = await opened(path)
    entry = await first.append("live", "issue", payload)
    await first.remember("maintenance", "on")
    await first.close()
    second = await opened(path, "fedcba9876543210")
    assert await second.pending("live") == (entry,)
    assert await second.recall("maintenance") == "on"
    assert (await second.append("live", "issue", payload)).request_id == "fedcba9876543210-1"
    await second.close()


def test_a_kill_loses_no_entry_that_append_returned(tmp_path):
    writer = textwrap.dedent(
        f"""
        import asyncio, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from kiosk.journal import Journal

        async def write():
            journal = Journal(Path({str(tmp_path / "journal.sqlite3")!r}), "{BOOT}", lambda: datetime.now(UTC))
            await journal.open()
            while True:
                entry = await journal.append("live", "issue", lambda key: key.encode())
                print(entry.request_id, flush=True)

        asyncio.run(write())
        """
    )
    process = subprocess.Popen([sys.executable, "-c", writer], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    returned = [process.stdout.readline().strip() for _ in range(40)]
    os.kill(process.pid, signal.SIGKILL)
    returned += process.stdout.read().split()
    process.wait()

    async def look() -> list[str]:
        journal = await opened(tmp_path / "journal.sqlite3", "fedcba9876543210")
        try:
            return [entry.request_id for entry in await journal.pending("live")]
        finally:
            await journal.close()

    kept = asyncio.run(look())
    assert len(returned) >= 40
    assert kept[: len(returned)] == returned
    assert len(kept) - len(returned) <= 1, "at most the one entry under way was kept without being returned"


@pytest.mark.parametrize("damage", ["garbage", "truncated", "zeros"])
async def test_a_damaged_file_is_put_aside_and_the_journal_works_again(tmp_path, damage):
    path = tmp_path / "journal.sqlite3"
    journal = await opened(path)
    for _ in range(50):
        await journal.append("live", "issue", payload)
    await journal.close()
    whole = path.read_bytes()
    path.write_bytes(
        {
            "garbage": whole[:4096] + os.urandom(len(whole) - 4096),
            "truncated": whole[: len(whole) // 2 + 100],
            "zeros": bytes(len(whole)),
        }[damage]
    )
    again = Journal(path, "fedcba9876543210", lambda: NOW)
    found = await again.open()
    assert found.aside is not None
    assert (found.aside / path.name).exists()
    entry = await again.append("live", "issue", payload)
    assert entry in await again.pending("live")
    await again.close()


async def test_what_a_damaged_file_still_gives_is_carried_over(tmp_path):
    path = tmp_path / "journal.sqlite3"
    journal = await opened(path)
    entries = [await journal.append("facts", "slip", payload) for _ in range(5)]
    await journal.close()
    with sqlite3.connect(path) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'memory'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 100)
    again = Journal(path, "fedcba9876543210", lambda: NOW)
    found = await again.open()
    assert found.salvaged == 5
    assert [entry.payload for entry in await again.pending("facts")] == [entry.payload for entry in entries]
    await again.close()


async def test_new_requests_are_refused_before_the_disk_is_full_and_facts_still_fit(tmp_path):
    free = 1 << 30
    journal = await opened(tmp_path / "journal.sqlite3", free_bytes=lambda: free)
    assert (tmp_path / "reserve").stat().st_size > 0
    live = await journal.append("live", "issue", payload)
    free = 1 << 20
    with pytest.raises(JournalFull):
        await journal.append("live", "issue", payload)
    assert not (tmp_path / "reserve").exists(), "the reserve is given up for what must still be written"
    await journal.withdraw(live.request_id, payload)
    assert len(await journal.pending("facts")) == 1
    free = 1 << 30
    await journal.append("live", "issue", payload)
    assert (tmp_path / "reserve").exists()
    await journal.close()


async def test_a_journal_that_cannot_be_opened_is_a_named_fault(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    journal = Journal(tmp_path / "file" / "journal.sqlite3", BOOT, lambda: NOW)
    with pytest.raises(JournalFault):
        await journal.open()
    with pytest.raises(JournalFault):
        await journal.append("live", "issue", payload)
    await journal.close()


async def test_a_number_given_offline_and_the_withdrawal_of_its_request_are_one_step(tmp_path):
    journal = await opened(tmp_path / "journal.sqlite3")
    live = await journal.append("live", "issue", payload)
    assert await journal.give_offline("t-1", ("held", "after"), payload, (live.request_id, payload))
    assert await journal.recall("held") == "after"
    assert await journal.pending("live") == ()
    assert [entry.kind for entry in await journal.pending("facts")] == ["withdraw", "offline_ticket"]
    assert not await journal.answered(live.request_id)
    await journal.close()


async def test_a_request_that_was_answered_first_leaves_no_number_offline(tmp_path):
    journal = await opened(tmp_path / "journal.sqlite3")
    live = await journal.append("live", "issue", payload)
    assert await journal.answered(live.request_id)
    assert not await journal.give_offline("t-1", ("held", "after"), payload, (live.request_id, payload))
    assert await journal.recall("held") is None
    assert await journal.pending("facts") == ()
    await journal.close()


async def test_a_number_that_reached_the_machine_is_owed_until_its_slip_is_told_of_or_it_is_taken_back(tmp_path):
    path = tmp_path / "journal.sqlite3"
    first = await opened(path)
    shown, unseen = [await first.append("live", "issue", payload) for _ in range(2)]
    assert await first.answered(shown.request_id, "t-1")
    assert await first.answered(unseen.request_id, "t-2")
    assert await first.give_offline("t-3", ("held", "after"), payload, None)
    assert await first.note_slip("t-1", "ticket:t-1=printed", payload) is not None
    assert await first.owing() == (), "whoever stands at the machine is being served"
    await first.close()
    second = await opened(path, "fedcba9876543210")
    fact = (await second.pending("facts"))[0]
    assert fact.kind == "offline_ticket"
    assert await second.owing() == (unseen.request_id, fact.request_id)
    await second.withdraw(unseen.request_id, payload)
    await second.withdraw(fact.request_id, payload)
    assert await second.owing() == ()
    assert [entry.kind for entry in await second.pending("facts")] == ["slip", "withdraw", "withdraw"]
    await second.close()
