"""Seats at a broker for tests: links that keep what they saw, a broker of either make."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from provisioning.broker import PrivateBroker
from wire.access import Account
from wire.connecting import ConnectingLink
from wire.link import Incoming, LinkSettings, MqttLink, Outgoing
from wire.memory import MemoryBroker


async def until(condition: Callable[[], object], *, patience_s: float = 20.0) -> None:
    """Wait for a condition; the patience is only there to end a failing test."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - conditions are of many kinds, files and counters among them
            await asyncio.sleep(0.002)


class Seat:
    """A link that writes down what happens to it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.received: list[Incoming] = []
        self.connections: list[int] = []
        self.lost: list[str] = []
        self.on_message: Callable[[Incoming], Awaitable[None]] | None = None
        self.birth: Callable[[int], Outgoing] | None = None
        self.link: ConnectingLink
        self.task: asyncio.Task[None] | None = None

    async def take(self, incoming: Incoming) -> None:
        self.received.append(incoming)
        if self.on_message is not None:
            await self.on_message(incoming)

    async def connected(self, conn_seq: int) -> None:
        self.connections.append(conn_seq)
        if self.birth is not None:
            await self.link.publish(self.birth(conn_seq))

    @property
    def payloads(self) -> list[bytes]:
        return [incoming.payload for incoming in self.received]

    def sit(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self.link.run())

    async def up(self, times: int = 1) -> None:
        await until(lambda: self.link.connected and len(self.connections) >= times)

    async def leave(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task


class Site:
    """A broker and the seats at it."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []

    def settings(self, account: Account, **more: object) -> LinkSettings:
        given: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port(),
            "client_id": account.client_id or account.username,
            "username": account.username,
            "password": account.password,
            "backoff_first_s": 0.01,
            "backoff_cap_s": 0.05,
        }
        return LinkSettings(**{**given, **more})  # type: ignore[arg-type]  # tests name what they change

    def seat(self, account: Account, **more: object) -> Seat:
        """A link that does not run yet."""
        seat = Seat(account)
        seat.link = self.make(self.settings(account, **more), seat)
        self.seats.append(seat)
        return seat

    async def sit(self, account: Account, **more: object) -> Seat:
        """A link that is connected."""
        seat = self.seat(account, **more)
        seat.sit()
        await seat.up()
        return seat

    async def close(self) -> None:
        for seat in self.seats:
            await seat.leave()
        self.stop()

    def port(self) -> int:
        raise NotImplementedError

    def make(self, settings: LinkSettings, seat: Seat) -> ConnectingLink:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def restart(self, *, forget: bool) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class MosquittoSite(Site):
    """The real broker."""

    def __init__(self, directory: Path, accounts: list[Account]) -> None:
        super().__init__()
        self.broker = PrivateBroker(directory, accounts)
        self.broker.start()

    def port(self) -> int:
        return self.broker.port

    def make(self, settings: LinkSettings, seat: Seat) -> ConnectingLink:
        return MqttLink(settings, seat.take, seat.connected, seat.lost.append, rng=random.Random(1))

    def kill(self) -> None:
        self.broker.kill()

    def restart(self, *, forget: bool) -> None:
        if forget:
            self.broker.forget()
        self.broker.start()

    def stop(self) -> None:
        self.broker.stop()


class MemorySite(Site):
    """The twin."""

    def __init__(self, accounts: list[Account]) -> None:
        super().__init__()
        self.broker = MemoryBroker(accounts)

    def port(self) -> int:
        return 1883

    def make(self, settings: LinkSettings, seat: Seat) -> ConnectingLink:
        return self.broker.link(settings, seat.take, seat.connected, seat.lost.append, rng=random.Random(1))

    def kill(self) -> None:
        self.broker.kill()

    def restart(self, *, forget: bool) -> None:
        self.broker.restart(forget=forget)

    def stop(self) -> None:
        self.broker.kill()
