"""A pad on the screen to sign on: the line follows the finger, and is smoothed when it is lifted."""

from pathlib import Path
from typing import Any

from kivy.graphics import Color, Ellipse, InstructionGroup, Line
from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.journeys.ink import Ink, line
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

PEN_MM = 0.9


class SignaturePad(Themed, Widget):
    """Takes one finger at a time, inside itself alone. `ink` is what was drawn, in millimetres from the top left.

    Whoever shows the pad takes `ink` when the person is done, and calls `clear` when it has been used, and when the
    session ends. A pad whose size changes is cleared: what was drawn would no longer be where it was.
    """

    signed = BooleanProperty(False)
    """Whether what was drawn may be a signature."""
    colour = StringProperty("ink")
    spoken = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._finger: Any = None
        self._drawn = InstructionGroup()
        self._line: Line | None = None
        self.canvas.add(self._drawn)
        self.ink = Ink(1.0, 1.0)
        self.bind(size=self._renew, pos=self._renew)
        self._renew()

    def clear(self) -> None:
        """Overwrite and take away everything."""
        self.ink.clear()
        self._drawn.clear()
        self._finger = self._line = None
        self.signed = False

    def on_touch_down(self, touch: Any) -> bool:
        if self.disabled or not self.collide_point(*touch.pos):
            return bool(super().on_touch_down(touch))
        if self._finger is None:
            self._finger = touch
            touch.grab(self)
            self.ink.begin(*self._millimetres(touch))
            self._line = Line(points=list(touch.pos), width=self._half_pen)
            self._drawn.add(Color(*self.theme.colours[self.colour]))
            self._drawn.add(self._line)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch is not self._finger or touch.grab_current is not self:
            return bool(super().on_touch_move(touch))
        self.ink.go_on(*self._millimetres(touch))
        if self._line is not None:
            self._line.points = [*self._line.points, *self._within(touch)]
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch is not self._finger or touch.grab_current is not self:
            return bool(super().on_touch_up(touch))
        touch.ungrab(self)
        self._smooth()
        self._finger = self._line = None
        self.signed = self.ink.is_signature
        return True

    def _smooth(self) -> None:
        """Put the smooth curve in the place of the line that followed the finger."""
        strokes = list(self.ink.strokes)
        if self._line is None or not strokes:
            return
        places = [self._pixels(place) for place in line(strokes[-1])]
        if len(places) == 1:
            (x, y), radius = places[0], self._half_pen
            self._drawn.remove(self._line)
            self._drawn.add(Ellipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius)))
        else:
            self._line.points = [number for place in places for number in place]

    def _renew(self, *_: object) -> None:
        self.clear()
        if self.width > 0 and self.height > 0:
            self.ink = Ink(self.width / self.theme.mm, self.height / self.theme.mm)

    @property
    def _half_pen(self) -> float:
        return max(1.0, float(PEN_MM * self.theme.mm / 2))

    def _within(self, touch: Any) -> tuple[float, float]:
        return min(max(touch.x, self.x), self.right), min(max(touch.y, self.y), self.top)

    def _millimetres(self, touch: Any) -> tuple[float, float]:
        return (touch.x - self.x) / self.theme.mm, (self.top - touch.y) / self.theme.mm

    def _pixels(self, place: tuple[float, float]) -> tuple[float, float]:
        return self.x + place[0] * self.theme.mm, self.top - place[1] * self.theme.mm
