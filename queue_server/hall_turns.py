"""The turns of a hall: from a batch of its mailbox over one append to the answers.

A turn ends in one of three ways: committed, and everybody is answered; failed, and nobody is, while the hall in
memory is loaded again; fenced, and this server steps down.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from queue_server.alerts import AlertBook
from queue_server.hall import Refusal
from queue_server.hall_leading import Leading
from queue_server.hall_port import NotDone
from queue_server.hall_settings import HallSettings
from queue_server.ledger import AppendBatch, Appended, Fenced, Ledger, LedgerError, LedgerFull
from queue_server.runner import Broke, Item, Output, Reply, Reused, Runner, Turn, Unanswered, failed, keys_of
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
_ALERTED_REFUSALS = frozenset({"numbers_exhausted"})


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

    def take_committed(self) -> list[Committed]:
        """The turns that changed the hall since the last call."""
        committed, self._committed = self._committed, []
        return committed

    async def run(self, worker: Worker, batch: list[Item]) -> None:
        """One turn; what blocks is done by `worker`."""
        runner = self._ready(batch)
        if runner is None:
            return
        for item in batch:
            runner.post(item)
        batch = runner.take()
        keys = keys_of(batch)
        with self._told(batch):
            answered = self._leading.answered
            stored = {} if answered.known(keys) else await worker.run(answered.find, keys)
            turn = runner.decide(batch, stored, self._now())
            appended = await self._append(worker, turn.append) if turn.append else None
            self._commit(runner, turn, appended)

    def at_once(self, item: Item) -> bool:
        """A turn for one item who comes alone, while the disk is quick; False where it must go through the mailbox.

        The ways to the worker and back, and to the hall's task and back, take as long as the commit itself, and
        nobody else waits. Raises what the core raises when its history does not fit.
        """
        alone = self._monotonic() - self._ended >= ALONE_AFTER_S
        keys = keys_of((item,))
        if not (alone and self._append_took < QUICK_APPEND_S and self._leading.answered.known(keys)):
            return False
        runner = self._ready((item,))
        if runner is not None:
            with self._told((item,)):
                turn = runner.decide((item,), {}, self._now())
                self._commit(runner, turn, self._append_here(turn.append) if turn.append else None)
        return True

    def refuse(self, items: Iterable[Item], reason: NotDone) -> None:
        """Tell everybody the same."""
        self._deliver([Reply(item, reason) for item in items])

    def _ready(self, batch: Iterable[Item]) -> Runner | None:
        """The hall's runner; None, and everybody is told why, while the hall can decide nothing."""
        runner = self._leading.runner
        if runner is None:
            self.refuse(batch, NotDone("not_leading", 2.0))
        elif not self._has_room():
            self.refuse(batch, NotDone("ledger_full", FULL_PAUSE_S))
            return None
        return runner

    @contextmanager
    def _told(self, batch: Iterable[Item]) -> Iterator[None]:
        """If the turn fails nobody is answered, and the hall in memory is forgotten."""
        try:
            yield
        except Fenced as error:
            self._deliver(failed(batch, error.code))
            self._leading.step_down()
        except LedgerError as error:
            log.error("append_failed", hall=self._hall, error=type(error).__name__, reason=str(error))
            self._alerts.raise_(error.code, self._hall)
            if isinstance(error, LedgerFull):
                self._full_until = self._monotonic() + FULL_PAUSE_S
            self._deliver(failed(batch, error.code))
            self._leading.reload()
        except BaseException:
            self._deliver(failed(batch, "internal_error"))
            raise
        finally:
            self._ended = self._monotonic()

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

    def _commit(self, runner: Runner, turn: Turn, appended: Appended | None) -> None:
        if turn.append:
            self._leading.answered.note(turn.append.answers)
            self._alerts.clear("ledger_unavailable", self._hall)
            self._alerts.clear("ledger_full", self._hall)
        self._deliver(runner.committed(turn, appended))
        if turn.events:
            self._committed.append(Committed(turn, appended))

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

    def _deliver(self, outputs: Iterable[Output]) -> None:
        settled: list[tuple[Waiter, object]] = []
        for output in outputs:
            match output:
                case Reply() | Unanswered():
                    if isinstance(output, Reply) and isinstance(output.outcome, Refusal):
                        self._note_refusal(output.outcome)
                    if isinstance(output.item.token, Waiter):
                        settled.append((output.item.token, output))
                case Reused(key):
                    self._alerts.raise_("request_id_reused", key.device)
                case Broke(_, error):
                    log.error("decide_failed", hall=self._hall, error=type(error).__name__, at=where(error))
                    self._alerts.raise_("hall_inconsistent", self._hall, error=type(error).__name__)
        settle(settled)

    def _note_refusal(self, refusal: Refusal) -> None:
        if refusal.code in _ALERTED_REFUSALS:
            self._alerts.raise_(refusal.code, str(refusal.params().get("queue", self._hall)))
