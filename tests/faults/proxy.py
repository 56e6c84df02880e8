"""A TCP line that fails as networks fail: cut, frozen, half-open, slow, or broken off inside a packet.

It stands between a program and the broker (or any other listener) of the loopback. Faults are told to nobody: what a
program learns of them it learns as it would from a network.
"""

import asyncio
import contextlib
from typing import Literal

Side = Literal["client", "server"]
"""The client is who connects."""


class Proxy:
    """Listens on `port`, a port of its own, and passes everything on to `target`. Use on one loop."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._passes = asyncio.Event()
        self._passes.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._joined: set[_Joined] = set()
        self.port = 0
        self.delay_s = 0.0
        """How long each piece is on its way."""
        self.waiting = 0
        """Connections that were accepted while nothing passes."""
        self.connections = 0
        """Connections that were passed on."""

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._passes.set()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection; new ones pass."""
        for joined in tuple(self._joined):
            joined.reset()

    def freeze(self) -> None:
        """Nothing passes any more, in neither direction; new connections are accepted and answered by nobody."""
        self._passes.clear()

    def thaw(self) -> None:
        """Everything that was held up passes."""
        self._passes.set()

    def deafen(self, side: Side) -> None:
        """What goes to `side` on the connections of now is lost, their end included, as behind a NAT that forgot them.

        New connections pass.
        """
        for joined in self._joined:
            joined.deaf.add(side)

    def break_off(self, after: int) -> None:
        """Each connection of now is reset after `after` further bytes to the server: inside a packet, mostly."""
        for joined in self._joined:
            joined.left = after

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._passes.is_set():
            self.waiting += 1
            self._spawn(self._hold(writer))
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except ConnectionError:
            writer.transport.abort()
            return
        self.connections += 1
        joined = _Joined(writer, far_writer)
        self._joined.add(joined)
        self._spawn(self._pump(joined, reader, "server"))
        self._spawn(self._pump(joined, far_reader, "client"))

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hold(self, writer: asyncio.StreamWriter) -> None:
        await self._passes.wait()
        writer.close()

    async def _pump(self, joined: "_Joined", source: asyncio.StreamReader, to: Side) -> None:
        sink = joined.writers[to]
        try:
            while data := await source.read(65536):
                await self._passes.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if to in joined.deaf:
                    continue
                if to == "server" and joined.left is not None:
                    data, joined.left = data[: joined.left], max(0, joined.left - len(data))
                sink.write(data)
                await sink.drain()
                if to == "server" and joined.left == 0:
                    joined.reset()
        except ConnectionError:
            joined.reset()
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await self._passes.wait()
            if to not in joined.deaf:
                sink.close()
                self._joined.discard(joined)


class _Joined:
    """Two connections that are one."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.writers: dict[Side, asyncio.StreamWriter] = {"client": client, "server": server}
        self.deaf: set[Side] = set()
        self.left: int | None = None

    def reset(self) -> None:
        for writer in self.writers.values():
            writer.transport.abort()
