"""The work of a hall on its event loop: leading, turns, timers, projections.

One task does it all, one thing after another; what blocks is done by a worker thread while the task waits. So nobody
sees the hall between a decision and its commit. While the task rests, a lone item has its turn at once.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from queue_server import bundle, day_heads, projecting
from queue_server.alerts import AlertBook
from queue_server.clock import instant_text
from queue_server.devices import DeviceBook
from queue_server.feed import Feed
from queue_server.hall import (
    CALENDAR,
    CloseDay,
    DayClosed,
    Hall,
    RecordMissed,
    TellNear,
    TicketCalled,
    TicketRecalled,
    missed_due,
    near_due,
)
from queue_server.hall_leading import Leading
from queue_server.hall_port import BoardChanged, Called, NotDone, ProjectionChanged
from queue_server.hall_settings import HallSettings
from queue_server.hall_turns import Committed, Turns
from queue_server.ledger import Head, Ledger, LedgerError
from queue_server.number_alerts import NumberAlerts
from queue_server.projection import HallProjection
from queue_server.replay import snapshot_of
from queue_server.runner import Ask, Item, Reply, Runner, Unanswered
from queue_server.voice import spoken_text
from queue_server.waiting import Waiter, settle
from queue_server.worker import Worker
from wire.messages import Call
from wire.where import where

log = structlog.get_logger(__name__)

MAX_BATCH = 24
"""A turn's answers leave together, so that a long turn keeps everybody waiting for its last item; many small ones pay
for the disk more often. Of a crowd of 50, half is answered while the other half is decided."""
ANSWERS_KEPT = timedelta(days=90)
"""Longer than any terminal may be offline."""
FOLLOW_UP_S = 0.005
"""How soon after a lone answer displays and alerts follow it: when nobody else has come, so that nobody waits."""
FOLLOW_UP_WITHIN_S = 0.05
"""They follow after so long though others come, once for all answers of that time."""
HEAD_EVERY_S = 900.0
"""How often the chain's head is left outside the database: nothing older can be written anew unseen."""


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
        self._leading = Leading(settings, ledger, alerts, monotonic=monotonic)
        self._leading.on_lost = self._lost
        self._numbers = NumberAlerts(alerts, devices)
        self._turns = Turns(settings, ledger, self._leading, alerts, now=now, monotonic=monotonic)
        self.projection: HallProjection = projecting.empty(settings.hall, now())
        self.boards: tuple[BoardChanged, ...] = ()
        self.bundle: bundle.Bundle | None = None
        self.on_leading: Callable[[int | None], None] = lambda _epoch: None
        """Called on the hall's loop when its leadership is won (with the epoch) or lost."""
        self._items: deque[Item] = deque()
        self._queries: deque[Query] = deque()
        self._wake = asyncio.Event()
        self._resting = False
        self._timer: asyncio.TimerHandle | None = None
        self._follow_up_due: asyncio.TimerHandle | None = None
        self._follow_up_at = 0.0
        self._stopping = False
        self._dirty = False
        self._rev = 0
        self._since_snapshot = 0
        self._day_closed = False
        self._last_turn = 0.0
        self._exported: Head | None = None
        self._next_projection = self._next_refresh = self._next_day = self._next_head = 0.0

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not."""
        return self._leading.epoch

    # --- from the hall's loop

    def post(self, item: Item) -> None:
        """Put an item into the mailbox; its token is a `Waiter` or None."""
        self._items.append(item)
        self._wake.set()

    def at_once(self, item: Item) -> Reply | Unanswered | None:
        """A turn for this item alone, if it can have one now; else None, and it must be posted."""
        if not self._resting or self._items:
            return None
        try:
            said = self._turns.at_once(item)
        except Exception as error:  # noqa: BLE001 - as in `run`
            self._failed(error)
            said = Unanswered(item, NotDone("internal_error", 1.0))
        if isinstance(said, Unanswered):
            self._wake.set()
        elif said is not None:
            loop = asyncio.get_running_loop()
            now = loop.time()
            self._follow_up_at = now + FOLLOW_UP_S
            if self._follow_up_due is None:
                by = now + FOLLOW_UP_WITHIN_S
                self._follow_up_due = loop.call_at(self._follow_up_at, self._follow_up_if_alone, loop, by)
        return said

    def _follow_up_if_alone(self, loop: asyncio.AbstractEventLoop, by: float) -> None:
        """Put off where another one was answered meanwhile, but not beyond the instant `by`."""
        if loop.time() < self._follow_up_at <= by:
            self._follow_up_due = loop.call_at(self._follow_up_at, self._follow_up_if_alone, loop, by)
        else:
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
                    self._failed(error)
            await self._finish(worker)
        finally:
            for timer in (self._timer, self._follow_up_due):
                if timer is not None:
                    timer.cancel()
            worker.close()

    def _failed(self, error: Exception) -> None:
        log.error("hall_turn_failed", hall=self._settings.hall, error=type(error).__name__, at=where(error))
        self._alerts.raise_("hall_inconsistent", self._settings.hall, error=type(error).__name__)
        self._leading.reload(after_s=1.0)

    async def _once(self, worker: Worker) -> None:
        if self._leading.runner is None and self._monotonic() >= self._leading.next_try:
            await self._lead(worker)
        if not self._items and not self._queries:
            await self._rest()
        if self._leading.renewal_overdue:
            # this program slept: somebody else may lead, and what it would say is old
            await self._leading.renew(worker)
        if self._items:
            await self._turns.run(worker, [self._items.popleft() for _ in range(min(len(self._items), MAX_BATCH))])
            # the answers leave before anything else is done
            await asyncio.sleep(0)
        if self._follow_up_due is not None:
            self._follow_up_due.cancel()
            self._follow_up_due = None
        for committed in self._turns.take_committed():
            await self._follow_up(worker, committed)
        self._answer_queries()
        if (runner := self._leading.runner) is not None and self._leading.sure:
            await self._tend(worker, runner)

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
            self._resting = True
            try:
                await self._wake.wait()
            finally:
                self._resting = False
        self._wake.clear()

    def _due(self) -> float:
        now = self._monotonic()
        if self._stopping:
            return 0.0
        if self._leading.runner is None:
            return self._leading.next_try - now
        if not self._leading.sure:
            return self._leading.next_renewal - now
        due = min(self._leading.next_renewal, self._next_refresh, self._next_day, self._snapshot_due())
        return (min(due, self._next_projection) if self._dirty else due) - now

    # --- leading

    async def _lead(self, worker: Worker) -> None:
        loaded = await self._leading.win(worker)
        if loaded is None or (runner := self._leading.runner) is None:
            return
        self._since_snapshot = loaded.replayed
        self._next_projection = self._next_refresh = self._next_day = 0.0
        self._refresh_bundle(loaded.hall)
        self._devices.look_again()
        self._project(runner)
        self.on_leading(runner.epoch)

    def _lost(self) -> None:
        self.projection = replace(self.projection, leading=False)
        self.on_leading(None)
        self._feed.put([ProjectionChanged(self.projection.epoch, self.projection.rev)])

    async def _finish(self, worker: Worker) -> None:
        self._turns.refuse(self._items, NotDone("not_leading", 2.0))
        self._items.clear()
        self._answer_queries()
        await self._give_up(worker)

    async def _give_up(self, worker: Worker) -> None:
        """Let another server lead at once, from a snapshot of now."""
        if (runner := self._leading.runner) is not None:
            await self._save_snapshot(worker, runner)
            await self._export_head(worker, runner)
        await self._leading.release(worker)

    # --- after a turn

    async def _follow_up(self, worker: Worker, committed: Committed) -> None:
        events = committed.turn.events
        self._dirty = True
        self._last_turn = self._monotonic()
        self._since_snapshot += len(events)
        called = [self._called(event) for event in events if isinstance(event, TicketCalled | TicketRecalled)]
        if called:
            self._feed.put(called)
        self._numbers.follow(events)
        for day in committed.appended.day_heads if committed.appended else ():
            try:
                await worker.run(day_heads.export, self._settings.data / "day-heads", day)
            except OSError as error:
                log.error("day_head_not_exported", date=day.business_date, error=error.strerror)
        if (runner := self._leading.runner) is not None and runner.hall.configured:
            hall = runner.hall
            if self.bundle is None or self.bundle.revision != hall.configuration.revision:
                self._refresh_bundle(hall)
        self._day_closed = self._day_closed or any(isinstance(event, DayClosed) for event in events)

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
        return Called(call, event.zone, self._leading.epoch or 0, self._rev, event.at)

    def _answer_queries(self) -> None:
        while self._queries:
            query = self._queries.popleft()
            runner = self._leading.runner
            settle([(query.waiter, query.ask(runner.hall, self._now()) if runner is not None else None)])

    # --- timers

    async def _tend(self, worker: Worker, runner: Runner) -> None:
        now = self._monotonic()
        if now >= self._next_day:
            self._next_day = now + 1.0
            self._close_day_if_due(runner.hall)
            if missed_due(runner.hall, self._now()):
                self.post(Ask(RecordMissed(by=CALENDAR)))
        if now >= self._next_refresh or (self._dirty and now >= self._next_projection):
            self._project(runner)
            if near_due(runner.hall, self._now()):
                self.post(Ask(TellNear(by=CALENDAR)))
        if now >= self._snapshot_due():
            await self._save_snapshot(worker, runner)
        if now >= self._next_head:
            self._next_head = now + HEAD_EVERY_S
            await self._export_head(worker, runner)
        if now >= self._leading.next_renewal:
            await self._leading.renew(worker)
        if self._leading.wanted_by is not None:
            await self._give_up(worker)

    def _snapshot_due(self) -> float:
        every = self._settings.snapshot_every
        if self._since_snapshot >= 10 * every:
            return 0.0
        wanted = self._day_closed or self._since_snapshot >= every
        return self._last_turn + self._settings.quiet if wanted else float("inf")

    def _close_day_if_due(self, hall: Hall) -> None:
        due = hall.day_due(self._now()) if hall.configured else None
        if due is not None:
            self.post(Ask(CloseDay(by=CALENDAR, business_date=due)))

    def _project(self, runner: Runner) -> None:
        began = self._monotonic()
        self._dirty = False
        now, epoch = self._now(), runner.epoch
        self._numbers.look(runner.hall, now)
        self._rev += 1
        self.projection = projecting.project(
            runner.hall, now, epoch=epoch, rev=self._rev, alerts=self._alerts.open(), devices=self._devices.now()
        )
        self.boards = tuple(
            BoardChanged(board, epoch, self._rev, now) for board in projecting.boards(runner.hall, self.projection)
        )
        self._feed.put([*self.boards, ProjectionChanged(epoch, self._rev)])
        ended = self._monotonic()
        wanted = (ended - began) / self._settings.projection_share
        pause = max(self._settings.projection_every, min(wanted, self._settings.projection_within))
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

    async def _export_head(self, worker: Worker, runner: Runner) -> None:
        """Leave the chain's head outside the database, where it moved since the last time."""
        head, folder = runner.head, self._settings.data / "day-heads"
        if head == self._exported or not head.seq:
            return
        try:
            at = instant_text(self._now())
            await worker.run(day_heads.export_running, folder, self._settings.hall, head, at)
            self._exported = head
        except OSError as error:
            log.error("head_not_exported", hall=self._settings.hall, error=error.strerror)

    def _refresh_bundle(self, hall: Hall) -> None:
        if hall.configured:
            self.bundle = bundle.build(hall.id, hall.configuration)
