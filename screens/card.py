"""Lay your ID card: where, and the live state of the reading."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import GoOnWithoutCard, TypeAppointmentCode
from kiosk.journeys.views import CardState, CardView
from kiosk.journeys.words import Words
from screens import sentences
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

_ICONS = {
    CardState.WAITING: ("actions/tap_card", "structure"),
    CardState.READING: ("actions/waiting", "structure"),
    CardState.LIFT_AND_LAY_AGAIN: ("actions/info", "danger"),
    CardState.NOT_THIS_CARD: ("actions/danger", "danger"),
    CardState.READER_AWAY: ("actions/danger", "danger"),
    CardState.DONE: ("actions/done", "done"),
}


class CardScreen(StationScreen):
    def render(self, view: CardView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Check in with your ID card") if view.check_in else tr("Place your ID card on the reader")
        state, hint = sentences.card(words, view)
        ids.state.icon, ids.state.colour = _ICONS[view.state]
        ids.state.content = ids.state.spoken = state
        ids.hint.content = hint
        ids.picture.part = "none" if view.state is CardState.READER_AWAY else "reader"
        ids.picture.moving = view.state in (CardState.WAITING, CardState.LIFT_AND_LAY_AGAIN)
        ids.service.content = tr("For: {service}", service=view.service) if view.service else ""
        ids.person.content = "  ".join(part for part in (view.masked_name, view.masked_number) if part)
        ids.skip.content, ids.skip.intent = tr("Go on without a card"), GoOnWithoutCard()
        if view.check_in:
            ids.skip.content, ids.skip.intent = tr("Type the appointment code"), TypeAppointmentCode()
        ids.skip.hide(not (view.may_skip or view.check_in))

    def place(self, view: CardView) -> object:
        return view.check_in

    def leave(self) -> None:
        self.ids.picture.moving = False
        self.ids.person.content = ""
