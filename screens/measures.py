"""Measures and colours of the screens: physical sizes first, pixels follow from the panel. No Kivy here."""

import math
from typing import Final

CAP_HEIGHT: Final = 0.733
"""Height of capital letters and digits in ems, of both weights of the font (OS/2 table). The least of all: Chinese
characters of the same size are about 0.92 em high."""
LINE: Final = 1.448
"""Height of the first line in ems (hhea table of the font)."""
LEADING: Final = 0.85
"""Each further line, as a part of LINE."""

CHARACTER_MM: Final = {"small": 4.8, "body": 8.0, "tile": 11.0, "title": 15.0, "number": 60.0}
"""Least height of a capital letter, millimetres, by the role of a text."""
LARGE: Final = 1.35
"""Large-type mode."""

TARGET_MM: Final = 20.0
GAP_MM: Final = 5.0
TILE_MM: Final = (60.0, 40.0)
MARGIN_MM: Final = 9.0

Colour = tuple[float, float, float, float]


def hex_colour(text: str) -> Colour | None:
    """`#rrggbb` as red, green, blue and alpha from 0 to 1; None for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or not text.startswith("#"):
        return None
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        return None
    return red / 255, green / 255, blue / 255, 1.0


def _palette(**colours: str) -> dict[str, Colour]:
    found = {name: hex_colour(text) for name, text in colours.items()}
    return {name: colour for name, colour in found.items() if colour is not None}


NORMAL: Final = _palette(
    background="#ffffff",
    ink="#17212e",
    muted="#46535f",
    surface="#eef2f7",
    line="#b9c5d3",
    structure="#12407f",
    on_structure="#ffffff",
    band="#12407f",
    on_band="#ffffff",
    pressed="#0a2651",
    on_pressed="#ffffff",
    danger="#b92d1b",
    on_danger="#ffffff",
    done="#17693a",
    lit="#1c62c4",
    machine="#7c8a9a",
)
HIGH_CONTRAST: Final = _palette(
    background="#000000",
    ink="#ffffff",
    muted="#ffffff",
    surface="#000000",
    line="#ffffff",
    structure="#ffdd33",
    on_structure="#000000",
    band="#000000",
    on_band="#ffffff",
    pressed="#ffffff",
    on_pressed="#000000",
    danger="#ffb3a6",
    on_danger="#000000",
    done="#7dffa8",
    lit="#ffdd33",
    machine="#ffffff",
)
TEXT_ON: Final = (
    ("ink", "background"),
    ("ink", "surface"),
    ("muted", "background"),
    ("muted", "surface"),
    ("structure", "background"),
    ("structure", "surface"),
    ("on_structure", "structure"),
    ("on_band", "band"),
    ("on_pressed", "pressed"),
    ("danger", "background"),
    ("danger", "surface"),
    ("on_danger", "danger"),
    ("done", "background"),
    ("done", "surface"),
)
"""Every pair of text and ground that the screens use."""


def font_px(role: str, mm_per_px: float, *, large: bool) -> int:
    """Font size in whole pixels so that a capital letter of this role is at least as high as look and law ask."""
    height_mm = CHARACTER_MM[role] * (LARGE if large else 1.0)
    return math.ceil(height_mm / CAP_HEIGHT / mm_per_px)


def text_height(lines: int, font_size: float) -> float:
    """Height in pixels of a block of text; nothing for no lines."""
    line = math.ceil(font_size * LINE)
    return math.ceil(line * (1 + (lines - 1) * LEADING)) + 1.0 if lines else 0.0


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of WCAG 2.2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
