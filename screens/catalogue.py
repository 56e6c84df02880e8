"""The catalogue: groups, then the services of one group, or what a search by pinyin initials found."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty

from kiosk.journeys.intents import CheckIn, ChooseGroup, ChooseService, OpenSearch
from kiosk.journeys.views import CatalogueView, Service
from kiosk.journeys.words import Words
from screens import sentences
from screens.screen import StationScreen
from screens.theme import Theme
from screens.tiles import TileContent

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


def service_tile(service: Service, words: Words, theme: Theme) -> TileContent:
    """A service as a tile: its queue now, or why it is closed. Large type on a low panel has room for the time only."""
    return TileContent(
        name=service.name,
        icon=service.icon,
        colour=service.colour,
        intent=ChooseService(service.id),
        note=_note(service, words, brief=theme.large and not theme.portrait),
        closed=service.closed_reason is not None,
    )


def _note(service: Service, words: Words, *, brief: bool) -> str:
    if service.closed_reason is not None:
        return sentences.closed(words, service.closed_reason, service.opens)
    if service.waiting is None:
        return ""
    if service.waiting == 0:
        return words.tr("Nobody waiting")
    waiting = words.ntr("{n} waiting", "{n} waiting", service.waiting)
    if service.wait is None:
        return waiting
    about = words.tr("about {low}–{high} min", low=service.wait.low, high=service.wait.high)
    if brief:
        return about
    return words.tr("{waiting}, {about}", waiting=waiting, about=about)


class CatalogueScreen(StationScreen):
    badge_icon = StringProperty("actions/all")
    badge = ListProperty([0, 0, 0, 1])
    badge_tint = ListProperty([1, 1, 1, 1])

    def on_kv_post(self, base: object) -> None:
        super().on_kv_post(base)
        self._searching = self._choosing_group = self._check_in = False
        self.ids.grid.fbind("pages", self._arrange)

    def render(self, view: CatalogueView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = self._title(view, words)
        choosing_group = view.group is None and not view.searching
        if choosing_group:
            tiles = tuple(TileContent(g.name, g.icon, g.colour, ChooseGroup(g.id)) for g in view.groups)
        else:
            tiles = tuple(service_tile(service, words, self.theme) for service in view.services)
        ids.grid.show(tiles, words)
        ids.empty.content = self._empty(view, words) if not tiles else ""
        self._show_banner(view, words)
        ids.keypad.show(view.searching, view.search, words)
        ids.groups.content, ids.groups.intent = tr("Other categories"), ChooseGroup(None)
        ids.search.content, ids.search.intent = tr("Search by pinyin"), OpenSearch()
        ids.check_in.content, ids.check_in.intent = tr("I have a booking"), CheckIn()
        self._check_in = view.check_in
        self._searching, self._choosing_group = view.searching, choosing_group
        self._arrange()

    def _show_banner(self, view: CatalogueView, words: Words) -> None:
        ids, theme = self.ids, self.theme
        chosen = next((group for group in view.groups if group.id == view.group), None)
        self.badge_icon = "actions/search" if view.searching else "actions/all"
        self.badge, self.badge_tint = theme.colours["structure"], theme.colours["on_structure"]
        if chosen is not None:
            self.badge_icon = f"services/{chosen.icon}"
            self.badge, self.badge_tint = theme.group_colours(chosen.colour)
        if view.searching:
            ids.said.content = view.search.upper() or words.tr("Pinyin initials")
            ids.hint.content = words.tr("For example, SBK finds 社保卡 (social security card).")
        else:
            ids.said.content = chosen.name if chosen else ""
            ids.hint.content = words.tr("Not sure which one? Call staff, or search by pinyin.")

    def _arrange(self, *_: object) -> None:
        """Banner, tiles, keypad and actions from top to bottom; the actions beside the tiles in landscape."""
        ids, portrait = self.ids, self.theme.portrait
        actions = [] if self._choosing_group or self._searching else [ids.groups]
        actions += [] if self._searching else [ids.search]
        actions = [ids.check_in, *actions] if self._check_in and self._choosing_group else actions
        keypad = [ids.keypad] if self._searching else []
        if portrait:
            self.arrange_row(self, [ids.banner, ids.middle, *keypad, *([ids.actions] if actions else [])])
            self.arrange_row(ids.middle, [ids.choices])
            self.arrange_row(ids.actions, actions)
        else:
            pager = [ids.grid.pager] if ids.grid.pages > 1 else []
            beside = [ids.space, *pager, *actions] if pager or actions else []
            self.arrange_row(self, [ids.middle, *keypad])
            self.arrange_row(ids.middle, [ids.choices, *([ids.side] if beside else [])])
            self.arrange_row(ids.side, beside)

    def place(self, view: CatalogueView) -> object:
        return view.group, view.searching

    def leave(self) -> None:
        self.ids.keypad.typed = ""

    @staticmethod
    def _title(view: CatalogueView, words: Words) -> str:
        if view.searching:
            if not view.search:
                return words.tr("Type the pinyin initials of a service")
            return words.tr("Pinyin initials: {typed}", typed=view.search.upper())
        if view.group is not None:
            return words.tr("Please choose a service")
        if view.greeting:
            return words.tr("Hello {name}, please choose a category", name=view.greeting)
        return words.tr("Please choose a category")

    def _empty(self, view: CatalogueView, words: Words) -> str:
        if not view.searching:
            return words.tr("No services here at the moment. Please choose another category.")
        if not view.search:
            portrait = self.theme.portrait
            return "" if portrait else words.tr("For example, SBK finds 社保卡 (social security card).")
        return words.tr("Nothing found. Erase a letter, or go back and choose by category.")
