"""Noticing that a device was plugged in or taken away, by its address: three misses in a row before it counts as gone.

What is looked at costs nothing and opens nothing: device files, and the kernel's list of USB devices. Network devices,
card readers under pcscd and sound have no address that could vanish here: their own drivers notice.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from hardware.addresses import Address, InputAddress, SerialAddress, UsbAddress, VideoAddress
from hardware.roles import Role

MISSES: Final = 3
INTERVAL_S: Final = 1.0
USB_DEVICES: Final = Path("/sys/bus/usb/devices")


class Presence:
    """Which roles' addresses are there, from one look after another. Pure."""

    def __init__(self, roles: Iterable[Role], misses: int = MISSES) -> None:
        self._limit = misses
        self._missed: dict[Role, int] = dict.fromkeys(roles, misses)
        """Misses in a row; from `misses` on a device is gone. Nothing is there before it was seen."""

    def look(self, seen: Mapping[Role, bool]) -> tuple[list[Role], list[Role]]:
        """Take one look; who appeared with it, and who is gone with it."""
        appeared, gone = [], []
        for role, there in seen.items():
            missed = self._missed[role]
            if there:
                if missed >= self._limit:
                    appeared.append(role)
                self._missed[role] = 0
            else:
                self._missed[role] = missed + 1
                if missed + 1 == self._limit:
                    gone.append(role)
        return appeared, gone

    def there(self, role: Role) -> bool:
        """Whether the device counts as there: it may have been missed once or twice."""
        return self._missed[role] < self._limit


def is_there(address: Address, usb_devices: Path = USB_DEVICES) -> bool | None:
    """Whether the address exists now; None for a kind of address that cannot be looked for. Never raises."""
    match address:
        case SerialAddress(path=path) | InputAddress(path=path):
            return os.path.exists(path)
        case VideoAddress(path=path) if path.startswith("/dev/"):
            return os.path.exists(path)
        case UsbAddress():
            return any(_is(entry, address) for entry in usb_devices.glob("*"))
    return None


def _is(entry: Path, address: UsbAddress) -> bool:
    def read(name: str) -> str:
        try:
            return (entry / name).read_text().strip()
        except OSError:
            return ""

    if read("idVendor") != f"{address.vendor:04x}" or read("idProduct") != f"{address.product:04x}":
        return False
    return address.serial is None or read("serial") == address.serial


class HotPlug:
    """Looks at addresses on a thread of its own; `appeared` and `gone` are called there."""

    def __init__(
        self,
        addresses: Mapping[Role, Address],
        appeared: Callable[[Role], None],
        gone: Callable[[Role], None],
        *,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._addresses = {role: address for role, address in addresses.items() if is_there(address) is not None}
        self._appeared, self._gone = appeared, gone
        self._interval_s = interval_s
        self._presence = Presence(self._addresses)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="hot-plug", daemon=True)
        if self._addresses:
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        while not self._ended.is_set():
            appeared, gone = self._presence.look({role: bool(is_there(a)) for role, a in self._addresses.items()})
            for role in appeared:
                self._appeared(role)
            for role in gone:
                self._gone(role)
            self._ended.wait(self._interval_s)
