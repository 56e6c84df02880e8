"""The wire of a simulated device: a pty or a TCP port on a thread of its own, with the faults a line can have."""

import contextlib
import heapq
import itertools
import os
import select
import socket
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

BITS_PER_BYTE: Final = 10  # 8N1: start, eight data, stop
PACE_SLICE_S: Final = 0.002
RETRY_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What is wrong with the line. Counters (`…_after`) count from the moment the faults are set."""

    silent: bool = False
    """Takes everything, sends nothing."""
    busy: bool = False
    """Takes nothing: the host's writes stall."""
    split_at: int | None = None
    """Each answer comes in two parts, cut at this byte, `gap_s` apart."""
    bytewise: bool = False
    """Each answer comes byte by byte, `gap_s` apart."""
    gap_s: float = 0.005
    delay_s: float = 0.0
    """Each answer comes this late."""
    noise_before: bytes = b""
    noise_inside: bytes = b""
    noise_at: int = 0
    """Byte of the answer before which `noise_inside` comes."""
    duplicate: bool = False
    truncate_at: int | None = None
    """Only this many bytes of each answer are sent."""
    unplug_after_sent: int | None = None
    unplug_after_taken: int | None = None


class SimulatedLine(ABC):
    """One end of a line that a driver opens at `address`. The device's handlers run on the line's own thread.

    `call` runs a function there, so that a device needs no locks.
    """

    def __init__(self, *, baud: int | None) -> None:
        self._baud = baud
        self._faults = LineFaults()
        self._sent = self._taken = 0
        self._on_bytes: Callable[[bytes], None] = lambda _: None
        self._on_connected: Callable[[], None] = lambda: None
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._send_free_at = self._take_free_at = 0.0
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name=type(self).__name__, daemon=True)

    @property
    @abstractmethod
    def address(self) -> str:
        """Where a driver finds the line."""

    def start(self, on_bytes: Callable[[bytes], None], on_connected: Callable[[], None] = lambda: None) -> None:
        """Plug in and serve. `on_bytes` hears what the host sends, `on_connected` each TCP connection."""
        self._on_bytes, self._on_connected = on_bytes, on_connected
        self._plug()
        self._thread.start()

    def close(self) -> None:
        """Unplug for good and end the thread."""
        self._closing = True
        self._wake()
        self._thread.join()

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` on the line's thread and give its result."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return function()
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except Exception as error:  # noqa: BLE001 - handed to the caller
                done.set_exception(error)

        self._calls.append(run)
        self._wake()
        return done.result()

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Run `function` on the line's thread after `seconds`."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), function))

    def set_faults(self, faults: LineFaults) -> None:
        """Change what is wrong, from now on."""

        def change() -> None:
            self._faults = faults
            self._sent = self._taken = 0

        self.call(change)

    def set_baud(self, baud: int) -> None:
        """Pace the line at another rate from now on."""
        self._baud = baud

    def plug(self) -> None:
        """Back again, at the same address."""
        self.call(self._plug)

    def unplug(self) -> None:
        """Gone: the driver's line hangs up, and opening it fails."""
        self.call(self._drop)

    def send(self, data: bytes) -> None:
        """Send an answer as the faults have it."""
        faults = self._faults
        if faults.silent or not data:
            return
        if faults.noise_inside:
            data = data[: faults.noise_at] + faults.noise_inside + data[faults.noise_at :]
        if faults.truncate_at is not None:
            data = data[: faults.truncate_at]
        data = faults.noise_before + data
        if faults.duplicate:
            data += data
        parts = [data]
        if faults.bytewise:
            parts = [data[i : i + 1] for i in range(len(data))]
        elif faults.split_at is not None:
            parts = [data[: faults.split_at], data[faults.split_at :]]
        due = max(time.monotonic() + faults.delay_s, self._send_free_at)
        for part in parts:
            due = self._pace(part, due) + (faults.gap_s if len(parts) > 1 else 0)
        self._send_free_at = due

    def _pace(self, part: bytes, due: float) -> float:
        """Queue one part from `due` on; when the line is free again."""
        if self._baud is None:
            self._at(due, part)
            return due
        size = max(1, int(self._baud / BITS_PER_BYTE * PACE_SLICE_S))
        for start in range(0, len(part), size):
            piece = part[start : start + size]
            due += len(piece) * BITS_PER_BYTE / self._baud
            self._at(due, piece)
        return due

    def _at(self, due: float, data: bytes) -> None:
        heapq.heappush(self._timers, (due, next(self._order), lambda: self._transmit(data)))

    def _transmit(self, data: bytes) -> None:
        limit = self._faults.unplug_after_sent
        if limit is not None and self._sent + len(data) >= limit:
            self._write(data[: limit - self._sent])
            self._drop()
            return
        self._sent += len(data)
        self._write(data)

    def _write(self, data: bytes) -> None:
        descriptor = self._descriptor()
        while data and descriptor is not None:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                time.sleep(RETRY_S)
                if self._closing:
                    return
            except OSError:
                return  # the host is gone: what is sent to nobody is lost

    def _loop(self) -> None:
        while not self._closing:
            while self._calls:
                self._calls.popleft()()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
            self._wait()
        self._drop()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        now = time.monotonic()
        timeout = self._timers[0][0] - now if self._timers else None
        source = self._source()
        if source is not None and not self._faults.busy:
            if now >= self._take_free_at:
                poll.register(source, select.POLLIN)
            else:
                left = self._take_free_at - now
                timeout = left if timeout is None else min(timeout, left)
        ready = dict(poll.poll(None if timeout is None else max(0.0, timeout * 1000)))
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        if source is not None and source in ready and not self._calls:
            self._take()

    def _take(self) -> None:
        data = self._receive()
        if data is None:
            return
        if self._baud is not None:
            self._take_free_at = time.monotonic() + len(data) * BITS_PER_BYTE / self._baud
        limit = self._faults.unplug_after_taken
        if limit is not None and self._taken + len(data) >= limit:
            self._on_bytes(data[: limit - self._taken])
            self._drop()
            return
        self._taken += len(data)
        self._on_bytes(data)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake_write, b"!")

    @abstractmethod
    def _plug(self) -> None: ...

    @abstractmethod
    def _drop(self) -> None: ...

    @abstractmethod
    def _descriptor(self) -> int | None:
        """Where answers are written; None while nobody is connected."""

    @abstractmethod
    def _source(self) -> int | None:
        """What to poll for input."""

    @abstractmethod
    def _receive(self) -> bytes | None:
        """What the host sent; None when it was something else (a connection made or ended)."""


class PtyLine(SimulatedLine):
    """A serial line: a pty whose device end is reached through the stable symlink `link`.

    A pty enforces no rate, so the line paces itself at `baud`; None means as fast as it goes.
    """

    def __init__(self, link: Path, *, baud: int | None = None) -> None:
        super().__init__(baud=baud)
        self._link = link
        self._ends: tuple[int, int] | None = None

    @property
    def address(self) -> str:
        return f"serial:{self._link.absolute()}?baud={self._baud or 115200}"

    def _plug(self) -> None:
        if self._ends is not None:
            return
        controller, device = os.openpty()
        # The device end stays open here too, or the controller reads EIO whenever no driver has it open.
        self._ends = (controller, device)
        tty.setraw(device)
        os.set_blocking(controller, False)
        fresh = self._link.with_name(f".{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(device))
        fresh.replace(self._link)

    def _drop(self) -> None:
        if self._ends is not None:
            self._link.unlink(missing_ok=True)
            for end in self._ends:
                os.close(end)
            self._ends = None

    def _descriptor(self) -> int | None:
        return self._ends[0] if self._ends else None

    def _source(self) -> int | None:
        return self._descriptor()

    def _receive(self) -> bytes | None:
        try:
            return os.read(self._ends[0], 4096) if self._ends else None
        except OSError:
            return None


class TcpServerLine(SimulatedLine):
    """A TCP port that serves one host at a time, as network printers do."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(baud=None)
        self._host, self._port = host, port
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None

    @property
    def address(self) -> str:
        return f"tcp:{self._host}:{self._port}"

    def drop_connection(self) -> None:
        """Close the connection as an idle network printer does; the port still listens."""
        self.call(self._drop_peer)

    def _plug(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((self._host, self._port), reuse_port=False)
            self._port = self._listener.getsockname()[1]

    def _drop(self) -> None:
        self._drop_peer()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _drop_peer(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    def _descriptor(self) -> int | None:
        return self._peer.fileno() if self._peer else None

    def _source(self) -> int | None:
        end = self._peer or self._listener
        return end.fileno() if end else None

    def _receive(self) -> bytes | None:
        if self._peer is None:
            if self._listener is not None:
                self._peer = self._listener.accept()[0]
                self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._peer.setblocking(False)
                self._on_connected()
            return None
        try:
            data = self._peer.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._drop_peer()
            return None
        return data
