"""The technician's screen: devices with health, their tests, versions, network."""

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout

from kiosk.journeys.intents import LeaveTechnician, TestCard, TestSlip
from kiosk.journeys.views import Fact, Peripheral, TechnicianView
from kiosk.journeys.words import Words, mark
from screens import device_words
from screens.screen import StationScreen

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

ROLES = {
    "id_card_reader": mark("ID card reader"),
    "social_card_reader": mark("Social security card reader"),
    "bank_card_reader": mark("Bank card reader"),
    "ticket_printer": mark("Ticket printer"),
    "document_printer": mark("Document printer"),
    "code_scanner": mark("Code scanner"),
    "code_camera": mark("Code camera"),
    "document_camera": mark("Document camera"),
    "face_camera": mark("Face camera"),
    "signature_pad": mark("Signature pad"),
    "keypad": mark("Keypad"),
    "guide_lights": mark("Guide lights"),
    "presence_sensor": mark("Presence sensor"),
    "door_switch": mark("Door switch"),
    "tamper_switch": mark("Tamper switch"),
    "ups": mark("Backup power"),
    "speaker": mark("Speaker"),
    "evaluator": mark("Evaluator"),
    "window_display": mark("Window display"),
    "caller": mark("Caller"),
}
HEALTH = {
    "ok": (mark("OK"), "done", "actions/done"),
    "degraded": (mark("Needs attention soon"), "danger", "actions/info"),
    "fault": (mark("Fault"), "danger", "actions/danger"),
    "offline": (mark("Not connected"), "danger", "actions/danger"),
    "not_supported": (mark("Not fitted"), "muted", "actions/info"),
    "unknown": (mark("Unknown: no answer"), "danger", "actions/info"),
}
LABELS = {
    "test_slip": mark("Test slip"),
    "test_card": mark("Test card"),
    "terminal": mark("Terminal"),
    "broker": mark("Message broker"),
    "connected": mark("Connected"),
    "connection": mark("Connections so far"),
    "hall": mark("Hall"),
    "standing": mark("Admission"),
    "backlog": mark("Unsent records"),
}


class FactLine(BoxLayout):
    """A label and its value."""

    label = StringProperty("")
    value = StringProperty("")
    colour = StringProperty("ink")
    icon = StringProperty("")


class TechnicianScreen(StationScreen):
    def render(self, view: TechnicianView, words: Words) -> None:
        ids, tr = self.ids, words.tr
        self.title = tr("Technician")
        lines = [line for device in view.peripherals for line in self._device(device, words)]
        results = [*view.results, *([Fact(view.running, tr("running…"))] if view.running else [])]
        self._fill(ids.devices, lines + [self._fact(fact, words) for fact in results])
        self._fill(ids.facts, [self._fact(fact, words) for fact in (*view.versions, *view.network)])
        ids.slip.content, ids.slip.intent = tr("Print a test slip"), TestSlip()
        ids.card.content, ids.card.intent = tr("Read a test card"), TestCard()
        ids.leave.content, ids.leave.intent = tr("Leave"), LeaveTechnician()
        ids.slip.disabled = ids.card.disabled = view.running is not None

    @staticmethod
    def _device(device: Peripheral, words: Words) -> list[tuple[str, str, str, str]]:
        health, colour, icon = HEALTH.get(device.health, (device.health, "ink", ""))
        role = words.tr(ROLES[device.role]) if device.role in ROLES else device.role
        state = " · ".join(filter(None, (words.tr(health), device_words.detail(words, device.detail))))
        lines = [(role, state, colour, icon), ("", f"{device.driver}  {device.address}", "muted", "")]
        if device.supplies:
            lines.append(("", device_words.supplies(words, device.supplies), "muted", ""))
        return lines

    @staticmethod
    def _fact(fact: Fact, words: Words) -> tuple[str, str, str, str]:
        label = words.tr(LABELS[fact.label]) if fact.label in LABELS else fact.label.replace("_", " ")
        return label, device_words.value(words, fact.value), "ink", ""

    @staticmethod
    def _fill(column: BoxLayout, lines: list[tuple[str, str, str, str]]) -> None:
        while len(column.children) < len(lines):
            column.add_widget(FactLine())
        while len(column.children) > len(lines):
            column.remove_widget(column.children[0])
        for widget, line in zip(reversed(column.children), lines, strict=True):
            widget.label, widget.value, widget.colour, widget.icon = line
