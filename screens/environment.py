"""Kivy's environment and configuration; call `prepare` before anything imports Kivy's window or widgets."""

import os
import sys
import tempfile
from pathlib import Path

from screens.options import ScreenOptions

FONTS = Path(__file__).parent.parent / "assets" / "fonts"
FONT = "Screens"


class TooLate(RuntimeError):
    """Kivy was imported with another configuration; the program's entry has to call `prepare` first."""


def prepare(options: ScreenOptions) -> None:
    """Set all that Kivy reads at import. Raises TooLate when the window is already there."""
    if "kivy.core.window" in sys.modules:
        raise TooLate("kivy.core.window is imported already")
    os.environ.update(
        KIVY_WINDOW="sdl2",  # else Kivy falls through to an X11 provider that ends the program without an error
        KIVY_NO_ARGS="1",
        KIVY_NO_FILELOG="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_NO_CONFIG="1",
        KIVY_HOME=str(options.home or Path(tempfile.gettempdir()) / f"estation-kivy-{os.getuid()}"),
    )
    # SDL hints: a finger must not come a second time as a mouse, nor a mouse as a finger.
    os.environ.update(SDL_TOUCH_MOUSE_EVENTS="0", SDL_MOUSE_TOUCH_EVENTS="0")
    if options.offscreen:
        os.environ["SDL_VIDEODRIVER"] = "offscreen"
    _configure(options)


def _configure(options: ScreenOptions) -> None:
    # Kivy reads its environment while it is imported: this import stands after it is set.
    from kivy.config import Config  # noqa: PLC0415

    regular, bold = str(FONTS / "NotoSansSC-Regular.otf"), str(FONTS / "EstationSans-Bold.otf")
    Config.set("kivy", "default_font", repr([FONT, regular, regular, bold, bold]))
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "keyboard_mode", "")
    Config.set("kivy", "pause_on_minimize", "0")
    for key, value in {
        "width": options.width,
        "height": options.height,
        "multisamples": options.multisamples,
        "fullscreen": "auto" if options.full_screen else 0,
        "borderless": int(options.full_screen),
        "resizable": 0,
        "show_cursor": int(not options.full_screen),
        "allow_screensaver": 0,
        "maxfps": 30,
    }.items():
        Config.set("graphics", key, str(value))
    for section in ("modules", "input"):
        for key, _value in Config.items(section) if Config.has_section(section) else []:
            Config.remove_option(section, key)
    # SDL brings fingers by itself; the mouse gives way to them, and shows no red rings for a second finger.
    Config.set("input", "mouse", "mouse,disable_multitouch,disable_on_activity")
