"""Lines to devices: serial, TCP and memory behind one small byte port, with one error for a line that vanished.

Reading and writing is done on the descriptor with `poll`, not through the libraries' own calls: pyserial's blocking
read either returns late or cuts frames (its `inter_byte_timeout` has no effect on Linux), its write time-out does
not tell how many bytes were taken, and after an unplug its calls raise three different kinds of error.
"""

import contextlib
import os
import select
import socket
import termios
import time
from typing import Final, Protocol

import serial

from hardware.addresses import LineAddress, MemoryAddress, SerialAddress, TcpAddress
from hardware.errors import LineLost, LineStalled
from hardware.memory_line import MemoryLine

CONNECT_TIMEOUT_S: Final = 2.0
READ_SIZE: Final = 4096
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class Connection(Protocol):
    """What a device's worker keeps open: a line of bytes, a card reader's context, a camera, a printer's session."""

    def close(self) -> None:
        """Give it back. Never raises; a second call does nothing."""


class Line(Connection, Protocol):
    """A two-way stream of bytes to one device. Deadlines are `time.monotonic` seconds."""

    @property
    def address(self) -> str: ...

    def write(self, data: bytes, deadline: float) -> None:
        """Hand over all bytes. Raises `LineStalled` with the count taken by then, or `LineLost`."""

    def read_available(self, deadline: float) -> bytes:
        """The bytes that are there, waiting for the first one; empty when the deadline passed. Raises `LineLost`."""


def open_line(address: LineAddress) -> Line:
    """Open the line. Raises `LineLost` when it is not there, refused, or held by another program."""
    match address:
        case SerialAddress():
            return SerialLine(address)
        case TcpAddress():
            return TcpLine(address)
        case MemoryAddress():
            return MemoryLine(address)


class DescriptorLine:
    """Polling reads and writes on a non-blocking descriptor."""

    def __init__(self, address: str, descriptor: int) -> None:
        self._address = address
        self._descriptor = descriptor
        self._closed = False

    @property
    def address(self) -> str:
        return self._address

    def write(self, data: bytes, deadline: float) -> None:
        written = 0
        while written < len(data):
            if not self._ready(select.POLLOUT, deadline):
                raise LineStalled(f"{self._address} took {written} of {len(data)} bytes", written)
            try:
                written += os.write(self._descriptor, data[written:])
            except BlockingIOError:
                continue
            except OSError as error:
                raise LineLost(f"{self._address}: {error}") from error

    def read_available(self, deadline: float) -> bytes:
        if not self._ready(select.POLLIN, deadline):
            return b""
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(f"{self._address}: {error}") from error
        return data or self._nothing_read()

    def _nothing_read(self) -> bytes:
        """Ready, and nothing came: the other end has closed the line."""
        raise LineLost(f"{self._address}: closed by the other end")

    def _ready(self, event: int, deadline: float) -> bool:
        if self._closed:
            raise LineLost(f"{self._address}: closed")
        poll = select.poll()
        poll.register(self._descriptor, event)
        remaining_ms = max(0.0, deadline - time.monotonic()) * 1000
        found = poll.poll(remaining_ms)
        if found and not found[0][1] & event:
            raise LineLost(f"{self._address}: hung up")
        return bool(found)


class SerialLine(DescriptorLine):
    """A serial port, opened exclusively: a second program on the same port is refused, not mixed in."""

    def __init__(self, address: SerialAddress) -> None:
        try:
            self._port = serial.Serial(
                address.path,
                address.baud,
                parity=_PARITIES[address.parity],
                stopbits=address.stop_bits,
                timeout=0,
                exclusive=True,
            )
        except (OSError, termios.error, ValueError) as error:
            raise LineLost(f"{address}: {error}") from error
        super().__init__(str(address), self._port.fileno())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, termios.error):  # the device may have gone away first
                self._port.close()


class TcpLine(DescriptorLine):
    """A TCP connection, small writes sent at once."""

    def __init__(self, address: TcpAddress) -> None:
        try:
            self._socket = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setblocking(False)
        except (OSError, UnicodeError) as error:  # the latter: a name that no host can have
            raise LineLost(f"{address}: {error}") from error
        super().__init__(str(address), self._socket.fileno())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._socket.close()
