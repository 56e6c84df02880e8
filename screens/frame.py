"""Header and footer: what stands around every screen and never moves; and the notice under the header."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout

from kiosk.journeys import intents
from kiosk.journeys.views import Frame, HelpState, Network, Power
from kiosk.journeys.words import Words, mark
from screens.text import height_of
from screens.theme import Themed

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

HELP = {
    HelpState.IDLE: mark("Call staff"),
    HelpState.PAGING: mark("Calling…"),
    HelpState.PAGED: mark("Staff called"),
    HelpState.FAILED: mark("Call again"),
}
NETWORK = {
    Network.CONNECTED: "",
    Network.CONNECTING: mark("Connecting…"),
    Network.OFFLINE: mark("Offline"),
    Network.AWAY: mark("Offline"),
}
POWER = {
    Power.MAINS: "",
    Power.BATTERY: mark("Running on backup power. Please finish soon."),
    Power.LOW: mark("Backup power is almost used up. Please finish now."),
}


class Header(Themed, FloatLayout):
    """Hall, time, network in words when it matters, language."""

    hall_name = StringProperty("")
    notice = StringProperty("")
    clock = StringProperty("")
    role = StringProperty("body")

    def on_kv_post(self, _base: object) -> None:
        theme = self.theme
        self._zone: ZoneInfo | None = None
        for name in ("hall_name", "notice", "size"):
            self.fbind(name, self._choose_role)
        self.ids.language.fbind("width", self._choose_role)
        theme.fbind("sizes", self._choose_role)
        Clock.schedule_interval(self._tick, 1)
        self._tick()

    def _tick(self, *_: object) -> None:
        self.clock = f"{datetime.now(self._zone):%H:%M}"

    def _choose_role(self, *_: object) -> None:
        """Small print only where a long hall name would not fit the band."""
        theme = self.theme
        name = self.ids.hall
        high = height_of(self.hall_name, max(1, name.width), theme.sizes["body"], True)
        self.role = "body" if high <= self.height else "small"

    def show(self, frame: Frame, words: Words) -> None:
        self.hall_name = frame.hall_name
        self._zone = ZoneInfo(frame.time_zone)
        self._tick()
        self.notice = words.tr(NETWORK[frame.network]) if NETWORK[frame.network] else ""
        language = self.ids.language
        language.content = "English" if frame.language == "zh" else "中文"
        language.intent = intents.SetLanguage("en" if frame.language == "zh" else "zh")


class PowerNotice(FloatLayout):
    """A calm line under the header while the power is off; no height else."""

    content = StringProperty("")

    def show(self, frame: Frame, words: Words) -> None:
        self.content = words.tr(POWER[frame.power]) if POWER[frame.power] else ""


class Footer(FloatLayout):
    """Back, home, help, voice, large type, contrast: each always at its own place."""

    stacked = BooleanProperty(True)

    def show(self, frame: Frame, words: Words) -> None:
        ids, tr = self.ids, words.tr
        ids.back.content, ids.back.intent = tr("Back"), intents.Back()
        ids.back.hide(not frame.can_go_back)
        ids.home.content, ids.home.intent = tr("Home"), intents.Home()
        ids.home.hide(not frame.can_go_home)
        ids.help.content, ids.help.intent = tr(HELP[frame.help]), intents.CallHelp()
        ids.help.icon = "actions/done" if frame.help is HelpState.PAGED else "actions/help"
        ids.help.selected = frame.help in (HelpState.PAGING, HelpState.PAGED)
        ids.voice.content = tr("Mute") if frame.voice_on else tr("Voice")
        ids.voice.icon = "actions/voice_off" if frame.voice_on else "actions/voice"
        ids.voice.intent, ids.voice.selected = intents.SetVoice(not frame.voice_on), frame.voice_on
        ids.voice.hide(not frame.voice)
        ids.large.content = tr("Normal type") if frame.large_type else tr("Large type")
        ids.large.intent, ids.large.selected = intents.SetLargeType(not frame.large_type), frame.large_type
        ids.contrast.content = tr("Normal contrast") if frame.high_contrast else tr("High contrast")
        ids.contrast.intent = intents.SetHighContrast(not frame.high_contrast)
        ids.contrast.selected = frame.high_contrast
