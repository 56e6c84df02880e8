"""Input devices of the Linux kernel (evdev) as lines: opened exclusively, so that what they type reaches nothing else.

A grab (`EVIOCGRAB`, linux/input.h) takes a device away from the console, the window system and every other reader until
the descriptor is closed. Events are `struct input_event` in the machine's own byte order (linux/input.h): time, type,
code, value.
"""

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hardware.addresses import InputAddress
from hardware.errors import LineLost
from hardware.lines import DescriptorLine

EVIOCGRAB: Final = 0x40044590
INPUT_MAJOR: Final = 13
"""Device number of the kernel's input devices (Documentation/admin-guide/devices.txt)."""

EV_SYN: Final = 0x00
EV_KEY: Final = 0x01
SYN_REPORT: Final = 0
SYN_DROPPED: Final = 3
"""The kernel's buffer ran over; events up to the next report are to be ignored."""
RELEASED: Final = 0
PRESSED: Final = 1

_EVENT: Final = struct.Struct("@llHHi")

Grab = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One event: what changed, and its new value (for keys 0 released, 1 pressed, 2 repeated by the kernel)."""

    kind: int
    code: int
    value: int


class EventDecoder:
    """Events out of a stream of bytes. The kernel writes whole events; a recorded stream may be split anywhere."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[InputEvent]:
        """The events that are complete with these bytes. Never raises."""
        self._pending += data
        whole = len(self._pending) // _EVENT.size * _EVENT.size
        taken = bytes(self._pending[:whole])
        del self._pending[:whole]
        for _, _, kind, code, value in _EVENT.iter_unpack(taken):
            yield InputEvent(kind, code, value)


def grab_exclusively(descriptor: int) -> None:
    """Take the device for this descriptor alone. Raises `OSError` (EBUSY: another program has grabbed it)."""
    fcntl.ioctl(descriptor, EVIOCGRAB, 1)


class InputLine(DescriptorLine):
    """An input device, opened for reading and grabbed. It takes no bytes. Raises `LineLost`.

    A device that cannot be grabbed is not opened at all. Only the kernel's own input devices type into a screen: a pipe
    or a terminal with recorded events in it is read without a grab.
    """

    def __init__(self, address: InputAddress, grab: Grab = grab_exclusively) -> None:
        try:
            descriptor = os.open(address.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise LineLost(f"{address}: {error.strerror}") from error
        try:
            if is_input_device(os.fstat(descriptor)):
                grab(descriptor)
        except OSError as error:
            os.close(descriptor)
            held = "another program has grabbed it" if error.errno == errno.EBUSY else error.strerror
            raise LineLost(f"{address}: {held}") from error
        super().__init__(str(address), descriptor)

    def close(self) -> None:
        """Let go of the device; the grab ends with the descriptor."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)


def is_input_device(status: os.stat_result) -> bool:
    """Whether a node is one of the kernel's input devices."""
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == INPUT_MAJOR
