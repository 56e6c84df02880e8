"""A simulated sound card: takes the samples that ALSA plays into it, and says what would be heard."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.simulator import LineSimulator, NoSuchTrouble, Place, Trouble

QUIET_S: Final = 0.3
_LOUD: Final = 1000


@dataclass(frozen=True, slots=True)
class SpeakerFaults:
    """What is wrong with the card; that its loudspeaker is broken no card knows."""

    takes_nothing: bool = False


class SpeakerSimulator(LineSimulator):
    """Samples of 16 bits, mono, as they come."""

    line: PtyLine

    def __init__(self, line: PtyLine) -> None:
        super().__init__(line)
        self.faults = SpeakerFaults()
        self._samples = bytearray()
        self._pieces = 0

    @property
    def address(self) -> str:
        return "sound:" + self.line.address.removeprefix("serial:").partition("?")[0]

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {}

    @property
    def samples(self) -> "array[int]":
        """What was played since the beginning."""
        taken = self.line.call(lambda: bytes(self._samples))
        return array("h", taken[: len(taken) // 2 * 2])

    def start(self) -> Self:
        self.line.start(self._take)
        return self

    def set_faults(self, **changes: Any) -> None:
        def change() -> None:
            self.faults = replace(self.faults, **changes)

        self.line.call(change)
        self.line.set_faults(LineFaults(busy=self.faults.takes_nothing))

    def clear_faults(self) -> None:
        self.set_faults(takes_nothing=False)

    def trouble(self, trouble: Trouble) -> None:
        """A sound card answers nothing that could be late, cut or garbled."""
        match trouble:
            case Trouble.STUCK_BUSY:
                self.set_faults(takes_nothing=True)
            case Trouble.VANISHES:
                super().trouble(trouble)
            case _:
                raise NoSuchTrouble(trouble)

    def help_self_test(self) -> None:
        """A person listens; nothing is to be done."""

    def _take(self, data: bytes) -> None:
        self._samples += data
        self._pieces += 1
        piece = self._pieces
        self.line.later(QUIET_S, lambda: self._tell_if_over(piece))

    def _tell_if_over(self, piece: int) -> None:
        if piece == self._pieces:
            played = array("h", bytes(self._samples[: len(self._samples) // 2 * 2]))
            loud = max((abs(sample) for sample in played), default=0) >= _LOUD
            self.tell(f"sound of {len(played)} samples{'' if loud else ', silent'}")


def simulate(place: Place) -> SpeakerSimulator:
    """A card behind a pty."""
    return SpeakerSimulator(PtyLine(place.folder / "speaker"))
