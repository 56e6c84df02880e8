"""All drivers by their id, as profiles name them. A driver's module is loaded when it is asked for.

A driver's module declares `DRIVER = Driver(...)` (or more of them under other names) and is named here once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from hardware.addresses import Address
from hardware.device import Device, Supervision
from hardware.events import OnEvent
from hardware.print_jobs import PrintJobStore
from hardware.roles import Role
from hardware.vocabulary import DeviceStatus

_WHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sam-v": "hardware.id_card.reader:DRIVER",
        "social-security-card": "hardware.smart_card.reader:SOCIAL",
        "bank-card": "hardware.smart_card.reader:BANK",
        "escpos": "hardware.ticket_printer.driver:DRIVER",
        "ipp": "hardware.document_printer.driver:DRIVER",
        "code-serial": "hardware.code_scanner.serial_scanner:DRIVER",
        "code-keyboard": "hardware.code_scanner.keyboard_scanner:DRIVER",
        "camera-codes": "hardware.camera.code_camera:DRIVER",
        "camera-documents": "hardware.camera.document_camera:DRIVER",
        "camera-faces": "hardware.camera.face_camera:DRIVER",
        "maxsonar": "hardware.presence_sensor.sensor:DRIVER",
        "keypad": "hardware.keypad.keypad:DRIVER",
        "modbus-lights": "hardware.guide_lights.lights:DRIVER",
        "modbus-switch": "hardware.door_switch.switch:DRIVER",
        "nut": "hardware.ups.ups:DRIVER",
        "alsa": "hardware.speaker.speaker:DRIVER",
        "sample-evaluator": "hardware.evaluator.evaluator:DRIVER",
        "sample-display": "hardware.window_display.display:DRIVER",
        "sample-caller": "hardware.caller.caller:DRIVER",
    }
)
"""Driver id to `module:name`."""


class Options(BaseModel):
    """Base of what a profile may say of a device beside driver and address; each driver has its own fields, all with
    defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass(frozen=True, slots=True)
class Opening(Generic[OptionsT]):
    """What a device is opened with."""

    role: Role
    address: Address
    options: OptionsT
    on_event: OnEvent
    supervision: Supervision
    jobs: PrintJobStore | None = None
    """Where printers keep their jobs; None where nothing has to outlive the device."""


@dataclass(frozen=True, slots=True)
class Found:
    """A device that may be on this machine: its address, and what is known of it without opening it."""

    address: Address
    description: str = ""


@dataclass(frozen=True, slots=True)
class Driver(Generic[OptionsT]):
    """One driver: what it can fill, where its devices are found, and how they are opened, asked and looked for."""

    id: str
    title: str
    """For technicians, in English: `Resident ID card reader (SAM_V)`."""
    roles: frozenset[Role]
    schemes: frozenset[str]
    """Kinds of address that it opens, of `hardware.addresses.SCHEMES`."""
    open: Callable[[Opening[OptionsT]], Device[Any]]
    """Make the device; it opens its connection by itself. Raises `BadAddress` or OSError for what can never work."""
    options: type[OptionsT]
    bauds: tuple[int, ...] = ()
    """Rates at which a device on a serial port is looked for, the likeliest first; empty: the address as it is."""
    speaks_unasked: bool = False
    """Whether its devices say something all the time, so that a silent address is none of them, and one that speaks is
    nothing else."""
    find: Callable[[], Iterable[Found]] | None = None
    """Addresses on this machine where a device of this driver could be. Never opens one, never raises."""
    probe: Callable[[Address, float], DeviceStatus | None] | None = None
    """Ask whether one of its devices is at an address, within so many seconds: its status, or None for "not one of
    mine". None here: asking would do something (a printer would print), so it is not asked unbidden."""


class UnknownDriver(LookupError):
    """No driver has this id; the message names those there are."""


def driver_ids() -> tuple[str, ...]:
    """All of them, in the order of a cabinet's description."""
    return tuple(_WHERE)


def driver(driver_id: str) -> Driver[Any]:
    """The driver of this id. Raises `UnknownDriver`."""
    where = _WHERE.get(driver_id)
    if where is None:
        raise UnknownDriver(f"{driver_id!r} is none of {', '.join(_WHERE)}")
    module, _, name = where.partition(":")
    found: Driver[Any] = getattr(import_module(module), name)
    return found


def asset(path: str) -> Path:
    """A file of the assets that came with this software."""
    return Path(__file__).parent.parent / "assets" / path
