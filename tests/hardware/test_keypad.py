"""The keypad: its codec on the kernel's events and on noise, its driver against the simulated keypad."""

import struct
import time

import pytest
from evdev import ecodes
from hypothesis import given
from hypothesis import strategies as st

from hardware.device import Supervision
from hardware.errors import BadAddress
from hardware.events import KeyPressed
from hardware.keypad.codec import KeypadDecoder
from hardware.keypad.keypad import Keypad, KeypadOptions
from hardware.simulators.keypad import KeypadSimulator
from hardware.simulators.line import PtyLine
from hardware.vocabulary import Detail, Health, Verdict
from hardware.worker import BackOff

REPORT = struct.pack("llHHi", 0, 0, ecodes.EV_SYN, ecodes.SYN_REPORT, 0)


def event(code, value):
    return struct.pack("llHHi", 1_700_000_000, 0, ecodes.EV_KEY, code, value) + REPORT


def stroke(code):
    return event(code, 1) + event(code, 0)


@pytest.mark.parametrize("family", ["KEY_KP{}", "KEY_{}", "KEY_NUMERIC_{}"])
def test_digits_are_the_same_however_the_keypad_reports_them(family):
    codes = [ecodes.ecodes[family.format(digit)] for digit in range(10)]
    assert KeypadDecoder().feed(b"".join(map(stroke, codes)), 0) == list("0123456789")


def test_function_keys_by_their_names():
    names = ["KPENTER", "ENTER", "ESC", "CANCEL", "BACKSPACE", "DELETE", "CLEAR", "KPDOT", "KPASTERISK"]
    stream = b"".join(stroke(ecodes.ecodes[f"KEY_{name}"]) for name in names)
    assert KeypadDecoder().feed(stream, 0) == [
        "enter", "enter", "cancel", "cancel", "backspace", "clear", "clear", ".", "*",
    ]  # fmt: skip


def test_a_key_that_is_held_counts_once_and_what_drives_a_screen_not_at_all():
    held = event(ecodes.KEY_KP7, 1) + event(ecodes.KEY_KP7, 2) * 5 + event(ecodes.KEY_KP7, 0)
    assert KeypadDecoder().feed(held + stroke(ecodes.KEY_F4) + stroke(ecodes.KEY_LEFTMETA), 0) == ["7"]


def test_events_between_a_loss_and_the_next_report_are_not_believed():
    lost = struct.pack("llHHi", 0, 0, ecodes.EV_SYN, ecodes.SYN_DROPPED, 0)
    decoder = KeypadDecoder()
    assert decoder.feed(event(ecodes.KEY_KP1, 1) + lost + event(ecodes.KEY_KP2, 1) + stroke(ecodes.KEY_KP3), 0) == [
        "1",
        "3",
    ]
    assert decoder.held_s(99) == 0


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_no_bytes_raise(pieces):
    decoder = KeypadDecoder()
    for piece in pieces:
        decoder.feed(piece, 0)


@given(st.text("0123456789", max_size=8), st.data())
def test_any_cutting_gives_the_same_keys(digits, data):
    stream = b"".join(stroke(ecodes.ecodes[f"KEY_KP{digit}"]) for digit in digits)
    decoder, got = KeypadDecoder(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        got += decoder.feed(stream[:cut], 0)
        stream = stream[cut:]
    assert got == list(digits)


@pytest.fixture
def simulator(tmp_path):
    simulator = KeypadSimulator(PtyLine(tmp_path / "keypad")).start()
    yield simulator
    simulator.close()


@pytest.fixture
def opened(simulator, wait_until):
    keypads = []

    def open_keypad(**options):
        heard = []
        keypad = Keypad(
            simulator.address,
            options=KeypadOptions(**options),
            on_event=heard.append,
            supervision=Supervision(BackOff(0.02, 0.05), probe_interval_s=0.1),
        )
        keypads.append(keypad)
        wait_until(lambda: keypad.status.health is Health.OK)
        return keypad, heard

    yield open_keypad
    for keypad in keypads:
        keypad.close()


def keys(heard):
    return [event.key for event in heard if isinstance(event, KeyPressed)]


def test_keys_are_told_in_their_order_and_never_shown(simulator, opened, wait_until):
    _, heard = opened()
    simulator.press("1", "2", "backspace", "enter")
    wait_until(lambda: keys(heard) == ["1", "2", "backspace", "enter"])
    assert "backspace" not in repr(heard)


def test_a_stuck_key_is_noticed_and_is_well_again_when_it_is_let_go(simulator, opened, wait_until):
    keypad, heard = opened(stuck_s=0.2)
    simulator.hold("8")
    wait_until(lambda: (keypad.status.health, keypad.status.detail) == (Health.DEGRADED, Detail.KEY_STUCK))
    assert keys(heard) == ["8"]
    simulator.release("8")
    wait_until(lambda: keypad.status.health is Health.OK)


def test_the_self_test_wants_a_key_and_keeps_it_to_itself(simulator, opened, soon):
    keypad, heard = opened()
    report = keypad.self_test(time.monotonic() + 0.3).result(20)
    assert (report.verdict, report.steps[-1].detail) == (Verdict.UNKNOWN, Detail.NO_KEY)
    testing = keypad.self_test(soon(), on_progress=lambda progress: asked(progress, simulator))
    assert testing.result(20).verdict is Verdict.PASS
    assert keys(heard) == []


def asked(progress, simulator):
    if getattr(progress, "request", None):
        simulator.press("5")


def test_a_keypad_is_an_input_device():
    with pytest.raises(BadAddress, match="input:"):
        Keypad("serial:/dev/ttyUSB0")
