"""Home: the most wanted services, all services, and where to lay the card."""

from pathlib import Path

from kivy.app import App
from kivy.lang import Builder

from kiosk.journeys.intents import TakeNumber
from kiosk.journeys.views import HomeView
from kiosk.journeys.words import Words
from screens.catalogue import service_tile
from screens.machine import MachinePicture
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

__all__ = ["HomeScreen", "MachinePicture"]


class HomeScreen(StationScreen):
    def render(self, view: HomeView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("What would you like to do today?")
        ready = view.reader_ready
        ids.picture.part = "reader" if ready else "none"
        ids.picture.moving = ready
        ids.hint.content = tr("Lay your ID card on the reader to begin") if ready else tr("Choose a service to begin")
        ids.or_else.content = tr("or choose a service below") if ready else ""
        ids.common.content = tr("Common services") if view.common else ""
        ids.side_hint.content, ids.side_hint.icon = tr("Or lay your ID card on the reader"), "actions/tap_card"
        portrait = App.get_running_app().theme.portrait
        self.arrange_row(self, [*([ids.banner, ids.common] if portrait else []), ids.grid, ids.actions])
        beside = [ids.side_hint] if ready and not portrait else []
        self.arrange_row(ids.actions, [*beside, ids.start])
        ids.grid.show(tuple(service_tile(service, words) for service in view.common), words, limit_to_page=True)
        ids.start.content, ids.start.intent = tr("All services"), TakeNumber()

    def leave(self) -> None:
        self.ids.picture.moving = False
