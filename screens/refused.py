"""The hall gave no number: what happened, what became of it, the next step."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import Home, Retry, TakeNumber, TypeAppointmentCode
from kiosk.journeys.views import RefusedView
from kiosk.journeys.words import Words
from screens import sentences
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class RefusedScreen(StationScreen):
    def render(self, view: RefusedView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Not checked in") if view.check_in else tr("No number this time")
        happened, number, next_step = sentences.refused(
            words, view.code, view.params, opens=view.opens, check_in=view.check_in
        )
        ids.service.content = view.service or ""
        ids.happened.content = ids.happened.spoken = happened
        ids.number.content, ids.next_step.content = number, next_step
        ids.staff_code.content = tr("For staff: {code}", code=view.staff_code)
        ids.retry.content, ids.retry.intent = tr("Try again"), Retry()
        ids.home.content, ids.home.intent = tr("Back to the start"), Home()
        ids.type_code.content, ids.type_code.intent = tr("Type the code"), TypeAppointmentCode()
        ids.take_number.content, ids.take_number.intent = tr("Take a number"), TakeNumber()
        ways = (
            (ids.take_number, view.may_take_number),
            (ids.type_code, view.may_type_code),
            (ids.retry, view.may_retry),
        )
        on = [way for way, open_ in ways if open_]
        for way in (ids.home, *on):
            way.look = "primary" if way is (on or [ids.home])[-1] else "plain"
        self.arrange_row(ids.actions, on if len(on) > 1 else [ids.home, *on])
