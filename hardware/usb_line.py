"""Lines to printers on USB: the bulk endpoints of a printer interface through libusb, and the kernel's /dev/usb/lp.

Descriptors and requests: USB Device Class Definition for Printing Devices 1.1 (www.usb.org), interface class 07.
A printer that was switched off and on is found anew at each opening, by vendor, product and serial number.
"""

import array
import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import usb.backend
import usb.backend.libusb1
import usb.core
import usb.util

from hardware.addresses import UsbAddress, UsbLpAddress, parse_address, parse_line_address
from hardware.drivers import Found
from hardware.errors import LineLost, LineStalled
from hardware.lines import DescriptorLine, Line, open_line

PRINTER_CLASS: Final = 0x07
GET_DEVICE_ID: Final = 0x00
CLASS_REQUEST_IN: Final = 0xA1
WRITE_SIZE: Final = 4096
WRITE_SLICE_S: Final = 0.5
CLAIM_TIMEOUT_MS: Final = 1000
EMPTY_READ_PAUSE_S: Final = 0.005

_backend_lock = threading.Lock()
_backend: Any = None


USBLP_NODES: Final = Path("/dev/usb")


def open_printer_line(address: str) -> Callable[[], Line]:
    """How a printer's line is opened, on whatever it is connected to. Raises `BadAddress`."""
    parsed = parse_address(address)
    match parsed:
        case UsbAddress():
            return partial(UsbLine, parsed)
        case UsbLpAddress():
            return partial(UsbLpLine, parsed)
        case _:
            return partial(open_line, parse_line_address(address))


def find_usb_printers(usblp: Path = USBLP_NODES) -> Iterator[Found]:
    """The printers on the bus, whether anybody has them open or not. None where there is no libusb."""
    with contextlib.suppress(LineLost):
        for device in _find(find_all=True):
            interface = _printer_interface(device)
            if interface is not None:
                address = UsbAddress(device.idVendor, device.idProduct, _text(device, device.iSerialNumber))
                yield Found(address, _device_id(device, interface.number) or "")
            usb.util.dispose_resources(device)
    for node in sorted(usblp.glob("lp*")):
        told = Path("/sys/class/usbmisc") / node.name / "device" / "ieee1284_id"
        yield Found(UsbLpAddress(str(node)), told.read_text().strip() if told.is_file() else "")


def use_backend(backend: Any) -> None:
    """The pyusb backend for lines opened from now on; None is the machine's libusb."""
    global _backend  # noqa: PLW0603 - the bus of this machine is one
    with _backend_lock:
        _backend = backend


