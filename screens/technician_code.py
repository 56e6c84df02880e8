"""Behind the hidden corner: the technician's one-time code, typed on our own keypad."""

from pathlib import Path

from kivy.lang import Builder

from kiosk.journeys.intents import Home
from kiosk.journeys.views import TechnicianCodeView
from kiosk.journeys.words import Words
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class TechnicianCodeScreen(StationScreen):
    def render(self, view: TechnicianCodeView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Technician: one-time code")
        ids.typed.content = " ".join(["●"] * view.typed + ["○"] * max(0, view.length - view.typed))
        ids.typed.spoken = words.ntr("{n} digit typed", "{n} digits typed", view.typed)
        if view.locked_seconds:
            seconds = view.locked_seconds
            ids.told.content = words.ntr(
                "Locked. Try again in {n} second.", "Locked. Try again in {n} seconds.", seconds
            )
        else:
            ids.told.content = tr("This code is not right or has been used.") if view.wrong else ""
        ids.pad.show(words)
        ids.leave.content, ids.leave.intent = tr("Leave"), Home()
