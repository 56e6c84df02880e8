"""The theme: sizes in pixels and colours of this panel and this person, as properties that rules bind to."""

from kivy.app import App
from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, DictProperty, NumericProperty, StringProperty

from screens.measures import (
    CHARACTER_MM,
    GAP_MM,
    HIGH_CONTRAST,
    MARGIN_MM,
    NORMAL,
    Colour,
    contrast,
    font_px,
    hex_colour,
)


class Themed:
    """A widget that asks for the theme once: what is still to be laid out when the app ends does not ask again."""

    _theme: "Theme | None" = None

    @property
    def theme(self) -> "Theme":
        if self._theme is None:
            self._theme = App.get_running_app().theme
        return self._theme


class Theme(EventDispatcher):
    """One per program. `adopt` changes it, and every widget follows."""

    mm = NumericProperty(1.0)
    """Pixels of one millimetre."""
    portrait = BooleanProperty(True)
    large = BooleanProperty(False)
    high_contrast = BooleanProperty(False)
    reduced_motion = BooleanProperty(False)
    sizes = DictProperty(dict.fromkeys(CHARACTER_MM, 10))
    """Font size in pixels by role of a text."""
    colours = DictProperty(NORMAL)
    gap = NumericProperty(0.0)
    margin = NumericProperty(0.0)
    radius = NumericProperty(0.0)
    stroke = NumericProperty(1.0)
    header_height = NumericProperty(0.0)
    footer_height = NumericProperty(0.0)
    lead_role = StringProperty("tile")
    """Role of the leading sentence of a screen: large type leaves it no more than `body` on a low panel."""
    side_width = NumericProperty(0.0)
    """Of the column of actions beside the choices in landscape."""
    banner_height = NumericProperty(0.0)
    """Of the picture above the choices in portrait, so that the choices stand in the lower two thirds."""

    def __init__(self, mm_per_px: float, portrait: bool, reduced_motion: bool) -> None:
        super().__init__()
        self._mm_per_px = mm_per_px
        self.mm = 1 / mm_per_px
        self.portrait = portrait
        self.reduced_motion = reduced_motion
        self.gap = GAP_MM * self.mm
        self.margin = MARGIN_MM * self.mm
        self.radius = 3 * self.mm
        self.stroke = max(2.0, round(0.7 * self.mm))
        self.header_height = (30 if portrait else 25) * self.mm
        self.footer_height = (44 if portrait else 27) * self.mm
        self.side_width = 118 * self.mm
        self.adopt(large=False, high_contrast=False)

    def adopt(self, *, large: bool, high_contrast: bool) -> None:
        """The switches of the person at the terminal."""
        self.large = large
        self.lead_role = "body" if large and not self.portrait else "tile"
        self.banner_height = (110 if large else 150) * self.mm if self.portrait else 0
        self.high_contrast = high_contrast
        self.sizes = {role: font_px(role, self._mm_per_px, large=large) for role in CHARACTER_MM}
        self.colours = HIGH_CONTRAST if high_contrast else NORMAL

    def group_colours(self, colour: str) -> tuple[Colour, Colour]:
        """Ground and icon colour of a service group; the hall's own colour only where its icon can be seen on it."""
        ground = hex_colour(colour)
        if self.high_contrast or ground is None:
            return self.colours["structure"], self.colours["on_structure"]
        white, ink = NORMAL["background"], NORMAL["ink"]
        return ground, white if contrast(white, ground) >= 3 else ink
