"""Window display, callers and evaluator (RS-485, by samples): drivers against simulated devices on real ptys."""

import contextlib
import time

import pytest

from hardware.caller.caller import Caller, CallerOptions
from hardware.device import Supervision
from hardware.evaluator.evaluator import Evaluator, Grade
from hardware.events import CallerPressed
from hardware.profile import BadProfile, bind
from hardware.roles import Role
from hardware.session import DeviceSession
from hardware.simulators.counter_terminal import CounterTerminal
from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.window_display import WindowDisplaySimulator
from hardware.vocabulary import Detail, Health, Outcome, Verdict
from hardware.window_display.display import WindowDisplay, WindowDisplayOptions
from hardware.window_display.sample_codec import Sample
from hardware.worker import BackOff

QUICK = Supervision(BackOff(0.02, 0.05), probe_interval_s=0.1)


@pytest.fixture
def closing():
    with contextlib.ExitStack() as stack:

        def close_after(device):
            stack.callback(device.close)
            return device

        yield close_after


@pytest.fixture
def led(tmp_path, closing):
    return closing(WindowDisplaySimulator(PtyLine(tmp_path / "led")).start())


@pytest.fixture
def terminal(tmp_path, closing):
    return closing(CounterTerminal(PtyLine(tmp_path / "terminal"), 1, 2).start())


def display(led, **options):
    return WindowDisplay(led.address, options=WindowDisplayOptions(**options), supervision=QUICK)


def test_a_tickets_number_is_shown_and_confirmed(led, closing, soon):
    shown = closing(display(led)).show("A012", soon()).result(20)
    assert shown.outcome is Outcome.DONE
    assert led.shown[-1] == 12


def test_both_answers_of_the_maker_confirm(led, closing, soon):
    led.set_faults(short_answer=True)
    assert closing(display(led)).show("7", soon()).result(20).outcome is Outcome.DONE


@pytest.mark.parametrize("text", ["no number", "70000", "99999999999"])
def test_what_the_display_cannot_show_is_refused_and_the_number_stays(led, closing, soon, text):
    device = closing(display(led))
    device.show("A012", soon()).result(20)
    refused = device.show(text, soon()).result(20)
    assert (refused.outcome, refused.detail) == (Outcome.NOT_SUPPORTED, Detail.BAD_TEXT)
    assert led.shown[-1] == 12


@pytest.mark.parametrize("faults", [{"dark": True}, {"wrong_checksum": True}], ids=str)
def test_without_a_confirmation_it_is_unknown_what_is_shown(led, closing, soon, wait_until, faults):
    device = closing(display(led, answer_s=0.05))
    wait_until(lambda: device.status.health is Health.OK)
    led.set_faults(**faults)
    shown = device.show("A012", soon()).result(20)
    assert (shown.outcome, shown.detail) == (Outcome.UNKNOWN, Detail.NO_ANSWER)
    wait_until(lambda: device.status.health is Health.UNKNOWN)
    led.clear_faults()
    wait_until(lambda: device.status.health is Health.OK and led.shown[-1] == 12)


def test_a_noisy_line_costs_a_repetition_at_most(led, closing, soon):
    device = closing(display(led))
    led.line.set_faults(LineFaults(noise_before=b"\x2a\x3a\x00\xff", split_at=3))
    assert device.show("A031", soon()).result(20).outcome is Outcome.DONE


def test_a_display_that_never_answers_is_never_ok(led, closing, soon, wait_until):
    device = closing(display(led, sample=Sample.PACKET4))
    assert not device.capabilities.answers
    assert device.show("A012", soon()).result(20).outcome is Outcome.UNKNOWN
    wait_until(lambda: device.status.detail is Detail.CANNOT_BE_ASKED)
    assert device.self_test(soon()).result(20).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("options", "named"),
    [({"frame": ["3A", "nothing"]}, "frame"), ({"frame": ["3AB"]}, "frame"), ({"answer": ["text"]}, "answer")],
    ids=str,
)
def test_a_table_that_cannot_work_is_named_before_anything_is_opened(options, named):
    with pytest.raises(BadProfile, match=named):
        bind(Role.WINDOW_DISPLAY, "sample-display", "serial:/dev/nowhere", **options).open(lambda _: None)


