"""Which simulator plays the devices of which driver. A simulator's module is loaded when it is asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from hardware.simulators.simulator import Place, Simulator

MakeSimulator = Callable[[Place], Simulator]

_WHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sam-v": "hardware.simulators.id_card_reader:simulate",
        "social-security-card": "hardware.simulators.smart_card:simulate_social",
        "bank-card": "hardware.simulators.smart_card:simulate_bank",
        "escpos": "hardware.simulators.ticket_printer:simulate",
        "ipp": "hardware.simulators.ipp_printer:simulate",
        "code-serial": "hardware.simulators.code_scanner:simulate_serial",
        "code-keyboard": "hardware.simulators.code_scanner:simulate_keyboard",
        "camera-codes": "hardware.simulators.camera:simulate_codes",
        "camera-documents": "hardware.simulators.camera:simulate_documents",
        "camera-faces": "hardware.simulators.camera:simulate_faces",
        "maxsonar": "hardware.simulators.presence_sensor:simulate",
        "keypad": "hardware.simulators.keypad:simulate",
        "modbus-lights": "hardware.simulators.modbus_module:simulate",
        "modbus-switch": "hardware.simulators.modbus_module:simulate",
        "nut": "hardware.simulators.ups:simulate",
        "alsa": "hardware.simulators.speaker:simulate",
        "sample-evaluator": "hardware.simulators.counter_terminal:simulate_evaluator",
        "sample-display": "hardware.simulators.window_display:simulate",
        "sample-caller": "hardware.simulators.counter_terminal:simulate_caller",
    }
)
"""Driver id to `module:function`; the function makes a `Simulator` at a `Place`, not started."""


def simulated_drivers() -> tuple[str, ...]:
    """Ids of the drivers that have a simulator."""
    return tuple(_WHERE)


def make_simulator(driver: str, place: Place) -> Simulator:
    """A simulated device for a driver, not started. Raises KeyError for a driver without one."""
    module, _, function = _WHERE[driver].partition(":")
    make: MakeSimulator = getattr(import_module(module), function)
    return make(place)
