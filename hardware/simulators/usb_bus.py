"""A simulated USB bus with printers on it, as a pyusb backend: real descriptors, endpoints, a kernel driver in the way.

Layouts: USB 2.0 specification chapter 9 (descriptors, string requests); Device Class Definition for Printing Devices
1.1 (class 07, GET_DEVICE_ID).
"""

# ruff: noqa: ARG002, N803, PLR0917 - the methods have the signatures that pyusb calls

import array
import contextlib
import errno
import itertools
import select
import socket
import struct
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import usb.backend
import usb.core

from hardware.simulators.line import SimulatedLine

PACKET: Final = 64
BULK_OUT: Final = 0x01
BULK_IN: Final = 0x82
_BUFFER: Final = 4096
_DEVICE: Final = struct.Struct("<BBHBBBBHHHBBBB")
_CONFIGURATION: Final = struct.Struct("<BBHBBBBB")
_INTERFACE: Final = struct.Struct("<BBBBBBBBB")
_ENDPOINT: Final = struct.Struct("<BBBBHB")
_NAMES: Final = {
    _DEVICE: "bLength bDescriptorType bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 idVendor "
    "idProduct bcdDevice iManufacturer iProduct iSerialNumber bNumConfigurations",
    _CONFIGURATION: "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration "
    "bmAttributes bMaxPower",
    _INTERFACE: "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass "
    "bInterfaceSubClass bInterfaceProtocol iInterface",
    _ENDPOINT: "bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval",
}


@dataclass(slots=True)
class _OnBus:
    """One device that is plugged in."""

    line: "UsbPrinterLine"
    address: int
    host: socket.socket
    kernel_driver: bool = True
    configuration: int = 0
    claimed_by: object | None = None


