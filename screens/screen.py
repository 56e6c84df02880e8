"""What every screen is: a title, and a way to draw a view of its kind. Instances are kept and drawn again."""

from pathlib import Path
from typing import Any, TypeVar

from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.journeys.words import Words
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


L = TypeVar("L", bound=Widget)


class StationScreen(Themed, BoxLayout):
    """Base of all screens; the header, heading and footer around it are the station's."""

    title = StringProperty("")
    shows_steps = BooleanProperty(True)
    """Whether the heading may take room for the journey's steps."""

    def on_kv_post(self, _base: object) -> None:
        self._lines: dict[BoxLayout, list[Any]] = {}
        # Rules name widgets by weak references; one that is out of the tree for a while must not be lost.
        self._parts = [part.__self__ for part in self.ids.values()]

    def render(self, view: Any, words: Words) -> None:
        """Draw `view`, which is always of this screen's kind, in the language of `words`."""
        raise NotImplementedError

    def place(self, _view: Any) -> object:
        """What makes this view another place for the fingers; a touch that began at another place is dropped."""
        return None

    def arrange_row(self, row: BoxLayout, wanted: list[Widget]) -> None:
        """Let `row` hold these widgets in this order; nothing happens where it does already."""
        wanted = [widget.__self__ for widget in wanted]
        if list(reversed(row.children)) == wanted:
            return
        row.clear_widgets()
        for widget in wanted:
            if widget.parent is not None:
                widget.parent.remove_widget(widget)
            row.add_widget(widget)

    def lines(self, column: BoxLayout, kind: type[L], count: int) -> list[L]:
        """The lines of a list, from the top. Those that are not needed are kept: widgets live as long as the theme."""
        kept: list[L] = self._lines.setdefault(column.__self__, [])
        while len(kept) < count:
            kept.append(kind())
        while len(column.children) > count:
            column.remove_widget(column.children[0])
        for line in kept[len(column.children) : count]:
            column.add_widget(line)
        return kept[:count]

    def leave(self) -> None:
        """Another screen comes: stop what moves, forget what was personal."""
