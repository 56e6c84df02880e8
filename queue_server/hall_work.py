"""The work of a hall on its event loop: leading, turning the runner, timers, projections.

One task does it all, one turn after another; what blocks is done by a worker thread while the task waits. So nobody
sees the hall between a decision and its commit.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from queue_server import bundle, day_heads, projecting
from queue_server.alerts import AlertBook
from queue_server.answered import Answered
from queue_server.clock import instant_text
from queue_server.devices import DeviceBook
from queue_server.feed import Feed
from queue_server.hall import Actor, CloseDay, DayClosed, Hall, Refusal, TicketCalled, TicketRecalled
from queue_server.hall_port import BoardChanged, Called, NotDone, ProjectionChanged
from queue_server.ledger import AppendBatch, Appended, Fenced, LeaseHeld, Ledger, LedgerError, LedgerFull
from queue_server.ledger.port import Lease
from queue_server.projection import HallProjection
from queue_server.replay import HistoryBroken, Loaded, load_hall, snapshot_of
from queue_server.runner import (
    MAX_BATCH,
    Ask,
    Broke,
    Item,
    Output,
    Reply,
    Reused,
    Runner,
    Turn,
    Unanswered,
    failed,
    keys_of,
)
from queue_server.voice import spoken_text
from queue_server.waiting import Waiter, settle
from queue_server.worker import Worker
from wire.messages import Call
from wire.where import where

log = structlog.get_logger(__name__)

ANSWERS_KEPT = timedelta(days=90)
"""Longer than any terminal may be offline."""
FULL_PAUSE_S = 5.0
"""How long everybody is refused after the ledger turned out to be full, before it is tried again."""
QUICK_APPEND_S = 0.002
"""An append that takes less may be done on the loop itself."""
_ALERTED_REFUSALS = frozenset({"numbers_exhausted"})


@dataclass(frozen=True, kw_only=True)
class HallSettings:
    """How a hall is run. Times are in seconds."""

    hall: str
    server: str
    public_url: str
    data: Path
    lease_ttl: float = 15.0
    projection_every: float = 0.25
    refresh_every: float = 10.0
    snapshot_every: int = 2000
    """Events after which a quiet moment is used for a snapshot; after ten times as many it is made in any case."""
    quiet: float = 1.0
    """How long nothing happened when a moment is quiet: a snapshot takes 0.1 s, and the hall waits for it."""
    projection_share: float = 0.1
    """The part of the loop's time that making projections may take."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the hall as it is between two turns."""

    ask: Callable[[Hall, datetime], Any]
    waiter: Waiter


