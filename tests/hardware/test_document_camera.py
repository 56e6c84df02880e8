"""Pages: found where they lie or honestly not found, made flat, judged; the camera waits until one can be read."""

import itertools
import time
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.camera.capture import CaptureSettings
from hardware.camera.document_camera import DocumentCamera
from hardware.camera.page import find_page, flatten_page, judge_page, order_corners, page_problem
from hardware.device import Supervision
from hardware.errors import DocumentWiped
from hardware.session import DeviceSession
from hardware.simulators.camera import CameraSimulator
from hardware.simulators.scenes import PAGE_CORNERS, blank, page_picture, page_scene
from hardware.vocabulary import Detail, Outcome, Verdict, WhoActs
from hardware.worker import BackOff

QUICK = CaptureSettings(width=1280, height=960, fps=30, open_s=3, stall_s=1.0, give_up_s=2.0, frozen_s=2.0)
SUPERVISION = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=5.0)
PLACED = np.array(PAGE_CORNERS, np.float32)
SHINE = 400 * np.exp(-(((np.arange(1280)[None] - 640) / 70) ** 2) - ((np.arange(960)[:, None] - 500) / 50) ** 2)


def noisy(scene, seed=1):
    noise = np.random.default_rng(seed).integers(-6, 7, scene.shape)
    return np.clip(scene.astype(np.int16) + noise, 0, 255).astype(np.uint8)


def shining(scene):
    return np.clip(scene + SHINE[..., None], 0, 255).astype(np.uint8)


def flat(scene):
    return flatten_page(scene, find_page(scene))


# where the page is


@settings(deadline=None, max_examples=12)
@given(st.lists(st.floats(-40, 40), min_size=8, max_size=8), st.integers(0, 2**16))
def test_a_page_is_found_wherever_it_lies_on_a_plain_table(shifts, seed):
    corners = PLACED + np.array(shifts, np.float32).reshape(4, 2)
    found = find_page(noisy(page_scene(tuple(map(tuple, corners.tolist()))), seed))
    assert found is not None
    assert np.linalg.norm(found - corners, axis=1).max() < 3  # of 1600 pixels across


@settings(deadline=None, max_examples=12)
@given(st.floats(-35, 35))
def test_a_page_that_lies_askew_is_found(degrees):
    middle = PLACED.mean(axis=0)
    turn = cv2.getRotationMatrix2D(tuple(map(float, middle)), degrees, 0.8)
    corners = (np.c_[PLACED, np.ones(4)] @ turn.T).astype(np.float32)
    found = find_page(noisy(page_scene(tuple(map(tuple, corners.tolist())))))
    assert np.linalg.norm(found - order_corners(corners), axis=1).max() < 3


def white_table():
    scene, page = np.full((960, 1280, 3), 228, np.uint8), page_picture()
    scene[40:917, 300:920] = page
    return scene


def clutter():
    scene, chance = blank(1280, 960), np.random.default_rng(5)
    for _ in range(60):
        x, y, width, height = (int(chance.integers(0, most)) for most in (1200, 900, 200, 200))
        cv2.rectangle(scene, (x, y), (x + width, y + height), chance.integers(0, 255, 3).tolist(), -1)
    return scene


