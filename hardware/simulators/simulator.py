"""What every simulated device offers: a place to be found at, faults of its own and its line, and a person's hands."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, SimulatedLine


class Trouble(StrEnum):
    """What can go wrong between any device and its host; each simulator plays it in its own bytes."""

    SILENT = "silent"  # takes everything, answers nothing
    SLOW = "slow"  # answers late, within what the driver allows
    GARBAGE = "garbage"  # sends what nobody can understand, and nothing else
    HALF_FRAME = "half_frame"  # each answer breaks off in its middle
    STUCK_BUSY = "stuck_busy"  # takes nothing (or says that it is busy), for ever
    VANISHES = "vanishes"  # goes away in the middle of the next exchange


@dataclass(frozen=True, slots=True)
class Place:
    """Where a simulator may put itself: a folder of its own for links and files, and the rate that lines are paced at
    (None: as fast as it goes)."""

    folder: Path
    baud: int | None = None


def _nobody(text: str) -> None:
    """Nobody listens."""


class Simulator(ABC):
    """One simulated device. Methods may be called from any thread while it runs."""

    faults: Any
    """A frozen dataclass of the device's own faults: its fields are the menu."""
    tell: Callable[[str], None] = staticmethod(_nobody)
    """Hears what happens at the device (`slip …`), on any thread; set it before `start`."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where its driver finds it, as in a profile."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What a profile says beside the address for this simulator, if anything."""
        return {}

    @property
    def actions(self) -> "Mapping[str, Callable[..., None]]":
        """What a person does at the device (`lay`, `lift`, `press` …), by words for the simulator desk. Arguments are
        words too; a wrong one raises ValueError with what is wanted."""
        return {}

    @abstractmethod
    def start(self) -> Self:
        """Plug in."""

    @abstractmethod
    def close(self) -> None:
        """Unplug for good, and end every thread."""

    @abstractmethod
    def unplug(self) -> None:
        """Gone, until `plug`."""

    @abstractmethod
    def plug(self) -> None:
        """Back, at the same address."""

    @abstractmethod
    def set_faults(self, **changes: Any) -> None:
        """Change single faults of the device, by the names of the fields of `faults`."""

    @abstractmethod
    def clear_faults(self) -> None:
        """As good as new, line included; plugging in is a matter of its own."""

    @abstractmethod
    def trouble(self, trouble: Trouble) -> None:
        """Have this trouble until `clear_faults`. Raises `NoSuchTrouble` where the device cannot have it."""

    @abstractmethod
    def help_self_test(self) -> None:
        """Do what a step of the device's self-test asks a person for (lay a card, show a code), so that it can pass."""


class NoSuchTrouble(ValueError):
    """A device of this kind cannot have the trouble (a switch sends no frames that could break)."""


SLOW_S: Final = 0.08
GARBAGE: Final = bytes.fromhex("00 FF 5A C3 80 99 E7 A5") * 4
_LINE_FAULTS: Final = {
    Trouble.SILENT: LineFaults(silent=True),
    Trouble.SLOW: LineFaults(delay_s=SLOW_S),
    Trouble.GARBAGE: LineFaults(noise_before=GARBAGE, truncate_at=0),
    Trouble.HALF_FRAME: LineFaults(truncate_at=5),
    Trouble.STUCK_BUSY: LineFaults(busy=True),
    Trouble.VANISHES: LineFaults(unplug_after_taken=1),
}


class LineSimulator(Simulator):
    """A simulated device on a simulated line; the subclass answers bytes and calls `line.start` in `start`."""

    def __init__(self, line: SimulatedLine) -> None:
        self.line = line

    @property
    def address(self) -> str:
        return self.line.address

    def close(self) -> None:
        self.line.close()

    def unplug(self) -> None:
        self.line.unplug()

    def plug(self) -> None:
        self.line.plug()

    def trouble(self, trouble: Trouble) -> None:
        self.line.set_faults(_LINE_FAULTS[trouble])
