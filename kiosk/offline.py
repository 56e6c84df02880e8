"""Numbers without the hall: what this machine holds, kept in the journal, and one more given in one transaction."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from kiosk import offline_numbers, offline_time
from kiosk.journal import Journal
from kiosk.journeys.catalogue import Service
from kiosk.journeys.state import Ticket
from kiosk.offline_numbers import Holding, NoNumber
from kiosk.offline_time import Clocks, Sync
from wire.codec import decode, encode
from wire.messages import HelloAnswer, OfflineTicket, OfflineUse, Withdraw

HELLO_AGAIN_S = 3600.0
"""What is held is heard of again so often, and at the end of each business day."""
_HELD, _SYNC, _STOPPED = "offline_numbers", "offline_time", "offline_stopped"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wanted:
    """Who wants a number, as the journey knows it; `earlier` is the request that got no answer."""

    service: Service
    language: str
    person: str | None
    earlier: str | None = None


class OnReady(Protocol):
    """Whether numbers can be given without the hall has changed."""

    def __call__(self, *, ready: bool) -> None: ...


class Offline:
    """What the machine holds. `clock` gives UTC and may be wrong; `on_ready` is called on the loop."""

    def __init__(
        self,
        journal: Journal,
        on_ready: OnReady,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        self._journal = journal
        self._on_ready = on_ready
        self._clock = clock
        self._monotonic = monotonic
        self._new_id = new_id
        self._new_token = new_token
        self._held: Holding | None = None
        self._sync: Sync | None = None
        self._synced: float | None = None
        self._stopped = False
        self._ready = False
        self._turn = asyncio.Lock()
        """What is held changes by one act at a time: each writes it to disk before the next one reads it."""

    async def load(self) -> None:
        """Read what was kept. Raises `JournalFault`."""
        self._held = offline_numbers.from_json(await self._journal.recall(_HELD))
        self._sync = offline_time.from_json(await self._journal.recall(_SYNC))
        self._stopped = await self._journal.recall(_STOPPED) == "yes"
        self.look()

    def use(self, *, gives_back: bool = False) -> OfflineUse:
        """For the hello: where this machine stands."""
        return offline_numbers.use(self._held, gives_back=gives_back)

    async def heard(self, answer: HelloAnswer, took_s: float) -> None:
        """The hall's answer to a hello. Raises `JournalFault`."""
        self._sync = offline_time.learn(answer.server_time, took_s, self._clocks())
        self._synced = self._monotonic()
        async with self._turn:
            await self._journal.remember(_SYNC, self._sync.model_dump_json())
            if answer.offline is not None:
                held = offline_numbers.adopt(self._held, answer.offline)
                await self._journal.remember(_HELD, offline_numbers.to_json(held))
                self._held = held
            await self._stop(stopped=False)
        self.look()

    async def turned_away(self) -> None:
        """The hall does not accept this machine: it gives no numbers until it is accepted again, also after a start.

        Raises `JournalFault`.
        """
        async with self._turn:
            await self._stop(stopped=True)
        self.look()

    async def _stop(self, *, stopped: bool) -> None:
        if stopped != self._stopped:
            await self._journal.remember(_STOPPED, "yes" if stopped else "no")
            self._stopped = stopped

    def wants_hello(self) -> bool:
        """Whether the hall should say again what is held: an hour has passed, or a business day has ended."""
        if self._synced is None or self._held is None:
            return False
        days = self._held.grant.days
        over = bool(days) and days[0].ends_at <= self._now()[0]
        return over or self._monotonic() - self._synced >= HELLO_AGAIN_S

    def look(self) -> None:
        """Tell whether numbers can be given; the leave of the hall ends by time alone."""
        ready = not self._stopped and self._held is not None and self._held.day(self._now()[0]) is not None
        if ready != self._ready:
            self._ready = ready
            self._on_ready(ready=ready)

    async def give(self, wanted: Wanted) -> Ticket | NoNumber | None:
        """The next number, kept before it is returned; None if the earlier request was answered meanwhile.

        Raises `JournalFault`.
        """
        async with self._turn:
            return await self._give(wanted)

    async def _give(self, wanted: Wanted) -> Ticket | NoNumber | None:
        held = self._held
        if held is None or self._stopped:
            return NoNumber("offline_ended")
        if held.grant.one_live and (mine := await self._holds(wanted)):
            return NoNumber("already_holding", number=mine)
        now, uncertain_s = self._now()
        service = wanted.service
        taken = offline_numbers.take(held, service.queue, service.hours, now)
        if isinstance(taken, NoNumber):
            log.warning("offline_number_refused", code=taken.code, service=service.id)
            return taken
        after, number = taken
        fact = OfflineTicket(
            ticket=self._new_id(),
            follow_token=self._new_token(),
            service=service.id,
            queue=service.queue,
            number=number.text,
            prefix=number.prefix,
            serial=number.serial,
            lease=number.lease,
            business_date=number.business_date,
            taken_at=now,
            uncertain_s=uncertain_s,
            person=wanted.person,
            language="en" if wanted.language == "en" else "zh",
        )
        earlier = None
        if wanted.earlier is not None:
            withdrawal = Withdraw(request_id=wanted.earlier, reason="served_offline")
            earlier = (wanted.earlier, lambda key: encode(withdrawal, message_id=key, at=self._clock()))
        kept = await self._journal.give_offline(
            fact.ticket,
            (_HELD, offline_numbers.to_json(after)),
            lambda key: encode(fact, message_id=key, at=self._clock()),
            earlier,
        )
        if not kept:
            return None
        self._held = after
        log.info("offline_number", number=number.text, leased=number.lease is not None, uncertain_s=uncertain_s)
        return Ticket(
            ticket=fact.ticket,
            number=number.text,
            service=service.id,
            people_ahead=None,
            issued_at=now,
            follow_url=number.follow_base + fact.follow_token,
            offline=True,
        )

    async def _holds(self, wanted: Wanted) -> str | None:
        """The number that the person took here for the same service and of which the hall does not know yet."""
        if wanted.person is None:
            return None
        for entry in await self._journal.pending("facts"):
            fact = decode(entry.payload)[1] if entry.kind == "offline_ticket" else None
            if isinstance(fact, OfflineTicket) and (fact.person, fact.service) == (wanted.person, wanted.service.id):
                return fact.number
        return None

    def now(self) -> datetime:
        """UTC, by the hall's clock where it was ever heard."""
        return self._now()[0]

    def _clocks(self) -> Clocks:
        return Clocks(wall=self._clock(), monotonic=self._monotonic())

    def _now(self) -> tuple[datetime, int]:
        last = self._held.last_taken_at if self._held is not None else None
        return offline_time.estimate(self._sync, self._synced, self._clocks(), last)
