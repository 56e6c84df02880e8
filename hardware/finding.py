"""Looking for devices on this machine: where they could be, and whether something there answers as it should."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from hardware.addresses import Address, InputAddress, SerialAddress
from hardware.device import Device, Supervision
from hardware.drivers import Found, Opening, Options
from hardware.events import ignore
from hardware.roles import Role
from hardware.vocabulary import DeviceStatus, Health

OptionsT = TypeVar("OptionsT", bound=Options)

LINE_SCHEMES: Final = frozenset({"serial", "tcp", "memory"})
BY_ID: Final = Path("/dev/serial/by-id")
INPUT_BY_ID: Final = Path("/dev/input/by-id")
_ONBOARD: Final = "ttyS*"


def serial_ports(by_id: Path = BY_ID) -> Iterable[Found]:
    """Serial ports under names that stay: USB adapters by their id, ports of the board by their number."""
    if by_id.is_dir():
        for link in sorted(by_id.iterdir()):
            yield Found(SerialAddress(str(link)), os.path.realpath(link))
    for port in sorted(Path("/sys/class/tty").glob(_ONBOARD)):
        # A port that is not there has an entry too, of UART type 0.
        kind = port / "type"
        if kind.is_file() and kind.read_text().strip() not in {"", "0"}:
            yield Found(SerialAddress(f"/dev/{port.name}"), "port of the board")


def keyboards(by_id: Path = INPUT_BY_ID) -> Iterable[Found]:
    """Input devices that type, under the names that udev gives them."""
    for link in sorted(by_id.glob("*-event-kbd")):
        yield Found(InputAddress(str(link)), os.path.realpath(link))


def probe_by_opening(
    open_device: Callable[[Opening[OptionsT]], Device[Any]],
    options: OptionsT,
    role: Role,
    address: Address,
    within_s: float,
) -> DeviceStatus | None:
    """Open a device at the address and ask how it is; None when nothing there answers as this driver's devices do."""
    device = open_device(Opening(role, address, options, ignore, Supervision(probe_timeout_s=within_s)))
    try:
        status = device.ask_status(time.monotonic() + within_s).result()
    finally:
        device.close()
    return None if status.health in {Health.UNKNOWN, Health.OFFLINE, Health.NOT_SUPPORTED} else status
