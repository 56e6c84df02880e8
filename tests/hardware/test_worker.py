"""The device's thread: one command at a time, cancel and deadline told apart, nothing leaked."""

import gc
import os
import random
import threading
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hardware.addresses import parse_address
from hardware.cancel import CancelToken
from hardware.device import Capabilities, Device
from hardware.lines import open_line
from hardware.session import DeviceSession
from hardware.simulators.line import PtyLine
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome
from hardware.worker import BackOff, DeviceWorker

FINE = DeviceStatus(Health.OK)


@pytest.fixture
def far_end(tmp_path):
    line = PtyLine(tmp_path / "line")
    line.start(line.send)
    yield line
    line.close()


@pytest.fixture
def worker(far_end):
    worker = DeviceWorker(
        "device",
        lambda: open_line(parse_address(far_end.address)),
        lambda run: FINE,
        probe_interval_s=0.02,
        back_off=BackOff(0.01, 0.02),
    )
    worker.start()
    yield worker
    worker.close()


def submit(worker, work, deadline, **options):
    return worker.submit(work, failed=lambda error: error.outcome, deadline=deadline, **options)


def test_nothing_of_a_finished_command_is_kept_by_an_idle_device(far_end, soon, wait_until):
    class Card:
        pass

    address = parse_address(far_end.address)
    worker = DeviceWorker("device", lambda: open_line(address), lambda run: FINE, probe_interval_s=600)
    worker.start()
    wait_until(lambda: worker.status == FINE)
    future = submit(worker, lambda _: Card(), soon())
    card = weakref.ref(future.result())
    del future
    wait_until(lambda: gc.collect() >= 0 and card() is None, 5)
    worker.close()


def test_a_defect_in_an_opener_is_one_more_failed_attempt_and_the_device_comes_back(far_end, wait_until):
    attempts = []

    def opener():
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("embedded null byte")
        return open_line(parse_address(far_end.address))

    with capture_logs() as logs:
        worker = DeviceWorker("device", opener, lambda run: FINE, back_off=BackOff(0.01, 0.02))
        worker.start()
        wait_until(lambda: worker.status == FINE)
        worker.close()
    assert [entry["error"] for entry in logs if entry["event"] == "device_driver_error"] == ["ValueError"] * 2


def test_commands_run_one_at_a_time_in_their_order(worker, soon):
    running, order = [0], []

    def work(number):
        def run(run):
            running[0] += 1
            assert running[0] == 1
            run.pause(0.002)
            order.append(number)
            running[0] -= 1

        return run

    for future in [submit(worker, work(n), soon()) for n in range(20)]:
        assert future.result(20) is None
    assert order == list(range(20))


def test_a_queued_command_is_cancelled_at_once_and_never_runs(worker, soon):
    release, ran, cancel = threading.Event(), [], CancelToken()
    first = submit(worker, lambda run: release.wait(20), soon())
    second = submit(worker, ran.append, soon(), cancel=cancel)
    cancel.cancel()
    assert second.result(0) is Outcome.CANCELLED
    release.set()
    assert first.result(20) is True
    assert ran == []


def test_a_running_command_hears_its_cancel_and_the_next_one_runs(worker, soon):
    cancel, started = CancelToken(), threading.Event()

    def work(run):
        started.set()
        run.pause(20)

    future = submit(worker, work, soon(), cancel=cancel)
    assert started.wait(20)
    cancel.cancel()
    assert future.result(20) is Outcome.CANCELLED
    assert submit(worker, lambda run: "next", soon()).result(20) == "next"


def test_a_passed_deadline_is_no_cancel_also_for_those_who_wait_behind(worker, soon):
    first = submit(worker, lambda run: run.pause(20), soon())
    behind = submit(worker, lambda run: None, time.monotonic() + 0.02)
    assert behind.result(20) is Outcome.TIMED_OUT
    assert not first.done()


def test_a_result_that_nobody_takes_is_discarded(worker, soon):
    started, dropped = threading.Event(), []

    def work(run):
        started.set()
        while not run.cancelled:
            pass
        return "personal"

    future = submit(worker, work, soon(), discard=dropped.append)
    assert started.wait(20)
    future.cancel()
    assert submit(worker, lambda run: None, soon()).result(20) is None
    assert dropped == ["personal"]


