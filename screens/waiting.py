"""The request is under way: what is waited for; past 3 s it moves, past 10 s there is a way out."""

from pathlib import Path

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import NumericProperty
from kivy.uix.widget import Widget

from kiosk.journeys.intents import GiveUp
from kiosk.journeys.views import WaitingView
from kiosk.journeys.words import Words
from screens.screen import StationScreen
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

MOVES_AFTER_S = 3


class Dots(Themed, Widget):
    """Three dots; a darker one walks along from `start` to `stop`, unless motion is reduced."""

    phase = NumericProperty(-1)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._pace = Clock.create_trigger(self._on, 0.5, interval=True)

    def start(self) -> None:
        if not self.theme.reduced_motion:
            self._on()
            self._pace()

    def stop(self) -> None:
        self._pace.cancel()
        self.phase = -1

    def _on(self, *_: object) -> None:
        self.phase = (self.phase + 1) % 3


class WaitingScreen(StationScreen):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._waits = False
        self._move = Clock.create_trigger(lambda *_: self.ids.dots.start(), MOVES_AFTER_S)

    def render(self, view: WaitingView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Checking you in") if view.check_in else tr("Taking your number")
        ids.what.content = tr("Waiting for the hall to answer. Your number will appear here.")
        ids.service.content = view.service
        kept = tr(
            "This takes longer than usual. You can keep waiting or leave; if you leave, your appointment is kept."
        )
        slow = tr("This takes longer than usual. You can keep waiting or leave; if you leave, no number is taken.")
        ids.slow.content = (kept if view.check_in else slow) if view.offers_way_out else ""
        leave = tr("Leave without checking in") if view.check_in else tr("Leave without a number")
        ids.leave.content, ids.leave.intent = leave, GiveUp()
        ids.leave.hide(not view.offers_way_out)
        if not self._waits:
            self._waits = True
            self._move()

    def leave(self) -> None:
        self._waits = False
        self._move.cancel()
        self.ids.dots.stop()
