"""Capturing and reading codes on real capture threads: films, pictures, a camera that freezes, stalls, vanishes."""

import gc
import itertools
import os
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import cv2
import numpy as np
import pytest
import qrcode
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode.util import MODE_8BIT_BYTE, QRData

from hardware.addresses import VideoAddress, parse_address
from hardware.camera.capture import Capture, CaptureSettings, FrozenPicture, NoFrames
from hardware.camera.code_camera import CodeCamera
from hardware.camera.codes import look_again, read_codes
from hardware.camera.finding import cameras
from hardware.camera.frames import FreezeWatch, lower_hash, picture_hash
from hardware.code_scanner.payload import BadCode, Characters, CodeProblem, CodeRules, Encoding
from hardware.device import Supervision
from hardware.errors import BadAddress, CodeWiped, LineLost
from hardware.events import CodeRefused, CodeScanned, StatusChanged
from hardware.session import DeviceSession
from hardware.simulators.camera import CameraSimulator
from hardware.simulators.scenes import blank, code_scene
from hardware.simulators.simulator import Trouble
from hardware.vocabulary import Detail, Health, Outcome, Verdict
from hardware.worker import BackOff

RULES = CodeRules()
QUICK = CaptureSettings(width=640, height=480, fps=30, open_s=3, stall_s=0.4, give_up_s=2, frozen_s=0.4)
PATIENT = replace(QUICK, stall_s=3, give_up_s=6)
SUPERVISION = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=5.0)


class Cameras:
    def __init__(self, folder, stack):
        self._folder, self._stack = folder, stack
        self._numbers = itertools.count()
        self.events = []

    def simulator(self, **options):
        options = {"fps": 30.0} | options
        simulator = CameraSimulator(self._folder / f"camera{next(self._numbers)}", **options).start()
        self._stack.callback(simulator.close)
        return simulator

    def capture(self, address, settings=PATIENT):
        capture = Capture(parse_address(address), settings)
        self._stack.callback(capture.close)
        return capture

    def codes(self, simulator, **options):
        options = {"settings": PATIENT, "supervision": SUPERVISION, "on_event": self.events.append} | options
        camera = CodeCamera(simulator.address, **options)
        self._stack.callback(camera.close)
        return camera

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def studio(tmp_path):
    with ExitStack() as stack:
        yield Cameras(tmp_path, stack)


def noisy(scene, count):
    noise = np.random.default_rng(1)
    for _ in range(count):
        yield np.clip(scene.astype(np.int16) + noise.integers(-3, 4, scene.shape), 0, 255).astype(np.uint8)


def film(path, scene, count=12, fps=25.0):
    """Write a Motion JPEG film."""
    height, width = scene.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    for picture in noisy(scene, count):
        writer.write(picture)
    writer.release()


def failing(capture, wait_until):
    """The first error that looking after the capture gives."""
    errors = []

    def look():
        try:
            capture.check(time.monotonic())
        except (LineLost, NoFrames, FrozenPicture) as error:
            errors.append(error)
        return errors

    wait_until(look)
    return errors[0]


def is_well(capture):
    try:
        capture.check(time.monotonic())
    except (LineLost, NoFrames, FrozenPicture):
        return False
    return True


# frames


def test_a_picture_that_stays_equal_is_frozen_after_its_time_and_not_before():
    watch = FreezeWatch(after_s=3.0, frames=5)
    for second in range(5):
        assert not watch.frozen(float(second))
        watch.see(7, float(second))
    assert watch.frozen(4.0)
    watch.see(8, 5.0)
    assert not watch.frozen(9.0)


def test_few_equal_frames_are_not_yet_a_frozen_picture():
    watch = FreezeWatch(after_s=1.0, frames=5)
    for _ in range(4):
        watch.see(7, 0.0)
    assert not watch.frozen(100.0)


@given(st.integers(0, 2**32 - 1))
def test_noise_of_one_step_changes_the_hash(seed):
    scene = blank(64, 48)
    noisy_scene = scene + np.random.default_rng(seed).integers(0, 2, scene.shape, np.uint8)
    assert (picture_hash(scene) == picture_hash(noisy_scene)) == bool((scene == noisy_scene)[::7, ::7].all())
    assert picture_hash(scene) == picture_hash(scene.copy())


