"""Webhooks: notices on their way to the booking channels, at least once, from the ledger's own outbox.

A notice stands in the ledger before anybody hears of it. The server that leads the hall makes a delivery of it for each
webhook that wants it, and tries each until the receiver says yes (2xx): with growing pauses, for three days; then it is
dead and staff are told. A receiver that hangs or fails holds up nobody else. No redirect is followed.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import structlog

from queue_server.alerts import AlertBook
from queue_server.clock import instant_text, utc_now
from queue_server.hall_port import Called, HallPort
from queue_server.ledger import LedgerError, Notice
from queue_server.ledger.channels import DEAD, DELIVERED, ChannelRegisters, DeliveryRow, WebhookRow
from queue_server.webhooks_signing import BadTarget, check_addresses, check_url, resolve, signed_headers
from wire.where import where

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Deliveries of one webhook under way at the same time."""
TIMEOUT_S = 10.0
LOOK_EVERY_S = 1.0
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0
ATTEMPTS = 80
"""With pauses of half to a whole hour in the end: about three days."""
FAILING_AFTER = 3
"""Attempts in a row of one webhook after which staff are told."""
KEPT = timedelta(days=14)
_GONE = 410


class WebhookSender:
    """The deliveries of one hall. `run` until cancelled; works while this server leads the hall."""

    def __init__(
        self,
        port: HallPort,
        registers: ChannelRegisters,
        alerts: AlertBook,
        *,
        leads: Callable[[], bool],
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[int], float] | None = None,
        attempts: int = ATTEMPTS,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._port = port
        self._registers = registers
        self._alerts = alerts
        self._leads = leads
        self._now = now
        self._pause = pause or pause_s
        self._attempts = attempts
        self._timeout = httpx.Timeout(timeout_s)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._next_tidying = 0.0
        self._reads = True

    async def run(self) -> None:
        """Look for what is due at each call, of which a person wants to hear at once, and once a second."""
        async with httpx.AsyncClient(
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "estation-webhooks/1"},
        ) as client:
            watching = asyncio.create_task(self._watch())
            try:
                while True:
                    await self._once(client)
                    self._wake.clear()
                    try:
                        async with asyncio.timeout(LOOK_EVERY_S):
                            await self._wake.wait()
                    except TimeoutError:
                        pass
            finally:
                for task in (watching, *self._busy.values()):
                    task.cancel()
                await asyncio.gather(watching, *self._busy.values(), return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            async for item in self._port.feed():
                if isinstance(item, Called):
                    self._wake.set()

    async def _once(self, client: httpx.AsyncClient) -> None:
        if not self._leads():
            return
        try:
            await asyncio.to_thread(self._registers.spread, self._port.hall_id)
            hooks = await asyncio.to_thread(self._registers.webhooks, self._port.hall_id)
            await self._tidy()
        except LedgerError as error:
            if self._reads:
                log.error("webhooks_not_read", hall=self._port.hall_id, error=error.code)
            self._reads = False
            return
        self._reads = True
        for gone in self._busy.keys() - {hook.id for hook in hooks}:
            # removed by the command line, which knows nothing of the alerts in this process
            del self._busy[gone]
            for code in ("webhook_failing", "webhook_dead"):
                self._alerts.clear(code, gone)
        for hook in hooks:
            if (task := self._busy.get(hook.id)) is None or task.done():
                self._busy[hook.id] = asyncio.create_task(self._guarded(client, hook))

    async def _tidy(self) -> None:
        if time.monotonic() >= self._next_tidying:
            self._next_tidying = time.monotonic() + 3600.0
            await asyncio.to_thread(
                self._registers.forget_notices, self._port.hall_id, instant_text(self._now() - KEPT)
            )

    async def _guarded(self, client: httpx.AsyncClient, hook: WebhookRow) -> None:
        try:
            while self._leads() and await self._deliver_due(client, hook):
                pass
        except LedgerError as error:
            log.error("deliveries_not_kept", webhook=hook.id, error=error.code)
        except Exception as error:  # noqa: BLE001 - one webhook's fault must not end the others
            log.error("webhook_failed", webhook=hook.id, error=type(error).__name__, at=where(error))

    async def _deliver_due(self, client: httpx.AsyncClient, hook: WebhookRow) -> bool:
        """One round of what is due; False if nothing was."""
        due = await asyncio.to_thread(self._registers.due, hook.id, instant_text(self._now()), AT_ONCE)
        if not due:
            return False
        done = await asyncio.gather(*(self._deliver(client, hook, delivery, notice) for delivery, notice in due))
        await asyncio.to_thread(self._registers.settle, done)
        dead_left = (await asyncio.to_thread(self._registers.counts, hook.id)).dead
        self._tell(hook, done, dead_left)
        return True

    async def _deliver(
        self, client: httpx.AsyncClient, hook: WebhookRow, delivery: DeliveryRow, notice: Notice
    ) -> DeliveryRow:
        error = await self._send(client, hook, notice)
        attempts = delivery.attempts + 1
        if error is None:
            return replace(delivery, state=DELIVERED, attempts=attempts, last_error=None)
        if attempts >= self._attempts or error == f"http_{_GONE}":
            return replace(delivery, state=DEAD, attempts=attempts, last_error=error)
        next_at = instant_text(self._now() + timedelta(seconds=self._pause(attempts)))
        return replace(delivery, attempts=attempts, next_at=next_at, last_error=error)

    async def _send(self, client: httpx.AsyncClient, hook: WebhookRow, notice: Notice) -> str | None:
        """None once the receiver has said yes; else a short word for what went wrong."""
        body = notice.body.encode()
        headers = signed_headers(hook.secret, notice.id, int(self._now().timestamp()), body)
        try:
            check_addresses(check_url(hook.url), await asyncio.to_thread(resolve, hook.url))
            async with (
                asyncio.timeout(self._timeout.read),
                client.stream("POST", hook.url, content=body, headers=headers) as answer,
            ):
                # what a receiver says beside its status is of no interest, and might have no end
                return None if answer.is_success else f"http_{answer.status_code}"
        except BadTarget:
            return "target_refused"
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            return type(error).__name__

    def _tell(self, hook: WebhookRow, done: list[DeliveryRow], dead_left: int) -> None:
        for delivery in done:
            if delivery.state == DEAD:
                log.error("delivery_dead", webhook=hook.id, notice=delivery.notice, error=delivery.last_error)
                self._alerts.raise_("webhook_dead", hook.id, channel=hook.channel, error=delivery.last_error)
            elif delivery.state != DELIVERED and delivery.attempts >= FAILING_AFTER:
                self._alerts.raise_("webhook_failing", hook.id, channel=hook.channel, error=delivery.last_error)
        if all(delivery.state == DELIVERED for delivery in done):
            self._alerts.clear("webhook_failing", hook.id)
        if not dead_left:
            self._alerts.clear("webhook_dead", hook.id)


def pause_s(attempts: int) -> float:
    """Seconds before the next attempt: doubling up to an hour, half of it by chance, so that receivers that come back
    are not met by everybody at once."""
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 20))
    return whole * (0.5 + random.random() / 2)  # noqa: S311 - spreading, not secrecy
