"""A picture of the terminal that shows WHERE: the reader or the slip outlet lit, with a moving card or slip."""

from pathlib import Path

from kivy.animation import Animation
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class MachinePicture(Themed, FloatLayout):
    """`part` is the lit one; `moving` lets the card come down or the slip come out, unless motion is reduced."""

    part = OptionProperty("none", options=["none", "reader", "outlet"])
    moving = BooleanProperty(False)
    way = NumericProperty(1.0)
    """Of the card or the slip: 0 at its start, 1 where it arrives."""
    spoken = StringProperty("")
    edge = NumericProperty(0)

    def on_kv_post(self, _base: object) -> None:
        self._animation: Animation | None = None
        for name in ("part", "moving"):
            self.fbind(name, self._move)
        self._move()

    def _move(self, *_: object) -> None:
        if self._animation is not None:
            self._animation.cancel(self)
            self._animation = None
        if not self.moving or self.part == "none" or self.theme.reduced_motion:
            self.way = 1.0
            return
        self.way = 0.0
        step = 1 / 15
        self._animation = (
            Animation(way=1.0, duration=1.2, t="out_cubic", step=step)
            + Animation(way=1.0, duration=1.0, step=0.5)
            + Animation(way=0.0, duration=0.01)
        )
        self._animation.repeat = True
        self._animation.start(self)
