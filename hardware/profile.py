"""Which device fills which role, and where it is: the `[devices]` part of a terminal's profile (TOML).

    [devices.id_card_reader]
    driver = "sam-v"
    address = "serial:/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0?baud=115200"

    [devices.ticket_printer]
    driver = "escpos"
    address = "usb:0416:5011:00000000011B"
    chinese = "gb2312"              # whatever else stands there are the driver's own options

Everything that is wrong is named with its place; nothing is opened here.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hardware.addresses import Address, parse_address, scheme_of
from hardware.device import Device, Supervision
from hardware.drivers import Driver, Opening, Options, UnknownDriver, driver
from hardware.errors import BadAddress
from hardware.events import OnEvent
from hardware.print_jobs import PrintJobStore
from hardware.roles import Role


class BadProfile(ValueError):
    """A profile that cannot be used; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One role's device."""

    role: Role
    driver: Driver[Any]
    address: Address
    options: Options

    def open(
        self, on_event: OnEvent, supervision: Supervision | None = None, jobs: PrintJobStore | None = None
    ) -> Device[Any]:
        """The device, looking for its connection by itself. Raises `BadProfile` for what can never work."""
        try:
            return self.driver.open(
                Opening(self.role, self.address, self.options, on_event, supervision or Supervision(), jobs)
            )
        except (BadAddress, OSError, ValueError) as error:
            raise BadProfile(f"devices.{self.role}: {error}") from error


def load(path: Path) -> tuple[Binding, ...]:
    """The devices in a profile; its other parts are not looked at. Raises `BadProfile`."""
    table = _table(path)
    try:
        return read(table.get("devices", {}), path.resolve().parent)
    except BadProfile as error:
        raise BadProfile(f"{path}: {error}") from None


def read(devices: object, home: Path) -> tuple[Binding, ...]:
    """The bindings of a `[devices]` table, in the order of the roles. Raises `BadProfile`.

    Relative paths in options are taken from `home`, the profile's own directory.
    """
    if not isinstance(devices, Mapping):
        raise BadProfile("devices: want a table of roles")
    bindings = {(role := _role(name)): _binding(role, entry, home) for name, entry in devices.items()}
    return tuple(bindings[role] for role in Role if role in bindings)


def bind(role: Role, driver_id: str, address: str, **options: object) -> Binding:
    """One binding from words, relative paths being those of the process. Raises `BadProfile`."""
    return _binding(role, {"driver": driver_id, "address": address} | options, Path.cwd())


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise BadProfile(f"devices.{name}: no role; there are {', '.join(Role)}") from None


def _binding(role: Role, entry: object, home: Path) -> Binding:
    where = f"devices.{role}"
    if not isinstance(entry, Mapping):
        raise BadProfile(f"{where}: want a table with driver and address")
    rest = dict(entry)
    named, address_text = rest.pop("driver", None), rest.pop("address", None)
    if not isinstance(named, str) or not isinstance(address_text, str):
        raise BadProfile(f"{where}: want driver and address as text")
    try:
        chosen = driver(named)
        address = parse_address(address_text)
    except UnknownDriver as error:
        raise BadProfile(f"{where}.driver: {error}") from None
    except BadAddress as error:
        raise BadProfile(f"{where}.address: {error}") from None
    if role not in chosen.roles:
        raise BadProfile(f"{where}.driver: {named} fills {', '.join(sorted(chosen.roles))}")
    if scheme_of(address) not in chosen.schemes:
        raise BadProfile(f"{where}.address: {named} is found at {', '.join(sorted(chosen.schemes))}")
    try:
        options = chosen.options.model_validate(rest)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadProfile(f"{where}.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    paths = {name: home / value for name, value in options if isinstance(value, Path)}
    return Binding(role, chosen, address, options.model_copy(update=paths))


def terminal_name(path: Path) -> str:
    """The terminal that a profile is for; the file's name where it does not say. Raises `BadProfile`."""
    named = _table(path).get("terminal")
    return named if isinstance(named, str) else path.stem


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadProfile(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadProfile(f"{path}: not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise BadProfile(f"{path}: nested too deep") from None
