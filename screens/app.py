"""The Kivy application of a terminal: renders views, sends intents, closes the ways out.

Call `environment.prepare` before this is imported.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.core.window import Window

from kiosk.journeys.intents import Intent
from kiosk.journeys.views import View
from kiosk.journeys.words import Words, load_words
from screens.options import ScreenOptions
from screens.station import Station
from screens.theme import Theme

TRANSLATIONS = Path(__file__).parent.parent / "assets" / "translations"


class StationApp(App):
    """`show` draws a view; what people mean by their touches goes to `send`. All on Kivy's own loop."""

    def __init__(
        self, send: Callable[[Intent], None], options: ScreenOptions, words: dict[str, Words] | None = None
    ) -> None:
        super().__init__(kv_directory=str(Path(__file__).parent / "none"))
        self.send = send
        self.options = options
        self.theme = Theme(options.mm_per_px, options.height > options.width, options.reduced_motion)
        self._words = words or load_words(TRANSLATIONS)
        self._station: Station | None = None
        self._view: View | None = None

    def build(self) -> Station:
        self.title = "成全e站"
        Window.bind(on_request_close=self._may_close, on_restore=self._redraw, on_show=self._redraw)
        self.theme.bind(colours=self._clear_colour)
        self._clear_colour()
        self._station = Station(self.theme, self._words, self.send, self.options.settle_s)
        if self._view is not None:
            self._station.show(self._view)
        return self._station

    def show(self, view: View) -> None:
        """Draw `view`; before the window is there it is kept for the first frame."""
        self._view = view
        if self._station is not None:
            self._station.show(view)

    def open_settings(self, *_: Any) -> bool:
        """Kivy's own settings panel (F1) stays closed."""
        return False

    def on_pause(self) -> bool:
        return True

    def _may_close(self, *_: Any, **__: Any) -> bool:
        """True keeps the window: only the program itself ends it on a terminal in service."""
        return self.options.full_screen

    def _redraw(self, *_: Any) -> None:
        Window.canvas.ask_update()

    def _clear_colour(self, *_: Any) -> None:
        Window.clearcolor = self.theme.colours["background"]
