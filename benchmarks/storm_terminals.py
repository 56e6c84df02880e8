"""Many terminals in a process of their own: each with its journal, its link and its conversation with the hall.

What a terminal does at the wire is done by its own code (`kiosk.hall_side`, `kiosk.exchange`, `kiosk.journal`); screens
and devices are left out. Journals stand in memory: 500 terminals do not write to one disk.
"""

import asyncio
import json
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from kiosk.hall_side import HallSide
from kiosk.journal import Journal
from kiosk.profile import Profile, Secrets, load, load_secrets
from wire.link import MqttLink
from wire.messages import HelloAnswer, Issue, IssueAnswer, Message, Refused

SERVICE = "social-card"
MEMORY = Path("/dev/shm")


class StormTerminal:
    """One terminal; instants are the machine's monotonic seconds, the same in all processes."""

    def __init__(self, profile: Profile, keys: Secrets, folder: Path) -> None:
        self.connected_at = 0.0
        self.accepted_at = 0.0
        self.served_at = 0.0
        self.news = asyncio.Event()
        self._journal = Journal(folder / f"{profile.terminal}.sqlite3", profile.terminal.encode().hex(), _now)
        self._hall = HallSide(
            profile,
            keys.account,
            self._journal,
            self,
            lambda _event: None,
            conn_seq=0,
            versions={},
            make_link=MqttLink,
            clock=_now,
            offline_use=lambda: None,
            on_desired=lambda _desired: None,
            on_self_test=lambda: None,
        )

    async def run(self) -> None:
        """Until cancelled."""
        await self._journal.open()
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._hall.link.run())
                parts.create_task(self._hall.exchange.run())
                parts.create_task(self._hall.run_reports())
        finally:
            await self._journal.close()

    async def takes_a_number(self) -> None:
        """As soon as the hall takes it. Raises `RuntimeError` for a refusal."""
        self.served_at = 0.0
        await self._hall.exchange.request(Issue(service=SERVICE))
        while not self.served_at:
            self.news.clear()
            await self.news.wait()

    def forget(self) -> None:
        """Before the next storm."""
        self.accepted_at = self.served_at = 0.0

    # --- as the exchange's listener

    def answered(self, request_id: str, body: Message) -> None:
        if not isinstance(body, IssueAnswer):
            raise TypeError(f"{request_id}: {type(body).__name__}")
        self.served_at = time.monotonic()
        self.news.set()

    def verdict(self, answer: HelloAnswer | Refused, took_s: float) -> None:  # noqa: ARG002 - the exchange's words
        if isinstance(answer, HelloAnswer) and answer.verdict == "accepted":
            self.accepted_at = time.monotonic()
            self._hall.accepted()

    def silent(self) -> None:
        """The hall does not answer: nobody looks at this terminal."""

    def heard(self) -> None:
        """The hall answers again."""

    def backlog_changed(self) -> None:
        """Nobody is shown how much waits."""


def _now() -> datetime:
    return datetime.now(UTC)


async def serve(profiles: list[Path]) -> None:
    """For each line on standard input everybody takes a number, with the next hello; then says when, as JSON."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    with tempfile.TemporaryDirectory(prefix="estation-bench-", dir=MEMORY) as folder:
        crowd = []
        for path in profiles:
            profile = load(path)
            crowd.append(StormTerminal(profile, load_secrets(profile), Path(folder)))
        running = [asyncio.create_task(terminal.run()) for terminal in crowd]
        order = asyncio.create_task(orders.readline())
        while await order:
            order = asyncio.create_task(orders.readline())
            for terminal in crowd:
                terminal.forget()
            taking = asyncio.gather(*(terminal.takes_a_number() for terminal in crowd))
            print("asked", flush=True)
            await asyncio.wait((taking, order), return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                taking.result()
            else:
                taking.cancel()
                order = asyncio.create_task(orders.readline())
            found = [{"ready": t.accepted_at or None, "served": t.served_at or None} for t in crowd]
            print(json.dumps(found), flush=True)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def main() -> None:
    """The arguments are the terminals' profiles."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(serve([Path(path) for path in sys.argv[1:]]))


if __name__ == "__main__":
    main()
