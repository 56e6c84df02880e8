"""Text of the screens: one role, its own line breaking, and the words in which it is spoken."""

from functools import lru_cache
from pathlib import Path

from kivy.core.text import Label as CoreLabel
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.label import Label

from screens.measures import CHARACTER_MM, text_height
from screens.wrapping import widest, wrap

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


@lru_cache(maxsize=512)
def _ruler(font_size: int, bold: bool) -> CoreLabel:
    return CoreLabel(font_size=font_size, bold=bold)


@lru_cache(maxsize=8192)
def text_width(text: str, font_size: int, bold: bool) -> float:
    """Pixels that `text` takes on one line."""
    return float(_ruler(font_size, bold).get_extents(text)[0]) if text else 0.0


def lines_of(text: str, width: float, font_size: int, bold: bool) -> list[str]:
    """The lines into which `text` breaks in a box of `width` pixels."""
    # Kerning between pieces is not in their sum: a little is kept back, so that Kivy does not break a line again.
    return wrap(text, width * 0.99, lambda piece: text_width(piece, font_size, bold)) if text else []


def height_of(text: str, width: float, font_size: int, bold: bool) -> float:
    """Height in pixels of `text` in a box of `width` pixels."""
    return text_height(len(lines_of(text, width, font_size, bold)), font_size)


def widest_of(text: str, font_size: int, bold: bool) -> float:
    """Pixels below which a word of `text` would be torn."""
    return widest(text, lambda piece: text_width(piece, font_size, bold))


class Text(Label):
    """A text whose height follows from its width. `content` is what stands there, `spoken` what is said of it."""

    content = StringProperty("")
    role = OptionProperty("body", options=list(CHARACTER_MM))
    colour = StringProperty("ink")
    spoken = StringProperty("")
    tint = ListProperty([])
    """Instead of `colour`, where it is set."""
    least_lines = NumericProperty(0)
    tight = BooleanProperty(False)
    """A box of the height of the digits alone, for the ticket's number."""

    natural_width = NumericProperty(0)
    """Pixels that the content takes on one line."""

    def on_kv_post(self, _base: object) -> None:
        for name in ("content", "width", "font_size", "bold", "least_lines"):
            self.fbind(name, self._break)
        self._break()

    def _break(self, *_: object) -> None:
        size, bold = self.font_size, self.bold
        self.natural_width = (
            max((text_width(line, size, bold) for line in self.content.split("\n")), default=0.0) * 1.02 + 2
        )
        lines = lines_of(self.content, max(1.0, self.width), size, bold)
        self.text = "\n".join(lines)
        if self.size_hint_y is None:
            height = text_height(max(len(lines), self.least_lines), self.font_size)
            self.height = self.font_size * 0.86 if self.tight else height