def test_a_lower_part_that_stays_equal_under_one_that_moves_is_told():
    scenes = list(noisy(blank(), 2))
    broken_off = scenes[1].copy()
    broken_off[240:] = scenes[0][240:]
    assert picture_hash(broken_off) != picture_hash(scenes[0])
    assert lower_hash(broken_off) == lower_hash(scenes[0]) != lower_hash(scenes[1])
    assert lower_hash(np.zeros((480, 640, 3), np.uint8)) is None


# capture


def test_a_film_is_played_from_its_beginning_for_ever(studio, tmp_path, soon):
    film(tmp_path / "film.avi", code_scene("FILM"), count=5)
    capture = studio.capture(f"video:{tmp_path / 'film.avi'}")
    seen, since = [], 0.0
    with capture.in_use():
        while len(seen) < 8:
            frame = capture.take(since, soon())
            seen.append(picture_hash(frame.image))
            since = frame.at
    assert 2 <= len(set(seen)) <= 5


def test_a_row_of_numbered_pictures_is_played(studio, tmp_path, soon):
    for number, picture in enumerate(noisy(code_scene("ROW"), 3)):
        cv2.imwrite(str(tmp_path / f"f{number:03d}.jpg"), picture)
    capture = studio.capture(f"video:{tmp_path}/f%03d.jpg")
    assert read_codes(capture.take(0.0, soon()).image, RULES)[0].text == "ROW"


def test_only_the_newest_frame_waits_and_old_ones_are_overwritten(studio, soon, wait_until):
    simulator = studio.simulator()
    capture = studio.capture(simulator.address)
    with capture.in_use():
        first = capture.take(0.0, soon())
        wait_until(lambda: capture._number >= first.number + 4)
        waiting = capture._pending
        newer = capture.take(time.monotonic(), soon())
        assert newer.number > waiting.number
        assert newer.number - first.number >= 5
        assert not waiting.image.any()


def test_a_frame_that_came_before_is_not_given(studio, soon, wait_until):
    capture = studio.capture(studio.simulator().address)
    wait_until(lambda: capture._pending is not None)
    now = time.monotonic()
    assert capture.take(now, soon()).at >= now
    assert capture.take(time.monotonic() + 60, time.monotonic() + 0.05) is None


def test_what_is_closed_is_overwritten(studio, wait_until):
    capture = studio.capture(studio.simulator().address)
    wait_until(lambda: capture._pending is not None)
    frame = capture._pending
    capture.close()
    assert not frame.image.any()
    with pytest.raises(LineLost):
        capture.take(0.0, time.monotonic())


def test_no_more_frames_are_decoded_than_asked_for(studio, soon, wait_until):
    simulator = studio.simulator(fps=60.0)
    capture = studio.capture(simulator.address, CaptureSettings(fps=5))
    with capture.in_use():
        before = simulator.sent
        times = []
        while len(times) < 4:
            times.append(capture.take(times[-1] if times else 0.0, soon()).at)
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.9 / 5
    wait_until(lambda: simulator.sent - before >= 20)


def test_a_frozen_picture_is_told_and_is_well_again_when_it_moves(studio, wait_until):
    simulator = studio.simulator()
    capture = studio.capture(simulator.address)
    simulator.set_faults(frozen=True)
    with capture.in_use():
        error = failing(capture, wait_until)
    assert (error.detail, error.health) == (Detail.FROZEN_PICTURE, Health.UNKNOWN)
    simulator.clear_faults()
    wait_until(lambda: is_well(capture))


def test_pictures_that_break_off_in_their_middle_are_told(studio, wait_until):
    simulator = studio.simulator()
    capture = studio.capture(simulator.address)
    simulator.trouble(Trouble.HALF_FRAME)
    with capture.in_use():
        assert isinstance(failing(capture, wait_until), FrozenPicture)


