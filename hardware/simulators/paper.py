"""The paper of a simulated ticket printer: draws ESC/POS commands as dots, and keeps what has been cut off.

Dots are 1/8 mm; the head is 576 dots wide, the paper 640 (80 mm). Chinese characters take 24 × 24 dots, others 12 × 24.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import qrcode
from PIL import Image, ImageChops, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_L, ERROR_CORRECT_M, ERROR_CORRECT_Q

from hardware.simulators.escpos_parser import Command

HEAD_DOTS: Final = 576
MARGIN_DOTS: Final = 32
CELL: Final = 24
_NEAREST: Final = Image.Resampling.NEAREST
_CODE_PAGES: Final = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    19: "cp858",
}
_QR_LEVELS: Final = {0x30: ERROR_CORRECT_L, 0x31: ERROR_CORRECT_M, 0x32: ERROR_CORRECT_Q, 0x33: ERROR_CORRECT_H}


@dataclass(slots=True)
class _Style:
    """Settings that `ESC @` puts back."""

    align: int = 0
    width: int = 1
    height: int = 1
    chinese_width: int = 1
    chinese_height: int = 1
    bold: bool = False
    reverse: bool = False
    underline: bool = False
    chinese: bool = True  # GB18030 models start in Chinese mode
    code_page: str = "cp437"
    line_spacing: int = 30


class Paper:
    """Executes printing commands. `fed_dots` counts all paper that ever passed the head."""

    def __init__(self, font: Path) -> None:
        self._sized = cache(lambda size: ImageFont.truetype(str(font), size))
        self._glyph = cache(self._draw_glyph)
        self._style = _Style()
        self._lead: int | None = None
        self._line: list[Image.Image] = []
        self._line_text = ""
        self._pieces: list[Image.Image] = []
        self._texts: list[str] = []
        self._qr_size, self._qr_level, self._qr_data = 3, 0x31, b""
        self._actions = {
            "text": lambda d: self._text(d[0]),
            "LF": lambda _: self._line_feed(),
            "ESC @": lambda _: self._initialise(),
            "ESC a": lambda d: self._set("align", d[0] & 0x03),
            "ESC E": lambda d: self._set("bold", bool(d[0] & 1)),
            "ESC G": lambda d: self._set("bold", bool(d[0] & 1)),
            "ESC -": lambda d: self._set("underline", d[0] & 0x03 != 0),
            "ESC !": lambda d: self._print_mode(d[0]),
            "ESC 2": lambda _: self._set("line_spacing", 30),
            "ESC 3": lambda d: self._set("line_spacing", d[0]),
            "ESC d": lambda d: self._feed_lines(d[0]),
            "ESC J": lambda d: self._feed_dots(d[0]),
            "ESC $": lambda d: self._move_to(int.from_bytes(d, "little")),
            "ESC \\": lambda d: self._move_to(self._width + int.from_bytes(d, "little", signed=True)),
            "ESC t": lambda d: self._set("code_page", _CODE_PAGES.get(d[0], "cp437")),
            "GS !": lambda d: self._size(d[0]),
            "GS B": lambda d: self._set("reverse", bool(d[0] & 1)),
            "FS &": lambda _: self._set("chinese", True),
            "FS .": lambda _: self._set("chinese", False),
            "FS -": lambda d: self._set("underline", d[0] & 0x03 != 0),
            "FS !": lambda d: self._chinese_size(d[0] & 0x04, d[0] & 0x08),
            "FS W": lambda d: self._chinese_size(d[0] & 1, d[0] & 1),
            "GS v 0": self._raster,
            "GS ( k": self._symbol,
            "GS ( L": self._graphics,
            "GS 8 L": self._graphics,
        }
        self.kept: dict[bytes, Image.Image] = {}
        """Pictures that outlive power-off, by their key codes."""
        self._stored: Image.Image | None = None
        self.fed_dots = 0

    @property
    def empty(self) -> bool:
        """Whether nothing has been printed since the last cut."""
        return not self._pieces and not self._line

    def execute(self, command: Command) -> bool:
        """Carry out one command; False when it is none that prints."""
        action = self._actions.get(command.name)
        if action is None:
            return False
        if command.name != "text":
            self._lead = None
        action(command.data)
        return True

    def restart(self) -> None:
        """Settings after power-on; what is on the paper stays."""
        self._initialise()

    def cut(self) -> tuple[Image.Image, str]:
        """What hangs out of the printer, as a picture of 80 mm paper and as lines of text; then fresh paper."""
        if self._line:
            self._line_feed()
        height = sum(piece.height for piece in self._pieces)
        slip = Image.new("1", (HEAD_DOTS + 2 * MARGIN_DOTS, height + MARGIN_DOTS), 1)
        y = MARGIN_DOTS // 2
        for piece in self._pieces:
            slip.paste(piece, (MARGIN_DOTS, y))
            y += piece.height
        text = "\n".join(self._texts)
        self._pieces, self._texts = [], []
        return slip, text

    def _set(self, name: str, value: int | bool | str) -> None:
        setattr(self._style, name, value)

    @property
    def _width(self) -> int:
        """Of what stands on the line."""
        return sum(glyph.width for glyph in self._line)

    def _move_to(self, x: int) -> None:
        """Forward to a place on the line; moving back would print over what stands there, and is not played."""
        if self._width < x <= HEAD_DOTS:
            self._line.append(Image.new("1", (x - self._width, CELL), 1))

    def _initialise(self) -> None:
        self._style = _Style()
        self._line, self._line_text, self._lead = [], "", None

    def _print_mode(self, mode: int) -> None:
        self._style.bold = bool(mode & 0x08)
        self._style.height = 2 if mode & 0x10 else 1
        self._style.width = 2 if mode & 0x20 else 1
        self._style.underline = bool(mode & 0x80)

    def _size(self, n: int) -> None:
        self._style.width = self._style.chinese_width = (n >> 4 & 0x07) + 1
        self._style.height = self._style.chinese_height = (n & 0x07) + 1

    def _chinese_size(self, wide: int, high: int) -> None:
        self._style.chinese_width = 2 if wide else 1
        self._style.chinese_height = 2 if high else 1

    def _text(self, byte: int) -> None:
        if self._lead is not None:
            pair = bytes((self._lead, byte))
            self._lead = None
            self._put(pair.decode("gbk", "replace")[:1].replace("\ufffd", "□"), chinese=True)
        elif self._style.chinese and 0x81 <= byte <= 0xFE:
            self._lead = byte
        else:
            self._put(bytes((byte,)).decode(self._style.code_page, "replace"), chinese=False)

    def _put(self, character: str, *, chinese: bool) -> None:
        style = self._style
        width = style.chinese_width if chinese else style.width
        height = style.chinese_height if chinese else style.height
        small = self._glyph(character, chinese, style.bold)
        glyph = small.resize((small.width * width, small.height * height), _NEAREST)
        if style.reverse:
            glyph = ImageChops.invert(glyph)
        if style.underline:
            ImageDraw.Draw(glyph).rectangle((0, glyph.height - 2, glyph.width, glyph.height), 0)
        if self._width + glyph.width > HEAD_DOTS:
            self._line_feed()
        self._line.append(glyph)
        self._line_text += character

    def _draw_glyph(self, character: str, chinese: bool, bold: bool) -> Image.Image:
        if character == "─":  # a hairline in the font, of which nothing is left in dots
            rule = Image.new("1", (CELL if chinese else CELL // 2, CELL), 1)
            ImageDraw.Draw(rule).rectangle((0, CELL // 2, rule.width, CELL // 2 + 1), 0)
            return rule
        font = self._sized(CELL if chinese else CELL - 2)
        advance = max(1, round(font.getlength(character)))
        top, bottom = font.getbbox("国")[1::2]
        cell = Image.new("L", (max(advance, CELL if chinese else CELL // 2), CELL), 255)
        place = ((cell.width - advance) / 2, CELL / 2 - (top + bottom) / 2)
        ImageDraw.Draw(cell).text(place, character, 0, font, stroke_width=0.6 if bold else 0)
        cell = cell.resize((CELL if chinese else CELL // 2, CELL), Image.Resampling.LANCZOS)
        return cell.point(lambda grey: 255 if grey > 150 else 0).convert("1")

    def _line_feed(self) -> None:
        height = max([self._style.line_spacing, *(glyph.height for glyph in self._line)])
        piece = Image.new("1", (HEAD_DOTS, height), 1)
        x = (HEAD_DOTS - self._width) * self._style.align // 2
        tallest = max((glyph.height for glyph in self._line), default=0)
        for glyph in self._line:
            piece.paste(glyph, (x, tallest - glyph.height))
            x += glyph.width
        self._texts.append(self._line_text)
        self._line, self._line_text, self._lead = [], "", None
        self._add(piece)

    def _feed_lines(self, lines: int) -> None:
        if self._line:
            self._line_feed()
            lines -= 1
        self._feed_dots(max(0, lines) * self._style.line_spacing)

    def _feed_dots(self, dots: int) -> None:
        if self._line:
            self._line_feed()
        if dots:
            self._add(Image.new("1", (HEAD_DOTS, dots), 1))

    def _raster(self, data: bytes) -> None:
        mode, row_bytes, rows = data[0], int.from_bytes(data[1:3], "little"), int.from_bytes(data[3:5], "little")
        if not row_bytes or not rows:
            return
        picture = ImageChops.invert(Image.frombytes("1", (row_bytes * 8, rows), data[5:]))
        scale = (2 if mode & 1 else 1, 2 if mode & 2 else 1)
        if scale != (1, 1):
            picture = picture.resize((picture.width * scale[0], picture.height * scale[1]), _NEAREST)
        self._block(picture)

    def _graphics(self, data: bytes) -> None:
        """`GS ( L`: keep a picture under a key (function 67), print a kept one (69), store (112) and print one (50)."""
        function = data[1] if len(data) > 1 else None
        if function == 67 and (picture := _picture(data[6:10], data[11:])) is not None:
            self.kept[bytes(data[3:5])] = picture
        elif function == 69 and (kept := self.kept.get(bytes(data[2:4]))) is not None:
            self._block(kept)
        elif function == 112 and (picture := _picture(data[6:10], data[10:])) is not None:
            times = (2 if data[3] == 2 else 1, 2 if data[4] == 2 else 1)
            self._stored = picture.resize((picture.width * times[0], picture.height * times[1]), _NEAREST)
        elif function in {2, 50} and self._stored is not None:
            self._block(self._stored)
            self._stored = None

    def _symbol(self, data: bytes) -> None:
        """Two-dimensional codes: QR only (`31` and a function)."""
        function = data[1] if len(data) > 2 and data[0] == 0x31 else None
        if function == 0x43:
            self._qr_size = data[2]
        elif function == 0x45:
            self._qr_level = data[2]
        elif function == 0x50:
            self._qr_data = data[3:]
        elif function == 0x51 and self._qr_data:
            self._block(self._draw_qr())
            self._texts.append(f"[QR {self._qr_data.decode('utf-8', 'replace')}]")

    def _draw_qr(self) -> Image.Image:
        code = qrcode.QRCode(error_correction=_QR_LEVELS.get(self._qr_level, ERROR_CORRECT_M), border=0)
        code.add_data(self._qr_data)
        matrix = code.get_matrix()
        small = Image.new("1", (len(matrix), len(matrix)), 1)
        small.putdata([0 if dark else 1 for row in matrix for dark in row])
        side = len(matrix) * max(1, self._qr_size)
        return small.resize((side, side), _NEAREST)

    def _block(self, picture: Image.Image) -> None:
        """A picture on rows of its own, cut at the paper's edge."""
        if self._line:
            self._line_feed()
        piece = Image.new("1", (HEAD_DOTS, picture.height), 1)
        piece.paste(picture, (max(0, HEAD_DOTS - picture.width) * self._style.align // 2, 0))
        self._add(piece)

    def _add(self, piece: Image.Image) -> None:
        self._pieces.append(piece)
        self.fed_dots += piece.height


def _picture(size: bytes, bits: bytes) -> Image.Image | None:
    """Black dots where bits are set; None where the bits are not as many as the size says."""
    width, height = int.from_bytes(size[:2], "little"), int.from_bytes(size[2:], "little")
    if not width or not height or len(bits) != (width + 7) // 8 * height:
        return None
    return ImageChops.invert(Image.frombytes("1", (width, height), bits))
