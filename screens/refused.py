"""The hall gave no number: what happened, what became of it, the next step."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import Home, Retry
from kiosk.journeys.views import RefusedView
from kiosk.journeys.words import Words
from screens import sentences
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class RefusedScreen(StationScreen):
    def render(self, view: RefusedView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("No number this time")
        happened, number, next_step = sentences.refused(words, view.code, view.params)
        ids.service.content = view.service or ""
        ids.happened.content = ids.happened.spoken = happened
        ids.number.content, ids.next_step.content = number, next_step
        ids.staff_code.content = tr("For staff: {code}", code=view.staff_code)
        ids.retry.content, ids.retry.intent = tr("Try again"), Retry()
        ids.home.content, ids.home.intent = tr("Back to the start"), Home()
        ids.home.look = "plain" if view.may_retry else "primary"
        self.arrange_row(ids.actions, [ids.home, *([ids.retry] if view.may_retry else [])])
