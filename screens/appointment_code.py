"""Check in with the code of the appointment, typed on our own keypad; the whole code can be confirmed."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import ConfirmAppointmentCode
from kiosk.journeys.views import AppointmentCodeView
from kiosk.journeys.words import Words
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

GROUP = 5
"""Signs that stand together, as the code is printed and sent."""


class AppointmentCodeScreen(StationScreen):
    def render(self, view: AppointmentCodeView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Type your appointment code")
        ids.typed.content, ids.typed.spoken = spaced(view.typed, view.length), " ".join(view.typed)
        ids.told.content = tr("It stands in your booking: {n} digits and letters.", n=view.length)
        ids.pad.show(view.keys, words)
        ids.confirm.content, ids.confirm.intent = tr("Check in"), ConfirmAppointmentCode()
        ids.confirm.hide(len(view.typed) < view.length)

    def leave(self) -> None:
        self.ids.typed.content = self.ids.typed.spoken = ""


def spaced(typed: str, length: int) -> str:
    """`7Q2KX – 4 _ …`: what is typed, and a line for each sign that is still to come."""
    signs = typed + "_" * max(0, length - len(typed))
    return "   ".join(" ".join(signs[at : at + GROUP]) for at in range(0, len(signs), GROUP))
