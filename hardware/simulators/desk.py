"""Words typed at running simulators: lay a card, open the cover, break a line."""

import dataclasses
import shlex
from collections.abc import Callable
from typing import Any, Final

from hardware.simulators.id_card_reader import IdCardReaderSimulator, ReaderFaults
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import LineFaults
from hardware.simulators.ticket_printer import PrinterEvent, PrinterFaults, TicketPrinterSimulator

HELP: Final = """\
lay [N [M]]                   lay sample card N (1 to 8), or two cards at once
lift                          take the card away
reader|printer unplug|plug    the line goes away, comes back
reader|printer clear          everything as good as new
printer power                 off and on again
reader|printer fault NAME VALUE    a fault of the device
reader|printer line NAME VALUE     a fault of the line
help, quit
VALUE: on, off, a number, 0x.. (bytes in hexadecimal), none"""

_WORDS: Final[dict[str, Any]] = {"on": True, "off": False, "none": None}


class BadCommand(ValueError):
    """A typed command that cannot be obeyed; the message says what would be."""


class SimulatorDesk:
    """Holds the running simulators and obeys typed commands; `say` takes each line of its answers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._reader: IdCardReaderSimulator | None = None
        self._printer: TicketPrinterSimulator | None = None

    def add_reader(self, reader: IdCardReaderSimulator) -> None:
        self._reader = reader.start()
        self._say(f"reader {reader.address}")

    def add_printer(self, printer: TicketPrinterSimulator) -> None:
        self._printer = printer.start()
        self._say(f"printer {printer.address}")

    def close(self) -> None:
        for device in (self._reader, self._printer):
            if device is not None:
                device.close()

    def printer_event(self, event: PrinterEvent) -> None:
        """Say what happened at the printer."""
        self._say(f"printer {event.kind} {event.detail}".rstrip())

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
                return HELP
            case ["lay", *numbers] if len(numbers) <= 2:
                self._need_reader().lay(*(_card(number) for number in numbers or ["1"]))
            case ["lift"]:
                self._need_reader().lift()
            case ["printer", "power"]:
                self._need_printer().power_cycle()
            case ["reader" | "printer" as device, *rest]:
                self._device(device, rest)
            case _:
                raise BadCommand(f"{' '.join(words)!r} is no command; try help")
        return "ok"

    def _device(self, name: str, words: list[str]) -> None:
        device = self._need_reader() if name == "reader" else self._need_printer()
        match words:
            case ["unplug"]:
                device.line.unplug()
            case ["plug"]:
                device.line.plug()
            case ["clear"]:
                device.clear_faults()
            case ["fault", fault, value]:
                faults = ReaderFaults if name == "reader" else PrinterFaults
                device.set_faults(**_one(faults, fault, value))
            case ["line", fault, value]:
                device.line.set_faults(LineFaults(**_one(LineFaults, fault, value)))
            case _:
                raise BadCommand(f"{name} {' '.join(words)!r} is no command; try help")

    def _need_reader(self) -> IdCardReaderSimulator:
        if self._reader is None:
            raise BadCommand("no reader is simulated")
        return self._reader

    def _need_printer(self) -> TicketPrinterSimulator:
        if self._printer is None:
            raise BadCommand("no printer is simulated")
        return self._printer


def _card(number: str) -> Any:
    if not number.isdigit() or not 1 <= int(number) <= len(SAMPLE_CARDS):
        raise BadCommand(f"{number!r}: sample cards are 1 to {len(SAMPLE_CARDS)}")
    return SAMPLE_CARDS[int(number) - 1]


def _one(faults: Any, name: str, text: str) -> dict[str, Any]:
    """One fault with its value, in the type of the field."""
    fields = {field.name: field for field in dataclasses.fields(faults)}
    if name not in fields:
        raise BadCommand(f"{name!r} is none of {', '.join(fields)}")
    wanted = str(fields[name].type)
    if text in _WORDS:
        value = _WORDS[text]
    elif "bytes" in wanted:
        value = bytes.fromhex(text.removeprefix("0x"))
    elif "frozenset" in wanted:
        value = frozenset(int(part) for part in text.split(","))
    else:
        value = float(text) if "float" in wanted else int(text, 0)
    if value is None and "None" not in wanted:
        raise BadCommand(f"{name} wants {wanted}")
    return {name: value}
