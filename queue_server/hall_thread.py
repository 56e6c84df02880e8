"""The thread that owns a hall: it leads, turns the runner, does the runner's I/O, and keeps projections fresh.

Commands come from any thread; everything that touches the hall in memory happens here, one turn at a time.
"""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from queue_server import bundle, day_heads, projecting
from queue_server.alerts import AlertBook
from queue_server.answered import Answered
from queue_server.clock import instant_text, utc_now
from queue_server.devices import DeviceBook
from queue_server.feed import Feed
from queue_server.hall import Actor, CloseDay, Command, DayClosed, Hall, Refusal, TicketCalled, TicketRecalled
from queue_server.hall_port import BoardChanged, Called, Done, FeedItem, NotDone, ProjectionChanged, RequestKey
from queue_server.ledger import Appended, Fenced, LeaseHeld, Ledger, LedgerError, LedgerFull
from queue_server.ledger.port import Lease
from queue_server.projection import FollowedTicket, HallProjection
from queue_server.replay import HistoryBroken, load_hall, snapshot_of
from queue_server.runner import Ask, Broke, Item, Output, Reply, Reused, Runner, Turn, Unanswered, failed, keys_of
from queue_server.voice import spoken_text
from wire.messages import Call
from wire.where import where

log = structlog.get_logger(__name__)

ANSWERS_KEPT = timedelta(days=90)
"""Longer than any terminal may be offline."""
FULL_PAUSE_S = 5.0
"""How long everybody is refused after the ledger turned out to be full, before it is tried again."""
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
    """Events after which a quiet moment is used for a snapshot."""
    projection_share: float = 0.1
    """The part of the thread's time that making projections may take."""


@dataclass(slots=True)
class _Waiter:
    """Somebody on an event loop who waits for an outcome."""

    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Query:
    ask: Callable[[Hall, datetime], Any]
    waiter: _Waiter


class _Wake:
    """Something outside the hall changed; look at the timers."""


class _Stop:
    """End after the turn under way."""


_WAKE, _STOP = _Wake(), _Stop()


