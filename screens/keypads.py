"""Our own keypads: letters for pinyin initials, digits for a technician, both for an appointment. Not the system's."""

from pathlib import Path
from string import ascii_uppercase

from kivy.lang import Builder
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys.intents import AppointmentErase, AppointmentKey, CodeDigit, CodeErase, Search
from kiosk.journeys.words import Words
from screens.press import PushButton
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LONGEST = 12
"""Letters of a search; more of them find nothing."""


class Pad(Themed, FloatLayout):
    """Keys in rows of equal width, filling the pad."""

    columns = NumericProperty(7)
    key_height = NumericProperty(0)

    def on_kv_post(self, _base: object) -> None:
        for name in ("pos", "size", "columns", "key_height"):
            self.fbind(name, self._place)

    def _place(self, *_: object) -> None:
        keys = list(reversed(self.children))
        if not keys:
            return
        gap = self.theme.gap
        width = (self.width - gap * (self.columns - 1)) / self.columns
        for index, key in enumerate(keys):
            row, column = divmod(index, int(self.columns))
            key.size = width, self.key_height
            key.x = self.x + column * (width + gap)
            key.top = self.top - row * (self.key_height + gap)


class LetterPad(Pad):
    """A to Z, erase, clear. `typed` is what stands in the search."""

    typed = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._keys = [PushButton(content=letter, look="tile", size_hint=(None, None)) for letter in ascii_uppercase]
        self._erase = PushButton(look="plain", size_hint=(None, None), icon="actions/erase")
        self._clear = PushButton(look="plain", size_hint=(None, None), icon="actions/close")

    def show(self, searching: bool, typed: str, words: Words) -> None:
        self.typed = typed
        if not searching:
            self.clear_widgets()
            self.height = 0
            return
        if not self.children:
            for key in (*self._keys, self._erase, self._clear):
                self.add_widget(key)
        for letter, key in zip(ascii_uppercase, self._keys, strict=True):
            key.intent = Search((typed + letter)[:LONGEST])
        self._erase.intent, self._erase.spoken = Search(typed[:-1]), words.tr("Erase")
        self._clear.intent, self._clear.spoken = Search(""), words.tr("Clear")
        rows = -(-len(self.children) // int(self.columns))
        self.height = rows * self.key_height + (rows - 1) * self.theme.gap
        self._place()


class DigitPad(Pad):
    """0 to 9 and erase, for the technician's code."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._erase = PushButton(look="plain", size_hint=(None, None), icon="actions/erase", bold=False, role="body")

    def show(self, words: Words) -> None:
        if not self.children:
            for digit in "123456789":
                self.add_widget(PushButton(content=digit, look="tile", size_hint=(None, None), intent=CodeDigit(digit)))
            self._erase.intent = CodeErase()
            self.add_widget(self._erase)
            self.add_widget(PushButton(content="0", look="tile", size_hint=(None, None), intent=CodeDigit("0")))
        self._erase.content = words.tr("Erase")
        self._place()


class CodePad(Pad):
    """The digits and letters of an appointment's code, erase, clear."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._erase = PushButton(look="plain", size_hint=(None, None), icon="actions/erase", intent=AppointmentErase())
        self._clear = PushButton(
            look="plain", size_hint=(None, None), icon="actions/close", intent=AppointmentErase(whole=True)
        )

    def show(self, keys: str, words: Words) -> None:
        if not self.children:
            for key in keys:
                self.add_widget(
                    PushButton(content=key, look="tile", size_hint=(None, None), intent=AppointmentKey(key))
                )
            self.add_widget(self._erase)
            self.add_widget(self._clear)
        self._erase.spoken, self._clear.spoken = words.tr("Erase"), words.tr("Clear")
        rows = -(-len(self.children) // int(self.columns))
        self.height = rows * self.key_height + (rows - 1) * self.theme.gap
        self._place()