def test_a_defect_in_a_command_is_logged_without_its_message_and_the_thread_lives_on(worker, soon):
    def work(run):
        raise ValueError("张三丰")

    with capture_logs() as logs:
        assert submit(worker, work, soon()).result(20) is Outcome.DEVICE_FAULT
    (entry,) = [entry for entry in logs if entry["event"] == "device_driver_error"]
    assert entry["error"] == "ValueError"
    assert "张三丰" not in str(logs)
    assert submit(worker, lambda run: 1, soon()).result(20) == 1


def test_after_closing_everything_is_settled_as_cancelled(worker, soon):
    started = threading.Event()

    def work(run):
        started.set()
        run.pause(20)

    first, second = submit(worker, work, soon()), submit(worker, work, soon())
    assert started.wait(20)
    worker.close()
    assert (first.result(0), second.result(0)) == (Outcome.CANCELLED, Outcome.CANCELLED)
    assert submit(worker, work, soon()).result(0) is Outcome.CANCELLED


def test_fifty_plug_cycles_leak_no_thread_and_no_descriptor(bench, wait_until):
    simulator = bench.reader_simulator()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    reader = bench.reader(simulator.address)
    wait_until(lambda: reader.status.health is Health.OK)
    for _ in range(50):
        simulator.line.unplug()
        wait_until(lambda: reader.status.health is Health.OFFLINE)
        simulator.line.plug()
        wait_until(lambda: reader.status.health is Health.OK)
    reader.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors
    simulator.close()
    assert threading.active_count() == threads - 1


def test_a_failing_probe_leaves_no_old_ok(far_end, wait_until, soon):
    answers = [True]

    def probe(run):
        if not answers[0]:
            run.pause(20)
        return FINE

    worker = DeviceWorker(
        "device",
        lambda: open_line(parse_address(far_end.address)),
        probe,
        probe_interval_s=0.01,
        probe_timeout_s=0.05,
    )
    worker.start()
    wait_until(lambda: worker.status.health is Health.OK)
    answers[0] = False
    wait_until(lambda: (worker.status.health, worker.status.detail) == (Health.UNKNOWN, Detail.NO_ANSWER))
    worker.close()


@given(st.integers(0, 10_000), st.integers())
def test_the_back_off_grows_to_its_limit_and_is_spread(attempt, seed):
    delay = BackOff(0.25, 8.0).delay(attempt, random.Random(seed))
    full = min(8.0, 0.25 * 2 ** min(attempt, 10))
    assert 0.5 * full <= delay <= 1.5 * full


def test_a_defect_in_a_probe_leaves_no_old_ok(far_end, wait_until):
    answers = [True]

    def probe(run):
        if not answers[0]:
            raise ValueError("张三丰")
        return FINE

    worker = DeviceWorker("device", lambda: open_line(parse_address(far_end.address)), probe, probe_interval_s=0.01)
    worker.start()
    wait_until(lambda: worker.status.health is Health.OK)
    answers[0] = False
    wait_until(lambda: (worker.status.health, worker.status.detail) == (Health.UNKNOWN, Detail.DRIVER_ERROR))
    worker.close()


def test_results_of_an_ended_session_are_wiped_and_never_delivered(worker, soon):
    session, started, ended, wiped = DeviceSession(), threading.Event(), threading.Event(), []

    def work(run):
        started.set()
        assert ended.wait(20)
        assert run.cancelled
        return "personal"

    future = submit(worker, work, soon(), session=session, discard=wiped.append)
    assert started.wait(20)
    session.end()
    ended.set()
    assert future.result(20) is Outcome.CANCELLED
    assert wiped == ["personal"]


def test_the_end_of_a_session_wipes_what_it_was_given_and_takes_no_command_more(worker, soon):
    session, wiped, ran = DeviceSession(), [], []
    future = submit(worker, lambda run: "personal", soon(), session=session, discard=wiped.append)
    assert future.result(20) == "personal"
    assert wiped == []
    session.end()
    session.end()
    assert wiped == ["personal"]
    assert submit(worker, ran.append, soon(), session=session).result(20) is Outcome.CANCELLED
    assert ran == []


