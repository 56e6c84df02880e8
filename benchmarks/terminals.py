"""Simulated terminals: each sends a request, waits for its answer, and sends the next."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from provisioning.broker import Account
from wire import topics
from wire.link import Incoming, LinkSettings, MqttLink, Outgoing

ANSWER_DEADLINE_S = 30.0


class BenchTerminal:
    """One device in a closed loop. Latencies are milliseconds from publish to the answer in its hands."""

    def __init__(self, device: str, host: str, port: int, account: Account) -> None:
        self.device = device
        self._awaited: dict[str, asyncio.Future[bytes]] = {}
        self._up = asyncio.Event()
        settings = LinkSettings(
            host,
            port,
            account.client_id or account.username,
            account.username,
            account.password,
            subscriptions=(topics.answer(device),),
        )
        self.link = MqttLink(settings, self._on_message, self._on_connected, lambda _reason: None)
        self._runs: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._runs = asyncio.create_task(self.link.run())
        await asyncio.wait_for(self._up.wait(), ANSWER_DEADLINE_S)

    async def stop(self) -> None:
        if self._runs is not None:
            self._runs.cancel()
            await asyncio.gather(self._runs, return_exceptions=True)

    async def _on_connected(self, _conn_seq: int) -> None:
        self._up.set()

    async def _on_message(self, incoming: Incoming) -> None:
        awaited = self._awaited.pop(json.loads(incoming.payload)["id"], None)
        if awaited is not None and not awaited.done():
            awaited.set_result(incoming.payload)

    async def ask(self, hall: str, request_id: str, payload: bytes) -> tuple[float, bytes]:
        """One request: its latency and the answer's payload. Raises TimeoutError after 30 s."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited[request_id] = answer
        began = time.perf_counter()
        publishing = asyncio.create_task(self.link.publish(Outgoing(topics.request(hall, self.device), payload)))
        received = await asyncio.wait_for(answer, ANSWER_DEADLINE_S)
        took = (time.perf_counter() - began) * 1000
        await publishing
        return took, received


@asynccontextmanager
async def terminals(host: str, port: int, accounts: dict[str, Account]) -> AsyncIterator[list[BenchTerminal]]:
    """All of `accounts` (by device) connected; disconnected at the end."""
    made = [BenchTerminal(device, host, port, account) for device, account in accounts.items()]
    await asyncio.gather(*(terminal.start() for terminal in made))
    try:
        yield made
    finally:
        await asyncio.gather(*(terminal.stop() for terminal in made))


async def closed_loop(
    crowd: list[BenchTerminal], hall: str, make: Callable[[], tuple[str, bytes]], *, seconds: float
) -> tuple[float, list[float]]:
    """All terminals ask one request after another for `seconds`: requests per second, and every latency."""
    latencies: list[float] = []
    began = time.perf_counter()
    until = began + seconds

    async def one(terminal: BenchTerminal) -> None:
        while time.perf_counter() < until:
            took, _ = await terminal.ask(hall, *make())
            latencies.append(took)

    await asyncio.gather(*(one(terminal) for terminal in crowd))
    return len(latencies) / (time.perf_counter() - began), latencies
