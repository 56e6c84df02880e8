"""Drawing what a printer's own font cannot."""

from functools import cache
from pathlib import Path
from typing import Final

import qrcode
from PIL import Image as Picture
from PIL import ImageChops, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError

from hardware.errors import BadDocument
from hardware.ticket_printer.document import CHARACTER_DOTS, Align

QUIET_MODULES: Final = 4
_TRIAL_SIZE: Final = 200


class SlipFont:
    """The font of drawn text. Raises OSError when `path` is no font file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sized = cache(lambda size: ImageFont.truetype(str(path), size))
        self._sized(CHARACTER_DOTS)

    def line(self, text: str, width: int, height: int, *, bold: bool) -> Picture.Image:
        """A line of text as the printer's own font would set it at this size: black on white, 24 × `height` high."""
        font = self._sized(CHARACTER_DOTS * height)
        length = max(1, round(font.getlength(text)) + 2)
        picture = Picture.new("L", (length, CHARACTER_DOTS * height), 255)
        # Middle of the ideographic box at half of the line, whatever the font's own line height is.
        draw = ImageDraw.Draw(picture)
        top, bottom = font.getbbox("国")[1::2]
        shift = CHARACTER_DOTS * height / 2 - (top + bottom) / 2
        draw.text((0, shift), text, 0, font, stroke_width=height if bold else 0)
        if width != height:
            picture = picture.resize((max(1, length * width // height), picture.height), Picture.Resampling.LANCZOS)
        return picture

    def ink(self, text: str, height: int, max_width: int, *, bold: bool) -> Picture.Image:
        """One line, cut to its ink, `height` dots high or smaller to fit `max_width`."""
        if not text.strip():
            raise BadDocument("large text without a character")
        stroke = _TRIAL_SIZE // 40 if bold else 0
        trial = self._sized(_TRIAL_SIZE).getbbox(text, stroke_width=stroke)
        scale = min(height / max(1.0, trial[3] - trial[1]), max_width / max(1.0, trial[2] - trial[0]))
        size = max(8, int(_TRIAL_SIZE * scale))
        font = self._sized(size)
        stroke = size // 40 if bold else 0
        left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
        picture = Picture.new("L", (int(right - left) + 2, int(bottom - top) + 2), 255)
        ImageDraw.Draw(picture).text((-left, -top), text, 0, font, stroke_width=stroke)
        ink = ImageChops.invert(picture).getbbox()
        return picture.crop(ink).crop((0, 0, min(max_width, ink[2] - ink[0]), ink[3] - ink[1])) if ink else picture


def banner(text: str, font: SlipFont, width: int) -> Picture.Image:
    """White on black across the paper."""
    band = Picture.new("L", (width, 72), 0)
    ink = ImageChops.invert(font.ink(text, 48, width - 48, bold=True))
    band.paste(ink, ((width - ink.width) // 2, (72 - ink.height) // 2))
    return band


def rule(width: int, *, dashed: bool) -> Picture.Image:
    """Two dots thick, with air above and below."""
    picture = Picture.new("L", (width, 18), 255)
    draw = ImageDraw.Draw(picture)
    step = 16 if dashed else width
    for x in range(0, width, step):
        draw.rectangle((x, 8, min(width, x + (9 if dashed else step)), 9), 0)
    return picture


def qr_matrix(data: str) -> list[list[bool]]:
    """Rows of modules (true is dark) with the quiet zone, at level M. Raises `BadDocument`: too much for a QR code."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(data)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise BadDocument(f"{len(data)} characters do not fit into a QR code") from error
    return [[bool(dark) for dark in row] for row in code.get_matrix()]


def qr_picture(matrix: list[list[bool]], module_size: int) -> Picture.Image:
    """The modules as squares of `module_size` dots."""
    small = Picture.new("L", (len(matrix), len(matrix)), 255)
    small.putdata([0 if dark else 255 for row in matrix for dark in row])
    return small.resize((small.width * module_size, small.height * module_size), Picture.Resampling.NEAREST)


def on_paper(picture: Picture.Image, align: Align, width: int) -> Picture.Image:
    """The picture in black and white at its place between the left edge and its own right end."""
    if picture.width > width:
        raise BadDocument(f"a picture {picture.width} dots wide on {width} dots of paper")
    left = {Align.LEFT: 0, Align.CENTER: (width - picture.width) // 2, Align.RIGHT: width - picture.width}[align]
    placed = Picture.new("L", (-(-(left + picture.width) // 8) * 8, picture.height), 255)
    placed.paste(picture.convert("L"), (left, 0))
    return placed.point(lambda grey: 0 if grey >= 128 else 255).convert("1", dither=Picture.Dither.NONE)