def test_a_camera_that_stalls_is_silent_first_and_given_up_then(studio, wait_until):
    simulator = studio.simulator()
    capture = studio.capture(simulator.address, QUICK)
    simulator.trouble(Trouble.SILENT)
    first = failing(capture, wait_until)
    assert isinstance(first, NoFrames)

    def given_up():
        try:
            capture.check(time.monotonic())
        except LineLost:
            return True
        except NoFrames:
            return False

    wait_until(given_up)


def test_a_camera_whose_node_is_gone_is_lost_at_once(studio):
    simulator = studio.simulator()
    capture = studio.capture(simulator.address)
    simulator.unplug()
    with pytest.raises(LineLost, match=r"unplugged|ended"):
        capture.check(time.monotonic())


def test_what_is_not_there_or_no_camera_cannot_be_opened(tmp_path):
    with pytest.raises(LineLost, match="not there"):
        Capture(VideoAddress(str(tmp_path / "none")), QUICK)
    (tmp_path / "text.avi").write_text("no film")
    with pytest.raises(LineLost):
        Capture(VideoAddress(str(tmp_path / "text.avi")), QUICK)


def test_a_camera_of_the_kernel_is_asked_for_size_rate_compression_and_one_buffer(monkeypatch, tmp_path, soon):
    """No camera is here: what is asked of the library for `/dev/v4l/…`, with a library that writes it down."""
    asked = {}

    class Library:
        def __init__(self, path, backend):
            asked["opened"] = (path, backend)

        def set(self, name, value):
            asked[name] = value

        def get(self, _):
            return 30.0

        def grab(self):
            time.sleep(0.005)
            return True

        def retrieve(self):
            return True, next(pictures)

        def release(self):
            asked["released"] = True

    pictures = noisy(blank(), 100_000)
    monkeypatch.setattr("hardware.camera.capture.cv2.VideoCapture", Library)
    with ExitStack() as stack:
        capture = Capture(VideoAddress("/dev/null"), CaptureSettings(width=1920, height=1080, fps=12))  # a device node
        stack.callback(capture.close)
        assert capture.take(0.0, soon()) is not None
    assert asked["opened"] == ("/dev/null", cv2.CAP_V4L2)
    assert asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert (asked[cv2.CAP_PROP_FRAME_WIDTH], asked[cv2.CAP_PROP_FRAME_HEIGHT]) == (1920, 1080)
    assert (asked[cv2.CAP_PROP_FPS], asked[cv2.CAP_PROP_BUFFERSIZE]) == (12, 1)
    assert asked["released"]


def test_beside_a_thread_that_hangs_in_the_library_no_second_one_is_started(tmp_path, wait_until):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "silent"))
    listener.listen(4)
    address, impatient = VideoAddress(str(tmp_path / "silent")), CaptureSettings(open_s=0.05)

    def hanging():
        return [thread for thread in threading.enumerate() if thread.name == f"capture-{address.path}"]

    with pytest.raises(LineLost, match="no first frame"):
        Capture(address, impatient)
    with pytest.raises(LineLost, match="still hangs"):
        Capture(address, impatient)
    assert len(hanging()) == 1
    listener.close()
    wait_until(lambda: not hanging())


def test_nothing_is_left_behind_by_plugging_in_and_out(studio, soon, wait_until):
    simulator = studio.simulator()

    def left():
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    def cycle():
        capture = Capture(parse_address(simulator.address), QUICK)
        capture.take(0.0, soon())
        simulator.unplug()
        capture.close()
        wait_until(lambda: not capture._thread.is_alive())
        simulator.plug()

    for _ in range(3):
        cycle()
    before = left()
    for _ in range(15):
        cycle()
    wait_until(lambda: left() <= before)


# codes


@pytest.mark.parametrize("kind", ["QRCode", "DataMatrix", "PDF417", "Aztec", "Code128", "EAN13"])
def test_the_kinds_of_codes_that_people_bring_are_read(kind):
    text = "6901234567892" if kind == "EAN13" else "ESTATION-7"
    (code,) = read_codes(code_scene(text, kind, size=320), RULES)
    assert (code.text, code.symbology) == (text, kind)


