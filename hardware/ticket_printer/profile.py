"""What is particular about one model of ticket printer, found out once and kept with the terminal's profile."""

from dataclasses import dataclass
from enum import StrEnum


class Fence(StrEnum):
    """How the printer proves that everything before a mark has been printed."""

    PROCESS_ID = "process_id"  # GS ( H function 48 gives back an id of our own: the best proof
    PAPER_SENSOR = "paper_sensor"  # GS r 1, queued like print data: clones that lack GS ( H


class ChineseFont(StrEnum):
    """Which characters the printer's own font holds; the others are drawn by us."""

    GBK = "gbk"
    GB2312 = "gb2312"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """Measures in dots (8 per mm). The default fits common 80 mm printers."""

    name: str = "generic-80mm"
    width_dots: int = 576
    cell_dots: int = 12
    """Width of an ASCII character; a Chinese one is twice as wide. Both are 24 high."""
    chinese: ChineseFont = ChineseFont.GBK
    native_qr: bool = True
    fence: Fence = Fence.PROCESS_ID
    slice_rows: int = 128
    """Rows of one raster command, at most 255: longer ones overflow small buffers."""
    feed_before_cut_lines: int = 4
    """From the print head to the knife."""

    def __post_init__(self) -> None:
        if self.width_dots % 8 or not 200 <= self.width_dots <= 2000:
            raise ValueError(f"width {self.width_dots}: want a multiple of 8 from 200 to 2000 dots")
        if not 1 <= self.slice_rows <= 255:
            raise ValueError(f"slice of {self.slice_rows} rows: want 1 to 255")

    @property
    def columns(self) -> int:
        """ASCII characters in a line of size 1."""
        return self.width_dots // self.cell_dots
