"""The terminal cannot serve now: why, where to go, and that it comes back by itself."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.views import OutOfServiceView
from kiosk.journeys.words import Words
from screens import sentences
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

_ICONS = {"starting": "actions/waiting", "hall_away": "actions/network_away", "no_configuration": "actions/waiting"}


class OutOfServiceScreen(StationScreen):
    def render(self, view: OutOfServiceView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("One moment") if view.code == "starting" else tr("Out of service")
        happened, next_step = sentences.out_of_service(words, view.code)
        ids.icon.name = _ICONS.get(view.code, "actions/maintenance")
        ids.happened.content, ids.next_step.content = happened, next_step
        terminal = f" · {view.frame.terminal}" if view.frame.terminal else ""
        ids.staff_code.content = tr("For staff: {code}", code=f"{view.staff_code}{terminal}")
