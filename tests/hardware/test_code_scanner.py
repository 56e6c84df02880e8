"""The scanners' drivers against simulated scanners on real ptys: codes, whoever waits for them, and every fault."""

import gc
import os
import struct
import time
from contextlib import ExitStack

import pytest

from hardware.cancel import CancelToken
from hardware.code_scanner.dialects import Dialect
from hardware.code_scanner.keyboard_scanner import KeyboardCodeScanner
from hardware.code_scanner.payload import Characters, CodeProblem, CodeRules, Encoding
from hardware.code_scanner.scanner import ScannerTiming
from hardware.code_scanner.serial_scanner import SerialCodeScanner
from hardware.device import Supervision
from hardware.errors import BadAddress, CodeWiped, LineLost
from hardware.events import CodeRefused, CodeScanned, StatusChanged
from hardware.finding import keyboards
from hardware.linux_input import InputAddress, InputLine
from hardware.self_test import Request, StepBegun
from hardware.session import DeviceSession
from hardware.simulators.code_scanner import SAMPLE_CODE, KeyboardScannerSimulator, SerialScannerSimulator
from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.simulator import NoSuchTrouble, Trouble
from hardware.vocabulary import Detail, Health, Outcome, Verdict, WhoActs
from hardware.worker import BackOff

TIMING = ScannerTiming(gap_s=0.08, answer_s=0.3, misses=2, trigger_again_s=0.2)
QUICK = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=1.0)


class Scanners:
    """Makes scanners with their simulators."""

    def __init__(self, folder, stack):
        self._folder, self._stack = folder, stack
        self.events = []

    def serial(self, kind="honeywell", **options):
        simulator = SerialScannerSimulator(PtyLine(self._folder / "scanner"), kind).start()
        self._stack.callback(simulator.close)
        return simulator, self.open(SerialCodeScanner, simulator.address, Dialect(kind), **options)

    def keyboard(self, **options):
        simulator = KeyboardScannerSimulator(PtyLine(self._folder / "keyboard")).start()
        self._stack.callback(simulator.close)
        return simulator, self.open(KeyboardCodeScanner, simulator.address, **options)

    def open(self, kind, *where, **options):
        scanner = kind(*where, **{"timing": TIMING, "supervision": QUICK, "on_event": self.events.append} | options)
        self._stack.callback(scanner.close)
        return scanner

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def scanners(tmp_path):
    with ExitStack() as stack:
        yield Scanners(tmp_path, stack)


@pytest.fixture(params=["honeywell", "datalogic", "none", "keyboard"])
def pair(request, scanners):
    return scanners.keyboard() if request.param == "keyboard" else scanners.serial(request.param)


def scanning(scanner, simulator, wait_until, soon, **options):
    """A scan that has begun."""
    future = scanner.scan(soon(), **options)
    if isinstance(simulator, SerialScannerSimulator):
        wait_until(lambda: simulator.reading)
    time.sleep(0)
    return future


def test_a_shown_code_is_scanned_and_told_as_an_event(pair, scanners, soon, wait_until):
    simulator, scanner = pair
    wait_until(lambda: scanner.status.detail is not Detail.NOT_ASKED)
    future = scanner.scan(soon())
    until_taken(simulator, future, "凭证-A012")
    scan = future.result(20)
    assert (scan.outcome, scan.code.text) == (Outcome.DONE, "凭证-A012")
    assert scan.code.raw in ("凭证-A012".encode(), "凭证-A012".encode("gbk"))
    assert {event.text for event in scanners.of(CodeScanned)} == {"凭证-A012"}
    assert scanner.status.health is Health.OK


def until_taken(simulator, future, code):
    """Show the code as a person does: again and again until the scanner has taken it."""
    for _ in range(200):
        simulator.show(code)
        try:
            future.result(0.1)
        except TimeoutError:
            continue
        return
    raise AssertionError("the code was never taken")


def test_events_show_no_content_in_their_repr(scanners, soon, wait_until):
    simulator, scanner = scanners.serial("honeywell")
    future = scanning(scanner, simulator, wait_until, soon)
    simulator.show("secret-77")
    scan = future.result(20)
    assert "secret" not in repr(scan) + repr(scanners.events)


def test_gbk_from_the_line_is_told_from_utf8(scanners, soon, wait_until):
    simulator, scanner = scanners.serial()
    future = scanning(scanner, simulator, wait_until, soon)
    simulator.show("取号凭证".encode("gbk"))
    code = future.result(20).code
    assert (code.text, code.encoding) == ("取号凭证", Encoding.GB18030)


