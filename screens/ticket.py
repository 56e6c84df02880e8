"""The number, where to go and when, what became of the slip, and the code for the phone."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import NumericProperty

from kiosk.journeys.intents import Finish, Reprint, TakeAnother
from kiosk.journeys.views import SlipState, TicketView
from kiosk.journeys.words import Words
from screens import sentences
from screens.measures import LARGE
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

_SLIP_ICONS = {
    SlipState.PRINTING: ("actions/print", "structure"),
    SlipState.PRINTED: ("actions/slip", "done"),
    SlipState.NOT_PRINTED: ("actions/danger", "danger"),
    SlipState.UNKNOWN: ("actions/info", "danger"),
}


class TicketScreen(StationScreen):
    number_scale = NumericProperty(1.0)

    def render(self, view: TicketView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        yours = tr("{name}, your number", name=view.masked_name) if view.masked_name else tr("Your number")
        portrait = self.theme.portrait
        # The height of a landscape panel belongs to the number: its words stand small above it there.
        self.title, ids.yours.content, self.shows_steps = (yours, "", True) if portrait else ("", yours, False)
        # On a low panel large type makes a long number no larger than leaves room for the words beside it.
        low = self.theme.large and not portrait
        self.number_scale = max(1 / LARGE, min(1.0, 4 / max(4, len(view.number)))) if low else 1.0
        ids.number.content = view.number
        ids.number.spoken = tr("Your number is {number}", number=view.number)
        booked = tr("{service}, booked for {time}", service=view.service, time=view.booked_for)
        ids.service.content = booked if view.booked_for else view.service
        self._render_waiting(view, words)
        ids.counters.content = self._counters(view, words)
        self._render_slip(view, words)
        ids.code.content = view.follow_url
        ids.code.spoken = tr("Scan to follow it on your phone") if view.follow_url else ""
        # under the code where there is height, beside it on a low panel
        ids.under.content, ids.scan.content = (ids.code.spoken, "") if portrait else ("", ids.code.spoken)
        ids.another.content, ids.another.intent = tr("Another number"), TakeAnother()
        ids.finish.content, ids.finish.intent = tr("Finish"), Finish()

    def _render_waiting(self, view: TicketView, words: Words) -> None:
        """Who is ahead and how long it takes; for an offline number, what it is and that it counts."""
        ids, tr = self.ids, words.tr
        closes = view.may_close_at
        ids.notice.content = tr("You may not be reached before closing at {time}", time=closes) if closes else ""
        ids.notice.colour = "danger" if closes else "ink"
        if view.callable_from and not closes:
            ids.notice.content = tr("You are early: numbers are called from {time} on", time=view.callable_from)
        if view.offline:
            ids.ahead.content = tr("Offline number, taken at {time}", time=view.taken_at)
            ids.wait.content = ""
            ids.notice.content = tr("It is valid: you are called in the order of that time")
            return
        ids.ahead.content = words.ntr("{n} person ahead of you", "{n} people ahead of you", view.people_ahead or 0)
        if not view.people_ahead:
            ids.ahead.content = tr("Nobody ahead of you")
        if view.wait is None:
            ids.wait.content = tr("The hall cannot tell the wait yet")
        else:
            wait = view.wait
            ids.wait.content = tr("{low}–{high} min (at {time})", low=wait.low, high=wait.high, time=wait.made_at)

    def leave(self) -> None:
        for name in ("number", "yours", "code"):
            self.ids[name].content = ""
        self.ids.number.spoken = self.title = ""
        self.ids.picture.moving = False

    def _render_slip(self, view: TicketView, words: Words) -> None:
        ids = self.ids
        happened, next_step = sentences.slip(words, view.slip, view.slip_cause)
        ids.slip.content = ids.slip.spoken = happened
        ids.slip.icon, ids.slip.colour = _SLIP_ICONS[view.slip]
        ids.slip_next.content = next_step
        well = view.slip in (SlipState.PRINTING, SlipState.PRINTED)
        ids.picture.part = "outlet" if well else "none"
        ids.picture.moving = well
        ids.staff_code.content = view.staff_code or ""
        ids.reprint.content, ids.reprint.intent = words.tr("Print again"), Reprint()
        # Beside the code there is room for the picture or the button; the lowest panel has none for words, too.
        room = self.theme.lead_role == "tile"
        shown = [ids.scan, ids.picture] if well else [*([ids.scan] if room else []), ids.reprint, ids.below]
        self.arrange_row(ids.beside, [ids.above, *shown])

    @staticmethod
    def _counters(view: TicketView, words: Words) -> str:
        if not view.counters:
            return words.tr("Please wait for the call display")
        numbers = words.tr(", ").join(view.counters)
        return words.ntr("Counter {numbers}", "Counters {numbers}", len(view.counters), numbers=numbers)
