"""The root of the screens: header, heading, the present screen, footer; and every touch on its way in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.intents import HiddenCorner, Intent, Touched
from kiosk.journeys.views import (
    AppointmentCodeView,
    CardView,
    CatalogueView,
    HomeView,
    OutOfServiceView,
    RefusedView,
    TechnicianCodeView,
    TechnicianView,
    TicketView,
    UnsettledView,
    View,
    WaitingView,
)
from kiosk.journeys.words import Words
from screens.appointment_code import AppointmentCodeScreen
from screens.card import CardScreen
from screens.catalogue import CatalogueScreen
from screens.frame import Footer, Header, PowerNotice
from screens.heading import Heading
from screens.home import HomeScreen
from screens.idle import IdleNotice
from screens.out_of_service import OutOfServiceScreen
from screens.refused import RefusedScreen
from screens.screen import StationScreen
from screens.technician import TechnicianScreen
from screens.technician_code import TechnicianCodeScreen
from screens.theme import Theme
from screens.ticket import TicketScreen
from screens.unsettled import UnsettledScreen
from screens.waiting import WaitingScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

SCREENS: dict[type[View], type[StationScreen]] = {
    HomeView: HomeScreen,
    CatalogueView: CatalogueScreen,
    CardView: CardScreen,
    AppointmentCodeView: AppointmentCodeScreen,
    WaitingView: WaitingScreen,
    TicketView: TicketScreen,
    RefusedView: RefusedScreen,
    OutOfServiceView: OutOfServiceScreen,
    TechnicianCodeView: TechnicianCodeScreen,
    TechnicianView: TechnicianScreen,
    UnsettledView: UnsettledScreen,
}
CORNER_MM = 30
CORNER_HOLD_S = 3.0
STUCK_S = 10.0
"""A finger that is down for so long has lost its lifting; the next one takes over."""

_PARTS = (Header, PowerNotice, Heading, Footer, IdleNotice)
"""Named by the rules of station.kv."""


class Station(FloatLayout):
    """Shows one view at a time. Screens are made when first needed, kept, and drawn again."""

    def __init__(self, theme: Theme, words: dict[str, Words], send: Callable[[Intent], None], settle_s: float) -> None:
        super().__init__()
        self._theme, self._words, self._send, self._settle_s = theme, words, send, settle_s
        self._screens: dict[type[View], StationScreen] = {}
        self._view: View | None = None
        self._place: object = None
        self._settled_at = 0.0
        self._finger: Any = None
        self._finger_since = 0.0
        self._corner = Clock.create_trigger(lambda *_: self._send(HiddenCorner()), CORNER_HOLD_S)

    @property
    def screen(self) -> StationScreen | None:
        """The screen that is shown."""
        return self._screens.get(type(self._view)) if self._view is not None else None

    def show(self, view: View) -> None:
        if view == self._view:
            return
        frame = view.frame
        words = self._words.get(frame.language) or self._words["zh"]
        if (frame.large_type, frame.high_contrast) != (self._theme.large, self._theme.high_contrast):
            self._theme.adopt(large=frame.large_type, high_contrast=frame.high_contrast)
        screen = self._switch_to(type(view))
        self._view = view
        screen.render(view, words)
        self.ids.header.show(frame, words)
        self.ids.power.show(frame, words)
        self.ids.heading.show(screen.title, frame if screen.shows_steps else replace(frame, steps=()), words)
        self.ids.footer.show(frame, words)
        self._show_idle(view, words)
        place = (type(view), screen.place(view))
        if place != self._place:
            self._place = place
            self._settled_at = Clock.time() + self._settle_s
            self._let_go()

    def _switch_to(self, kind: type[View]) -> StationScreen:
        before, screen = self.screen, self._screens.get(kind)
        if screen is None:
            screen = self._screens[kind] = SCREENS[kind]()
        if before is not screen:
            if before is not None:
                before.leave()
            self.ids.body.clear_widgets()
            self.ids.body.add_widget(screen)
        return screen

    def _show_idle(self, view: View, words: Words) -> None:
        notice = self.ids.idle
        notice.show(view.frame.idle, words)
        if notice.shown:
            self._let_go()

    def _let_go(self) -> None:
        """Whoever is being pressed is not pressed any more: a release must not act on what has gone."""
        if self._finger is None:
            return
        for grabbed in list(self._finger.grab_list):
            widget = grabbed()
            if widget is not None:
                self._finger.ungrab(widget)
                if hasattr(widget, "state"):
                    widget.state = "normal"

    def on_touch_down(self, touch: Any) -> bool:
        # a finger has no button
        if touch.button not in (None, "left"):
            return True
        now = Clock.time()  # the time of the last frame may be long ago
        if self._finger is not None and self._finger is not touch and now - self._finger_since < STUCK_S:
            return True
        self._let_go()
        self._finger, self._finger_since = touch, now
        countdown = self.ids.idle.shown
        self._send(Touched())
        if countdown:
            return True
        if self._in_corner(touch):
            self._corner()
        if now < self._settled_at:
            return True
        return bool(super().on_touch_down(touch))

    def on_touch_move(self, touch: Any) -> bool:
        if touch is not self._finger:
            return True
        if not self._in_corner(touch):
            self._corner.cancel()
        return bool(super().on_touch_move(touch))

    def on_touch_up(self, touch: Any) -> bool:
        if touch is not self._finger:
            return True
        self._corner.cancel()
        handled = bool(super().on_touch_up(touch))
        self._finger = None
        return handled

    def _in_corner(self, touch: Any) -> bool:
        reach = CORNER_MM * self._theme.mm
        return bool(touch.x <= self.x + reach and touch.y >= self.top - reach)
