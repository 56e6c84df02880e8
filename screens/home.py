"""Home: the most wanted services, all services, and where to lay the card."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import CheckIn, TakeNumber
from kiosk.journeys.views import HomeView
from kiosk.journeys.words import Words
from screens.catalogue import service_tile
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class HomeScreen(StationScreen):
    def render(self, view: HomeView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        portrait = self.theme.portrait
        self.title = tr("What would you like to do today?")
        ready = view.reader_ready
        for picture, seen in ((ids.picture, portrait), (ids.side_picture, not portrait)):
            picture.part = "reader" if ready else "none"
            picture.moving = ready and seen
        ids.hint.content = tr("Lay your ID card on the reader to begin") if ready else tr("Choose a service to begin")
        ids.or_else.content = tr("or choose a service below") if ready else ""
        ids.common.content = tr("Common services") if view.common else ""
        ids.side_hint.content = tr("Or lay your ID card on the reader")
        ids.grid.show(tuple(service_tile(service, words, self.theme) for service in view.common), words, one_page=True)
        ids.start.content, ids.start.intent = tr("All services"), TakeNumber()
        ids.check_in.content, ids.check_in.intent = tr("I have a booking"), CheckIn()
        self._arrange(portrait=portrait, ready=ready, check_in=view.check_in)

    def leave(self) -> None:
        self.ids.picture.moving = self.ids.side_picture.moving = False

    def _arrange(self, *, portrait: bool, ready: bool, check_in: bool) -> None:
        ids = self.ids
        actions = [*([ids.check_in] if check_in else []), ids.start]
        if portrait:
            self.arrange_row(self, [ids.banner, ids.common, ids.grid, ids.side])
            self.arrange_row(ids.side, [ids.actions])
            self.arrange_row(ids.actions, actions)
        else:
            self.arrange_row(self, [ids.grid, ids.side])
            self.arrange_row(ids.side, [*([ids.side_picture, ids.side_hint] if ready else [ids.space]), *actions])
