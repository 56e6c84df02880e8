"""The turns of a hall: from a batch of its mailbox over one append to the answers.

A turn ends in one of three ways: committed, and everybody is answered; failed, and nobody is, while the hall in
memory is loaded again; fenced, and this server steps down.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from queue_server.alerts import AlertBook
from queue_server.hall import Refusal
from queue_server.hall_leading import Leading
from queue_server.hall_port import NotDone
from queue_server.hall_settings import HallSettings
from queue_server.ledger import AppendBatch, Appended, Fenced, Ledger, LedgerError, LedgerFull
from queue_server.poison import QUARANTINED, Poison
from queue_server.runner import Item, Output, Reply, Reused, Runner, Turn, Unanswered, failed, keys_of
from queue_server.waiting import Waiter, settle
from queue_server.worker import Worker
from wire.where import where

log = structlog.get_logger(__name__)

FULL_PAUSE_S = 5.0
"""How long everybody is refused after the ledger turned out to be full, before it is tried again."""
QUICK_APPEND_S = 0.002
"""An append that takes less may be done on the loop itself."""
ALONE_AFTER_S = 0.0002
"""Who comes so long after the turn before is taken to be alone: a batch is not made of one."""
_NOT_LEADING = NotDone("not_leading", 2.0)
_ALERTED_REFUSALS = frozenset({"numbers_exhausted", "offline_prefixes_exhausted"})


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn that is in the ledger; boards and displays have not heard of it yet."""

    turn: Turn
    appended: Appended | None


