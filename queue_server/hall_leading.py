"""Leading a hall: its lease, the hall loaded under it, and the ways to lose either.

A lease that is lost takes the hall in memory with it; a hall that cannot be trusted any more (a failed append) is
loaded again under the lease that is still held.
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
        self.runner: Runner | None = None
        self.answered = Answered(ledger)
        self.next_try = 0.0
        """When to try again to lead, in monotonic seconds."""
        self.next_renewal = 0.0
        self.on_lost: Callable[[], None] = lambda: None
        """Called when a hall that was led is led no more (not when it is only loaded again)."""

    @property
    def epoch(self) -> int | None:
        """The epoch under which this server leads; None while it does not."""
        lease = self._lease
        return lease.epoch if lease is not None and self.runner is not None else None

    async def win(self, worker: Worker) -> Loaded | None:
        """Try to take the lease and load the hall; None, and the time of the next try, where that fails."""
        hall = self._settings.hall
        try:
            lease, loaded = await worker.run(self._take)
        except LeaseHeld as held:
            self._alerts.raise_("not_leading", hall, holder=held.holder)
            self.next_try = self._monotonic() + min(max(held.retry_after, 0.2), 2.0)
            return None
        except LedgerError as error:
            self._alerts.raise_(error.code, hall)
            self.next_try = self._monotonic() + 2.0
            return None
        except HistoryBroken as broken:
            log.error("history_broken", hall=hall, seq=broken.seq, reason=broken.reason)
            self._alerts.raise_("ledger_broken", hall, seq=broken.seq)
            self.next_try = self._monotonic() + 10.0
            return None
        for code in ("not_leading", "ledger_unavailable", "ledger_broken"):
            self._alerts.clear(code, hall)
        self.answered = Answered(self._ledger)
        self.runner = Runner(loaded.hall, loaded.head, lease.epoch)
        self.next_renewal = self._monotonic() + self._settings.lease_ttl / 3
        log.info("hall_led", hall=hall, epoch=lease.epoch, seq=loaded.head.seq, replayed=loaded.replayed)
        return loaded

    def _take(self) -> tuple[Lease, Loaded]:
        """On the worker: a lease that is still held is kept, since only its epoch is needed again."""
        if self._lease is None:
            self._lease = self._ledger.acquire(self._settings.hall, self._settings.server, self._settings.lease_ttl)
        return self._lease, load_hall(self._ledger, self._settings.hall)

    def reload(self, *, after_s: float = 0.0) -> None:
        """Forget the hall in memory; it is loaded again from the ledger."""
        self.runner = None
        self.next_try = self._monotonic() + after_s

    def step_down(self) -> None:
        """Another leads: forget hall and lease."""
        log.error("fenced", hall=self._settings.hall, epoch=self._lease.epoch if self._lease else None)
        self._alerts.raise_("not_leading", self._settings.hall, cause="fenced")
        led = self.runner is not None
        self.reload(after_s=1.0)
        self._lease = None
        if led:
            self.on_lost()

    async def renew(self, worker: Worker) -> None:
        """Keep the lease."""
        self.next_renewal = self._monotonic() + self._settings.lease_ttl / 3
        try:
            if self._lease is not None:
                self._lease = await worker.run(self._ledger.renew, self._lease, self._settings.lease_ttl)
        except Fenced:
            self.step_down()
        except LedgerError as error:
            # the epoch still guards every append; others may take over when the lease runs out
            self._alerts.raise_(error.code, self._settings.hall)

    async def release(self, worker: Worker) -> None:
        """Give hall and lease back, in order."""
        if self._lease is not None:
            with suppress(LedgerError):
                await worker.run(self._ledger.release, self._lease)
        self._lease = None
        self.runner = None
        self.on_lost()