def test_the_light_is_on_while_a_code_is_waited_for_and_off_after(scanners, soon, wait_until):
    simulator, scanner = scanners.serial()
    assert not simulator.reading
    cancel = CancelToken()
    future = scanning(scanner, simulator, wait_until, soon, cancel=cancel)
    wait_until(lambda: simulator.triggers >= 2)  # a trigger that has run out is given again
    cancel.cancel()
    assert future.result(20).outcome is Outcome.CANCELLED
    wait_until(lambda: not simulator.reading)


def test_what_was_shown_before_anybody_waited_is_not_the_next_ones_code(scanners, soon, wait_until):
    simulator, scanner = scanners.serial("none")
    wait_until(lambda: scanner.status.detail is Detail.CANNOT_BE_ASKED)
    simulator.show("predecessor")
    future = scanner.scan(soon())
    until_taken(simulator, future, "mine")
    assert future.result(20).code.text == "mine"


def test_a_keyboard_that_nobody_waits_for_is_heard_all_the_same(scanners, wait_until):
    simulator, scanner = scanners.keyboard()
    wait_until(lambda: scanner.status.health is Health.OK)
    wait_until(lambda: scanners.of(CodeScanned) or simulator.show("A012") is not None)
    assert scanners.of(CodeScanned)[0].text == "A012"


def test_the_end_of_a_code_whose_beginning_nobody_waited_for_is_no_code(scanners, soon, wait_until):
    simulator, scanner = scanners.serial("none", timing=ScannerTiming(gap_s=60))
    wait_until(lambda: scanner.status.detail is Detail.CANNOT_BE_ASKED)
    simulator.set_faults(terminator=b"")
    simulator.show("1234")
    wait_until(lambda: scanner._decoder.receiving)  # thrown away as it came, its end to come
    future = scanner.scan(soon())
    simulator.set_faults(terminator=b"\r")
    simulator.show("567890")
    until_taken(simulator, future, "whole")
    assert future.result(20).code.text == "whole"


@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n", b""])
def test_any_terminator_and_none_is_understood(scanners, soon, wait_until, terminator):
    simulator, scanner = scanners.serial()
    simulator.set_faults(terminator=terminator)
    for number in range(2):
        future = scanning(scanner, simulator, wait_until, soon)
        simulator.show(f"A{number}")
        assert future.result(20).code.text == f"A{number}"


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(bytewise=True, gap_s=0.0),
        *(LineFaults(split_at=place, gap_s=0.01) for place in (1, 5, 8, 9)),
        LineFaults(delay_s=0.05),
    ],
    ids=str,
)
def test_an_unruly_line_costs_no_code(scanners, soon, wait_until, faults):
    simulator, scanner = scanners.serial()
    simulator.line.set_faults(faults)
    future = scanning(scanner, simulator, wait_until, soon)
    simulator.show("ESTATION")
    assert future.result(20).code.text == "ESTATION"


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        ("x" * 40, CodeProblem.TOO_LONG),
        ("A\x1b[2J", CodeProblem.FORBIDDEN_CHARACTER),
        (b"\xff\xfe\xff", CodeProblem.NOT_TEXT),
    ],
    ids=str,
)
def test_a_bad_code_is_told_and_the_wait_goes_on(scanners, soon, wait_until, shown, problem):
    simulator, scanner = scanners.serial(rules=CodeRules(max_bytes=32))
    problems = []
    future = scanning(scanner, simulator, wait_until, soon, on_problem=problems.append)
    simulator.show(shown)
    wait_until(lambda: problems == [problem])
    assert [event.problem for event in scanners.of(CodeRefused)] == [problem]
    wait_until(lambda: simulator.reading)
    simulator.show("good")
    assert future.result(20).code.text == "good"


def test_time_out_says_whether_there_was_no_code_or_a_bad_one(scanners, soon, wait_until):
    simulator, scanner = scanners.serial("none", rules=CodeRules(characters=Characters.DIGITS))
    empty = scanner.scan(time.monotonic() + 0.2).result(20)
    assert (empty.outcome, empty.detail, empty.who_acts) == (Outcome.TIMED_OUT, Detail.NO_CODE, WhoActs.CITIZEN)
    problems = []
    for seconds in (1, 4, 16):  # a busy machine is late
        future = scanner.scan(time.monotonic() + seconds, on_problem=problems.append)
        wait_until(lambda: problems or future.done() or simulator.show("letters") is not None)  # noqa: B023 - waits here
        bad = future.result(30)
        if problems:
            break
    assert (bad.outcome, bad.detail, bad.problem) == (
        Outcome.TIMED_OUT,
        Detail.BAD_CODE,
        CodeProblem.FORBIDDEN_CHARACTER,
    )


