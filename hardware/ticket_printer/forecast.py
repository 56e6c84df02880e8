"""How long the paper will last: millimetres used on the roll, and about how many slips are left. Pure.

The near-end sensor corrects the count whenever it changes; a roll that was put in while the terminal was off is noticed
by it, or told by whoever loaded it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hardware.vocabulary import Supply

PAPER: Final = "paper"
"""Name of the supply."""
FIRST_GUESS_MM: Final = 110.0
"""Length of a slip before any was printed."""
LOW_SLIPS: Final = 60
WEIGHT_OF_ONE: Final = 0.05
"""How much a new slip moves the mean: about the last twenty count."""


@dataclass(frozen=True, slots=True)
class Roll:
    """The roll in the printer. `length_mm` is what it had when loaded; `used_mm` may be past it."""

    length_mm: float
    used_mm: float = 0.0
    mean_slip_mm: float = FIRST_GUESS_MM
    near_end_seen: bool = False
    opened: bool = False
    """Whether the cover has been open since the near end was seen: only then can the roll be a new one."""

    @property
    def left_mm(self) -> float:
        return max(0.0, self.length_mm - self.used_mm)

    @property
    def slips_left(self) -> int:
        """About so many slips of the usual length."""
        return int(self.left_mm // max(1.0, self.mean_slip_mm))

    def counters(self) -> dict[str, float]:
        """As numbers to keep over a restart."""
        return {
            "roll_mm": self.length_mm,
            "roll_used_mm": self.used_mm,
            "mean_slip_mm": self.mean_slip_mm,
            "near_end_seen": float(self.near_end_seen),
        }


def roll_of(counters: Mapping[str, float], length_mm: float) -> Roll:
    """The roll as it was kept, or a full one of `length_mm`. Somebody may have opened the cover since."""
    return Roll(
        counters.get("roll_mm", length_mm),
        counters.get("roll_used_mm", 0.0),
        counters.get("mean_slip_mm", FIRST_GUESS_MM),
        bool(counters.get("near_end_seen", 0.0)),
        opened=True,
    )


def after_paper(roll: Roll, mm: float, *, whole_slip: bool) -> Roll:
    """Paper has left the printer; only whole slips count for the mean."""
    mean = roll.mean_slip_mm + WEIGHT_OF_ONE * (mm - roll.mean_slip_mm) if whole_slip else roll.mean_slip_mm
    return replace(roll, used_mm=roll.used_mm + mm, mean_slip_mm=mean)


def after_look(
    roll: Roll, before: Supply, now: Supply, *, cover_open: bool, length_mm: float, near_end_mm: float
) -> Roll:
    """What a look at the printer's sensors says of the roll.

    Paper after none, or plenty after little with the cover open in between, is a new roll (the sensor alone flickers
    around its threshold). The near-end sensor shows how much is left whatever was counted before.
    """
    if cover_open:
        return replace(roll, opened=True)
    loaded = before is Supply.OUT and now in {Supply.OK, Supply.LOW}
    if loaded or (now is Supply.OK and roll.near_end_seen and roll.opened):
        roll = new_roll(roll, length_mm)
    if now is Supply.LOW and not roll.near_end_seen:
        return replace(roll, used_mm=roll.length_mm - near_end_mm, near_end_seen=True, opened=False)
    if now is Supply.OUT:
        return replace(roll, used_mm=roll.length_mm)
    return roll


def new_roll(roll: Roll, length_mm: float) -> Roll:
    """A fresh roll; slips are as long as before."""
    return Roll(length_mm, mean_slip_mm=roll.mean_slip_mm)


def supply(sensed: Supply, roll: Roll) -> Supply:
    """The sensors' word, and LOW where they still say OK but the count says that the end is near."""
    return Supply.LOW if sensed is Supply.OK and roll.slips_left < LOW_SLIPS else sensed
