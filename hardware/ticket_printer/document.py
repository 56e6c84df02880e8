"""What a slip consists of, free of any printer: blocks from top to bottom. Its layout is the caller's business."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PIL import Image as Picture

CHARACTER_DOTS: Final = 24
"""Height of a line of text at size 1."""
LINE_GAP_DOTS: Final = 8
"""Below each line of text."""
AIR_DOTS: Final = 14
"""Above and below what is drawn."""


class Align(StrEnum):
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text in the printer's own font (12 × 24 dots an ASCII character, 24 × 24 a Chinese one) times a size.

    Lines that do not fit are wrapped. `width` and `height` are 1 to 8.
    """

    text: str
    width: int = 1
    height: int = 1
    bold: bool = False
    align: Align = Align.LEFT

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 8 and 1 <= self.height <= 8):
            raise ValueError(f"size {self.width} × {self.height}: want 1 to 8")


@dataclass(frozen=True, slots=True)
class BigText:
    """One line drawn `height_dots` high (height of its ink), smaller where the paper is not wide enough for it."""

    text: str
    height_dots: int
    bold: bool = True
    align: Align = Align.CENTER

    def __post_init__(self) -> None:
        if not 8 <= self.height_dots <= 1200:
            raise ValueError(f"{self.height_dots} dots: want 8 to 1200")


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""

    dashed: bool = False


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code with error correction M; `module_size` (3 to 16 dots) shrinks where the paper is too narrow."""

    data: str
    module_size: int = 6
    align: Align = Align.CENTER

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueError("a QR code needs data")
        if not 3 <= self.module_size <= 16:
            raise ValueError(f"module size {self.module_size}: want 3 to 16 dots")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in black (1) and white (0), row by row, each row padded to whole bytes, leftmost dot highest."""

    width: int
    height: int
    bits: bytes
    align: Align = Align.CENTER

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or len(self.bits) != (self.width + 7) // 8 * self.height:
            raise ValueError(f"{self.width} × {self.height} dots do not take {len(self.bits)} bytes")

    @classmethod
    def from_picture(cls, picture: Picture.Image, align: Align = Align.CENTER) -> "Image":
        """Black and white from any picture; transparent parts become white."""
        if picture.mode in {"RGBA", "LA", "PA"}:
            picture = picture.convert("RGBA")
            white = Picture.new("RGBA", picture.size, "white")
            picture = Picture.alpha_composite(white, picture)
        bits = picture.convert("1").point(lambda dot: 0 if dot else 255).tobytes()
        return cls(picture.width, picture.height, bits, align)


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that a printer may keep under `key` (two printable ASCII characters); it is sent where it is not."""

    key: str
    image: Image

    def __post_init__(self) -> None:
        if len(self.key) != 2 or not (self.key.isascii() and self.key.isprintable()):
            raise ValueError(f"{self.key!r}: want two printable ASCII characters")


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty lines, 0 to 50."""

    lines: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.lines <= 50:
            raise ValueError(f"{self.lines} lines: want 0 to 50")


@dataclass(frozen=True, slots=True)
class Banner:
    """White text on a black band across the paper, such as 补打 on a reprint."""

    text: str


Block = Text | BigText | Rule | QrCode | Image | Logo | Feed | Banner


@dataclass(frozen=True, slots=True)
class PrintDocument:
    """One slip; it is fed out and cut at its end."""

    blocks: tuple[Block, ...]
