"""A simulated window LED display: shows what it is told. Its bytes are those of the Xunpeng sample
(m.zhiliandun.com/index.php/proview-133-10.html), put together here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, Place

FRAME_BYTES: Final = 7


@dataclass(frozen=True, slots=True)
class DisplayFaults:
    """What is wrong with the display itself."""

    wrong_checksum: bool = False
    short_answer: bool = False
    """It answers as the maker's text says, not as his example does."""
    dark: bool = False
    """It understands nothing and says nothing."""


class WindowDisplaySimulator(LineSimulator):
    """Shows a number up to 65535."""

    def __init__(self, line: SimulatedLine) -> None:
        super().__init__(line)
        self.faults = DisplayFaults()
        self.shown: list[int] = []
        """The numbers that were shown, each once as long as it stayed."""
        self._pending = bytearray()

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {}

    def start(self) -> Self:
        self.line.start(self._take)
        return self

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = DisplayFaults()
            self._pending.clear()

        self.line.call(change)

    def help_self_test(self) -> None:
        """A person looks at it; nothing is to be done."""

    def _take(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= FRAME_BYTES:
            frame = bytes(self._pending[:FRAME_BYTES])
            if frame[0] == 0x3A and frame[6] == 0x0A and frame[5] == sum(frame[:5]) % 256:
                del self._pending[:FRAME_BYTES]
                if not self.faults.dark:
                    self._show(frame)
            else:
                del self._pending[0]

    def _show(self, frame: bytes) -> None:
        number = frame[2] + 256 * frame[3]
        if self.shown[-1:] != [number]:
            self.shown.append(number)
            self.tell(f"shows {number}")
        answer = bytes([0x3A, frame[4]]) if self.faults.short_answer else b"\x2a" + frame[1:5]
        check = (sum(answer) + self.faults.wrong_checksum) % 256
        self.line.send(answer + bytes([check, 0x0A]))


def simulate(place: Place) -> WindowDisplaySimulator:
    """A dark display on a pty."""
    return WindowDisplaySimulator(PtyLine(place.folder / "window-display", baud=place.baud))
