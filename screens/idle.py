"""The countdown before the session is wiped; one touch anywhere extends it."""

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.views import Idle
from kiosk.journeys.words import Words

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class IdleNotice(FloatLayout):
    """Stands over the screen while the countdown runs, and takes every touch."""

    shown = BooleanProperty(False)

    def show(self, idle: Idle | None, words: Words) -> None:
        self.shown = idle is not None
        if idle is None:
            return
        ids, tr = self.ids, words.tr
        ids.question.content = tr("Are you still there?")
        left = idle.seconds_left
        ids.left.content = words.ntr(
            "Everything shown is cleared in {n} second.", "Everything shown is cleared in {n} seconds.", left
        )
        ids.go_on.content = tr("I am here, go on")

    def on_touch_down(self, _touch: Any) -> bool:
        """Never in the way: the station itself takes every touch while the countdown runs."""
        return False