class Turns:
    """Used on the hall's loop, one turn after another."""

    def __init__(
        self,
        settings: HallSettings,
        ledger: Ledger,
        leading: Leading,
        alerts: AlertBook,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._hall = settings.hall
        self._ledger = ledger
        self._leading = leading
        self._alerts = alerts
        self._now = now
        self._monotonic = monotonic
        self._full_until = 0.0
        self._append_took = float("inf")
        self._ended = 0.0
        self._committed: list[Committed] = []
        self._poison = Poison()

    def take_committed(self) -> list[Committed]:
        """The turns that changed the hall since the last call."""
        committed, self._committed = self._committed, []
        return committed

    async def run(self, worker: Worker, batch: list[Item]) -> None:
        """One turn, or several where an item is suspected; what blocks is done by `worker`."""
        parts = self._poison.parts(batch)
        for at, part in enumerate(parts):
            try:
                await self._turn(worker, part)
            except BaseException:
                for left in parts[at + 1 :]:
                    self._settle(failed(left, "internal_error"))
                raise

    async def _turn(self, worker: Worker, batch: list[Item]) -> None:
        runner = self._leading.runner
        if runner is None or not self._leading.sure:
            self.refuse(batch, _NOT_LEADING)
            return
        if refused := self._refused(batch):
            self._settle(refused)
            return
        batch = [self._admitted(item) for item in batch]
        keys = keys_of(batch)
        answered = self._leading.answered
        try:
            stored = {} if answered.known(keys) else await worker.run(answered.find, keys)
            turn = runner.decide(batch, stored, self._now())
            appended = await self._append(worker, turn.append) if turn.append else None
            outputs = self._commit(runner, turn, appended)
        except LedgerError as error:
            outputs = self._failed(batch, error)
        except BaseException:
            self._poison.broke(batch)
            self._settle(failed(batch, "internal_error"))
            raise
        self._poison.fine(batch)
        self._settle(outputs)
        self._ended = self._monotonic()

    def at_once(self, item: Item) -> Reply | Unanswered | None:
        """A turn for one item that comes alone, while the disk is quick; None where it must go through the mailbox.

        The ways to the worker and back, and to the hall's task and back, take as long as the commit itself, and
        nobody else waits. Raises what the core raises when its history does not fit.
        """
        item = self._admitted(item)
        runner, keys, batch = self._leading.runner, keys_of((item,)), (item,)
        alone = self._monotonic() - self._ended >= ALONE_AFTER_S
        if runner is None or not (self._leading.sure and alone and self._append_took < QUICK_APPEND_S):
            return None
        if not self._leading.answered.known(keys):
            return None
        if not (outputs := self._refused(batch)):
            try:
                turn = runner.decide(batch, {}, self._now())
                outputs = self._commit(runner, turn, self._append_here(turn.append) if turn.append else None)
            except LedgerError as error:
                outputs = self._failed(batch, error)
            except BaseException:
                self._poison.broke(batch)
                raise
        self._ended = self._monotonic()
        said = self._report(outputs)
        return said[0]

    def refuse(self, items: Iterable[Item], reason: NotDone) -> None:
        """Tell everybody the same."""
        self._settle(_refusals(items, reason))

    def _admitted(self, item: Item) -> Item:
        """The item, or the refusal that is kept for one on which the core broke too often."""
        over = self._poison.over(item, self._now) if self._poison else None
        if over is None:
            return item
        log.error(QUARANTINED, hall=self._hall, device=over.key.device, request_id=over.key.request_id)
        self._alerts.raise_(QUARANTINED, over.key.device)
        return over

    def _refused(self, batch: Iterable[Item]) -> list[Output]:
        """What everybody is told while the ledger is full; then the hall in memory need not be forgotten."""
        return [] if self._has_room() else _refusals(batch, NotDone("ledger_full", FULL_PAUSE_S))

    def _failed(self, batch: Iterable[Item], error: LedgerError) -> list[Output]:
        """The turn failed: nobody is answered, and the hall in memory is forgotten."""
        if isinstance(error, Fenced):
            self._leading.step_down()
        else:
            log.error("append_failed", hall=self._hall, error=type(error).__name__, reason=str(error))
            self._alerts.raise_(error.code, self._hall)
            if isinstance(error, LedgerFull):
                self._full_until = self._monotonic() + FULL_PAUSE_S
            self._leading.reload()
        return failed(batch, error.code)

    async def _append(self, worker: Worker, batch: AppendBatch) -> Appended:
        """On the worker; but a single answer here, while the disk is quick.

        An append that turns out to be slow sends the next ones to the worker, until one is quick again.
        """
        if len(batch.answers) > 1 or self._append_took >= QUICK_APPEND_S:
            appended, self._append_took = await worker.run(self._timed_append, batch)
            return appended
        return self._append_here(batch)

    def _append_here(self, batch: AppendBatch) -> Appended:
        appended, self._append_took = self._timed_append(batch)
        return appended

    def _timed_append(self, batch: AppendBatch) -> tuple[Appended, float]:
        began = self._monotonic()
        appended = self._ledger.append(batch)
        return appended, self._monotonic() - began

    def _commit(self, runner: Runner, turn: Turn, appended: Appended | None) -> list[Output]:
        if turn.append:
            self._leading.answered.note(turn.append.answers)
            self._alerts.clear("ledger_unavailable", self._hall)
            self._alerts.clear("ledger_full", self._hall)
        if turn.events:
            self._committed.append(Committed(turn, appended))
        return runner.committed(turn, appended)

    def _has_room(self) -> bool:
        """False while the ledger is full: then everybody is told so, and the hall in memory need not be forgotten."""
        if self._monotonic() < self._full_until:
            return False
        try:
            self._ledger.check_room()
        except LedgerError as error:
            if not self._alerts.is_open(error.code, self._hall):
                self._alerts.raise_(error.code, self._hall)
            return False
        return True

    def _settle(self, outputs: Iterable[Output]) -> None:
        """Answer everybody who waits."""
        settle((said.item.token, said) for said in self._report(outputs) if isinstance(said.item.token, Waiter))

    def _report(self, outputs: Iterable[Output]) -> list[Reply | Unanswered]:
        """What is to be said to the askers; staff hear of the rest."""
        said: list[Reply | Unanswered] = []
        for output in outputs:
            if isinstance(output, Reply):
                if isinstance(output.outcome, Refusal):
                    self._note_refusal(output.outcome)
                said.append(output)
            elif isinstance(output, Unanswered):
                said.append(output)
            elif isinstance(output, Reused):
                self._alerts.raise_("request_id_reused", output.key.device)
            else:
                self._poison.broke((output.item,))
                log.error("decide_failed", hall=self._hall, error=type(output.error).__name__, at=where(output.error))
                self._alerts.raise_("hall_inconsistent", self._hall, error=type(output.error).__name__)
        return said

    def _note_refusal(self, refusal: Refusal) -> None:
        if refusal.code in _ALERTED_REFUSALS:
            self._alerts.raise_(refusal.code, str(refusal.params().get("queue", self._hall)))


def _refusals(items: Iterable[Item], reason: NotDone) -> list[Output]:
    return [Reply(item, reason) for item in items]