def keys(heard):
    return [(event.counter, event.key) for event in heard if isinstance(event, CallerPressed)]


def test_keys_of_several_counters_on_one_line_are_told_once_each(terminal, closing, wait_until):
    heard = []
    caller = closing(
        Caller(terminal.address, options=CallerOptions(counters=(1, 2)), on_event=heard.append, supervision=QUICK)
    )
    wait_until(lambda: caller.status.health is Health.OK)
    terminal.press(1, 2)
    wait_until(lambda: keys(heard) == [(2, "next")])
    terminal.press(2, 1)
    terminal.press(99, 2)
    wait_until(lambda: keys(heard) == [(2, "next"), (1, "recall")])


def test_no_press_is_lost_or_doubled_by_answers_that_break(terminal, closing, wait_until):
    heard = []
    caller = closing(
        Caller(terminal.address, options=CallerOptions(answer_s=0.05), on_event=heard.append, supervision=QUICK)
    )
    wait_until(lambda: caller.status.health is Health.OK)
    terminal.set_faults(wrong_checksum=True)
    terminal.press(1)
    wait_until(lambda: caller.status.health is Health.UNKNOWN)
    assert keys(heard) == []
    terminal.clear_faults()
    wait_until(lambda: not terminal.untaken)
    assert keys(heard) == [(1, "next")]
    terminal.press(1)
    wait_until(lambda: not terminal.untaken)
    assert keys(heard) == [(1, "next"), (1, "next")]


def test_a_counter_that_is_silent_among_others_is_noticed(terminal, closing, wait_until):
    options = CallerOptions(counters=(1, 3), answer_s=0.05)
    caller = closing(Caller(terminal.address, options=options, supervision=QUICK))
    wait_until(lambda: (caller.status.health, caller.status.detail) == (Health.DEGRADED, Detail.COUNTER_SILENT))
    terminal.set_faults(wrong_checksum=True)
    wait_until(lambda: (caller.status.health, caller.status.detail) == (Health.UNKNOWN, Detail.NO_ANSWER))


def test_an_evaluation_is_what_is_pressed_after_it_was_asked_for(terminal, closing, soon, wait_until):
    evaluator = closing(Evaluator(terminal.address, supervision=QUICK))
    terminal.press(5)
    waiting = evaluator.evaluate(soon(), session=DeviceSession())
    wait_until(lambda: terminal.lit)
    terminal.press(2)
    evaluation = waiting.result(20)
    assert (evaluation.outcome, evaluation.grade) == (Outcome.DONE, Grade.SATISFIED)
    assert "satisfied" not in repr(evaluation)


def test_nobody_who_evaluates_is_a_time_out_and_the_end_of_the_session_a_cancel(terminal, closing, soon, wait_until):
    evaluator = closing(Evaluator(terminal.address, supervision=QUICK))
    late = evaluator.evaluate(time.monotonic() + 0.3).result(20)
    assert (late.outcome, late.detail, late.grade) == (Outcome.TIMED_OUT, Detail.NO_KEY, None)
    session = DeviceSession()
    waiting = evaluator.evaluate(soon(), session=session)
    session.end()
    assert waiting.result(20).outcome is Outcome.CANCELLED


@pytest.mark.parametrize("faults", [{"other_address": True}, {"wrong_checksum": True}], ids=str)
def test_answers_that_are_not_its_own_are_none(terminal, closing, soon, wait_until, faults):
    evaluator = closing(Evaluator(terminal.address, supervision=QUICK))
    wait_until(lambda: evaluator.status.health is Health.OK)
    terminal.set_faults(**faults)
    assert evaluator.evaluate(soon()).result(20).outcome is Outcome.DEVICE_FAULT
    wait_until(lambda: (evaluator.status.health, evaluator.status.detail) == (Health.UNKNOWN, Detail.NO_ANSWER))


def test_the_self_tests_want_a_key(terminal, closing, soon):
    for device in (
        closing(Caller(terminal.address, supervision=QUICK)),
        closing(Evaluator(terminal.address, supervision=QUICK)),
    ):
        report = device.self_test(time.monotonic() + 0.4).result(20)
        assert (report.verdict, report.steps[-1].detail) == (Verdict.UNKNOWN, Detail.NO_KEY)
