"""A simulated terminal at a counter, caller or evaluator: keys are pressed, and told when it is asked.

Its packet is that of the sample: id, high byte, low byte, sum of the three. A key is told until it was taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, Place, Trouble

PACKET_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class TerminalFaults:
    """What is wrong with the terminal itself."""

    wrong_checksum: bool = False
    other_address: bool = False
    dead_keys: bool = False


class CounterTerminal(LineSimulator):
    """One terminal, or several with the same keys, at these addresses."""

    def __init__(self, line: SimulatedLine, *addresses: int) -> None:
        super().__init__(line)
        self.faults = TerminalFaults()
        self.lit = False
        """Whether it has been asked to light up, and no key pressed since."""
        self._pressed: dict[int, int] = dict.fromkeys(addresses or (1,), 0)
        self._pending = bytearray()

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"press": lambda key="1", address="1": self.press(int(key), int(address))}

    @property
    def untaken(self) -> bool:
        """Whether a press has not been taken yet; the same key pressed again meanwhile is the same press."""
        return self.line.call(lambda: any(self._pressed.values()))

    def start(self) -> Self:
        self.line.start(self._take)
        return self

    def press(self, key: int, address: int = 1) -> None:
        """A key by its number; told with the next answer."""

        def change() -> None:
            if not self.faults.dead_keys:
                self._pressed[address] = key
                self.lit = False

        self.line.call(change)

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = TerminalFaults()
            self._pending.clear()

        self.line.call(change)

    def trouble(self, trouble: Trouble) -> None:
        """Its answers have four bytes."""
        if trouble is Trouble.HALF_FRAME:
            self.line.set_faults(LineFaults(truncate_at=2))
        else:
            super().trouble(trouble)

    def help_self_test(self) -> None:
        self.press(1)

    def _take(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= PACKET_BYTES:
            packet = bytes(self._pending[:PACKET_BYTES])
            if packet[3] == sum(packet[:3]) % 256:
                del self._pending[:PACKET_BYTES]
                if packet[0] in self._pressed:
                    self._answer(packet)
            else:
                del self._pending[0]

    def _answer(self, packet: bytes) -> None:
        address = packet[0]
        told = packet[1] * 256 + packet[2]
        if told == 1:
            self.lit = True
        elif told == 0x8000 + self._pressed[address]:
            self._pressed[address] = 0
        key = self._pressed[address]
        answer = bytes([address + self.faults.other_address, key >> 8, key & 0xFF])
        self.line.send(answer + bytes([(sum(answer) + self.faults.wrong_checksum) % 256]))


def simulate_caller(place: Place) -> CounterTerminal:
    """A caller at counter 1, on a pty."""
    return CounterTerminal(PtyLine(place.folder / "caller", baud=place.baud))


def simulate_evaluator(place: Place) -> CounterTerminal:
    """An evaluator on a pty."""
    return CounterTerminal(PtyLine(place.folder / "evaluator", baud=place.baud))