def test_a_code_that_breaks_off_is_not_taken_for_a_short_one(scanners, soon, wait_until):
    simulator, scanner = scanners.serial()
    first = scanning(scanner, simulator, wait_until, soon)
    simulator.show("A001")
    assert first.result(20).code.text == "A001"
    problems = []
    second = scanning(scanner, simulator, wait_until, soon, on_problem=problems.append)
    simulator.set_faults(breaks_off_after=3)
    simulator.show("B002")
    wait_until(lambda: problems == [CodeProblem.INCOMPLETE])
    wait_until(lambda: simulator.reading)
    simulator.clear_faults()
    simulator.show("B002")
    assert second.result(20).code.text == "B002"


def test_a_scanner_that_can_be_asked_is_ok_when_it_answers_even_with_a_refusal(scanners, wait_until):
    simulator, scanner = scanners.serial()
    wait_until(lambda: scanner.status.health is Health.OK)
    simulator.set_faults(knows_no_query=True)
    assert scanner.ask_status(time.monotonic() + 20).result(20).health is Health.OK


@pytest.mark.parametrize("trouble", [Trouble.SILENT, Trouble.GARBAGE, Trouble.HALF_FRAME, Trouble.STUCK_BUSY])
def test_a_scanner_that_answers_no_query_is_unknown_and_ok_again_afterwards(scanners, wait_until, trouble):
    simulator, scanner = scanners.serial()
    simulator.trouble(trouble)
    wait_until(lambda: scanner.status.health is Health.UNKNOWN and scanner.status.detail is not Detail.NOT_ASKED)
    simulator.clear_faults()
    wait_until(lambda: scanner.status.health is Health.OK)


def test_a_scanner_that_cannot_be_asked_is_unknown_until_its_first_code(scanners, soon, wait_until):
    simulator, scanner = scanners.serial("datalogic")
    wait_until(lambda: scanner.status.detail is Detail.CANNOT_BE_ASKED)
    assert scanner.status.health is Health.UNKNOWN
    future = scanning(scanner, simulator, wait_until, soon)
    simulator.show("A1")
    future.result(20)
    assert scanner.status.health is Health.OK
    assert scanner.ask_status(soon()).result(20).health is Health.OK


def test_an_unplugged_scanner_ends_the_wait_and_comes_back(pair, scanners, soon, wait_until):
    simulator, scanner = pair
    future = scanning(scanner, simulator, wait_until, soon)
    simulator.unplug()
    scan = future.result(20)
    assert (scan.outcome, scan.detail) == (Outcome.DEVICE_FAULT, Detail.LINE_LOST)
    wait_until(lambda: scanner.status.health is Health.OFFLINE)
    simulator.plug()
    wait_until(lambda: scanner.status.health is not Health.OFFLINE)
    again = scanner.scan(soon())
    until_taken(simulator, again, "back")
    assert again.result(20).code.text == "back"
    healths = [event.status.health for event in scanners.of(StatusChanged)]
    assert healths.count(Health.OFFLINE) == 1


def test_an_ended_session_gets_no_code_and_what_it_got_is_overwritten(scanners, soon, wait_until):
    simulator, scanner = scanners.serial()
    session = DeviceSession()
    future = scanning(scanner, simulator, wait_until, soon, session=session)
    simulator.show("A77")
    code = future.result(20).code
    waiting = scanner.scan(soon(), session=session)
    session.end()
    with pytest.raises(CodeWiped):
        _ = code.text
    assert waiting.result(20).outcome is Outcome.CANCELLED
    del code, future, waiting
    scanners.events.clear()
    gc.collect()
    assert not [found for found in gc.get_objects() if isinstance(found, bytes | str) and found in ("A77", b"A77\r\n")]


# keyboards


def test_keys_that_drive_a_screen_are_no_part_of_a_code(scanners, soon, wait_until):
    simulator, scanner = scanners.keyboard(rules=CodeRules(characters=Characters.ASCII))
    wait_until(lambda: scanner.status.health is Health.OK)
    future = scanner.scan(soon())
    for keys in (("F5",), ("LEFTALT", "F4"), ("LEFTCTRL", "C"), ("ESC",), ("LEFTMETA", "D")):
        simulator.press(*keys)
    until_taken(simulator, future, "Ab-09_~?{}")
    assert future.result(20).code.text == "Ab-09_~?{}"


def test_lost_events_make_a_code_incomplete(scanners, soon, wait_until):
    simulator, scanner = scanners.keyboard()
    wait_until(lambda: scanner.status.health is Health.OK)
    problems = []
    future = scanner.scan(soon(), on_problem=problems.append)
    wait_until(lambda: problems or simulator.lose_events() is not None or simulator.press("ENTER") is not None)
    assert set(problems) == {CodeProblem.INCOMPLETE}
    until_taken(simulator, future, "whole")
    assert future.result(20).code.text == "whole"


def test_a_keyboard_cannot_be_stuck(scanners):
    simulator, _ = scanners.keyboard()
    with pytest.raises(NoSuchTrouble):
        simulator.trouble(Trouble.STUCK_BUSY)


