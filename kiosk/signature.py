"""A signature as a picture: SVG for a document that is drawn by somebody else, PNG for one that takes pixels."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from kiosk.journeys.ink import Ink, curve, line

PEN_MM: Final = 0.7
MM_PER_INCH: Final = 25.4
_FINE: Final = 3
"""Drawn so much larger and shrunk, for soft edges."""


class NoSignature(ValueError):
    """What was drawn is none: nothing, a dot, a short dash."""


def signature_svg(ink: Ink, pen_mm: float = PEN_MM) -> str:
    """The strokes as curves on a transparent ground, in millimetres. Raises `NoSignature`."""
    _check(ink)
    paths = "".join(f'<path d="{_path(stroke)}"/>' for stroke in ink.strokes)
    size = f"{ink.width_mm:g} {ink.height_mm:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{ink.width_mm:g}mm" '
        f'height="{ink.height_mm:g}mm"><g fill="none" stroke="#000" stroke-width="{pen_mm:g}" '
        f'stroke-linecap="round" stroke-linejoin="round">{paths}</g></svg>'
    )


def signature_png(ink: Ink, dpi: int = 300, pen_mm: float = PEN_MM) -> bytes:
    """The same in black with a transparent ground, the whole pad at `dpi` (72 to 600). Raises `NoSignature`."""
    _check(ink)
    if not 72 <= dpi <= 600:
        raise ValueError(f"{dpi} dpi, want 72 to 600")
    scale = dpi / MM_PER_INCH * _FINE
    large = Image.new("L", (round(ink.width_mm * scale), round(ink.height_mm * scale)))
    pen, radius = ImageDraw.Draw(large), pen_mm * scale / 2
    for stroke in ink.strokes:
        places = [(x * scale, y * scale) for x, y in line(stroke)]
        pen.line(places, fill=255, width=max(1, round(2 * radius)))
        for x, y in places:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    opacity = large.resize((max(1, large.width // _FINE), max(1, large.height // _FINE)), Image.Resampling.BOX)
    picture = Image.new("LA", opacity.size)
    picture.putalpha(opacity)
    file = BytesIO()
    picture.save(file, "PNG", dpi=(dpi, dpi))
    return file.getvalue()


def _check(ink: Ink) -> None:
    if not ink.is_signature:
        raise NoSignature


def _path(stroke: list[tuple[float, float]]) -> str:
    x, y = stroke[0]
    pieces = curve(stroke)
    if not pieces:
        return f"M{x:.2f} {y:.2f}l0 0"  # a round end on a line without length: a dot
    numbers = ((*piece.first, *piece.second, *piece.end) for piece in pieces)
    return f"M{x:.2f} {y:.2f}" + "".join("C" + " ".join(f"{number:.2f}" for number in each) for each in numbers)
