"""Leading a hall: its lease, the hall loaded under it, and the ways to lose either.

A lease that is lost takes the hall in memory with it; a hall that cannot be trusted any more (a failed append) is
loaded again under the lease that is still held. A server that slept longer than its lease runs believes nothing that
it knows until the lease is renewed: another may lead by now.
"""

from collections.abc import Callable
from contextlib import suppress

import structlog

from queue_server.alerts import AlertBook
from queue_server.answered import Answered
from queue_server.hall_settings import HallSettings
from queue_server.ledger import Fenced, LeaseHeld, Ledger, LedgerError
from queue_server.ledger.port import Lease
from queue_server.replay import HistoryBroken, Loaded, load_hall
from queue_server.runner import Runner
from queue_server.worker import Worker

log = structlog.get_logger(__name__)

ASK_EVERY_S = 0.5
"""How often a server that stands by looks whether the hall is free."""
KEEP_UP_EVERY_S = 1.0
"""How far a server that stands by is behind the leader."""
FIRST_RETRY_S = 0.05
LEDGER_RETRY_S = 1.0
BROKEN_RETRY_S = 10.0


class Leading:
    """Used on the hall's loop; `epoch` may be read from any thread. `runner` is None while the hall is not led."""

    def __init__(
        self, settings: HallSettings, ledger: Ledger, alerts: AlertBook, *, monotonic: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._alerts = alerts
        self._monotonic = monotonic
        self._lease: Lease | None = None
        self._sure_until = 0.0
        self._lost_server: str | None = None
        self._known: Loaded | None = None
        self._next_keep_up = 0.0
        self.runner: Runner | None = None
        self.answered = Answered(ledger)
        self.next_try = 0.0
        """When to try again to lead, in monotonic seconds."""
        self.next_renewal = 0.0
        self.on_lost: Callable[[], None] = lambda: None
        """Called when a hall that was led is led no more (not when it is only loaded again)."""

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not, or cannot be sure of it."""
        lease = self._lease
        return lease.epoch if lease is not None and self.runner is not None and self.sure else None

    @property
    def sure(self) -> bool:
        """Whether nobody else can lead now: the lease runs, by the clock of this machine."""
        return self._monotonic() < self._sure_until

    @property
    def renewal_overdue(self) -> bool:
        """The lease ran out before it was renewed: nothing may be said before it is."""
        return self.runner is not None and not self.sure and self._monotonic() >= self.next_renewal

    @property
    def wanted_by(self) -> str | None:
        """The server to which the hall must be handed over."""
        return self._lease.wanted_by if self._lease is not None else None

    async def win(self, worker: Worker) -> Loaded | None:
        """Try to take the lease and load the hall; None, and the time of the next try, where that fails."""
        hall = self._settings.hall
        began = self._monotonic()
        try:
            lease, loaded = await worker.run(self._take)
        except LeaseHeld as held:
            self._stand_by(held)
            await worker.run(self._keep_up)
            return None
        except LedgerError as error:
            self._alerts.raise_(error.code, hall)
            self.next_try = self._monotonic() + LEDGER_RETRY_S
            return None
        except HistoryBroken as broken:
            log.error("history_broken", hall=hall, seq=broken.seq, reason=broken.reason)
            self._alerts.raise_("ledger_broken", hall, seq=broken.seq)
            self.next_try = self._monotonic() + BROKEN_RETRY_S
            return None
        for code in ("not_leading", "ledger_unavailable", "ledger_broken"):
            self._alerts.clear(code, hall)
        self.answered = Answered(self._ledger)
        self.runner = Runner(loaded.hall, loaded.head, lease.epoch)
        self.next_renewal = self._monotonic()
        log.info(
            "hall_led",
            hall=hall,
            epoch=lease.epoch,
            seq=loaded.head.seq,
            replayed=loaded.replayed,
            took_s=round(self._monotonic() - began, 3),
            took_from=lease.took_from,
        )
        return loaded

    def _take(self) -> tuple[Lease, Loaded]:
        """On the worker: a lease that is still held is kept, since only its epoch is needed again."""
        if self._lease is None:
            began = self._monotonic()
            lease = self._ledger.acquire(self._settings.hall, self._settings.server, self._settings.lease_ttl)
            self._lease, self._sure_until = lease, began + self._settings.lease_ttl
            self._alerts.keep(written=True)
            if lease.took_from is not None:
                self._lost_server = lease.took_from
                self._alerts.raise_("server_lost", lease.took_from)
        known, self._known = self._known, None
        return self._lease, load_hall(self._ledger, self._settings.hall, known)

    def _keep_up(self) -> None:
        """On the worker, standing by: read what the leader wrote, so that little is left to read when it fails."""
        if self._monotonic() < self._next_keep_up:
            return
        self._next_keep_up = self._monotonic() + KEEP_UP_EVERY_S
        known, self._known = self._known, None
        # whoever must lead reads it again and says what is wrong
        with suppress(LedgerError, HistoryBroken):
            self._known = load_hall(self._ledger, self._settings.hall, known)

    def _stand_by(self, held: LeaseHeld) -> None:
        self.next_try = self._monotonic() + min(max(held.retry_after, FIRST_RETRY_S), ASK_EVERY_S)
        # who stands by keeps its alerts to itself: the hall's are those of its leader
        self._alerts.keep(written=False)
        if not self._alerts.is_open("not_leading", self._settings.hall):
            log.info("standing_by", hall=self._settings.hall, leader=held.holder)
            self._alerts.raise_("not_leading", self._settings.hall, holder=held.holder)

    def reload(self, *, after_s: float = 0.0) -> None:
        """Forget the hall in memory; it is loaded again from the ledger."""
        self.runner = None
        self.next_try = self._monotonic() + after_s

    def step_down(self) -> None:
        """Another leads: forget hall and lease."""
        log.error("fenced", hall=self._settings.hall, epoch=self._lease.epoch if self._lease else None)
        self._alerts.keep(written=False)
        self._alerts.raise_("not_leading", self._settings.hall, cause="fenced")
        self._forget()

    def _forget(self) -> None:
        led = self.runner is not None
        self.reload(after_s=ASK_EVERY_S)
        self._lease, self._sure_until = None, 0.0
        if led:
            self.on_lost()

    async def renew(self, worker: Worker) -> None:
        """Keep the lease."""
        began = self._monotonic()
        self.next_renewal = began + self._settings.lease_ttl / 3
        try:
            if self._lease is not None:
                self._lease = await worker.run(self._ledger.renew, self._lease, self._settings.lease_ttl)
                self._sure_until = began + self._settings.lease_ttl
                await self._look_for_lost_server(worker)
        except Fenced:
            self.step_down()
        except LedgerError as error:
            # the epoch still guards every append; others may take over when the lease runs out
            self._alerts.raise_(error.code, self._settings.hall)

    async def _look_for_lost_server(self, worker: Worker) -> None:
        """The server that this one took over from stands by again: staff need not look for it any more."""
        if self._lost_server is None:
            return
        _, ready = await worker.run(self._ledger.lease_state, self._settings.hall)
        if any(candidate.server == self._lost_server for candidate in ready):
            self._alerts.clear("server_lost", self._lost_server)
            self._lost_server = None

    async def release(self, worker: Worker) -> None:
        """Give hall and lease back, in order."""
        if self._lease is not None:
            log.info("hall_given_up", hall=self._settings.hall, epoch=self._lease.epoch, wanted_by=self.wanted_by)
            with suppress(LedgerError):
                await worker.run(self._ledger.release, self._lease)
        self._alerts.keep(written=False)
        self._forget()
