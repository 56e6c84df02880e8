"""Where a device is: addresses that stay the same over reboots and replugging, as they stand in a profile. Pure.

A serial or input path should be one of the `by-id` links that udev makes: `/dev/ttyUSB0` is whatever came up first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from hardware.errors import BadAddress

BAUD_RATES: Final = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600})
PARITIES: Final = frozenset({"none", "even", "odd"})
_ID: Final = re.compile(r"[0-9A-Fa-f]{4}")


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """`serial:<path>?baud=115200&parity=none&stop=1`; 8 data bits, no flow control."""

    path: str
    baud: int = 115200
    parity: str = "none"
    stop_bits: int = 1

    def __str__(self) -> str:
        parity = "" if self.parity == "none" else f"&parity={self.parity}"
        stop = "" if self.stop_bits == 1 else f"&stop={self.stop_bits}"
        return f"serial:{self.path}?baud={self.baud}{parity}{stop}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """`tcp:<host>:<port>`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp:{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """`memory:<name>`: a line inside this process (`hardware.memory_line`)."""

    name: str

    def __str__(self) -> str:
        return f"memory:{self.name}"


@dataclass(frozen=True, slots=True)
class UsbAddress:
    """`usb:<vendor>:<product>[:<serial>]`, ids as four hexadecimal digits; a printer-class USB device."""

    vendor: int
    product: int
    serial: str | None = None

    def __str__(self) -> str:
        serial = "" if self.serial is None else f":{self.serial}"
        return f"usb:{self.vendor:04x}:{self.product:04x}{serial}"


@dataclass(frozen=True, slots=True)
class UsbLpAddress:
    """`usblp:<path>`: a printer behind the kernel's own driver, such as `/dev/usb/lp0`."""

    path: str

    def __str__(self) -> str:
        return f"usblp:{self.path}"


@dataclass(frozen=True, slots=True)
class PcscAddress:
    """`pcsc:<reader name>` as pcscd lists it; a trailing `*` stands for the number that pcscd counts up."""

    reader: str

    def __str__(self) -> str:
        return f"pcsc:{self.reader}"


@dataclass(frozen=True, slots=True)
class VideoAddress:
    """`video:<path>`: `/dev/v4l/by-id/…`, or a recorded film (`.avi`, …) or numbered pictures (`frame-%04d.png`)."""

    path: str

    def __str__(self) -> str:
        return f"video:{self.path}"


@dataclass(frozen=True, slots=True)
class InputAddress:
    """`input:<path>`: `/dev/input/by-id/…-event-kbd`, or a recording of its events."""

    path: str

    def __str__(self) -> str:
        return f"input:{self.path}"


@dataclass(frozen=True, slots=True)
class IppAddress:
    """`ipp://host[:port]/path` or `ipps://…`: a printer, or a queue of a CUPS scheduler."""

    host: str
    port: int
    path: str
    encrypted: bool = False

    def __str__(self) -> str:
        scheme = "ipps" if self.encrypted else "ipp"
        return f"{scheme}://{_bracketed(self.host)}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class NutAddress:
    """`nut:<ups>@<host>[:<port>]`: a UPS of a Network UPS Tools server."""

    ups: str
    host: str
    port: int = 3493

    def __str__(self) -> str:
        return f"nut:{self.ups}@{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class SoundAddress:
    """`sound:<card>` by its ALSA card id (`sound:default` for the system's own choice), or `sound:<path>` of a file."""

    card: str

    def __str__(self) -> str:
        return f"sound:{self.card}"


Address = (
    SerialAddress
    | TcpAddress
    | MemoryAddress
    | UsbAddress
    | UsbLpAddress
    | PcscAddress
    | VideoAddress
    | InputAddress
    | IppAddress
    | NutAddress
    | SoundAddress
)
LineAddress = SerialAddress | TcpAddress | MemoryAddress
"""Addresses of two-way streams of bytes that `hardware.lines.open_line` opens."""


def parse_address(text: str) -> Address:
    """Understand an address from a profile. Raises `BadAddress` with what is wrong."""
    if not text.isprintable():
        raise BadAddress(f"{text!r}: has characters that cannot be printed")
    kind, _, rest = text.partition(":")
    parse = _PARSERS.get(kind)
    if parse is None:
        raise BadAddress(f"{text!r}: {kind!r} is none of {', '.join(_PARSERS)}")
    try:
        return parse(rest)
    except ValueError as error:
        raise BadAddress(f"{text!r}: {error}") from None


def parse_line_address(text: str) -> LineAddress:
    """The same for drivers of byte streams: anything else is refused."""
    address = parse_address(text)
    if not isinstance(address, LineAddress):
        raise BadAddress(f"{text!r}: want serial:…, tcp:… or memory:…")
    return address


def _serial(rest: str) -> SerialAddress:
    parts = urlsplit(rest)
    options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    baud, stop = int(options.pop("baud", "115200")), int(options.pop("stop", "1"))
    parity = options.pop("parity", "none")
    if baud not in BAUD_RATES:
        raise ValueError(f"baud rate {baud} is none of {sorted(BAUD_RATES)}")
    if parity not in PARITIES or stop not in {1, 2}:
        raise ValueError("want parity none, even or odd, and stop 1 or 2")
    if options:
        raise ValueError(f"unknown option {', '.join(options)}")
    return SerialAddress(_absolute(parts.path), baud, parity, stop)


def _tcp(rest: str) -> TcpAddress:
    host, _, port = rest.rpartition(":")
    host = host.strip("[]")
    if not host:
        raise ValueError("want tcp:<host>:<port>")
    return TcpAddress(host, _port(port))


def _memory(rest: str) -> MemoryAddress:
    if not rest:
        raise ValueError("want a name")
    return MemoryAddress(rest)


def _usb(rest: str) -> UsbAddress:
    vendor, _, rest = rest.partition(":")
    product, colon, serial = rest.partition(":")
    if not _ID.fullmatch(vendor) or not _ID.fullmatch(product) or (colon and not serial):
        raise ValueError("want usb:<vendor>:<product>[:<serial>], ids as four hexadecimal digits")
    return UsbAddress(int(vendor, 16), int(product, 16), serial or None)


def _usblp(rest: str) -> UsbLpAddress:
    return UsbLpAddress(_absolute(rest))


def _pcsc(rest: str) -> PcscAddress:
    if not rest.strip("* "):
        raise ValueError("want the reader's name")
    return PcscAddress(rest)


def _video(rest: str) -> VideoAddress:
    return VideoAddress(_absolute(rest))


def _input(rest: str) -> InputAddress:
    return InputAddress(_absolute(rest))


def _ipp(rest: str) -> IppAddress:
    return _ipp_url(rest, encrypted=False)


def _ipps(rest: str) -> IppAddress:
    return _ipp_url(rest, encrypted=True)


def _ipp_url(rest: str, *, encrypted: bool) -> IppAddress:
    parts = urlsplit(rest)
    if not parts.hostname or parts.username or parts.query or not parts.path.strip("/"):
        raise ValueError("want ipp://<host>[:<port>]/<path>")
    return IppAddress(parts.hostname, parts.port or 631, parts.path, encrypted)


def _nut(rest: str) -> NutAddress:
    ups, _, place = rest.partition("@")
    parts = urlsplit(f"//{place}")
    if not ups or not parts.hostname:
        raise ValueError("want nut:<ups>@<host>[:<port>]")
    return NutAddress(ups, parts.hostname, parts.port or 3493)


def _sound(rest: str) -> SoundAddress:
    if not rest:
        raise ValueError("want a card's id or the path of a file")
    return SoundAddress(rest)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("want an absolute path")
    return path


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError("want a port from 1 to 65535")
    return int(text)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


_PARSERS: Final[Mapping[str, Callable[[str], Address]]] = MappingProxyType(
    {
        "serial": _serial,
        "tcp": _tcp,
        "memory": _memory,
        "usb": _usb,
        "usblp": _usblp,
        "pcsc": _pcsc,
        "video": _video,
        "input": _input,
        "ipp": _ipp,
        "ipps": _ipps,
        "nut": _nut,
        "sound": _sound,
    }
)
SCHEMES: Final = tuple(_PARSERS)


def scheme_of(address: Address) -> str:
    """The word before the first colon."""
    return str(address).partition(":")[0]
