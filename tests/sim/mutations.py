"""Rules of the programs, each broken on purpose: what the checker of histories must find.

Where a rule has two guards (a decision and the ledger's or the core's own), both are taken away: the history is what
is judged, not which guard held.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from kiosk import offline_numbers
from kiosk.exchange import Exchange
from kiosk.journal import Journal
from kiosk.journal_file import Entry, JournalFile
from kiosk.journeys.views import SlipState
from queue_server.answered import Answered
from queue_server.hall import Hall, calling, numbers, tickets
from queue_server.hall.choice import Choice, pick
from queue_server.hall.counters import CounterSession
from queue_server.hall.store import Store
from queue_server.hall_port import Done
from queue_server.hall_turns import Turns
from queue_server.hello_order import HelloOrder
from queue_server.ledger import AppendBatch, Appended, LedgerError, MemoryLedger
from queue_server.runner import Item, failed, keys_of
from queue_server.runner import _Decision as Decision
from tests.sim import terminal, world
from tests.sim.hall import PEOPLE
from wire.messages import Slip

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    """A broken rule, the invariants of which one must break, and the seeds within which it is found."""

    patch: Patch
    breaks: frozenset[str]
    within: int = 60


def _answer_before_commit(patch: pytest.MonkeyPatch) -> None:
    async def run(self: Any, worker: Any, batch: list[Item]) -> None:
        runner = self._leading.runner
        if runner is None or not self._leading.sure:
            return
        stored = await worker.run(self._leading.answered.find, keys_of(batch))
        turn = runner.decide(batch, stored, self._now())
        self._settle(runner.committed(turn, None))
        await asyncio.sleep(0)
        try:
            appended = await self._append(worker, turn.append) if turn.append else None
            self._commit(runner, turn, appended)
        except LedgerError as error:
            self._failed(batch, error)

    patch.setattr(Turns, "run", run)
    patch.setattr(Turns, "at_once", lambda _self, _item: None)


def _no_look_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answered, "find", lambda _self, _keys: {})
    patch.setattr(Decision, "_repeated", lambda _self, _item, _key: False)


def _no_look_up_and_no_key(patch: pytest.MonkeyPatch) -> None:
    _no_look_up(patch)
    append = MemoryLedger.append

    def without_stored_answers(self: MemoryLedger, batch: AppendBatch) -> Appended:
        fresh = {(a.device, a.request_id): a for a in batch.answers if (a.device, a.request_id) not in self._answers}
        return append(self, replace(batch, answers=tuple(fresh.values())))

    patch.setattr(MemoryLedger, "append", without_stored_answers)


def _no_fencing(patch: pytest.MonkeyPatch) -> None:
    append = MemoryLedger.append

    def from_anybody(self: MemoryLedger, batch: AppendBatch) -> Appended:
        epoch, seq = self._leases[batch.hall].epoch, self._head(batch.hall).seq
        return append(self, replace(batch, epoch=epoch, expected_seq=seq))

    patch.setattr(MemoryLedger, "append", from_anybody)


def _failed_turn_is_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Turns, "_failed", lambda _self, batch, error: failed(batch, error.code))


def _call_without_looking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(calling, "still_busy", lambda _hall, _session: None)

    def occupy(self: Store, session: str, ticket: str) -> None:
        held = self.sessions[session]
        self.put_session(replace(held, ticket=ticket, free_since=None, version=held.version + 1))

    patch.setattr(Store, "occupy_session", occupy)


def _number_again(patch: pytest.MonkeyPatch) -> None:
    def lowest_free(store: Store, queue: Any, _day: Any) -> tuple[int, tuple[int, ...]]:
        serial = queue.first
        while (queue.prefix, serial) in store.live_numbers:
            serial += 1
        return serial, ()

    def note(self: Store, day: Any, prefix: str, serial: int) -> None:
        self.series.setdefault(day, {})[prefix] = serial

    patch.setattr(tickets, "next_serial", lowest_free)
    patch.setattr(numbers, "next_serial", lowest_free)
    patch.setattr(Store, "note_serial", note)


def _newest_first(patch: pytest.MonkeyPatch) -> None:
    def last(hall: Hall, session: CounterSession, now: datetime) -> Choice | None:
        choice = pick(hall, session, now)
        if choice is None:
            return None
        mine = (choice.ticket.queue, choice.ticket.priority_class)
        same = [t for t in hall.waiting(session, now) if (t.queue, t.priority_class) == mine]
        return replace(choice, ticket=same[-1])

    patch.setattr(calling, "pick", last)


def _offline_memory_lost(patch: pytest.MonkeyPatch) -> None:
    adopt = offline_numbers.adopt
    patch.setattr(offline_numbers, "adopt", lambda _held, grant: adopt(None, grant))


def _print_before_kept(patch: pytest.MonkeyPatch) -> None:
    async def give(self: Journal, ticket: str, memory: tuple[str, str], *_: Any) -> bool:
        await self.remember(*memory)
        return True

    patch.setattr(Journal, "give_offline", give)


def _withdrawal_not_told(patch: pytest.MonkeyPatch) -> None:
    def withdraw(self: JournalFile, request_id: str, fact_id: str, payload: bytes) -> Entry:
        self.settle(request_id, "withdrawn")
        return Entry(0, fact_id, "facts", "withdraw", payload)

    patch.setattr(JournalFile, "withdraw", withdraw)


def _withdrawal_not_done(patch: pytest.MonkeyPatch) -> None:
    def nothing(self: Any, item: Any) -> None:
        answer = item.compose(None, False)
        self._keep(item.key, answer, None)
        self._reply(item, _done(answer), answer)

    patch.setattr(Decision, "_withdraw", nothing)


def _done(answer: bytes) -> Any:
    return Done((), 0, answer)


def _unseen_number_kept(patch: pytest.MonkeyPatch) -> None:
    async def nothing(_self: Exchange) -> None:
        pass

    patch.setattr(Exchange, "take_back_unseen", nothing)


def _old_hello_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HelloOrder, "is_old", lambda _self, _device, _request_id: False)


def _any_frame_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world, "is_newer", lambda _stamp, _shown: True)


def _name_on_the_wire(patch: pytest.MonkeyPatch) -> None:
    def fact(ticket: str, _slip: SlipState, _cause: str | None, *, reprint: bool) -> Slip:
        return Slip(ticket=ticket, outcome="printed", reprint=reprint, cause=PEOPLE[0][0])

    patch.setattr(terminal, "slip_fact", fact)


MUTATIONS: Mapping[str, Mutation] = {
    "answered before the commit": Mutation(_answer_before_commit, frozenset({"A1"})),
    "a repeated request is not looked up": Mutation(_no_look_up, frozenset({"L1", "I3", "A2"})),
    "a repeated request is decided again": Mutation(_no_look_up_and_no_key, frozenset({"A2", "I2", "I3", "A5"})),
    "the store takes rows from anybody": Mutation(_no_fencing, frozenset({"A3", "A4", "I2", "I4", "L1"})),
    "a turn that failed is kept in memory": Mutation(_failed_turn_is_kept, frozenset({"A4", "I4", "I6", "L1", "A1"})),
    "a counter that has a ticket calls": Mutation(_call_without_looking, frozenset({"I4"})),
    "a number is given again": Mutation(_number_again, frozenset({"A3"})),
    "the newest is called first": Mutation(_newest_first, frozenset({"I6"})),
    "a terminal forgets its offline numbers": Mutation(_offline_memory_lost, frozenset({"I1", "I2", "A3", "L1"})),
    "an offline number is not kept": Mutation(_print_before_kept, frozenset({"I2"})),
    "a withdrawal is not told": Mutation(_withdrawal_not_told, frozenset({"I3", "A5"})),
    "a withdrawal is not done": Mutation(_withdrawal_not_done, frozenset({"I3", "A5"})),
    "a number that nobody saw is kept": Mutation(_unseen_number_kept, frozenset({"I3"}), within=300),
    "an old hello is believed": Mutation(_old_hello_believed, frozenset({"L1"}), within=300),
    "a display takes any frame": Mutation(_any_frame_taken, frozenset({"I5"})),
    "a slip's fact names a person": Mutation(_name_on_the_wire, frozenset({"I7"})),
}


@contextmanager
def broken(mutation: Mutation) -> Iterator[None]:
    """The programs with this rule broken."""
    with pytest.MonkeyPatch.context() as patch:
        mutation.patch(patch)
        yield
