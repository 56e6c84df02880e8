"""What is printed on A4: a PDF for one citizen."""

from dataclasses import dataclass, field
from typing import Final

MAX_SIDES: Final = 200


@dataclass(frozen=True, slots=True)
class PdfDocument:
    """`pdf` is overwritten when the job has ended. `sides`: so many sides of paper must come out."""

    pdf: bytearray = field(repr=False)
    sides: int
    double_sided: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.sides <= MAX_SIDES:
            raise ValueError(f"{self.sides} sides: want 1 to {MAX_SIDES}")