class HallThread:
    """A `HallPort` with its thread. `start` once, `stop` once."""

    def __init__(
        self,
        settings: HallSettings,
        ledger: Ledger,
        alerts: AlertBook,
        devices: DeviceBook,
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._alerts = alerts
        self._devices = devices
        self._now = now
        self._monotonic = monotonic
        self._mailbox: queue.SimpleQueue[Item | _Query | _Wake | _Stop] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"hall-{settings.hall}", daemon=True)
        self._feed = Feed()
        self._answered = Answered(ledger)
        self._lease: Lease | None = None
        self._runner: Runner | None = None
        self._projection = projecting.empty(settings.hall, now())
        self._boards: tuple[BoardChanged, ...] = ()
        self._bundle: bundle.Bundle | None = None
        self._rev = 0
        self._stopping = False
        self._dirty = threading.Event()
        self._full_until = 0.0
        self._since_snapshot = 0
        self._day_closed = False
        self._next_lead = self._next_renewal = self._next_projection = self._next_refresh = self._next_day = 0.0
        self.on_leading: Callable[[int | None], None] = lambda _epoch: None
        """Called on this thread when the hall's leadership is won (with the epoch) or lost."""
        alerts.on_change = devices.on_change = self._touch

    # --- HallPort: from any thread

    @property
    def hall_id(self) -> str:
        return self._settings.hall

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not."""
        lease = self._lease
        return lease.epoch if lease and self._runner is not None else None

    async def execute(self, command: Command, request: RequestKey | None = None) -> Done | Refusal | NotDone:
        said = await self.submit(Ask(command, request))
        return said.outcome if isinstance(said, Reply) else said.reason

    def projection(self) -> HallProjection:
        return self._projection

    def boards(self) -> tuple[BoardChanged, ...]:
        return self._boards

    def feed(self) -> AsyncIterator[FeedItem]:
        return self._feed.read(self._boards)

    async def follow(self, token: str) -> FollowedTicket | None:
        def look(hall: Hall, now: datetime) -> FollowedTicket | None:
            return projecting.follow(hall, token, now) if hall.configured else None

        waiter = self._waiter()
        self._mailbox.put(_Query(look, waiter))
        found: FollowedTicket | None = await waiter.future
        return found

    def bundle(self) -> bundle.Bundle | None:
        return self._bundle

    async def submit(self, item: Item) -> Reply | Unanswered:
        """Put an item into the mailbox and wait for what becomes of it."""
        waiter = self._waiter()
        self._mailbox.put(replace(item, token=waiter))
        said: Reply | Unanswered = await waiter.future
        return said

    @staticmethod
    def _waiter() -> _Waiter:
        loop = asyncio.get_running_loop()
        return _Waiter(loop, loop.create_future())

    # --- life

    def start(self) -> None:
        """Begin to lead, or to wait for the lease."""
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End after the turn under way, with a snapshot, and give the lease back; False if it took too long."""
        self._mailbox.put(_STOP)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """False once the thread has ended."""
        return self._thread.is_alive()

    def _touch(self) -> None:
        self._dirty.set()
        self._mailbox.put(_WAKE)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._once()
            except Exception as error:
                # a fault here must not end the hall: load it again and go on
                log.exception("hall_turn_failed", hall=self.hall_id, at=where(error))
                self._alerts.raise_("hall_inconsistent", self.hall_id, error=type(error).__name__)
                self._drop(retry_after=1.0)
        self._finish()

    def _once(self) -> None:
        if self._runner is None and self._monotonic() >= self._next_lead:
            self._lead()
        items, queries = self._wait()
        if items:
            self._turn(items)
        self._answer_queries(queries)
        if self._runner is not None:
            self._tend(self._runner)

    def _wait(self) -> tuple[list[Item], list[_Query]]:
        items: list[Item] = []
        queries: list[_Query] = []
        with suppress(queue.Empty):
            self._sort(self._mailbox.get(timeout=max(0.0, self._pause())), items, queries)
            while not self._stopping and len(items) < 256:
                self._sort(self._mailbox.get_nowait(), items, queries)
        return items, queries

    def _pause(self) -> float:
        now = self._monotonic()
        if self._runner is None:
            return self._next_lead - now
        due = min(self._next_renewal, self._next_refresh, self._next_day)
        if self._dirty.is_set():
            due = min(due, self._next_projection)
        return due - now

    def _sort(self, got: Item | _Query | _Wake | _Stop, items: list[Item], queries: list[_Query]) -> None:
        match got:
            case _Query():
                queries.append(got)
            case _Stop():
                self._stopping = True
            case _Wake():
                pass
            case _:
                items.append(got)

    # --- leading

    def _lead(self) -> None:
        """Try to take the lease and load the hall; sets the time of the next try when it fails."""
        settings = self._settings
        try:
            if self._lease is None:
                self._lease = self._ledger.acquire(self.hall_id, settings.server, settings.lease_ttl)
            loaded = load_hall(self._ledger, self.hall_id)
        except LeaseHeld as held:
            self._alerts.raise_("not_leading", self.hall_id, holder=held.holder)
            self._next_lead = self._monotonic() + min(max(held.retry_after, 0.2), 2.0)
            return
        except LedgerError as error:
            self._alerts.raise_(error.code, self.hall_id)
            self._next_lead = self._monotonic() + 2.0
            return
        except HistoryBroken as broken:
            log.error("history_broken", hall=self.hall_id, seq=broken.seq, reason=broken.reason)
            self._alerts.raise_("ledger_broken", self.hall_id, seq=broken.seq)
            self._next_lead = self._monotonic() + 10.0
            return
        for code in ("not_leading", "ledger_unavailable", "ledger_broken"):
            self._alerts.clear(code, self.hall_id)
        self._answered = Answered(self._ledger)
        self._runner = Runner(loaded.hall, loaded.head, self._lease.epoch)
        self._since_snapshot = loaded.replayed
        self._next_renewal = self._monotonic() + settings.lease_ttl / 3
        self._next_projection = self._next_refresh = self._next_day = 0.0
        self._refresh_bundle()
        log.info("hall_led", hall=self.hall_id, epoch=self._lease.epoch, seq=loaded.head.seq, replayed=loaded.replayed)
        self._project(self._runner)
        self.on_leading(self._lease.epoch)

    def _drop(self, *, retry_after: float = 0.0, lost_lease: bool = False) -> None:
        """Forget the hall in memory; it is loaded again, under a new lease if this one is lost."""
        led = self._runner is not None
        self._runner = None
        self._next_lead = self._monotonic() + retry_after
        if lost_lease:
            self._lease = None
        if led and lost_lease:
            self._projection = replace(self._projection, leading=False)
            self.on_leading(None)
            self._feed.put([ProjectionChanged(self._projection.epoch, self._projection.rev)])

    def _step_down(self) -> None:
        log.error("fenced", hall=self.hall_id, epoch=self._lease.epoch if self._lease else None)
        self._alerts.raise_("not_leading", self.hall_id, cause="fenced")
        self._drop(retry_after=1.0, lost_lease=True)

    def _renew(self) -> None:
        self._next_renewal = self._monotonic() + self._settings.lease_ttl / 3
        if self._lease is None:
            return
        try:
            self._lease = self._ledger.renew(self._lease, self._settings.lease_ttl)
        except Fenced:
            self._step_down()
        except LedgerError as error:
            # the epoch still guards every append; others may take over when the lease runs out
            self._alerts.raise_(error.code, self.hall_id)

    def _finish(self) -> None:
        with suppress(queue.Empty):
            while True:
                items: list[Item] = []
                queries: list[_Query] = []
                self._sort(self._mailbox.get_nowait(), items, queries)
                self._refuse(items, NotDone("not_leading", 2.0))
                self._answer_queries(queries)
        if self._runner is not None:
            self._save_snapshot(self._runner)
        if self._lease is not None:
            with suppress(LedgerError):
                self._ledger.release(self._lease)
        self._runner = None
        self.on_leading(None)

    # --- turns

    def _turn(self, items: list[Item]) -> None:
        if self._runner is None:
            self._refuse(items, NotDone("not_leading", 2.0))
            return
        if not self._has_room():
            self._refuse(items, NotDone("ledger_full", FULL_PAUSE_S))
            return
        runner = self._runner
        for item in items:
            runner.post(item)
        batch = runner.take()
        try:
            turn = runner.decide(batch, self._answered.find(keys_of(batch)), self._now())
            appended = self._ledger.append(turn.append) if turn.append else None
        except Fenced as error:
            self._deliver(failed(batch, error.code))
            self._step_down()
            return
        except LedgerError as error:
            log.error("append_failed", hall=self.hall_id, error=type(error).__name__, reason=str(error))
            self._alerts.raise_(error.code, self.hall_id)
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
            self._alerts.clear("ledger_unavailable", self.hall_id)
            self._alerts.clear("ledger_full", self.hall_id)
        self._deliver(runner.committed(turn, appended))
        self._after(runner, turn, appended)

    def _has_room(self) -> bool:
        """False while the ledger is full: then everybody is told so, and the hall in memory need not be dropped."""
        if self._monotonic() < self._full_until:
            return False
        try:
            self._ledger.check_room()
        except LedgerError as error:
            if not self._alerts.is_open(error.code, self.hall_id):
                self._alerts.raise_(error.code, self.hall_id)
            return False
        return True

    def _after(self, runner: Runner, turn: Turn, appended: Appended | None) -> None:
        if not turn.events:
            return
        self._since_snapshot += len(turn.events)
        called = [self._called(event) for event in turn.events if isinstance(event, TicketCalled | TicketRecalled)]
        if called:
            self._feed.put(called)
        for day in appended.day_heads if appended else ():
            try:
                day_heads.export(self._settings.data / "day-heads", day)
            except OSError as error:
                log.error("day_head_not_exported", hall=self.hall_id, date=day.business_date, error=error.strerror)
        if runner.hall.configured and runner.hall.configuration.revision != self._revision():
            self._refresh_bundle()
        if any(isinstance(event, DayClosed) for event in turn.events):
            self._day_closed = True
        self._dirty.set()

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
        """Hand everybody their outcome: one wake-up for each event loop, however many wait on it."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], object]]] = {}
        for output in outputs:
            match output:
                case Reply() | Unanswered():
                    if isinstance(output, Reply) and isinstance(output.outcome, Refusal):
                        self._note_refusal(output.outcome)
                    waiter = output.item.token
                    if isinstance(waiter, _Waiter):
                        by_loop.setdefault(waiter.loop, []).append((waiter.future, output))
                case Reused(key):
                    self._alerts.raise_("request_id_reused", key.device)
                case Broke(_, error):
                    log.error("decide_failed", hall=self.hall_id, error=type(error).__name__, at=where(error))
                    self._alerts.raise_("hall_inconsistent", self.hall_id, error=type(error).__name__)
        for loop, settled in by_loop.items():
            _settle(loop, settled)

    def _note_refusal(self, refusal: Refusal) -> None:
        if refusal.code in _ALERTED_REFUSALS:
            self._alerts.raise_(refusal.code, str(refusal.params().get("queue", self.hall_id)))

    def _answer_queries(self, queries: Iterable[_Query]) -> None:
        for query in queries:
            runner = self._runner
            found = query.ask(runner.hall, self._now()) if runner is not None else None
            _settle(query.waiter.loop, [(query.waiter.future, found)])

    # --- timers

    def _tend(self, runner: Runner) -> None:
        now = self._monotonic()
        if now >= self._next_day:
            self._next_day = now + 1.0
            self._close_day_if_due(runner.hall)
        if now >= self._next_renewal:
            self._renew()
        if self._runner is None:
            return
        if now >= self._next_refresh or (self._dirty.is_set() and now >= self._next_projection):
            self._project(self._runner)
        if self._mailbox.empty() and (self._day_closed or self._since_snapshot >= self._settings.snapshot_every):
            self._save_snapshot(self._runner)

    def _close_day_if_due(self, hall: Hall) -> None:
        due = hall.day_due(self._now()) if hall.configured else None
        if due is not None:
            self._turn([Ask(CloseDay(by=Actor("system", "calendar"), business_date=due))])

    def _project(self, runner: Runner) -> None:
        began = self._monotonic()
        self._dirty.clear()
        now, epoch = self._now(), runner.epoch
        self._rev += 1
        self._projection = projecting.project(
            runner.hall, now, epoch=epoch, rev=self._rev, alerts=self._alerts.open(), devices=self._devices.now()
        )
        self._boards = tuple(
            BoardChanged(board, epoch, self._rev, now) for board in projecting.boards(runner.hall, self._projection)
        )
        self._feed.put([*self._boards, ProjectionChanged(epoch, self._rev)])
        ended = self._monotonic()
        pause = max(self._settings.projection_every, (ended - began) / self._settings.projection_share)
        self._next_projection = began + pause
        self._next_refresh = ended + self._settings.refresh_every

    def _save_snapshot(self, runner: Runner) -> None:
        closed, self._day_closed, self._since_snapshot = self._day_closed, False, 0
        try:
            self._ledger.save_snapshot(snapshot_of(runner.hall, runner.head))
            if closed:
                self._ledger.forget_answers(instant_text(self._now() - ANSWERS_KEPT))
        except LedgerError as error:
            log.error("snapshot_not_written", hall=self.hall_id, error=type(error).__name__)

    def _revision(self) -> int | None:
        return self._bundle.revision if self._bundle else None

    def _refresh_bundle(self) -> None:
        hall = self._runner.hall if self._runner is not None else None
        if hall is not None and hall.configured:
            self._bundle = bundle.build(hall.id, hall.configuration)


def _settle(loop: asyncio.AbstractEventLoop, settled: list[tuple["asyncio.Future[Any]", object]]) -> None:
    def set_results() -> None:
        for future, result in settled:
            if not future.done():
                future.set_result(result)

    # a loop that is closed has nobody left who waits
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(set_results)
