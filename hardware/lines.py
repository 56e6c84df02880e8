"""Lines to devices: serial and TCP behind one small byte port, with one error for a line that vanished.

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
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import serial

from hardware.errors import BadAddress, LineLost, LineStalled

CONNECT_TIMEOUT_S: Final = 2.0
READ_SIZE: Final = 4096
BAUD_RATES: Final = frozenset({9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600})


class Line(Protocol):
    """A two-way stream of bytes to one device. Deadlines are `time.monotonic` seconds."""

    @property
    def address(self) -> str: ...

    def write(self, data: bytes, deadline: float) -> None:
        """Hand over all bytes. Raises `LineStalled` with the count taken by then, or `LineLost`."""

    def read_available(self, deadline: float) -> bytes:
        """The bytes that are there, waiting for the first one; empty when the deadline passed. Raises `LineLost`."""

    def close(self) -> None:
        """Give the line back. Never raises; a second call does nothing."""


class LineOpener(Protocol):
    """Opens a fresh line to the same device each time. Raises `LineLost`."""

    def __call__(self) -> Line: ...


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """`serial:<path>?baud=115200`; 8 data bits, no parity, 1 stop bit, no flow control."""

    path: str
    baud: int = 115200

    def __str__(self) -> str:
        return f"serial:{self.path}?baud={self.baud}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """`tcp:<host>:<port>`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp:{self.host}:{self.port}"


def parse_address(text: str) -> SerialAddress | TcpAddress:
    """Understand a line address from a profile. Raises `BadAddress` with what is wrong."""
    kind, _, rest = text.partition(":")
    if kind == "serial":
        return _parse_serial(text, rest)
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise BadAddress(f"{text!r}: want tcp:<host>:<port>")
        return TcpAddress(host, int(port))
    raise BadAddress(f"{text!r}: want serial:<path>?baud=<rate> or tcp:<host>:<port>")


def _parse_serial(text: str, rest: str) -> SerialAddress:
    try:
        parts = urlsplit(rest)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        baud = int(options.pop("baud", "115200"))
    except ValueError as error:
        raise BadAddress(f"{text!r}: {error}") from error
    if not parts.path.startswith("/"):
        raise BadAddress(f"{text!r}: want an absolute device path")
    if baud not in BAUD_RATES:
        raise BadAddress(f"{text!r}: baud rate {baud} is none of {sorted(BAUD_RATES)}")
    if options:
        raise BadAddress(f"{text!r}: unknown option {', '.join(options)}")
    return SerialAddress(parts.path, baud)


def open_line(address: SerialAddress | TcpAddress) -> Line:
    """Open the line. Raises `LineLost` when it is not there, refused, or held by another program."""
    if isinstance(address, SerialAddress):
        return SerialLine(address)
    return TcpLine(address)


class _DescriptorLine:
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
        if not data:
            raise LineLost(f"{self._address}: closed by the other end")
        return data

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


class SerialLine(_DescriptorLine):
    """A serial port, opened exclusively: a second program on the same port is refused, not mixed in."""

    def __init__(self, address: SerialAddress) -> None:
        try:
            self._port = serial.Serial(address.path, address.baud, timeout=0, exclusive=True)
        except (OSError, termios.error, ValueError) as error:
            raise LineLost(f"{address}: {error}") from error
        super().__init__(str(address), self._port.fileno())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, termios.error):  # the device may have gone away first
                self._port.close()


class TcpLine(_DescriptorLine):
    """A TCP connection, small writes sent at once."""

    def __init__(self, address: TcpAddress) -> None:
        try:
            self._socket = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setblocking(False)
        except OSError as error:
            raise LineLost(f"{address}: {error}") from error
        super().__init__(str(address), self._socket.fileno())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._socket.close()
