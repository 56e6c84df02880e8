"""Print jobs of which nobody knows whether the paper came out: who looked says so, and confirms it."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from kiosk.journeys.intents import CancelSettling, ConfirmSettling, SettleJob
from kiosk.journeys.views import UnsettledSlip, UnsettledView
from kiosk.journeys.words import Words
from screens import device_words
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class UnsettledLine(BoxLayout):
    """A paper with its two answers. Where the first tap fell, the second one takes it back."""

    number = StringProperty("")
    made = StringProperty("")
    yes = ObjectProperty(None)
    no = ObjectProperty(None)


class UnsettledScreen(StationScreen):
    def render(self, view: UnsettledView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Slips to check")
        slips = view.slips or ()
        ids.told.content = self._told(view, words)
        for line, slip in zip(self.lines(ids.slips, UnsettledLine, len(slips)), slips, strict=True):
            line.number = slip.number or tr("Test page")
            device, cause = device_words.role(words, slip.device), device_words.detail(words, slip.cause)
            line.made = " · ".join(filter(None, (slip.made_on, device, cause)))
            self._answers(line, slip, view, words)

    @staticmethod
    def _told(view: UnsettledView, words: Words) -> str:
        if view.slips is None:
            return words.tr("The print jobs cannot be read. Check the disk.")
        if not view.slips:
            return "" if view.busy else words.tr("Nothing to check.")
        return words.tr("Look whether this paper came out, whole. Nothing is printed again.")

    @staticmethod
    def _answers(line: UnsettledLine, slip: UnsettledSlip, view: UnsettledView, words: Words) -> None:
        tr = words.tr
        confirm: tuple[str, str, object] = tr("Confirm: came out"), "primary", ConfirmSettling()
        take_back: tuple[str, str, object] = tr("Cancel"), "plain", CancelSettling()
        if view.asked == (slip.job, True):
            shown = (take_back, confirm)
        elif view.asked == (slip.job, False):
            shown = ((tr("Confirm: did not come out"), *confirm[1:]), take_back)
        else:
            shown = (
                (tr("Came out"), "plain", SettleJob(slip.job, True)),
                (tr("Did not come out"), "plain", SettleJob(slip.job, False)),
            )
        for button, (content, look, intent) in zip((line.yes, line.no), shown, strict=True):
            button.content, button.look, button.intent = content, look, intent
            button.spoken = f"{line.number}。{content}"
            button.hide(view.busy)