class UsbBus(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """The bus as the host's library sees it. Errors carry the same numbers as libusb's on Linux."""

    def __init__(self) -> None:
        self._devices: list[_OnBus] = []
        self._lock = threading.Lock()
        self._addresses = itertools.count(2)

    def plug(self, line: "UsbPrinterLine", host: socket.socket) -> None:
        """A device comes: at a new address, with the kernel's driver attached, as always."""
        with self._lock:
            self._devices.append(_OnBus(line, next(self._addresses), host))

    def unplug(self, line: "UsbPrinterLine") -> None:
        with self._lock:
            self._devices = [device for device in self._devices if device.line is not line]

    def kernel_driver_attached(self, line: "UsbPrinterLine") -> bool:
        return any(device.kernel_driver for device in self._devices if device.line is line)

    # --- what pyusb calls ----------------------------------------------------------------------

    def enumerate_devices(self) -> list[_OnBus]:
        return list(self._devices)

    def get_parent(self, dev: _OnBus) -> None:
        return None

    def get_device_descriptor(self, dev: _OnBus) -> SimpleNamespace:
        read = _read(_DEVICE, dev.line.device_descriptor)
        read.address, read.bus, read.port_number, read.port_numbers, read.speed = dev.address, 1, 1, (1,), 2
        return read

    def get_configuration_descriptor(self, dev: _OnBus, config: int) -> SimpleNamespace:
        if config:
            raise IndexError(config)
        return _read(_CONFIGURATION, dev.line.configuration_descriptor)

    def get_interface_descriptor(self, dev: _OnBus, intf: int, alt: int, config: int) -> SimpleNamespace:
        if intf or alt or config:
            raise IndexError(intf)
        return _read(_INTERFACE, dev.line.configuration_descriptor[_CONFIGURATION.size :])

    def get_endpoint_descriptor(self, dev: _OnBus, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        at = _CONFIGURATION.size + _INTERFACE.size + ep * _ENDPOINT.size
        read = _read(_ENDPOINT, dev.line.configuration_descriptor[at:])
        read.bRefresh = read.bSynchAddress = 0
        return read

    def open_device(self, dev: _OnBus) -> _OnBus:
        self._must_be_there(dev)
        return dev

    def close_device(self, dev_handle: _OnBus) -> None:
        dev_handle.claimed_by = None

    def set_configuration(self, dev_handle: _OnBus, config_value: int) -> None:
        if dev_handle.kernel_driver:
            raise _error(errno.EBUSY)
        dev_handle.configuration = config_value

    def get_configuration(self, dev_handle: _OnBus) -> int:
        self._must_be_there(dev_handle)
        return dev_handle.configuration

    def claim_interface(self, dev_handle: _OnBus, intf: int) -> None:
        self._must_be_there(dev_handle)
        if dev_handle.kernel_driver or dev_handle.claimed_by is not None:
            raise _error(errno.EBUSY)
        dev_handle.claimed_by = dev_handle

    def release_interface(self, dev_handle: _OnBus, intf: int) -> None:
        dev_handle.claimed_by = None

    def is_kernel_driver_active(self, dev_handle: _OnBus, intf: int) -> bool:
        self._must_be_there(dev_handle)
        return dev_handle.kernel_driver

    def detach_kernel_driver(self, dev_handle: _OnBus, intf: int) -> None:
        if dev_handle.claimed_by is not None:
            raise _error(errno.EBUSY)
        dev_handle.kernel_driver = False

    def attach_kernel_driver(self, dev_handle: _OnBus, intf: int) -> None:
        self._must_be_there(dev_handle)
        dev_handle.kernel_driver = True

    def clear_halt(self, dev_handle: _OnBus, ep: int) -> None:
        self._must_be_there(dev_handle)

    def bulk_write(self, dev_handle: _OnBus, ep: int, intf: int, data: "array.array[int]", timeout: int) -> int:
        self._endpoint(dev_handle, ep, BULK_OUT)
        self._wait(dev_handle, select.POLLOUT, timeout)
        try:
            return dev_handle.host.send(data.tobytes())
        except OSError:
            raise _error(errno.ENODEV) from None

    def bulk_read(self, dev_handle: _OnBus, ep: int, intf: int, buff: "array.array[int]", timeout: int) -> int:
        self._endpoint(dev_handle, ep, BULK_IN)
        self._wait(dev_handle, select.POLLIN, timeout)
        try:
            data = dev_handle.host.recv(len(buff))
        except OSError:
            data = b""
        if not data:
            raise _error(errno.ENODEV)
        buff[: len(data)] = array.array("B", data)
        return len(data)

    def ctrl_transfer(
        self,
        dev_handle: _OnBus,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: "array.array[int]",
        timeout: int,
    ) -> int:
        self._must_be_there(dev_handle)
        if (bmRequestType, bRequest, wValue >> 8) == (0x80, 0x06, 0x03):
            answer = dev_handle.line.string_descriptor(wValue & 0xFF)
        elif (bmRequestType, bRequest) == (0xA1, 0x00):
            text = dev_handle.line.device_id.encode()
            answer = struct.pack(">H", len(text) + 2) + text
        else:
            raise _error(errno.EPIPE)
        size = min(len(answer), len(data))
        data[:size] = array.array("B", answer[:size])
        return size

    def _must_be_there(self, device: _OnBus) -> None:
        if device not in self._devices:
            raise _error(errno.ENODEV)

    def _endpoint(self, device: _OnBus, given: int, wanted: int) -> None:
        self._must_be_there(device)
        if device.claimed_by is None:
            raise _error(errno.EBUSY)
        if given != wanted:
            raise _error(errno.ENOENT)

    def _wait(self, device: _OnBus, event: int, timeout_ms: int) -> None:
        poll = select.poll()
        poll.register(device.host, event)
        ready = poll.poll(timeout_ms or None)
        if not ready:
            raise usb.core.USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT)
        if device not in self._devices:
            raise _error(errno.ENODEV)


class UsbPrinterLine(SimulatedLine):
    """A printer's end of its bulk endpoints."""

    def __init__(self, bus: UsbBus, *, vendor: int = 0x04B8, product: int = 0x0E15, serial: str = "J7KF012345") -> None:
        super().__init__(baud=None)
        self._bus = bus
        self._ids = (vendor, product)
        self._strings = ("", "EPSON", "TM-T20III", serial)
        self._end: socket.socket | None = None
        self.device_descriptor = _DEVICE.pack(18, 1, 0x0200, 0, 0, 0, 64, vendor, product, 0x0100, 1, 2, 3, 1)
        total = _CONFIGURATION.size + _INTERFACE.size + 2 * _ENDPOINT.size
        self.configuration_descriptor = (
            _CONFIGURATION.pack(9, 2, total, 1, 1, 0, 0xC0, 1)
            + _INTERFACE.pack(9, 4, 0, 0, 2, 7, 1, 2, 0)
            + _ENDPOINT.pack(7, 5, BULK_OUT, 2, PACKET, 0)
            + _ENDPOINT.pack(7, 5, BULK_IN, 2, PACKET, 0)
        )
        self.device_id = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20III;CLS:PRINTER;DES:EPSON TM-T20III;"

    @property
    def address(self) -> str:
        return f"usb:{self._ids[0]:04x}:{self._ids[1]:04x}:{self._strings[3]}"

    def string_descriptor(self, index: int) -> bytes:
        """`GET_DESCRIPTOR` for strings; number 0 tells the languages."""
        text = struct.pack("<H", 0x0409) if not index else self._strings[index].encode("utf-16-le")
        return bytes((len(text) + 2, 3)) + text

    def _plug(self) -> None:
        if self._end is not None:
            return
        host, self._end = socket.socketpair()
        for end in (host, self._end):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._host = host
        self._bus.plug(self, host)

    def _drop(self) -> None:
        if self._end is not None:
            self._bus.unplug(self)
            self._end.close()
            with contextlib.suppress(OSError):
                self._host.close()
            self._end = None

    def _descriptor(self) -> int | None:
        return self._end.fileno() if self._end else None

    def _source(self) -> int | None:
        return self._descriptor()

    def _receive(self) -> bytes | None:
        try:
            return self._end.recv(_BUFFER) if self._end else None
        except OSError:
            return None


def _read(layout: struct.Struct, data: bytes) -> SimpleNamespace:
    """A descriptor by its field names, out of its bytes."""
    values = layout.unpack_from(data)
    return SimpleNamespace(**dict(zip(_NAMES[layout].split(), values, strict=True)), extra_descriptors=[])


def _error(number: int) -> usb.core.USBError:
    return usb.core.USBError(errno.errorcode[number], None, number)