def test_an_input_device_is_grabbed_or_not_opened_at_all(tmp_path, monkeypatch):
    node = tmp_path / "event0"
    os.mkfifo(node)
    feeder = os.open(node, os.O_RDWR)
    monkeypatch.setattr("hardware.linux_input.is_input_device", lambda status: True)
    grabbed = []
    InputLine(InputAddress(str(node)), grabbed.append).close()
    assert len(grabbed) == 1
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LineLost, match=r"ioctl|device"):  # a pipe cannot be grabbed: the real call is refused
        InputLine(InputAddress(str(node)))

    def held(descriptor):
        raise OSError(16, "Device or resource busy")

    with pytest.raises(LineLost, match="another program has grabbed it"):
        InputLine(InputAddress(str(node)), held)
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(feeder)


def test_the_kernels_input_devices_are_known_by_their_number():
    from hardware.linux_input import is_input_device

    def status(mode, device):
        return os.stat_result((mode, 0, 0, 1, 0, 0, 0, 0, 0, 0), {"st_rdev": device})

    assert is_input_device(status(0o020600, os.makedev(13, 64)))
    assert not is_input_device(status(0o020600, os.makedev(136, 1)))  # a pseudo-terminal
    assert not is_input_device(status(0o010600, os.makedev(13, 64)))  # a pipe


def test_keyboards_are_found_by_their_id(tmp_path):
    for name in ("usb-Maker_Scanner-event-kbd", "usb-Maker_Scanner-event-mouse"):
        (tmp_path / name).touch()
    assert [str(found.address) for found in keyboards(tmp_path)] == [f"input:{tmp_path}/usb-Maker_Scanner-event-kbd"]


def test_a_wrong_kind_of_address_is_refused():
    with pytest.raises(BadAddress):
        KeyboardCodeScanner("serial:/dev/ttyS0")
    with pytest.raises(BadAddress):
        SerialCodeScanner("input:/dev/input/event0")


@pytest.mark.parametrize("kind", ["honeywell", "keyboard"])
def test_the_self_test_asks_for_a_code_and_passes_when_it_comes(scanners, soon, wait_until, kind):
    simulator, scanner = scanners.keyboard() if kind == "keyboard" else scanners.serial(kind)
    progress = []
    future = scanner.self_test(soon(), on_progress=progress.append)
    wait_until(lambda: StepBegun("code_read", Request.SHOW_CODE) in progress)
    if kind == "honeywell":
        simulator.help_self_test()
    else:
        until_taken(simulator, future, SAMPLE_CODE)
    report = future.result(20)
    assert report.verdict is Verdict.PASS
    assert report.steps[-1].measured == f"{len(SAMPLE_CODE)} bytes"


def test_the_self_test_of_a_scanner_that_reads_nothing_is_unknown(scanners):
    simulator, scanner = scanners.serial()
    simulator.set_faults(blind=True)
    simulator.help_self_test()
    report = scanner.self_test(time.monotonic() + 0.5).result(20)
    assert (report.verdict, report.steps[-1].detail) == (Verdict.UNKNOWN, Detail.NO_CODE)


class Recording:
    """Plays recorded events in pieces of so many bytes."""

    def __init__(self, feeder, events):
        self._feeder, self._events = feeder, events

    def show(self, piece):
        for start in range(0, len(self._events), piece):
            os.write(self._feeder, self._events[start : start + piece])


def test_a_split_recording_of_events_is_read_as_the_whole_one(tmp_path, soon, wait_until):
    """Recorded on a scanner's node: `A1` and Enter, time stamps and scan codes included."""
    node = tmp_path / "recording"
    os.mkfifo(node)
    feeder = os.open(node, os.O_RDWR)
    scanner = KeyboardCodeScanner(f"input:{node}", timing=TIMING, supervision=QUICK)
    recording = b"".join(
        struct.pack("llHHi", 1_700_000_000, index * 900, *event)
        for index, event in enumerate(
            [
                (4, 4, 0x700E1), (1, 42, 1), (0, 0, 0), (4, 4, 0x70004), (1, 30, 1), (0, 0, 0),
                (4, 4, 0x70004), (1, 30, 0), (4, 4, 0x700E1), (1, 42, 0), (0, 0, 0),
                (4, 4, 0x7001E), (1, 2, 1), (0, 0, 0), (1, 2, 0), (0, 0, 0),
                (4, 4, 0x70028), (1, 28, 1), (0, 0, 0), (1, 28, 0), (0, 0, 0),
            ]
        )
    )  # fmt: skip
    try:
        wait_until(lambda: scanner.status.health is Health.OK)
        future = scanner.scan(soon())
        until_taken(Recording(feeder, recording), future, 7)
        assert future.result(20).code.text == "A1"
    finally:
        scanner.close()
        os.close(feeder)
