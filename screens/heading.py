"""The heading of a screen: the named steps of the journey and the one question."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.views import Frame
from kiosk.journeys.words import Words, mark
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

STEPS = {
    "card": mark("ID card"),
    "service": mark("Service"),
    "ticket": mark("Number"),
    "appointment": mark("Appointment"),
}
MOST_OF_A_ROW = 0.48
"""Where the steps stand beside the title, they take this part of the row at most."""


class StepItem(FloatLayout):
    """One step: a tick where it is done, a filled disc where we are, a ring where it is still to come."""

    number = StringProperty("")
    name = StringProperty("")
    state = OptionProperty("next", options=["done", "now", "next"])
    first = BooleanProperty(False)
    hidden = BooleanProperty(False)


class StepBar(BoxLayout):
    """The steps in order; only the present one, with its place, where there is no room for all."""

    room = NumericProperty(0)
    """Pixels that the bar may take."""

    def show(self, names: tuple[str, ...], step: int) -> None:
        while len(self.children) < len(names):
            self.add_widget(StepItem())
        while len(self.children) > len(names):
            self.remove_widget(self.children[0])
        for index, (item, name) in enumerate(zip(reversed(self.children), names, strict=True)):
            item.name = name
            item.state = "done" if index < step else "now" if index == step else "next"

    def settle(self) -> None:
        """Choose the long or the short form by `room`."""
        items = list(reversed(self.children))
        for index, item in enumerate(items):
            item.number, item.first, item.hidden = str(index + 1), index == 0, False
        self.width = sum(item.width for item in items)
        if self.width <= self.room:
            return
        for index, item in enumerate(items):
            item.number, item.first = f"{index + 1}/{len(items)}", True
            item.hidden = item.state != "now"
        self.width = sum(item.width for item in items)


class Heading(Themed, FloatLayout):
    """Steps above the title in portrait, beside it in landscape."""

    title = StringProperty("")

    def on_kv_post(self, _base: object) -> None:
        theme = self.theme
        self._names: tuple[str, ...] = ()
        for name in ("pos", "size", "title"):
            self.fbind(name, self._arrange)
        self.ids.title.fbind("height", self._arrange)
        theme.fbind("sizes", self._arrange)

    def show(self, title: str, frame: Frame, words: Words) -> None:
        self.title = title
        self._names = tuple(words.tr(STEPS[step]) if step in STEPS else step for step in frame.steps)
        self.ids.steps.show(self._names, frame.step)
        self._arrange()

    def _arrange(self, *_: object) -> None:
        theme, title, steps = self.theme, self.ids.title, self.ids.steps
        room = self.width - 2 * theme.margin
        beside = not theme.portrait
        steps.room = room * MOST_OF_A_ROW if beside else room
        steps.settle()
        shown = bool(self._names)
        steps.opacity = 1 if shown else 0
        pad = 4 * theme.mm if theme.portrait else 2 * theme.mm
        title.opacity = 1 if self.title else 0
        title.width = room - (steps.width + theme.gap if beside and shown else 0)
        top = self.top - pad
        if not beside and shown:
            steps.x, steps.top = self.x + theme.margin, top
            top -= steps.height + theme.gap
        title_height = title.height if self.title else 0
        title.x, title.top = self.x + theme.margin, top
        if beside and shown:
            steps.right = self.right - theme.margin
            if self.title:
                steps.center_y = title.center_y
            else:
                steps.top = top
            title_height = max(title_height, steps.height)
        self.height = self.top - (top - title_height) + pad
