"""The technician's screen: devices with health, their tests, versions, network."""

from pathlib import Path

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from kiosk.journeys.intents import LeaveTechnician, OpenUnsettled, StopTests, TestAllDevices, TestDevice
from kiosk.journeys.views import DeviceTest, Peripheral, SelfTestState, TechnicianView
from kiosk.journeys.words import Words, mark
from screens import device_words
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

HEALTH = {
    "ok": (mark("OK"), "done", "actions/done"),
    "degraded": (mark("Needs attention soon"), "danger", "actions/info"),
    "fault": (mark("Fault"), "danger", "actions/danger"),
    "offline": (mark("Not connected"), "danger", "actions/danger"),
    "not_supported": (mark("Not fitted"), "muted", "actions/info"),
    "unknown": (mark("Unknown: no answer"), "danger", "actions/info"),
}
LABELS = {
    "terminal": mark("Terminal"),
    "broker": mark("Message broker"),
    "connected": mark("Connected"),
    "connection": mark("Connections so far"),
    "hall": mark("Hall"),
    "standing": mark("Admission"),
    "backlog": mark("Unsent records"),
}


TESTS = {
    SelfTestState.WAITING: (mark("Test to come"), "muted", "actions/clock"),
    SelfTestState.RUNNING: (mark("Test running"), "structure", "actions/clock"),
    SelfTestState.PASSED: (mark("Test passed"), "done", "actions/done"),
    SelfTestState.FAILED: (mark("Test failed"), "danger", "actions/danger"),
    SelfTestState.UNKNOWN: (mark("Test result not known"), "danger", "actions/info"),
    SelfTestState.NOT_SUPPORTED: (mark("Nothing to test"), "muted", "actions/info"),
    SelfTestState.STOPPED: (mark("Test stopped"), "muted", "actions/info"),
}


class DeviceLine(BoxLayout):
    """A device: how it is, where it is, how its test stands, and the button that tests it."""

    role = StringProperty("")
    name = StringProperty("")
    health = StringProperty("")
    health_colour = StringProperty("ink")
    health_icon = StringProperty("")
    place = StringProperty("")
    test = StringProperty("")
    test_colour = StringProperty("ink")
    test_icon = StringProperty("")
    button = StringProperty("")
    spoken = StringProperty("")
    intent = ObjectProperty(None, allownone=True)
    busy = BooleanProperty(False)


class FactLine(BoxLayout):
    """A label and its value."""

    label = StringProperty("")
    value = StringProperty("")


class TechnicianScreen(StationScreen):
    def on_kv_post(self, base: object) -> None:
        super().on_kv_post(base)
        self._followed: str | None = None

    def render(self, view: TechnicianView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Technician")
        devices = self.lines(ids.devices, DeviceLine, len(view.peripherals))
        for line, device in zip(devices, view.peripherals, strict=True):
            self._device(line, device, words)
            self._test(line, view.tests.get(device.role), words)
            line.busy = view.testing
        self._follow(next((role for role, test in view.tests.items() if test.state is SelfTestState.RUNNING), None))
        facts = (*view.versions, *view.network)
        for line, fact in zip(self.lines(ids.facts, FactLine, len(facts)), facts, strict=True):
            line.label = tr(LABELS[fact.label]) if fact.label in LABELS else fact.label.replace("_", " ")
            line.value = device_words.value(words, fact.value)
        ids.all.content = tr("Stop the test") if view.testing else tr("Test all devices")
        ids.all.intent = StopTests() if view.testing else TestAllDevices()
        ids.all.disabled = not view.peripherals
        ids.unsettled.content = self._unsettled(view.unsettled, words)
        ids.unsettled.intent = OpenUnsettled()
        ids.unsettled.disabled = view.testing
        ids.leave.content, ids.leave.intent = tr("Leave"), LeaveTechnician()

    @staticmethod
    def _unsettled(count: int | None, words: Words) -> str:
        if count is None:
            return words.tr("Slips to check: not known")
        return words.ntr("{n} slip to check", "{n} slips to check", count)

    def _follow(self, role: str | None) -> None:
        """Bring the device that has just begun its test into sight."""
        if role == self._followed:
            return
        self._followed = role
        line = next((line for line in self.ids.devices.children if line.role == role), None)
        if line is not None:
            Clock.schedule_once(lambda _: self.ids.scroll.scroll_to(line, animate=False))

    @staticmethod
    def _device(line: DeviceLine, device: Peripheral, words: Words) -> None:
        health, line.health_colour, line.health_icon = HEALTH.get(device.health, (device.health, "ink", ""))
        line.role = device.role
        line.name = device_words.role(words, device.role)
        line.health = " · ".join(filter(None, (words.tr(health), device_words.detail(words, device.detail))))
        line.place = "\n".join(
            filter(None, (f"{device.driver}  {device.address}", device_words.supplies(words, device.supplies)))
        )
        line.button = words.tr("Test")
        line.spoken = words.tr("Test: {device}", device=line.name)
        line.intent = TestDevice(device.role)

    @staticmethod
    def _test(line: DeviceLine, test: DeviceTest | None, words: Words) -> None:
        if test is None:
            line.test = line.test_icon = ""
            return
        state, line.test_colour, line.test_icon = TESTS[test.state]
        said = " · ".join(filter(None, (words.tr(state), test.step)))
        if test.seconds_left is None:
            line.test = "\n".join(filter(None, (said, test.told)))
        else:
            line.test_colour, line.test_icon = "danger", "actions/info"
            left = words.ntr("{n} second left", "{n} seconds left", test.seconds_left)
            line.test = f"{said}\n{test.told} · {left}"
