"""What can be touched: pressed state on the next frame, an intent on release, and its picture and words."""

from pathlib import Path

from kivy.app import App
from kivy.graphics import Color, Line, RoundedRectangle
from kivy.lang import Builder
from kivy.properties import (
    BooleanProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.image import Image

from screens.text import lines_of, text_width
from screens.theme import Themed

ICONS = Path(__file__).parent.parent / "assets" / "icons"

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Icon(Image):
    """A white drawing in a colour; `name` is `<folder>/<file>` under the icons, a missing one shows the fallback."""

    name = StringProperty("")
    tint = ListProperty([1, 1, 1, 1])

    def on_name(self, _icon: object, name: str) -> None:
        path = ICONS / f"{name}.png"
        if not path.is_file() or not path.resolve().is_relative_to(ICONS):
            path = ICONS / "services" / "fallback.png"
        self.source = str(path)


class IconText(FloatLayout):
    """An icon and words, side by side or one above the other, in the middle or at the left."""

    icon = StringProperty("")
    content = StringProperty("")
    role = StringProperty("body")
    bold = BooleanProperty(False)
    colour = StringProperty("ink")
    tint = ListProperty([])
    """Of icon and words, instead of `colour`, where it is set."""
    spoken = StringProperty("")
    stacked = BooleanProperty(False)
    align = OptionProperty("center", options=["left", "center"])
    icon_size = NumericProperty(0)
    """Pixels; by the words' size where it is 0."""
    padding_x = NumericProperty(0)
    needed_height = NumericProperty(0)
    """Pixels that icon and words take at this width."""
    natural_width = NumericProperty(0)
    """Pixels that icon and words take on one line."""

    def on_kv_post(self, _base: object) -> None:
        words = self.ids.words
        for name in ("pos", "size", "icon", "stacked", "align", "padding_x", "icon_size"):
            self.fbind(name, self._arrange)
        for name in ("content", "font_size", "bold", "natural_width"):
            words.fbind(name, self._arrange)
        self._arrange()

    def _block_width(self, room: float) -> float:
        """Width of the words as they break in `room`, so that the icon stands beside them."""
        words = self.ids.words
        lines = lines_of(self.content, room, words.font_size, self.bold)
        return min(room, max((text_width(line, words.font_size, self.bold) for line in lines), default=0.0) * 1.02 + 2)

    @property
    def _icon_edge(self) -> float:
        return float(self.icon_size or self.ids.words.font_size * 1.15)

    @property
    def _space(self) -> float:
        return float(self.ids.words.font_size * (0.1 if self.stacked else 0.35))

    def _arrange(self, *_: object) -> None:
        icon, words = self.ids.icon, self.ids.words
        edge = self._icon_edge if self.icon else 0.0
        space = self._space if self.icon and self.content else 0.0
        icon.size = (edge, edge)
        beside = 0.0 if self.stacked else edge + space
        self.natural_width = words.natural_width + beside + 2 * self.padding_x + 2
        room = max(1.0, self.width - 2 * self.padding_x - beside)
        words.width = self._block_width(room) if self.align == "center" else room
        words.halign = self.align
        if self.stacked:
            self.needed_height = edge + space + words.height
            top = self.center_y + self.needed_height / 2
            icon.center_x, icon.top = self.center_x, top
            words.center_x, words.top = self.center_x, top - edge - space
        else:
            self.needed_height = max(edge, words.height)
            left = self.x + self.padding_x
            if self.align == "center":
                left = self.center_x - (beside + words.width) / 2
            icon.x, icon.center_y = left, self.center_y
            words.x, words.center_y = left + beside, self.center_y


class Pressable(Themed, ButtonBehavior, FloatLayout):
    """A touch target of one colour with an edge. On release `intent` is sent, where there is one."""

    intent = ObjectProperty(None, allownone=True)
    spoken = StringProperty("")
    look = OptionProperty("plain", options=["plain", "primary", "danger", "band", "tile", "bare"])
    selected = BooleanProperty(False)
    ground = ListProperty([1, 1, 1, 1])
    front = ListProperty([0, 0, 0, 1])
    edge = ListProperty([0, 0, 0, 0])

    LOOKS = {  # noqa: RUF012 - a table, never changed
        "plain": ("background", "structure", "structure"),
        "primary": ("structure", "on_structure", "structure"),
        "danger": ("danger", "on_danger", "danger"),
        "band": ("band", "on_band", "on_band"),
        "tile": ("surface", "ink", "line"),
        "bare": ("background", "structure", "background"),
    }

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        theme = self.theme
        with self.canvas.before:
            self._fill = Color()
            self._box = RoundedRectangle()
            self._rim = Color()
            self._line = Line(width=1)
        theme.fbind("colours", self._paint)
        for name in ("state", "look", "selected"):
            self.fbind(name, self._paint)
        for name in ("pos", "size"):
            self.fbind(name, self._place)
        self._paint()
        self._place()

    def _paint(self, *_: object) -> None:
        colours = self.theme.colours
        ground, front, edge = self.LOOKS["primary" if self.selected else self.look]
        if self.state == "down":
            ground, front, edge = "pressed", "on_pressed", "pressed"
        self.ground, self.front, self.edge = colours[ground], colours[front], colours[edge]
        self._fill.rgba, self._rim.rgba = self.ground, self.edge

    def _place(self, *_: object) -> None:
        theme = self.theme
        inset = theme.stroke / 2
        self._box.pos, self._box.size = self.pos, self.size
        self._box.radius = [theme.radius]
        self._line.width = inset
        self._line.rounded_rectangle = (
            self.x + inset,
            self.y + inset,
            max(1, self.width - 2 * inset),
            max(1, self.height - 2 * inset),
            theme.radius,
        )

    def on_release(self) -> None:
        if self.intent is not None:
            App.get_running_app().send(self.intent)


class PushButton(Pressable):
    """A button with words and, where it helps, an icon."""

    icon = StringProperty("")
    content = StringProperty("")
    role = StringProperty("tile")
    bold = BooleanProperty(True)
    stacked = BooleanProperty(False)
    icon_size = NumericProperty(0)
    padding_x = NumericProperty(0)
    natural_width = NumericProperty(0)
    """Pixels that the button takes with its words on one line."""
    needed_height = NumericProperty(0)
    """Pixels that its words take at its width."""

    def hide(self, hidden: bool) -> None:
        """Take the button out of sight and reach; its place stays."""
        self.disabled = hidden
        self.opacity = 0 if hidden else 1
