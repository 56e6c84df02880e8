"""What devices say by themselves, typed. Events reach their listener on the device's own thread.

An event that tells something personal hides it from `repr`, so that no log line and no traceback shows it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hardware.roles import Role
from hardware.vocabulary import DeviceStatus


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Base: which role's device says it."""

    role: Role


@dataclass(frozen=True, slots=True)
class StatusChanged(DeviceEvent):
    """Said once for each change, the first time when the device was found out about."""

    status: DeviceStatus


@dataclass(frozen=True, slots=True)
class DeviceAppeared(DeviceEvent):
    """Hot-plug: the device's address is there (again)."""


@dataclass(frozen=True, slots=True)
class DeviceGone(DeviceEvent):
    """Hot-plug: the device's address was missed three times in a row."""


@dataclass(frozen=True, slots=True)
class CardInserted(DeviceEvent):
    """A card is in the reader (contact or contactless)."""


@dataclass(frozen=True, slots=True)
class CardRemoved(DeviceEvent):
    """The card was taken out."""


@dataclass(frozen=True, slots=True)
class CodeScanned(DeviceEvent):
    """A bar code or QR code was read."""

    text: str = field(repr=False)
    symbology: str = ""
    """Such as `qr`, `code128`; empty where the scanner does not say."""


@dataclass(frozen=True, slots=True)
class CodeRefused(DeviceEvent):
    """A code was read and cannot be used."""

    problem: str
    """Of `hardware.code_scanner.payload.CodeProblem`."""


@dataclass(frozen=True, slots=True)
class KeyPressed(DeviceEvent):
    """A key of the keypad: a digit, `enter`, `cancel`, `clear` …; it may be part of something personal."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallerPressed(DeviceEvent):
    """A key of a caller: `next`, `recall` … at the counter with this address."""

    counter: int
    key: str


@dataclass(frozen=True, slots=True)
class PresenceChanged(DeviceEvent):
    """Somebody stands before the terminal, or nobody does any more."""

    present: bool


@dataclass(frozen=True, slots=True)
class SwitchChanged(DeviceEvent):
    """A door was opened or closed, a tamper switch let go or pressed."""

    open: bool


@dataclass(frozen=True, slots=True)
class PowerChanged(DeviceEvent):
    """The UPS went to its battery, or back to the mains. `seconds_left` where it says so."""

    on_battery: bool
    seconds_left: int | None = None


OnEvent = Callable[[DeviceEvent], None]


def ignore(event: DeviceEvent) -> None:
    """A listener that does not listen."""