class HallWork:
    """Everything on the hall's loop. `projection`, `boards`, `bundle` and `epoch` may be read from any thread."""

    def __init__(
        self,
        settings: HallSettings,
        ledger: Ledger,
        alerts: AlertBook,
        devices: DeviceBook,
        feed: Feed,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._alerts = alerts
        self._devices = devices
        self._feed = feed
        self._now = now
        self._monotonic = monotonic
        self.projection: HallProjection = projecting.empty(settings.hall, now())
        self.boards: tuple[BoardChanged, ...] = ()
        self.bundle: bundle.Bundle | None = None
        self.on_leading: Callable[[int | None], None] = lambda _epoch: None
        """Called on the hall's loop when its leadership is won (with the epoch) or lost."""
        self._items: deque[Item] = deque()
        self._queries: deque[Query] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._dirty = False
        self._lease: Lease | None = None
        self._runner: Runner | None = None
        self._answered = Answered(ledger)
        self._rev = 0
        self._full_until = 0.0
        self._append_took = float("inf")
        self._since_snapshot = 0
        self._day_closed = False
        self._last_turn = 0.0
        self._next_lead = self._next_renewal = self._next_projection = self._next_refresh = self._next_day = 0.0

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not."""
        lease = self._lease
        return lease.epoch if lease is not None and self._runner is not None else None

    # --- from the hall's loop

    def post(self, item: Item) -> None:
        """Put an item into the mailbox; its token is a `Waiter` or None."""
        self._items.append(item)
        self._wake.set()

    def ask(self, query: Query) -> None:
        """Ask between two turns; None is the answer while the hall is not led."""
        self._queries.append(query)
        self._wake.set()

    def touch(self) -> None:
        """Something beside the hall that a projection shows has changed."""
        self._dirty = True
        self._wake.set()

    def stop(self) -> None:
        """End after the turn under way."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until stopped; then leave a snapshot and give the lease back."""
        worker = Worker(f"ledger-{self._settings.hall}")
        self._timer = None
        try:
            while not self._stopping:
                try:
                    await self._once(worker)
                except Exception as error:  # noqa: BLE001 - a fault here must not end the hall: it is loaded again
                    log.error("hall_turn_failed", hall=self._settings.hall, error=type(error).__name__, at=where(error))
                    self._alerts.raise_("hall_inconsistent", self._settings.hall, error=type(error).__name__)
                    self._drop(retry_after=1.0)
            await self._finish(worker)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            worker.close()

    async def _once(self, worker: Worker) -> None:
        if self._runner is None and self._monotonic() >= self._next_lead:
            await self._lead(worker)
        if not self._items and not self._queries:
            await self._rest()
        if self._items:
            await self._turn(worker, [self._items.popleft() for _ in range(min(len(self._items), MAX_BATCH))])
        self._answer_queries()
        if self._runner is not None:
            await self._tend(worker, self._runner)

    async def _rest(self) -> None:
        """Until something comes or a timer is due."""
        due = self._due()
        if due > 0:
            loop = asyncio.get_running_loop()
            at = loop.time() + due
            if self._timer is None or self._timer.cancelled() or not loop.time() < self._timer.when() <= at:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = loop.call_at(at, self._wake.set)
            await self._wake.wait()
        self._wake.clear()

    def _due(self) -> float:
        now = self._monotonic()
        if self._stopping:
            return 0.0
        if self._runner is None:
            return self._next_lead - now
        due = min(self._next_renewal, self._next_refresh, self._next_day, self._snapshot_due())
        return (min(due, self._next_projection) if self._dirty else due) - now

    # --- leading

    async def _lead(self, worker: Worker) -> None:
        """Try to take the lease and load the hall; sets the time of the next try when it fails."""
        hall = self._settings.hall
        try:
            lease, loaded = await worker.run(self._take)
        except LeaseHeld as held:
            self._alerts.raise_("not_leading", hall, holder=held.holder)
            self._next_lead = self._monotonic() + min(max(held.retry_after, 0.2), 2.0)
            return
        except LedgerError as error:
            self._alerts.raise_(error.code, hall)
            self._next_lead = self._monotonic() + 2.0
            return
        except HistoryBroken as broken:
            log.error("history_broken", hall=hall, seq=broken.seq, reason=broken.reason)
            self._alerts.raise_("ledger_broken", hall, seq=broken.seq)
            self._next_lead = self._monotonic() + 10.0
            return
        for code in ("not_leading", "ledger_unavailable", "ledger_broken"):
            self._alerts.clear(code, hall)
        self._answered = Answered(self._ledger)
        self._runner = Runner(loaded.hall, loaded.head, lease.epoch)
        self._since_snapshot = loaded.replayed
        self._next_renewal = self._monotonic() + self._settings.lease_ttl / 3
        self._next_projection = self._next_refresh = self._next_day = 0.0
        self._refresh_bundle(loaded.hall)
        log.info("hall_led", hall=hall, epoch=lease.epoch, seq=loaded.head.seq, replayed=loaded.replayed)
        self._project(self._runner)
        self.on_leading(lease.epoch)

    def _take(self) -> tuple[Lease, Loaded]:
        """On the worker: a lease that is still held is kept, since only its epoch is needed again."""
        if self._lease is None:
            self._lease = self._ledger.acquire(self._settings.hall, self._settings.server, self._settings.lease_ttl)
        return self._lease, load_hall(self._ledger, self._settings.hall)

    def _drop(self, *, retry_after: float = 0.0, lost_lease: bool = False) -> None:
        """Forget the hall in memory; it is loaded again, under a new lease if this one is lost."""
        led = self._runner is not None
        self._runner = None
        self._next_lead = self._monotonic() + retry_after
        if lost_lease:
            self._lease = None
        if led and lost_lease:
            self.projection = replace(self.projection, leading=False)
            self.on_leading(None)
            self._feed.put([ProjectionChanged(self.projection.epoch, self.projection.rev)])

    def _step_down(self) -> None:
        log.error("fenced", hall=self._settings.hall, epoch=self._lease.epoch if self._lease else None)
        self._alerts.raise_("not_leading", self._settings.hall, cause="fenced")
        self._drop(retry_after=1.0, lost_lease=True)

    async def _renew(self, worker: Worker) -> None:
        self._next_renewal = self._monotonic() + self._settings.lease_ttl / 3
        try:
            if self._lease is not None:
                self._lease = await worker.run(self._ledger.renew, self._lease, self._settings.lease_ttl)
        except Fenced:
            self._step_down()
        except LedgerError as error:
            # the epoch still guards every append; others may take over when the lease runs out
            self._alerts.raise_(error.code, self._settings.hall)

    async def _finish(self, worker: Worker) -> None:
        self._refuse(self._items, NotDone("not_leading", 2.0))
        self._items.clear()
        self._answer_queries()
        if self._runner is not None:
            await self._save_snapshot(worker, self._runner)
        if self._lease is not None:
            with suppress(LedgerError):
                await worker.run(self._ledger.release, self._lease)
        self._runner = None
        self.on_leading(None)

    # --- turns

    async def _turn(self, worker: Worker, batch: list[Item]) -> None:
        runner = self._runner
        if runner is None:
            self._refuse(batch, NotDone("not_leading", 2.0))
            return
        if not self._has_room():
            self._refuse(batch, NotDone("ledger_full", FULL_PAUSE_S))
            return
        for item in batch:
            runner.post(item)
        batch = runner.take()
        keys = keys_of(batch)
        try:
            known = self._answered.known(keys)
            stored = {} if known else await worker.run(self._answered.find, keys)
            turn = runner.decide(batch, stored, self._now())
            appended = await self._append(worker, turn.append) if turn.append else None
        except Fenced as error:
            self._deliver(failed(batch, error.code))
            self._step_down()
            return
        except LedgerError as error:
            log.error("append_failed", hall=self._settings.hall, error=type(error).__name__, reason=str(error))
            self._alerts.raise_(error.code, self._settings.hall)
            if isinstance(error, LedgerFull):
                self._full_until = self._monotonic() + FULL_PAUSE_S
            self._deliver(failed(batch, error.code))
            self._drop()
            return
        except BaseException:
            self._deliver(failed(batch, "internal_error"))
            raise
        if turn.append:
            self._answered.note(turn.append.answers)
            self._alerts.clear("ledger_unavailable", self._settings.hall)
            self._alerts.clear("ledger_full", self._settings.hall)
        self._deliver(runner.committed(turn, appended))
        # the answers leave before anything else is done
        await asyncio.sleep(0)
        if turn.events:
            await self._after(worker, runner, turn, appended)

    async def _append(self, worker: Worker, batch: AppendBatch) -> Appended:
        """Append on the worker; but a single answer at once, while the disk is quick.

        Handing it over and back would take as long as the commit, and nobody else waits. An append that turns out to
        be slow sends the next ones to the worker, until one is quick again.
        """
        if len(batch.answers) > 1 or self._append_took > QUICK_APPEND_S:
            appended, self._append_took = await worker.run(self._timed_append, batch)
        else:
            appended, self._append_took = self._timed_append(batch)
        return appended

    def _timed_append(self, batch: AppendBatch) -> tuple[Appended, float]:
        began = self._monotonic()
        appended = self._ledger.append(batch)
        return appended, self._monotonic() - began

    def _has_room(self) -> bool:
        """False while the ledger is full: then everybody is told so, and the hall in memory need not be dropped."""
        if self._monotonic() < self._full_until:
            return False
        try:
            self._ledger.check_room()
        except LedgerError as error:
            if not self._alerts.is_open(error.code, self._settings.hall):
                self._alerts.raise_(error.code, self._settings.hall)
            return False
        return True

    async def _after(self, worker: Worker, runner: Runner, turn: Turn, appended: Appended | None) -> None:
        self._dirty = True
        self._last_turn = self._monotonic()
        self._since_snapshot += len(turn.events)
        called = [self._called(event) for event in turn.events if isinstance(event, TicketCalled | TicketRecalled)]
        if called:
            self._feed.put(called)
        for day in appended.day_heads if appended else ():
            try:
                await worker.run(day_heads.export, self._settings.data / "day-heads", day)
            except OSError as error:
                log.error("day_head_not_exported", date=day.business_date, error=error.strerror)
        hall = runner.hall
        if hall.configured and (self.bundle is None or self.bundle.revision != hall.configuration.revision):
            self._refresh_bundle(hall)
        self._day_closed = self._day_closed or any(isinstance(event, DayClosed) for event in turn.events)

    def _called(self, event: TicketCalled | TicketRecalled) -> Called:
        call = Call(
            call_id=event.call,
            number=event.number,
            counter=event.counter_number,
            recall=isinstance(event, TicketRecalled),
            text=spoken_text(event.number, event.counter_number),
            audio=f"{self._settings.public_url.rstrip('/')}/audio/{event.call}.wav",
        )
        self._rev += 1
        return Called(call, event.zone, self._lease.epoch if self._lease else 0, self._rev, event.at)

    def _refuse(self, items: Iterable[Item], reason: NotDone) -> None:
        self._deliver([Reply(item, reason) for item in items])

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
                    log.error("decide_failed", hall=self._settings.hall, error=type(error).__name__, at=where(error))
                    self._alerts.raise_("hall_inconsistent", self._settings.hall, error=type(error).__name__)
        settle(settled)

    def _note_refusal(self, refusal: Refusal) -> None:
        if refusal.code in _ALERTED_REFUSALS:
            self._alerts.raise_(refusal.code, str(refusal.params().get("queue", self._settings.hall)))

    def _answer_queries(self) -> None:
        while self._queries:
            query = self._queries.popleft()
            runner = self._runner
            settle([(query.waiter, query.ask(runner.hall, self._now()) if runner is not None else None)])

    # --- timers

    async def _tend(self, worker: Worker, runner: Runner) -> None:
        now = self._monotonic()
        if now >= self._next_day:
            self._next_day = now + 1.0
            self._close_day_if_due(runner.hall)
        if now >= self._next_refresh or (self._dirty and now >= self._next_projection):
            self._project(runner)
        if now >= self._snapshot_due():
            await self._save_snapshot(worker, runner)
        if now >= self._next_renewal:
            await self._renew(worker)

    def _snapshot_due(self) -> float:
        every = self._settings.snapshot_every
        if self._since_snapshot >= 10 * every:
            return 0.0
        wanted = self._day_closed or self._since_snapshot >= every
        return self._last_turn + self._settings.quiet if wanted else float("inf")

    def _close_day_if_due(self, hall: Hall) -> None:
        due = hall.day_due(self._now()) if hall.configured else None
        if due is not None:
            self.post(Ask(CloseDay(by=Actor("system", "calendar"), business_date=due)))

    def _project(self, runner: Runner) -> None:
        began = self._monotonic()
        self._dirty = False
        now, epoch = self._now(), runner.epoch
        self._rev += 1
        self.projection = projecting.project(
            runner.hall, now, epoch=epoch, rev=self._rev, alerts=self._alerts.open(), devices=self._devices.now()
        )
        self.boards = tuple(
            BoardChanged(board, epoch, self._rev, now) for board in projecting.boards(runner.hall, self.projection)
        )
        self._feed.put([*self.boards, ProjectionChanged(epoch, self._rev)])
        ended = self._monotonic()
        pause = max(self._settings.projection_every, (ended - began) / self._settings.projection_share)
        self._next_projection = began + pause
        self._next_refresh = ended + self._settings.refresh_every

    async def _save_snapshot(self, worker: Worker, runner: Runner) -> None:
        closed, self._day_closed, self._since_snapshot = self._day_closed, False, 0
        try:
            await worker.run(lambda: self._ledger.save_snapshot(snapshot_of(runner.hall, runner.head)))
            if closed:
                await worker.run(self._ledger.forget_answers, instant_text(self._now() - ANSWERS_KEPT))
        except LedgerError as error:
            log.error("snapshot_not_written", hall=self._settings.hall, error=type(error).__name__)

    def _refresh_bundle(self, hall: Hall) -> None:
        if hall.configured:
            self.bundle = bundle.build(hall.id, hall.configuration)
