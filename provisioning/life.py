"""Life for a demonstration: simulated citizens who take numbers over the wire, and clerks who serve them over HTTP."""

import asyncio
import contextlib
import json
import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from provisioning.broker import Account
from provisioning.clerk import Clerk, ClerkRefused
from provisioning.site import Site
from queue_server.staff import Role
from wire import topics
from wire.codec import encode
from wire.link import Incoming, LinkDown, LinkSettings, MqttLink, Outgoing
from wire.messages import Issue

DEVICE = "life-1"
"""The terminal at which all simulated citizens take their numbers."""
NO_SHOW_SHARE = 0.06
SHORTEST_SERVICE_S = 5.0
IDLE_LOOK_S = 1.0


@dataclass(frozen=True)
class Pace:
    """`per_hour` arrivals on average; clerks are as fast as it takes to keep up with them at `load`."""

    per_hour: float
    counters: int
    load: float = 0.85

    @property
    def service_s(self) -> float:
        """Mean seconds that a clerk takes for a person."""
        return max(SHORTEST_SERVICE_S, self.load * self.counters * 3600 / self.per_hour)


def life_staff(counters: list[dict[str, Any]]) -> dict[str, tuple[str, tuple[Role, ...]]]:
    """A clerk for each counter."""
    return {f"life-{c['id']}": (f"模拟 {c['number']}", ("clerk",)) for c in counters}


class Life:
    """Citizens and clerks until cancelled. `taken`: counters that real people of the demonstration use."""

    def __init__(self, site: Site, per_hour: float, taken: frozenset[str], rng: random.Random) -> None:
        self._site, self._rng = site, rng
        hall = json.loads((site.server_file.parent / "hall.json").read_bytes())
        self._services = [service["id"] for service in hall["services"]]
        self._counters = [c["id"] for c in hall["counters"] if c["id"] not in taken]
        self._pace = Pace(per_hour, len(self._counters))

    async def run(self) -> None:
        """Never returns."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._citizens(self._site.device_account(DEVICE)))
            for counter in self._counters:
                group.create_task(self._clerk(counter))

    async def _citizens(self, account: Account) -> None:
        broker = self._site.broker
        settings = LinkSettings(
            broker.host,
            broker.port,
            account.client_id or account.username,
            account.username,
            account.password,
            subscriptions=(topics.answer(DEVICE),),
        )
        link = MqttLink(settings, _ignore, _nothing, lambda _reason: None)
        connection = asyncio.create_task(link.run())
        boot, number = secrets.token_hex(8), 0
        try:
            while True:
                await asyncio.sleep(self._rng.expovariate(self._pace.per_hour / 3600))
                number += 1
                payload = encode(
                    Issue(service=self._rng.choice(self._services)),
                    message_id=f"{boot}-{number}",
                    at=datetime.now(UTC),
                )
                try:
                    await link.publish(Outgoing(topics.request(self._site.hall, DEVICE), payload))
                except LinkDown:
                    continue
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)

    async def _clerk(self, counter: str) -> None:
        login = f"life-{counter}"
        async with Clerk(self._site.url, login, self._site.staff_passwords[login]) as clerk:
            await clerk.open(counter)
            while True:
                try:
                    await self._serve_one(clerk)
                except (ClerkRefused, httpx.HTTPError):
                    # nobody waits, or the server is being restarted
                    await asyncio.sleep(IDLE_LOOK_S)
                    with contextlib.suppress(ClerkRefused, httpx.HTTPError):
                        await clerk.look()

    async def _serve_one(self, clerk: Clerk) -> None:
        """Raises `ClerkRefused`, as when nobody waits."""
        await clerk.act("next")
        await asyncio.sleep(self._rng.uniform(3, 8))
        if self._rng.random() < NO_SHOW_SHARE:
            await clerk.act("recall")
            await asyncio.sleep(self._rng.uniform(5, 10))
            await clerk.act("no-show")
            return
        await clerk.act("start")
        await asyncio.sleep(self._rng.expovariate(1 / self._pace.service_s))
        await clerk.act("complete")


async def _ignore(_incoming: Incoming) -> None:
    """Nobody waits for these answers: the citizen is simulated."""


async def _nothing(_conn_seq: int) -> None:
    """There is no retained truth to publish."""
