"""A simulated input and output module (Modbus RTU): a person opens its doors and looks at its lights.

Its frames are those of the MODBUS specifications (Application Protocol V1.1b3, Serial Line V1.02), put together here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, Place

REQUEST_BYTES: Final = 8
POINTS: Final = 16
_OPEN_FOR_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ModuleFaults:
    """What is wrong with the module itself."""

    wrong_checksum: bool = False
    other_station: bool = False
    """It answers under another address than it was asked by."""
    refuses: int | None = None
    """Answers everything with this exception code (6: busy)."""
    outputs_stuck: bool = False
    """Takes commands, switches nothing."""


class ModbusModule(LineSimulator):
    """Sixteen inputs and sixteen outputs at `station`."""

    def __init__(self, line: SimulatedLine, station: int = 1) -> None:
        super().__init__(line)
        self.faults = ModuleFaults()
        self._station = station
        self._pending = bytearray()
        self.inputs = [True] * POINTS
        """Contacts: closed, as with closed doors."""
        self.outputs = [False] * POINTS
        self.switched: list[tuple[int, bool]] = []
        """What was written, in its order."""

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {
            "open": lambda number="0": self.set_input(int(number), closed=False),
            "shut": lambda number="0": self.set_input(int(number), closed=True),
            "power_cut": self.power_cut,
        }

    def start(self) -> Self:
        self.line.start(self._take)
        return self

    def set_input(self, number: int, *, closed: bool) -> None:
        """A contact closes or opens."""

        def change() -> None:
            self.inputs[number] = closed

        self.line.call(change)

    def power_cut(self) -> None:
        """Off and on again: all outputs are off."""

        def change() -> None:
            self.outputs = [False] * POINTS

        self.line.call(change)

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = ModuleFaults()
            self._pending.clear()

        self.line.call(change)

    def help_self_test(self) -> None:
        """Open the door at input 0 and close it."""

        def open_and_close() -> None:
            self.inputs[0] = False
            self.line.later(_OPEN_FOR_S, lambda: self.inputs.__setitem__(0, True))

        self.line.call(open_and_close)

    def _take(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= REQUEST_BYTES:
            request = bytes(self._pending[:REQUEST_BYTES])
            if request[-2:] == checksum(request[:-2]):
                del self._pending[:REQUEST_BYTES]
                if request[0] == self._station:
                    self._answer(request)
            else:
                del self._pending[0]

    def _answer(self, request: bytes) -> None:
        function, first, value = request[1], int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
        if self.faults.refuses is not None:
            body = bytes([function | 0x80, self.faults.refuses])
        elif function in (1, 2):
            body = self._bits(function, first, value)
        elif function == 5:
            body = self._switch(request, first, value)
        else:
            body = bytes([function | 0x80, 1])
        frame = bytes([self._station + self.faults.other_station]) + body
        check = checksum(frame)
        self.line.send(frame + (bytes(byte ^ 0xFF for byte in check) if self.faults.wrong_checksum else check))

    def _bits(self, function: int, first: int, count: int) -> bytes:
        points = self.outputs if function == 1 else self.inputs
        if not 1 <= count <= 2000:
            return bytes([function | 0x80, 3])
        if first + count > POINTS:
            return bytes([function | 0x80, 2])
        packed = bytearray((count + 7) // 8)
        for place in range(count):
            packed[place // 8] |= points[first + place] << (place % 8)
        return bytes([function, len(packed)]) + packed

    def _switch(self, request: bytes, coil: int, value: int) -> bytes:
        if coil >= POINTS:
            return bytes([0x85, 2])
        if value not in (0x0000, 0xFF00):
            return bytes([0x85, 3])
        if not self.faults.outputs_stuck:
            self.outputs[coil] = value == 0xFF00
            self.switched.append((coil, self.outputs[coil]))
        return request[1:6]


def checksum(data: bytes) -> bytes:
    """CRC-16 of the serial line specification, low byte first (its appendix B)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def simulate(place: Place) -> ModbusModule:
    """A module on a pty, all doors shut, all lights off."""
    return ModbusModule(PtyLine(place.folder / "modbus-module", baud=place.baud))
