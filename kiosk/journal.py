"""The terminal's journal: every request as exact bytes on disk before it is sent, until its answer has come.

Two lanes, each sent stop-and-wait: `live` requests of the citizen at the terminal, and `facts`, what happened whether
the hall answers or not (withdrawals, slips, numbers given offline). Never personal data.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from kiosk.errors import JournalFault
from kiosk.journal_file import Entry, JournalFile, Lane, Opened

__all__ = ["Compose", "Entry", "Journal", "Lane", "Opened"]

T = TypeVar("T")
Compose = Callable[[str], bytes]
"""Makes the payload for a request id."""


class Journal:
    """A `JournalFile` on a thread of its own, for the program's event loop. Every method may raise `JournalFault`.

    `boot_id` (8 to 32 hex digits) is new at every start, so that request ids never repeat; `free_bytes` tells the
    room on the disk. Work that has begun goes on when its caller is cancelled.
    """

    def __init__(
        self,
        path: Path,
        boot_id: str,
        clock: Callable[[], datetime],
        *,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        self.boot_id = boot_id
        self._file = JournalFile(path, clock, free_bytes)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._last = 0

    def next_id(self) -> str:
        """A request id of this boot that was never given before."""
        self._last += 1
        return f"{self.boot_id}-{self._last}"

    async def open(self) -> Opened:
        """Check the file's integrity; a damaged one is put aside, and what can be read of it is carried over."""
        return await self._run(self._file.open)

    async def close(self) -> None:
        await self._run(self._file.close)
        self._thread.shutdown(wait=False)

    async def append(self, lane: Lane, kind: str, compose: Compose) -> Entry:
        """Write an entry to disk. Raises `JournalFull` for a live request while the disk is nearly full."""
        request_id = self.next_id()
        payload = compose(request_id)
        return await self._run(lambda: self._file.append(lane, kind, request_id, payload))

    async def pending(self, lane: Lane, limit: int = 1000) -> tuple[Entry, ...]:
        """Entries that wait for their answer, oldest first."""
        return await self._run(lambda: self._file.pending(lane, limit))

    async def backlog(self) -> int:
        """Entries of both lanes that wait for their answer."""
        return await self._run(self._file.backlog)

    async def set_aside(self) -> int:
        """Facts that the hall refused for good, of the last 30 days: somebody must look at them."""
        return await self._run(self._file.set_aside)

    async def answered(self, request_id: str, ticket: str | None = None) -> bool:
        """The answer has come; False if the entry was settled before (withdrawn, or answered twice).

        A `ticket` that it brought is owed to a person until something is noted of its slip.
        """
        return await self._run(lambda: self._file.settle(request_id, "answered", owed=ticket))

    async def owing(self) -> tuple[str, ...]:
        """Requests of earlier boots that brought a ticket of whose slip nothing was noted. Nobody was shown it, if the
        print jobs of those boots are settled."""
        owing = await self._run(self._file.owing)
        return tuple(request_id for request_id in owing if not request_id.startswith(f"{self.boot_id}-"))

    async def owes(self, ticket: str) -> str | None:
        """The request, of this boot too, that brought `ticket`, if nothing was noted of its slip."""
        return await self._run(lambda: self._file.owes(ticket))

    async def quarantine(self, request_id: str, reason: str) -> bool:
        """Set an entry aside that the hall will never take, so that it does not block its lane; nothing is deleted."""
        return await self._run(lambda: self._file.settle(request_id, "quarantined", reason))

    async def withdraw(self, request_id: str, compose: Compose) -> Entry:
        """Stop asking, and journal the fact of the withdrawal, in one transaction."""
        fact_id = self.next_id()
        payload = compose(fact_id)
        return await self._run(lambda: self._file.withdraw(request_id, fact_id, payload))

    async def give_offline(
        self, ticket: str, memory: tuple[str, str], fact: Compose, earlier: tuple[str, Compose] | None
    ) -> bool:
        """Keep a number that is given offline before it is shown: what is held afterwards, the fact, and the withdrawal
        of the request for which it stands (its id). False, and nothing done, if that request was answered before.

        The `ticket` is owed to a person until something is noted of its slip.
        """
        withdrawal = None
        if earlier is not None:
            request_id, compose = earlier
            withdrawal_id = self.next_id()
            withdrawal = (request_id, withdrawal_id, compose(withdrawal_id))
        fact_id = self.next_id()
        told = (fact_id, fact(fact_id))
        return await self._run(lambda: self._file.give_offline(ticket, memory, told, withdrawal))

    async def note_slip(self, ticket: str, outcome: str, compose: Compose) -> Entry | None:
        """Journal the fact of what became of a ticket's slip, once for each `outcome` (print job and state); None the
        second time."""
        fact_id = self.next_id()
        payload = compose(fact_id)
        return await self._run(lambda: self._file.note_slip(ticket, outcome, fact_id, payload))

    async def remember(self, key: str, value: str) -> None:
        """Keep a small fact over restarts: maintenance, used codes, the connection's number."""
        await self._run(lambda: self._file.remember(key, value))

    async def recall(self, key: str) -> str | None:
        return await self._run(lambda: self._file.recall(key))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
        except sqlite3.Error as error:
            raise JournalFault(error.sqlite_errorname if hasattr(error, "sqlite_errorname") else "damaged") from error
        except OSError as error:
            raise JournalFault(error.strerror or "os_error") from error
