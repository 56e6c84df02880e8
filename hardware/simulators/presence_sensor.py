"""A simulated MaxSonar sensor: somebody comes, somebody leaves. Its readings are the data sheet's (PD12141, page 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.simulator import LineSimulator, NoSuchTrouble, Place, Trouble

CYCLE_S: Final = 0.1
NOBODY_MM: Final = 5000


@dataclass(frozen=True, slots=True)
class SensorFaults:
    """What is wrong with the sensor itself."""

    letters_for_digits: bool = False
    no_end: bool = False
    """Readings without their carriage return."""


class PresenceSensorSimulator(LineSimulator):
    """Speaks every 0.1 s as long as it is plugged in."""

    def __init__(self, line: SimulatedLine) -> None:
        super().__init__(line)
        self.faults = SensorFaults()
        self._distance_mm = NOBODY_MM

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"stand": lambda millimetres="600": self.stand_at(int(millimetres)), "leave": self.leave}

    def start(self) -> Self:
        self.line.start(lambda _: None)
        self.line.call(self._speak)
        return self

    def stand_at(self, millimetres: int) -> None:
        """Somebody stands there, 300 to 4999 mm away."""

        def change() -> None:
            self._distance_mm = millimetres

        self.line.call(change)

    def leave(self) -> None:
        """Nobody is there."""
        self.stand_at(NOBODY_MM)

    def trouble(self, trouble: Trouble) -> None:
        """The sensor takes nothing, so that it can neither be busy nor vanish while it is asked: it vanishes while it
        speaks."""
        if trouble is Trouble.STUCK_BUSY:
            raise NoSuchTrouble(trouble)
        if trouble is Trouble.VANISHES:
            self.line.set_faults(LineFaults(unplug_after_sent=3))
        else:
            super().trouble(trouble)

    def help_self_test(self) -> None:
        self.stand_at(600)

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        self.line.set_faults(LineFaults())

        def change() -> None:
            self.faults = SensorFaults()

        self.line.call(change)

    def _speak(self) -> None:
        digits = b"OOOO" if self.faults.letters_for_digits else str(self._distance_mm).rjust(4, "0").encode("ascii")
        self.line.send(b"R" + digits + b" " + (b"" if self.faults.no_end else b"\r"))
        self.line.later(CYCLE_S, self._speak)


def simulate(place: Place) -> PresenceSensorSimulator:
    """A sensor on a pty, nobody before it."""
    return PresenceSensorSimulator(PtyLine(place.folder / "presence-sensor", baud=place.baud))