def qr(data):
    """A QR code of another encoder: bytes as they are, no character set named."""
    code = qrcode.QRCode(border=4, box_size=6)
    code.add_data(QRData(data, mode=MODE_8BIT_BYTE))
    code.make()
    return np.array(code.make_image().convert("L"), dtype=np.uint8)


@pytest.mark.parametrize("text", ["取号凭证", "凭证", "取号 A012", "第三窗口", "A012"])
@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_chinese_in_a_code_is_read_in_its_character_set(charset, text):
    (code,) = read_codes(qr(text.encode(charset)), RULES)
    assert (code.text, code.raw) == (text, text.encode(charset))


def test_characters_beyond_gbk_are_read():
    (code,) = read_codes(qr("王㛃喆𠀀".encode("gb18030")), RULES)
    assert (code.text, code.encoding) == ("王㛃喆𠀀", Encoding.GB18030)


def test_a_character_set_that_the_code_names_is_believed():
    (code,) = read_codes(code_scene("凭证\\000020取号"), RULES)  # named as UTF-8 by its encoder
    assert (code.text, code.encoding) == ("凭证\\000020取号", Encoding.DECLARED)


def test_chinese_that_an_encoder_put_into_kanji_mode_is_read():
    (code,) = read_codes(code_scene("取号 A012"), RULES)
    assert (code.text, code.encoding) == ("取号 A012", Encoding.SHIFT_JIS)


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=20))
def test_whatever_another_encoder_puts_into_a_code_as_utf8_comes_out(text):
    (code,) = read_codes(qr(text.encode()), RULES)
    assert code.raw == text.encode()


@settings(deadline=None, max_examples=40)
@given(turn=st.integers(0, 359), size=st.integers(120, 300))
def test_a_code_is_read_however_it_is_held(turn, size):
    assert [code.text for code in read_codes(code_scene("A012", size=size, turn=turn), RULES)] == ["A012"]


def test_the_larger_of_two_codes_comes_first():
    scene = np.hstack([code_scene("small", size=120), code_scene("large", size=260)])
    assert [code.text for code in read_codes(scene, RULES)] == ["large", "small"]


def test_no_code_is_no_code():
    assert read_codes(blank(), RULES) == []
    assert look_again(blank(), RULES) == []


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 80))
def test_any_picture_is_read_without_raising(seed, height, width):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert read_codes(image, RULES) == []
    look_again(image, RULES)


def test_the_second_look_reads_what_the_first_one_missed():
    """Motion while the code is held up: a picture that zxing-cpp cannot read and the WeChat detector can."""
    missed = [
        picture
        for size, width in itertools.product((150, 170, 190, 210), (5, 7, 9, 11))
        if not read_codes(picture := cv2.blur(code_scene("ESTATION-17", size=size), (width, width)), RULES)
    ]
    seen_again = [codes[0] for picture in missed if (codes := look_again(picture, RULES))]
    assert missed
    assert seen_again
    assert {code.text for code in seen_again} == {"ESTATION-17"}
    assert {code.encoding for code in seen_again} == {Encoding.DECLARED}


def test_a_code_that_breaks_a_rule_is_refused():
    (code,) = read_codes(code_scene("letters"), CodeRules(characters=Characters.DIGITS))
    assert code == BadCode(CodeProblem.FORBIDDEN_CHARACTER, 7)


# the camera for codes


def test_a_code_held_up_is_read_and_told_as_an_event(studio, soon):
    simulator = studio.simulator()
    camera = studio.codes(simulator)
    simulator.show_code("取号 A012")
    scan = camera.scan(soon()).result(20)
    assert (scan.outcome, scan.code.text, scan.code.symbology) == (Outcome.DONE, "取号 A012", "QRCode")
    assert [event.text for event in studio.of(CodeScanned)] == ["取号 A012"]


def test_a_code_that_cannot_be_used_is_told_once_while_it_is_held_up(studio, soon, wait_until):
    simulator = studio.simulator()
    camera = studio.codes(simulator, rules=CodeRules(characters=Characters.DIGITS))
    simulator.show_code("letters")
    problems = []
    future = camera.scan(soon(), on_problem=problems.append)
    wait_until(lambda: problems)
    before = simulator.sent
    wait_until(lambda: simulator.sent > before + 5)
    assert problems == [CodeProblem.FORBIDDEN_CHARACTER]
    assert len(studio.of(CodeRefused)) == 1
    simulator.show_code("4711")
    assert future.result(20).code.text == "4711"


