"""Words typed at running simulators: lay a card, open the cover, break a line."""

import dataclasses
import inspect
import shlex
from collections.abc import Callable
from typing import Any, Final

from hardware.simulators.line import LineFaults
from hardware.simulators.simulator import LineSimulator, Simulator, Trouble

HELP: Final = """\
help                       this text, and the menu of every device
help DEVICE                faults and actions of one device
DEVICE unplug | plug       it goes away, comes back
DEVICE clear               everything as good as new
DEVICE trouble NAME        silent, slow, garbage, half_frame, stuck_busy, vanishes
DEVICE fault NAME VALUE    a fault of the device itself
DEVICE line NAME VALUE     a fault of its line, byte by byte
DEVICE ACTION [WORD …]     what a person does at it
quit
VALUE: on, off, a number, 0x.. (bytes in hexadecimal), none, or a word"""

_WORDS: Final[dict[str, Any]] = {"on": True, "off": False, "none": None}


class BadCommand(ValueError):
    """A typed command that cannot be obeyed; the message says what would be."""


class SimulatorDesk:
    """Holds running simulators by name and obeys typed commands; `say` takes each line of its answers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._devices: dict[str, Simulator] = {}

    def add(self, name: str, simulator: Simulator) -> None:
        """Start a simulator and say where it is."""
        simulator.tell = lambda text: self._say(f"{name} {text}")
        self._devices[name] = simulator.start()
        self._say(f"{name} {simulator.address}")

    def close(self) -> None:
        for simulator in self._devices.values():
            simulator.close()

    def obey(self, text: str) -> bool:
        """Carry out one typed line; False when it was `quit`. A bad line is answered, not raised."""
        try:
            words = shlex.split(text)
            if words == ["quit"]:
                return False
            if words:
                self._say(self._carry_out(words))
        except ValueError as error:
            self._say(f"? {error}")
        return True

    def _carry_out(self, words: list[str]) -> str:
        match words:
            case ["help"]:
                return "\n".join([HELP, *(menu(name, device) for name, device in self._devices.items())])
            case ["help", name]:
                return menu(name, self._device(name))
            case [name, "unplug"]:
                self._device(name).unplug()
            case [name, "plug"]:
                self._device(name).plug()
            case [name, "clear"]:
                self._device(name).clear_faults()
            case [name, "trouble", trouble]:
                self._device(name).trouble(_trouble(trouble))
            case [name, "fault", fault, value]:
                device = self._device(name)
                device.set_faults(**_one(type(device.faults), fault, value))
            case [name, "line", fault, value]:
                self._line(name).line.set_faults(LineFaults(**_one(LineFaults, fault, value)))
            case [name, action, *rest]:
                self._act(self._device(name), action, rest)
            case _:
                raise BadCommand(f"{' '.join(words)!r} is no command; try help")
        return "ok"

    def _device(self, name: str) -> Simulator:
        if name not in self._devices:
            raise BadCommand(f"{name!r} is none of {', '.join(self._devices) or 'the devices: nothing is simulated'}")
        return self._devices[name]

    def _line(self, name: str) -> LineSimulator:
        device = self._device(name)
        if not isinstance(device, LineSimulator):
            raise BadCommand(f"{name} has no line of bytes; try trouble")
        return device

    def _act(self, device: Simulator, action: str, words: list[str]) -> None:
        act = device.actions.get(action)
        if act is None:
            raise BadCommand(f"{action!r} is none of {', '.join([*device.actions, 'unplug', 'plug', 'clear'])}")
        try:
            inspect.signature(act).bind(*words)
        except TypeError as error:
            raise BadCommand(f"{action}: {error}") from None
        act(*words)


def menu(name: str, device: Simulator) -> str:
    """What one device can be told, with its faults as they are now."""
    faults = [f"{field.name}={getattr(device.faults, field.name)}" for field in dataclasses.fields(device.faults)]
    return f"{name}: actions {', '.join(device.actions) or 'none'}; faults {', '.join(faults)}"


def _trouble(name: str) -> Trouble:
    try:
        return Trouble(name)
    except ValueError:
        raise BadCommand(f"{name!r} is none of {', '.join(Trouble)}") from None


def _one(faults: Any, name: str, text: str) -> dict[str, Any]:
    """One fault with its value, in the type of the field."""
    fields = {field.name: field for field in dataclasses.fields(faults)}
    if name not in fields:
        raise BadCommand(f"{name!r} is none of {', '.join(fields)}")
    wanted = str(fields[name].type)
    try:
        value = _value(wanted, text)
    except ValueError:
        raise BadCommand(f"{name} wants {wanted}") from None
    if value is None and "None" not in wanted:
        raise BadCommand(f"{name} wants {wanted}")
    return {name: value}


def _value(wanted: str, text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if "bytes" in wanted:
        return bytes.fromhex(text.removeprefix("0x"))
    if "frozenset" in wanted:
        return frozenset(int(part) for part in text.split(","))
    if "float" in wanted:
        return float(text)
    if "int" in wanted:
        return int(text, 0)
    if "str" in wanted:
        return text
    raise ValueError(text)
