"""Lists that may be longer than the panel: they follow the finger, and a tap does not move them."""

from pathlib import Path

from kivy.effects.dampedscroll import DampedScrollEffect
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.scrollview import ScrollView

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class StillWhereItRests(DampedScrollEffect):
    """Comes to rest where the finger left it, not on the nearest whole pixel."""

    round_value = BooleanProperty(False)


class StationList(ScrollView):
    effect_cls = ObjectProperty(StillWhereItRests)
