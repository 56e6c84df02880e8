"""Tiles of services and groups on pages: whole tiles are targets, words always fit, tiles are used again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.intents import Intent
from kiosk.journeys.words import Words
from screens.fit import Fit, fit
from screens.measures import TILE_MM
from screens.press import Pressable
from screens.text import height_of

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

    BADGE = (1.5, 1.9)
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
        theme = App.get_running_app().theme
        for name in ("colour", "closed", "state"):
            self.fbind(name, self._tint)
        theme.fbind("colours", self._tint)
        self._tint()

    def _tint(self, *_: object) -> None:
        theme = App.get_running_app().theme
        if self.state == "down":
            self.badge, self.badge_icon = theme.colours["on_pressed"], theme.colours["pressed"]
        elif self.closed:
            self.badge, self.badge_icon = theme.colours["muted"], theme.colours["background"]
        else:
            self.badge, self.badge_icon = theme.group_colours(self.colour)


class TileGrid(FloatLayout):
    """Pages of tiles. `show` gives the contents; the page stays where the contents stay the same kind."""

    centred = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._contents: tuple[TileContent, ...] = ()
        self._tiles: list[Tile] = []
        self._page = 0
        self._words: Words | None = None
        self._limit: int | None = None

    def on_kv_post(self, _base: object) -> None:
        theme = App.get_running_app().theme
        for name in ("pos", "size"):
            self.fbind(name, self._arrange)
        theme.fbind("sizes", self._arrange)
        self.ids.previous.bind(on_release=lambda *_: self._turn(-1))
        self.ids.next.bind(on_release=lambda *_: self._turn(1))

    def show(self, contents: tuple[TileContent, ...], words: Words, *, limit_to_page: bool = False) -> None:
        """Show these tiles; with `limit_to_page` only as many as one page holds, without a pager."""
        self._limit = 1 if limit_to_page else None
        if [tile.intent for tile in contents] != [tile.intent for tile in self._contents]:
            self._page = 0
        if contents == self._contents and words is self._words:
            return
        self._contents, self._words = contents, words
        self._arrange()

    @property
    def pages(self) -> int:
        return 1 if self._limit else max(1, -(-len(self._contents) // self._fit().per_page))

    def _turn(self, by: int) -> None:
        self._page = min(max(0, self._page + by), self.pages - 1)
        self._arrange()

    def _fit(self) -> Fit:
        theme = App.get_running_app().theme
        least = (TILE_MM[0] * theme.mm, TILE_MM[1] * theme.mm)
        pager = 0.0 if self._limit else self.ids.pager.height
        return fit(max(1, len(self._contents)), self.size, least, theme.gap, pager, self._needed())

    def _needed(self) -> Callable[[float], float]:
        theme = App.get_running_app().theme
        name_size, note_size = theme.sizes["tile"], theme.sizes["body"]
        padding = 4 * theme.mm

        def height(width: float) -> float:
            room = width - 3 * padding - name_size * Tile.BADGE[theme.portrait]
            tallest = 0.0
            for tile in self._contents:
                name = height_of(tile.name, room, name_size, True)
                tallest = max(tallest, name + height_of(tile.note, room, note_size, False))
            return tallest + padding

        return height

    def _arrange(self, *_: object) -> None:
        if self._words is None or self.width < 2 or self.height < 2:
            return
        found = self._fit()
        page_count = self.pages
        self._page = min(self._page, page_count - 1)
        first = self._page * found.per_page
        shown = self._contents[first : first + found.per_page]
        self._have(len(shown))
        gap = App.get_running_app().theme.gap
        for index, (tile, content) in enumerate(zip(self._tiles, shown, strict=False)):
            row, column = divmod(index, found.columns)
            tile.size = (found.tile_width, found.tile_height)
            tile.x = self.x + column * (found.tile_width + gap)
            tile.top = self.top - row * (found.tile_height + gap)
            tile.show(content)
        self._show_pager(page_count)

    def _have(self, count: int) -> None:
        while len(self._tiles) < count:
            self._tiles.append(Tile())
        for index, tile in enumerate(self._tiles):
            if index < count and tile.parent is None:
                self.add_widget(tile)
            elif index >= count and tile.parent is not None:
                self.remove_widget(tile)

    def _show_pager(self, page_count: int) -> None:
        pager = self.ids.pager
        if page_count < 2 or self._words is None:
            pager.opacity = 0
            self.ids.previous.hide(True)
            self.ids.next.hide(True)
            return
        pager.opacity = 1
        self.ids.previous.content = self._words.tr("Previous page")
        self.ids.next.content = self._words.tr("Next page")
        self.ids.where.content = f"{self._page + 1} / {page_count}"
        self.ids.previous.hide(self._page == 0)
        self.ids.next.hide(self._page == page_count - 1)