def test_nothing_held_up_times_out_as_no_code(studio):
    camera = studio.codes(studio.simulator())
    scan = camera.scan(time.monotonic() + 0.6).result(20)
    assert (scan.outcome, scan.detail) == (Outcome.TIMED_OUT, Detail.NO_CODE)


@pytest.mark.parametrize(
    ("trouble", "details"),
    [
        (Trouble.SILENT, {Detail.NO_FRAMES, Detail.LINE_LOST}),
        (Trouble.GARBAGE, {Detail.NO_FRAMES, Detail.LINE_LOST}),
        (Trouble.VANISHES, {Detail.LINE_LOST}),
    ],
)
def test_a_camera_in_trouble_ends_the_wait_with_the_cause_and_comes_back(studio, soon, wait_until, trouble, details):
    simulator = studio.simulator()
    camera = studio.codes(simulator, settings=QUICK)
    wait_until(lambda: camera.status.health is Health.OK)
    future = camera.scan(soon())
    simulator.trouble(trouble)
    scan = future.result(20)
    assert scan.outcome is Outcome.DEVICE_FAULT
    assert scan.detail in details
    wait_until(lambda: camera.status.health in {Health.UNKNOWN, Health.OFFLINE})
    simulator.clear_faults()
    simulator.plug()
    wait_until(lambda: camera.status.health is Health.OK)
    simulator.show_code("back")
    assert camera.scan(soon()).result(20).code.text == "back"


def test_a_frozen_picture_of_a_code_is_no_code_that_somebody_holds_up(studio, soon, wait_until):
    simulator = studio.simulator()
    camera = studio.codes(simulator)
    simulator.set_faults(frozen=True)
    scan = camera.scan(soon()).result(20)
    assert (scan.outcome, scan.detail) == (Outcome.DEVICE_FAULT, Detail.FROZEN_PICTURE)
    wait_until(lambda: camera.status.detail is Detail.FROZEN_PICTURE)


def test_loss_and_return_are_told_once_each(studio, wait_until):
    simulator = studio.simulator()
    camera = studio.codes(simulator)
    wait_until(lambda: camera.status.health is Health.OK)
    simulator.unplug()
    wait_until(lambda: camera.status.health is Health.OFFLINE)
    simulator.plug()
    wait_until(lambda: camera.status.health is Health.OK)
    wait_until(lambda: len(studio.of(StatusChanged)) >= 3)
    assert [event.status.health for event in studio.of(StatusChanged)] == [Health.OK, Health.OFFLINE, Health.OK]


def test_an_ended_session_gets_no_code_and_what_it_got_is_overwritten(studio, soon):
    simulator = studio.simulator()
    camera = studio.codes(simulator)
    simulator.show_code("A77")
    session = DeviceSession()
    code = camera.scan(soon(), session=session).result(20).code
    simulator.hide()
    waiting = camera.scan(soon(), session=session)
    session.end()
    assert waiting.result(20).outcome is Outcome.CANCELLED
    with pytest.raises(CodeWiped):
        _ = code.text


def test_the_self_test_sees_the_picture_move_and_a_code(studio, soon):
    simulator = studio.simulator()
    simulator.help_self_test()
    report = studio.codes(simulator).self_test(soon()).result(20)
    assert [(step.name, step.verdict) for step in report.steps] == [
        ("status", Verdict.PASS),
        ("moving_picture", Verdict.PASS),
        ("code_read", Verdict.PASS),
    ]
    assert report.steps[1].measured.startswith("640x480")


def test_only_pictures_are_taken_for_cameras(tmp_path):
    for index in range(2):
        (tmp_path / f"usb-Maker_Camera-video-index{index}").touch()
    assert [str(found.address) for found in cameras(tmp_path)] == [f"video:{tmp_path}/usb-Maker_Camera-video-index0"]
    with pytest.raises(BadAddress):
        CodeCamera("serial:/dev/ttyS0")
