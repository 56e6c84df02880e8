"""A line inside this process: a driver opens it by name, the other end is played by whoever called `listen`."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from hardware.addresses import MemoryAddress
from hardware.errors import LineLost, LineStalled

_listening: Final[dict[str, "MemoryPeer"]] = {}
"""The peers that can be reached, by name; one process, one set of names."""


class MemoryPeer:
    """The far end. `on_bytes` hears what the driver writes, on the driver's thread; `send` answers. Thread-safe."""

    def __init__(self, name: str, on_bytes: Callable[[bytes], None]) -> None:
        self.address = str(MemoryAddress(name))
        self.taking = True
        """Whether bytes are taken; the driver's writes stall while they are not."""
        self._name = name
        self._on_bytes = on_bytes
        self._arrived = threading.Condition()
        self._to_driver: deque[bytes] = deque()
        self._line: MemoryLine | None = None
        self.plug()

    def plug(self) -> None:
        """Be there (again)."""
        _listening[self._name] = self

    def unplug(self) -> None:
        """Gone: the open line raises `LineLost`, opening fails."""
        if _listening.get(self._name) is self:
            del _listening[self._name]
        with self._arrived:
            self._line = None
            self._to_driver.clear()
            self._arrived.notify_all()

    def send(self, data: bytes) -> None:
        """To the driver; lost when it has no line open."""
        with self._arrived:
            if self._line is not None and data:
                self._to_driver.append(data)
                self._arrived.notify_all()

    def attach(self, line: "MemoryLine") -> None:
        """A driver opens the line. Raises `LineLost` when another one holds it."""
        with self._arrived:
            if self._line is not None:
                raise LineLost(f"{self.address}: held by another driver")
            self._line = line
            self._to_driver.clear()

    def detach(self, line: "MemoryLine") -> None:
        """The driver closed its line."""
        with self._arrived:
            if self._line is line:
                self._line = None

    def write(self, line: "MemoryLine", data: bytes, deadline: float) -> None:
        """As `Line.write`."""
        while True:
            with self._arrived:
                self._check(line)
                if self.taking:
                    break
                if not self._arrived.wait(max(0.0, min(0.02, deadline - time.monotonic()))) and (
                    time.monotonic() >= deadline
                ):
                    raise LineStalled(f"{self.address} took 0 of {len(data)} bytes", 0)
        self._on_bytes(data)

    def read_available(self, line: "MemoryLine", deadline: float) -> bytes:
        """As `Line.read_available`."""
        with self._arrived:
            self._arrived.wait_for(
                lambda: bool(self._to_driver) or self._line is not line, max(0.0, deadline - time.monotonic())
            )
            self._check(line)
            data = b"".join(self._to_driver)
            self._to_driver.clear()
            return data

    def _check(self, line: "MemoryLine") -> None:
        if self._line is not line:
            raise LineLost(f"{self.address}: hung up")


class MemoryLine:
    """The driver's end. Raises `LineLost` when nobody plays the other one."""

    def __init__(self, address: MemoryAddress) -> None:
        self._address = address
        peer = _listening.get(address.name)
        if peer is None:
            raise LineLost(f"{address}: nobody is there")
        self._peer = peer
        peer.attach(self)

    @property
    def address(self) -> str:
        return str(self._address)

    def write(self, data: bytes, deadline: float) -> None:
        self._peer.write(self, data, deadline)

    def read_available(self, deadline: float) -> bytes:
        return self._peer.read_available(self, deadline)

    def close(self) -> None:
        self._peer.detach(self)