class UsbLine:
    """The bulk endpoints of a printer interface. The kernel's own driver is detached, and attached again at the end."""

    def __init__(self, address: UsbAddress) -> None:
        self._address = address
        self._closed = False
        self._attach_again = False
        self._device = self._find_device()
        try:
            self._interface = self._claim()
        except (usb.core.USBError, NotImplementedError, LineLost) as error:
            usb.util.dispose_resources(self._device)
            raise LineLost(f"{address}: {error}") from error
        self._out = self._endpoint(usb.util.ENDPOINT_OUT)
        self._in = self._endpoint(usb.util.ENDPOINT_IN)
        if self._out is None:
            self.close()
            raise LineLost(f"{address}: no bulk endpoint to write to")

    @property
    def address(self) -> str:
        return str(self._address)

    def write(self, data: bytes, deadline: float) -> None:
        written = 0
        while written < len(data):
            left = min(deadline - time.monotonic(), WRITE_SLICE_S)
            if left <= 0:
                raise LineStalled(f"{self._address} took {written} of {len(data)} bytes", written)
            with self._errors():
                written += self._out.write(data[written : written + WRITE_SIZE], _milliseconds(left))

    def read_available(self, deadline: float) -> bytes:
        if self._in is None:  # a unidirectional printer: it never answers
            time.sleep(max(0.0, deadline - time.monotonic()))
            return b""
        while True:
            room = array.array("B", bytes(max(64, self._in.wMaxPacketSize)))
            size = 0
            with self._errors():
                size = self._in.read(room, _milliseconds(deadline - time.monotonic()))
            if size or time.monotonic() >= deadline:
                return room[:size].tobytes()
            time.sleep(EMPTY_READ_PAUSE_S)  # some printers answer with empty packets instead of none

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(usb.core.USBError):
            usb.util.release_interface(self._device, self._interface)
        if self._attach_again:
            with contextlib.suppress(usb.core.USBError, NotImplementedError):
                self._device.attach_kernel_driver(self._interface.bInterfaceNumber)
        usb.util.dispose_resources(self._device)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """A time-out is no error here; a stalled endpoint is cleared once; everything else is a lost line."""
        if self._closed:
            raise LineLost(f"{self._address}: closed")
        try:
            yield
        except usb.core.USBTimeoutError:
            return
        except usb.core.USBError as error:
            if error.errno == errno.EPIPE:
                with contextlib.suppress(usb.core.USBError):
                    self._device.clear_halt(self._out)
            raise LineLost(f"{self._address}: {error}") from error

    def _find_device(self) -> Any:
        wanted = self._address
        for device in _find(find_all=True, idVendor=wanted.vendor, idProduct=wanted.product):
            if wanted.serial is None or _text(device, device.iSerialNumber) == wanted.serial:
                return device
            usb.util.dispose_resources(device)
        raise LineLost(f"{wanted}: not on the bus")

    def _claim(self) -> Any:
        interface = _printer_interface(self._device)
        if interface is None:
            raise LineLost("no printer interface")
        number = interface.number
        with contextlib.suppress(NotImplementedError):
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)
                self._attach_again = True
        try:
            active = self._device.get_active_configuration().bConfigurationValue
        except usb.core.USBError:
            active = 0
        # Setting the present configuration again resets some printers, so it is set only where it differs.
        if active != interface.configuration_value:
            self._device.set_configuration(interface.configuration_value)
        usb.util.claim_interface(self._device, number)
        if interface.descriptor.bAlternateSetting:
            self._device.set_interface_altsetting(number, interface.descriptor.bAlternateSetting)
        return interface.descriptor

    def _endpoint(self, direction: int) -> Any:
        return usb.util.find_descriptor(
            self._interface,
            custom_match=lambda e: (
                usb.util.endpoint_direction(e.bEndpointAddress) == direction
                and usb.util.endpoint_type(e.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
            ),
        )


class UsbLpLine(DescriptorLine):
    """A printer behind the kernel's usblp driver, such as `/dev/usb/lp0`. The kernel lets one program open it."""

    def __init__(self, address: UsbLpAddress) -> None:
        try:
            descriptor = os.open(address.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            raise LineLost(f"{address}: {error}") from error
        super().__init__(str(address), descriptor)

    def _nothing_read(self) -> bytes:
        """usblp gives nothing for an empty packet: the printer is there and has nothing to say."""
        time.sleep(EMPTY_READ_PAUSE_S)
        return b""

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)


class _PrinterInterface(NamedTuple):
    """A printer interface with the configuration that it belongs to."""

    descriptor: Any
    configuration_value: int

    @property
    def number(self) -> int:
        return int(self.descriptor.bInterfaceNumber)


def _find(**wanted: Any) -> Iterator[Any]:
    try:
        yield from usb.core.find(backend=_backend or usb.backend.libusb1.get_backend(), **wanted) or ()
    except (usb.core.NoBackendError, usb.core.USBError) as error:
        raise LineLost(f"usb: {error}") from error


def _printer_interface(device: Any) -> _PrinterInterface | None:
    """The bidirectional printer interface, or the best there is (protocol 2 before 1, IPP over USB not at all)."""
    found = [
        _PrinterInterface(interface, configuration.bConfigurationValue)
        for configuration in device
        for interface in configuration
        if interface.bInterfaceClass == PRINTER_CLASS and interface.bInterfaceProtocol in {1, 2, 3}
    ]
    return max(found, key=lambda one: one.descriptor.bInterfaceProtocol == 2, default=None)


def _device_id(device: Any, interface: int) -> str | None:
    """The IEEE 1284 device id: two bytes of length, the greater first and counted in, then text."""
    try:
        answer = bytes(device.ctrl_transfer(CLASS_REQUEST_IN, GET_DEVICE_ID, 0, interface << 8, 1024, CLAIM_TIMEOUT_MS))
    except (usb.core.USBError, NotImplementedError):
        return None
    size = int.from_bytes(answer[:2], "big")
    return answer[2:size].decode("ascii", "replace") or None


def _text(device: Any, index: int) -> str | None:
    if not index:
        return None
    try:
        return str(usb.util.get_string(device, index))
    except (usb.core.USBError, ValueError):
        return None


def _milliseconds(seconds: float) -> int:
    """At least one: nought means for ever to libusb."""
    return max(1, int(seconds * 1000))
