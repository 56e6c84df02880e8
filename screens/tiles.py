"""Tiles of services and groups on pages: whole tiles are targets, words always fit, tiles are used again."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.intents import Intent
from kiosk.journeys.words import Words
from screens.fit import Fit, fit
from screens.measures import TILE_MM
from screens.press import Pressable
from screens.text import height_of, widest_of
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


@dataclass(frozen=True)
class TileContent:
    """What a tile shows, and what touching it means."""

    name: str
    icon: str
    colour: str
    intent: Intent
    note: str = ""
    """Waiting people and time, or why it is closed."""
    closed: bool = False

    @property
    def spoken(self) -> str:
        return f"{self.name}。{self.note}" if self.note else self.name


class Tile(Pressable):
    """A service or a group: icon in the group's colour, name, note."""

    BADGE = (1.5, 2.2)
    """Edge of the badge, by the size of the name: in landscape and in portrait."""

    name = StringProperty("")
    note = StringProperty("")
    icon = StringProperty("")
    badge = ListProperty([0, 0, 0, 1])
    badge_icon = ListProperty([1, 1, 1, 1])
    closed = BooleanProperty(False)
    colour = StringProperty("")

    def show(self, content: TileContent) -> None:
        self.name, self.note, self.icon = content.name, content.note, f"services/{content.icon}"
        self.spoken, self.closed, self.intent = content.spoken, content.closed, content.intent
        self.colour = content.colour

    def on_kv_post(self, _base: object) -> None:
        theme = self.theme
        for name in ("colour", "closed", "state"):
            self.fbind(name, self._tint)
        theme.fbind("colours", self._tint)
        self._tint()

    def _tint(self, *_: object) -> None:
        theme = self.theme
        if self.state == "down":
            self.badge, self.badge_icon = theme.colours["on_pressed"], theme.colours["pressed"]
        elif self.closed:
            self.badge, self.badge_icon = theme.colours["muted"], theme.colours["background"]
        else:
            self.badge, self.badge_icon = theme.group_colours(self.colour)


class Pager(Themed, BoxLayout):
    """Turns pages: previous, where we are, next."""

    page = NumericProperty(0)
    pages = NumericProperty(1)

    def show(self, words: Words) -> None:
        self.ids.previous.spoken = words.tr("Previous page")
        self.ids.next.spoken = words.tr("Next page")
        portrait = self.theme.portrait
        self.ids.previous.content = words.tr("Previous page") if portrait else ""
        self.ids.next.content = words.tr("Next page") if portrait else ""

    def on_kv_post(self, _base: object) -> None:
        self.ids.previous.bind(on_release=lambda *_: self._turn(-1))
        self.ids.next.bind(on_release=lambda *_: self._turn(1))
        for name in ("page", "pages"):
            self.fbind(name, self._mark)
        self._mark()

    def _turn(self, by: int) -> None:
        self.page = min(max(0, self.page + by), self.pages - 1)

    def _mark(self, *_: object) -> None:
        self.ids.where.content = f"{self.page + 1} / {self.pages}"
        self.ids.previous.hide(self.page == 0)
        self.ids.next.hide(self.page >= self.pages - 1)


class TileGrid(Themed, FloatLayout):
    """Pages of tiles. In portrait its pager stands below the tiles, in landscape wherever the screen puts it."""

    pages = NumericProperty(1)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.pager = Pager()
        self._contents: tuple[TileContent, ...] = ()
        self._tiles: list[Tile] = []
        self._words: Words | None = None
        self._one_page = False

    def on_kv_post(self, _base: object) -> None:
        theme = self.theme
        for name in ("pos", "size"):
            self.fbind(name, self._arrange)
        theme.fbind("sizes", self._arrange)
        self.pager.fbind("page", self._arrange)

    def show(self, contents: tuple[TileContent, ...], words: Words, *, one_page: bool = False) -> None:
        """Show these tiles; with `one_page` only as many as one page holds, without a pager."""
        if [tile.intent for tile in contents] != [tile.intent for tile in self._contents]:
            self.pager.page = 0
        if contents == self._contents and words is self._words:
            return
        self._contents, self._words, self._one_page = contents, words, one_page
        self.pager.show(words)
        self._arrange()

    def _fit(self) -> Fit:
        theme = self.theme
        least = (TILE_MM[0] * theme.mm, TILE_MM[1] * theme.mm)
        below = theme.portrait and not self._one_page
        pager = self.pager.height + theme.gap if below else 0.0
        return fit(max(1, len(self._contents)), self.size, least, self._needed(), gap=theme.gap, pager=pager)

    def _needed(self) -> Callable[[float], float]:
        theme = self.theme
        name_size, note_size = theme.sizes["tile"], theme.sizes["body"]
        padding = 5 * theme.mm

        def height(width: float) -> float:
            room = width - 3 * padding - name_size * Tile.BADGE[theme.portrait]
            tallest = 0.0
            for tile in self._contents:
                if max(widest_of(tile.name, name_size, True), widest_of(tile.note, note_size, False)) > room * 0.99:
                    return math.inf
                name = height_of(tile.name, room, name_size, True)
                tallest = max(tallest, name + height_of(tile.note, room, note_size, False))
            return float(tallest + padding)

        return height

    def _arrange(self, *_: object) -> None:
        if self._words is None or self.width < 2 or self.height < 2:
            return
        found = self._fit()
        self.pages = 1 if self._one_page else max(1, -(-len(self._contents) // found.per_page))
        self.pager.pages = self.pages
        self.pager.page = min(self.pager.page, self.pages - 1)
        first = self.pager.page * found.per_page
        shown = self._contents[first : first + found.per_page]
        self._have(len(shown))
        gap = self.theme.gap
        for index, (tile, content) in enumerate(zip(self._tiles, shown, strict=False)):
            row, column = divmod(index, found.columns)
            tile.size = (found.tile_width, found.tile_height)
            tile.x = self.x + column * (found.tile_width + gap)
            tile.top = self.top - row * (found.tile_height + gap)
            tile.show(content)
        self._place_pager()

    def _have(self, count: int) -> None:
        while len(self._tiles) < count:
            self._tiles.append(Tile())
        for index, tile in enumerate(self._tiles):
            if index < count and tile.parent is None:
                self.add_widget(tile)
            elif index >= count and tile.parent is not None:
                self.remove_widget(tile)

    def _place_pager(self) -> None:
        below = self.pages > 1 and self.theme.portrait
        if below and self.pager.parent is None:
            self.add_widget(self.pager)
        elif not below and self.pager.parent is self:
            self.remove_widget(self.pager)
        if below:
            self.pager.pos, self.pager.width = self.pos, self.width