def test_the_end_of_a_session_ends_its_running_and_its_queued_commands(worker, soon):
    session, started = DeviceSession(), threading.Event()

    def work(run):
        started.set()
        run.pause(20)

    first, second = (submit(worker, work, soon(), session=session) for _ in range(2))
    other = submit(worker, lambda run: "other", soon())
    assert started.wait(20)
    session.end()
    assert (first.result(20), second.result(20)) == (Outcome.CANCELLED, Outcome.CANCELLED)
    assert other.result(20) == "other"


@pytest.fixture
def listening(far_end):
    """A worker that listens to its device, what it heard, and a switch that breaks the listener."""
    heard, broken = [], threading.Event()

    def listen(run):
        while True:
            if broken.is_set():
                raise ValueError("张三丰")
            heard.append(run.read(time.monotonic() + 20))

    worker = DeviceWorker(
        "device",
        lambda: open_line(parse_address(far_end.address)),
        lambda run: FINE,
        listen=listen,
        probe_interval_s=3600,
    )
    worker.start()
    yield worker, heard, broken
    worker.close()


def test_what_a_device_says_by_itself_is_heard_between_commands(far_end, listening, wait_until, soon):
    worker, heard, _ = listening
    wait_until(lambda: worker.status.health is Health.OK)
    far_end.call(lambda: far_end.send(b"one"))
    wait_until(lambda: b"".join(heard) == b"one")
    assert submit(worker, lambda run: "done", soon()).result(20) == "done"
    far_end.call(lambda: far_end.send(b"two"))
    wait_until(lambda: b"".join(heard) == b"onetwo")


def test_a_listener_with_a_defect_is_deaf_until_the_next_probe_and_the_thread_lives_on(
    far_end, listening, wait_until, soon
):
    worker, _, broken = listening
    broken.set()
    with capture_logs() as logs:
        wait_until(lambda: worker.status.health is Health.OK)
        far_end.call(lambda: far_end.send(b"x"))
        for _ in range(20):
            assert submit(worker, lambda run: "done", soon()).result(20) == "done"
    assert len([entry for entry in logs if entry["event"] == "device_driver_error"]) <= 1


def test_a_device_that_has_just_been_plugged_in_is_tried_at_once(tmp_path, wait_until):
    line = PtyLine(tmp_path / "line")
    worker = DeviceWorker(
        "device",
        lambda: open_line(parse_address(line.address)),
        lambda run: FINE,
        back_off=BackOff(3600, 3600),
    )
    worker.start()
    wait_until(lambda: worker.status.health is Health.OFFLINE)
    line.start(line.send)
    worker.wake()
    wait_until(lambda: worker.status.health is Health.OK)
    worker.close()
    line.close()


def test_a_loss_is_logged_once_and_a_return_is_logged_once(far_end, wait_until):
    def probe(run):
        run.discard_input()
        return FINE

    with capture_logs() as logs:
        worker = DeviceWorker(
            "device",
            lambda: open_line(parse_address(far_end.address)),
            probe,
            probe_interval_s=0.01,
            back_off=BackOff(0.005, 0.01),
        )
        worker.start()
        wait_until(lambda: worker.status.health is Health.OK)
        for _ in range(3):
            far_end.unplug()
            wait_until(lambda: worker.status.health is Health.OFFLINE)
            wait_until(lambda: worker._attempt > 3)
            far_end.plug()
            wait_until(lambda: worker.status.health is Health.OK)
        worker.close()
    assert [entry["event"] for entry in logs] == ["device_found", *["device_lost", "device_found"] * 3]


def test_a_device_knows_its_own_status_from_its_very_first_probe_on(far_end, monkeypatch):
    probed = threading.Event()

    class Curious(Device):
        def _probe(self, run):
            try:
                return FINE if self.status.health is Health.UNKNOWN else self.status
            finally:
                probed.set()

        def _self_test(self, run, steps):
            pass

    begin = threading.Thread.start

    def begin_and_let_it_run_first(thread):
        begin(thread)
        assert probed.wait(20)

    monkeypatch.setattr(threading.Thread, "start", begin_and_let_it_run_first)
    with capture_logs() as logs:
        device = Curious("device", lambda: open_line(parse_address(far_end.address)), capabilities=Capabilities())
        device.close()
    assert [entry["event"] for entry in logs] == ["device_found"]
