"""What a terminal's profile says to its screens."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ScreenOptions:
    """Panel and habits of one terminal.

    `width` and `height` are pixels; `mm_per_px` comes from the panel's profile (0.37 for 32", 0.25 for 21.5").
    """

    width: int
    height: int
    mm_per_px: float
    reduced_motion: bool = False
    offscreen: bool = False
    """Without a display: real pixels, no window."""
    full_screen: bool = False
    multisamples: int = 0
    """2 to 4 on a GPU; on a software renderer it costs 2.7 times the frame."""
    settle_s: float = 0.3
    """Touches that begin this soon after a change of screen are not meant for the new screen."""
    home: Path | None = None
    """Where Kivy may write; a folder of its own under the temporary directory where none is given."""
