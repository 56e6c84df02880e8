"""Check in with the code of the appointment, typed on our own keypad; the whole code can be confirmed."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import ConfirmAppointmentCode
from kiosk.journeys.views import AppointmentCodeView
from kiosk.journeys.words import Words
from screens.screen import StationScreen
from screens.sentences import OR_SCAN

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

GROUP = 5
"""Signs that stand together, as the code is printed and sent."""


class AppointmentCodeScreen(StationScreen):
    def render(self, view: AppointmentCodeView, words: Words) -> None:
        ids, tr, portrait = self.ids, words.tr, self.theme.portrait
        self.title, self.shows_steps = tr("Type your appointment code"), portrait
        ids.typed.content, ids.typed.spoken = spaced(view.typed, view.length), " ".join(view.typed)
        ids.told.content = tr("It stands in your booking: {n} digits and letters.", n=view.length)
        if view.scans:
            ids.told.content += " " * (words.language == "en") + tr(OR_SCAN)
        # A low panel has no room for the hint in large type, and none for the button below the keys.
        low = self.theme.large and not portrait
        self.arrange_row(ids.head, [ids.typed, *([] if portrait else [ids.confirm])])
        above = [ids.above, ids.head, *([] if low else [ids.told]), ids.below, ids.pad]
        self.arrange_row(self, [*above, *([ids.confirm] if portrait else [])])
        ids.pad.show(view.keys, words)
        ids.confirm.content, ids.confirm.intent = tr("Check in"), ConfirmAppointmentCode()
        ids.confirm.hide(len(view.typed) < view.length)

    def leave(self) -> None:
        self.ids.typed.content = self.ids.typed.spoken = ""


def spaced(typed: str, length: int) -> str:
    """`7Q2KX – 4 _ …`: what is typed, and a line for each sign that is still to come."""
    signs = typed + "_" * max(0, length - len(typed))
    return "   ".join(" ".join(signs[at : at + GROUP]) for at in range(0, len(signs), GROUP))