@pytest.mark.parametrize(
    "scene",
    [
        blank(1280, 960),
        np.zeros((960, 1280, 3), np.uint8),
        np.full((960, 1280, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (960, 1280, 3), np.uint8),
        white_table(),
        clutter(),
    ],
    ids=["empty table", "black", "white", "noise", "white page on a white table", "clutter"],
)
def test_where_no_page_is_to_be_seen_none_is_found(scene):
    assert find_page(scene) is None


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90))
def test_any_picture_is_looked_at_without_raising(seed, height, width):
    find_page(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_a_page_that_the_picture_cuts_off_or_that_lies_far_away_is_not_taken():
    cut = page_scene()[:, 340:].copy()
    assert page_problem(find_page(cut), cut) is Detail.PAGE_CUT_OFF
    far = cv2.copyMakeBorder(page_scene(), 500, 500, 500, 500, cv2.BORDER_REPLICATE)
    assert page_problem(find_page(far), far) is Detail.PAGE_TOO_SMALL
    assert page_problem(find_page(page_scene()), page_scene()) is None


@given(st.permutations(range(4)))
def test_corners_come_in_one_order(order):
    assert (order_corners(PLACED[list(order)]) == PLACED).all()


# the flat page


def test_a_flat_page_is_an_upright_a4_page_with_everything_in_its_place():
    page = flat(page_scene())
    assert page.shape == (2339, 1654, 3)
    original = cv2.resize(page_picture(), (1654, 2339), interpolation=cv2.INTER_CUBIC)
    shrunk = [cv2.resize(each, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA) for each in (page, original)]
    assert np.abs(shrunk[0].astype(int) - shrunk[1].astype(int)).mean() < 4
    seal = shrunk[0][360:440, 200:300].astype(int)
    assert (seal[..., 2] - seal[..., 0]).max() > 60  # the red seal, lower right


def test_another_shape_of_paper_keeps_its_proportions():
    corners = np.array([(300, 300), (980, 300), (980, 730), (300, 730)], np.float32)  # an ID card, lying
    page = flatten_page(blank(1280, 960), corners, longest=680)
    assert page.shape[:2] == (430, 680)


# whether it can be read


def test_a_sharp_page_is_good_and_blur_is_seen_the_more_the_worse():
    measured = [judge_page(flat(page_scene()))]
    for sigma in (1.0, 2.0, 3.0, 5.0):
        measured.append(judge_page(flat(cv2.GaussianBlur(page_scene(), (0, 0), sigma))))
    sharpness = [quality.sharpness for quality in measured]
    assert sharpness == sorted(sharpness, reverse=True)
    assert measured[0].problem() is None
    assert [quality.problem() for quality in measured[2:]] == [Detail.BLURRED] * 3


@pytest.mark.parametrize(
    ("scene", "problem"),
    [
        (shining(page_scene()), Detail.GLARE),
        ((page_scene() * 0.28).astype(np.uint8), Detail.TOO_DARK),
        (np.clip(page_scene().astype(int) + 40, 0, 255).astype(np.uint8), Detail.TOO_BRIGHT),
    ],
    ids=["glare", "dark", "bright"],
)
def test_a_page_that_cannot_be_read_is_refused_with_its_cause(scene, problem):
    assert judge_page(flatten_page(scene, PLACED)).problem() is problem


def test_the_sharpness_of_a_blank_page_is_unknown_and_no_fault():
    quality = judge_page(np.full((1400, 1000, 3), 225, np.uint8))
    assert (quality.sharpness, quality.problem()) == (None, None)


# the camera


@pytest.fixture
def tray(tmp_path):
    with ExitStack() as stack:
        simulator = CameraSimulator(tmp_path / "tray", fps=30, size=(1280, 960)).start()
        stack.callback(simulator.close)
        camera = DocumentCamera(simulator.address, settings=QUICK, supervision=SUPERVISION)
        stack.callback(camera.close)
        yield simulator, camera


def test_a_page_laid_down_is_captured_flat(tray, soon):
    simulator, camera = tray
    hints = []
    future = camera.capture(soon(), on_hint=hints.append)
    simulator.show_page()
    captured = future.result(20)
    assert captured.outcome is Outcome.DONE
    assert captured.document.page_found
    assert captured.document.image.shape == (2339, 1654, 3)
    assert np.linalg.norm(captured.document.corners - PLACED, axis=1).max() < 3
    assert set(hints) <= {Detail.NO_PAGE}
    again = cv2.imdecode(np.frombuffer(captured.document.jpeg(), np.uint8), cv2.IMREAD_COLOR)
    assert again.shape == captured.document.image.shape


def test_a_page_that_is_still_moved_is_waited_for(tray, soon, wait_until):
    simulator, camera = tray
    places = [page_scene(tuple((x + 60 * k, y) for x, y in PAGE_CORNERS)) for k in (-2, -1, 0, 1, 2, 1, 0, -1)]
    simulator.shows(*itertools.chain(*((place, blank(1280, 960)) for place in places)))
    future = camera.capture(soon())
    before = simulator.sent
    wait_until(lambda: simulator.sent > before + 12)
    assert not future.done()
    simulator.show_page()
    assert future.result(20).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "case",
    [
        (blank(1280, 960), {}, Detail.NO_PAGE),
        (page_scene(), {"blur": 13}, Detail.BLURRED),
        (page_scene(), {"dark": 0.28}, Detail.TOO_DARK),
        (shining(page_scene()), {}, Detail.GLARE),
        (page_scene(tuple((x - 380, y) for x, y in PAGE_CORNERS)), {}, Detail.PAGE_CUT_OFF),
    ],
    ids=["no page", "blurred", "dark", "glare", "cut off"],
)
def test_what_hinders_is_told_and_is_the_cause_of_the_time_out(tray, soon, wait_until, case):
    simulator, camera = tray
    scene, faults, detail = case
    simulator.set_faults(**faults)
    simulator.shows(scene)
    hints = []
    cancelled = camera.capture(soon(), on_hint=hints.append)
    wait_until(lambda: detail in hints)
    cancelled.cancel()
    for seconds in (1, 4, 16):  # a busy machine sees few frames
        captured = camera.capture(time.monotonic() + seconds).result(30)
        if captured.detail is detail:
            break
    assert (captured.outcome, captured.detail, captured.who_acts) == (Outcome.TIMED_OUT, detail, WhoActs.CITIZEN)


def test_where_no_page_is_found_the_whole_frame_is_cut_out_by_hand(tray, soon):
    simulator, camera = tray
    simulator.shows(white_table())
    frame = camera.whole_frame(soon()).result(20).document
    while frame.image[:, :].std() < 5:
        frame = camera.whole_frame(soon()).result(20).document
    assert not frame.page_found
    page = frame.cut_out(np.array([(920, 40), (300, 40), (300, 917), (920, 917)], np.float32))
    assert page.page_found
    assert page.image.shape == (2339, 1654, 3)
    assert page.quality.problem() is None


def test_the_end_of_the_session_overwrites_the_document(tray, soon):
    simulator, camera = tray
    simulator.show_page()
    session = DeviceSession()
    document = camera.capture(soon(), session=session).result(20).document
    pixels = document.image
    session.end()
    assert not pixels.any()
    with pytest.raises(DocumentWiped):
        document.jpeg()


def test_a_documents_repr_and_events_show_nothing_of_it(tray, soon):
    simulator, camera = tray
    simulator.show_page()
    captured = camera.capture(soon()).result(20)
    assert repr(captured.document) == "Document(1654x2339, page found: True)"
    with pytest.raises(TypeError):
        captured.document.__reduce__()


def test_the_self_test_finds_the_page(tray, soon):
    simulator, camera = tray
    simulator.show_page()
    report = camera.self_test(soon()).result(20)
    assert report.verdict is Verdict.PASS
    assert report.steps[-1].measured.startswith("sharpness 0.")
    simulator.hide()
    unknown = camera.self_test(time.monotonic() + 2.0).result(20)
    assert (unknown.verdict, unknown.steps[-1].detail) == (Verdict.UNKNOWN, Detail.NO_PAGE)
