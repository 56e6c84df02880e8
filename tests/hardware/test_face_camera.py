"""Faces: gates before anything is compared, the challenge as a pure rule, the comparison, and that nothing is kept."""

import gc
import itertools
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.camera.capture import CaptureSettings
from hardware.camera.challenge import (
    ASKED,
    Challenge,
    ChallengeRules,
    ChallengeState,
    Move,
    Seen,
    choose_moves,
)
from hardware.camera.face_camera import COMPARED, Consent, FaceCamera
from hardware.camera.faces import SAME_FACE, FaceGates, FaceModels, Pose, alike, judge_face, pose_of
from hardware.device import Supervision
from hardware.session import DeviceSession
from hardware.simulators.camera import CameraSimulator
from hardware.simulators.faces import OTHER_PERSON, SAMPLE_PERSON, card_photo, face_scene
from hardware.simulators.scenes import blank
from hardware.vocabulary import Detail, Outcome, Verdict, WhoActs
from hardware.worker import BackOff

QUICK = CaptureSettings(width=640, height=480, fps=30, open_s=3, stall_s=1.5, give_up_s=3.0, frozen_s=2.0)
SUPERVISION = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=5.0)
GATES = FaceGates()
RULES = ChallengeRules()
PHOTOGRAPH = cv2.imread(str(Path(__file__).parent / "pictures" / "astronaut.jpg"))
BLACK = np.zeros((480, 640, 3), np.uint8)
POSES = {Move.LOOK_STRAIGHT: 0.0, Move.TURN_LEFT: 32.0, Move.TURN_RIGHT: -32.0, Move.COME_CLOSER: 0.0}


MODELS = FaceModels()


@pytest.fixture
def models():
    return MODELS


def similarity(models, one, other):
    with models.signature(one, models.find(one)[0]) as first, models.signature(other, models.find(other)[0]) as second:
        return alike(first, second)


def as_card(picture):
    small = cv2.resize(picture, (102, 126), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


# faces and gates


def test_faces_are_found_largest_first_and_nothing_else_is_taken_for_one(models):
    pair = np.hstack([face_scene(size=0.25), face_scene(OTHER_PERSON, size=0.4)])
    near, far = models.find(pair)
    assert near.box[0] > 640 > far.box[0]
    assert models.find(blank()) == []
    assert models.find(BLACK) == []


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(8, 200), st.integers(8, 200))
def test_any_picture_is_looked_at_without_raising(seed, height, width):
    MODELS.find(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_a_turn_of_the_head_moves_the_nose_between_the_eyes(models):
    turns = [models.find(face_scene(turn=degrees))[0].pose.turn for degrees in (-40, -25, 0, 25, 40)]
    assert turns == sorted(turns)
    assert abs(turns[2]) < RULES.straight < RULES.turned < min(-turns[1], turns[3])


@given(st.floats(-0.9, 0.9), st.floats(0.2, 0.9), st.floats(-1.2, 1.2), st.floats(0.2, 40), st.floats(-500, 500))
def test_a_flat_photo_keeps_its_pose_however_it_is_moved(turn, nod, roll, scale, shift):
    """Moving, tilting and enlarging a photo changes neither turn nor nod: it cannot turn its head."""
    flat = np.array([(-1, 0), (1, 0), (turn, 2 * nod), (-0.7, 2), (0.7, 2)], np.float64)
    spun = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    pose = pose_of((flat @ spun.T * scale + shift).astype(np.float64))
    assert pose.turn == pytest.approx(turn, abs=1e-3)
    assert pose.nod == pytest.approx(nod, abs=1e-3)
    assert pose.roll == pytest.approx(np.degrees(roll), abs=1e-3)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=10, max_size=10))
def test_any_landmarks_have_a_pose(numbers):
    pose_of(np.array(numbers, np.float32).reshape(5, 2))


@pytest.mark.parametrize(
    ("scene", "problem"),
    [
        (face_scene(), None),
        (PHOTOGRAPH, None),
        (face_scene(size=0.17), Detail.FACE_TOO_SMALL),
        ((face_scene() * 0.25).astype(np.uint8), Detail.TOO_DARK),
        (np.clip(face_scene() * 1.7 + 60, 0, 255).astype(np.uint8), Detail.TOO_BRIGHT),
        (face_scene(turn=28), Detail.FACE_TURNED),
        (cv2.GaussianBlur(face_scene(), (0, 0), 4), Detail.BLURRED),
    ],
    ids=["drawn", "photograph", "small", "dark", "bright", "turned", "blurred"],
)
def test_a_face_is_judged_before_it_is_compared(models, scene, problem):
    assert judge_face(scene, models.find(scene)[0], GATES) is problem


def test_one_persons_pictures_are_alike_and_two_peoples_are_not(models):
    drawn, other = face_scene(), face_scene(OTHER_PERSON)
    assert similarity(models, drawn, face_scene(size=0.45, shift=0.1)) > 0.8
    assert similarity(models, drawn, face_scene(turn=10)) > 0.8
    for one, another in ((drawn, other), (drawn, PHOTOGRAPH), (other, PHOTOGRAPH)):
        assert similarity(models, one, another) < SAME_FACE - 0.1


def test_a_real_photograph_matches_what_is_left_of_it_on_a_card(models):
    face = models.find(PHOTOGRAPH)[0]
    left, top, width, height = map(int, face.box)
    cut = PHOTOGRAPH[
        max(0, top - height // 3) : top + height + height // 4, left - width // 4 : left + width + width // 4
    ]
    with models.card_signature(as_card(cut)) as card, models.signature(PHOTOGRAPH, face) as live:
        assert alike(card, live) > 0.8


@pytest.mark.parametrize(
    "photo",
    [b"", b"BM", b"no picture", as_card(blank()), as_card(np.hstack([face_scene(), face_scene(OTHER_PERSON)]))],
    ids=["empty", "broken", "text", "no face", "two faces"],
)
def test_a_photo_without_one_face_has_no_signature(models, photo):
    with models.card_signature(photo) as card:
        assert card is None


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=30)
def test_any_bytes_as_a_cards_photo_are_taken_without_raising(photo):
    with MODELS.card_signature(photo) as card:
        assert card is None


def test_the_numbers_of_a_face_are_overwritten_when_they_have_been_used(models):
    scene = face_scene()
    with models.signature(scene, models.find(scene)[0]) as live, models.card_signature(card_photo()) as card:
        assert live.any()
        assert card.any()
    assert not live.any()
    assert not card.any()


# the challenge, as a rule


def seen(turn=0.0, width=100.0, x=320.0):
    return Seen(Pose(turn, 0.55, 0.0), x, 240.0, width)


def shows(move, width=100.0):
    match move:
        case Move.TURN_LEFT:
            return seen(turn=0.6)
        case Move.TURN_RIGHT:
            return seen(turn=-0.6)
        case Move.COME_CLOSER:
            return seen(width=width * 1.4)
        case _:
            return seen()


class Act:
    """Frames of an acting person, a tenth of a second apart."""

    def __init__(self, *moves):
        self.now = 0.0
        self.challenge = Challenge(moves, RULES, 0.0)

    def frames(self, what, count=RULES.frames):
        for _ in range(count):
            self.now += 0.1
            state = self.challenge.see(what, self.now)
        return state


@given(st.lists(st.sampled_from(ASKED), min_size=1, max_size=5))
def test_whoever_does_what_is_asked_meets_the_challenge(moves):
    act = Act(*moves)
    for _ in range(2 * len(moves) + 1):
        assert act.challenge.state is ChallengeState.RUNNING
        act.frames(shows(act.challenge.asks))
    assert act.challenge.state is ChallengeState.MET


@given(st.lists(st.sampled_from(ASKED), min_size=1, max_size=4), st.sampled_from([seen(), seen(0.6), seen(-0.6)]))
def test_a_picture_that_stays_the_same_never_meets_it(moves, what):
    act = Act(*moves)
    assert act.frames(what, count=200) is ChallengeState.NOT_MET


@given(st.floats(-0.44, 0.44), st.lists(st.floats(80, 160), min_size=10, max_size=60))
def test_a_photo_that_is_moved_about_never_turns_its_head(turn, widths):
    act = Act(Move.TURN_LEFT, Move.COME_CLOSER)
    for width in widths:
        act.frames(seen(turn, width), count=1)
    assert act.challenge.state is not ChallengeState.MET


def test_the_wrong_side_is_no_answer():
    act = Act(Move.TURN_LEFT)
    act.frames(seen())
    assert act.challenge.asks is Move.TURN_LEFT
    act.frames(seen(turn=-0.8), count=20)
    assert act.challenge.asks is Move.TURN_LEFT


def test_one_frame_alone_is_no_movement():
    act = Act(Move.TURN_LEFT)
    act.frames(seen())
    for _ in range(5):
        act.frames(seen(turn=0.6), count=1)
        act.frames(seen(), count=1)
    assert act.challenge.asks is Move.TURN_LEFT


def test_a_face_that_is_lost_or_jumps_breaks_the_challenge():
    lost = Act(Move.TURN_LEFT)
    lost.frames(seen())
    assert lost.frames(None, count=5) is ChallengeState.RUNNING
    assert lost.frames(None, count=10) is ChallengeState.BROKEN
    jumped = Act(Move.TURN_LEFT)
    jumped.frames(seen())
    assert jumped.frames(seen(x=500), count=1) is ChallengeState.BROKEN
    grown = Act(Move.COME_CLOSER)
    grown.frames(seen())
    assert grown.frames(seen(width=250), count=1) is ChallengeState.BROKEN


@given(st.integers(), st.integers(1, 6))
def test_the_order_is_by_chance_and_always_has_a_turn(seed, count):
    moves = choose_moves(Random(seed), count)
    assert len(moves) == count
    assert {Move.TURN_LEFT, Move.TURN_RIGHT} & set(moves)
    assert all(one is not other for one, other in itertools.pairwise(moves))


def test_every_order_comes_up():
    assert len({choose_moves(Random(seed), 2) for seed in range(200)}) >= 5


# the camera


class Stage:
    """A person before a simulated camera, who does what is asked."""

    def __init__(self, folder, stack, **options):
        self.simulator = CameraSimulator(folder / "face", fps=30).start()
        stack.callback(self.simulator.close)
        options = {"settings": QUICK, "supervision": SUPERVISION, "rng": Random(4)} | options
        self.camera = FaceCamera(self.simulator.address, **options)
        stack.callback(self.camera.close)
        self.session = DeviceSession()
        self.consent = Consent(self.session, datetime.now(UTC), "face-consent-1")
        self.hints = []
        self.person = SAMPLE_PERSON

    def obey(self, hint):
        self.hints.append(hint)
        if isinstance(hint, Move):
            size = 0.5 if hint is Move.COME_CLOSER else 0.32
            self.simulator.shows(face_scene(self.person, turn=POSES[hint], size=size))

    def stubborn(self, hint):
        self.hints.append(hint)

    def match(self, soon, photo=None, **options):
        options = {"on_hint": self.obey} | options
        photo = bytearray(card_photo()) if photo is None else photo
        return self.camera.match(self.consent, photo, soon(60), **options)


@pytest.fixture
def stage(tmp_path):
    with ExitStack() as stack:
        yield Stage(tmp_path, stack)


def test_a_person_who_does_what_is_asked_is_compared_with_the_card(stage, soon):
    stage.simulator.shows(face_scene())
    match = stage.match(soon).result(60)
    assert (match.outcome, match.same, match.challenge_met) == (Outcome.DONE, True, True)
    assert match.score > 0.8
    asked = [hint for hint in stage.hints if isinstance(hint, Move)]
    assert {Move.TURN_LEFT, Move.TURN_RIGHT} & set(asked)
    assert Move.LOOK_STRAIGHT in asked


def test_another_person_is_compared_and_found_another(stage, soon):
    stage.person = OTHER_PERSON
    stage.simulator.shows(face_scene(OTHER_PERSON))
    match = stage.match(soon).result(60)
    assert (match.outcome, match.same, match.detail) == (Outcome.DONE, False, Detail.NOT_THE_SAME_FACE)
    assert match.who_acts is WhoActs.CLERK


def test_every_result_says_that_it_is_no_certified_test_and_no_only_proof(stage, soon):
    stage.simulator.shows(face_scene())
    match = stage.match(soon).result(60)
    assert match.certified_liveness is False
    assert "no certified test of liveness" in match.statement
    with pytest.raises(TypeError):
        type(match)(Outcome.DONE, certified_liveness=True)


def test_a_picture_held_before_the_camera_does_not_meet_the_challenge(tmp_path, soon):
    with ExitStack() as stack:
        stage = Stage(tmp_path, stack, challenge=ChallengeRules(move_s=1.5))
        stage.simulator.shows(*(face_scene(shift=shift) for shift in (0.0, 0.01, 0.02, 0.01)))
        match = stage.match(soon, on_hint=stage.stubborn).result(60)
    assert (match.outcome, match.detail) == (Outcome.USER_ERROR, Detail.CHALLENGE_NOT_MET)
    assert match.same is None


def test_without_consent_no_frame_is_looked_at(stage, soon, monkeypatch):
    stage.simulator.shows(face_scene())
    monkeypatch.setattr(FaceModels, "find", lambda *_: pytest.fail("a frame was looked at"))
    photo = bytearray(card_photo())
    match = stage.camera.match(None, photo, soon()).result(20)
    assert (match.outcome, match.detail) == (Outcome.USER_ERROR, Detail.NO_CONSENT)
    assert not any(photo)
    face = stage.camera.find_face(None, soon()).result(20)
    assert (face.outcome, face.detail) == (Outcome.USER_ERROR, Detail.NO_CONSENT)


def test_consent_ends_with_its_session(stage, soon, wait_until):
    stage.simulator.shows(face_scene())
    photo = bytearray(card_photo())
    future = stage.match(soon, photo, on_hint=stage.stubborn)
    wait_until(lambda: stage.hints)
    stage.session.end()
    assert future.result(20).outcome is Outcome.CANCELLED
    assert not any(photo)
    assert stage.match(soon).result(20).outcome in {Outcome.CANCELLED, Outcome.USER_ERROR}


@pytest.mark.parametrize("photo", [b"", b"no picture", as_card(blank())], ids=["empty", "broken", "no face"])
def test_a_card_without_a_usable_photo_is_said_before_anybody_is_asked_to_move(stage, soon, photo):
    stage.simulator.shows(face_scene())
    match = stage.match(soon, bytearray(photo)).result(30)
    assert (match.outcome, match.detail, match.who_acts) == (
        Outcome.USER_ERROR,
        Detail.BAD_CARD_PHOTO,
        WhoActs.CLERK,
    )
    assert stage.hints == []


def test_the_cards_photo_is_overwritten_and_no_picture_of_the_face_stays_behind(stage, soon):
    stage.simulator.shows(face_scene())
    photo = bytearray(card_photo())
    stage.match(soon, photo).result(60)
    assert not any(photo)
    stage.simulator.shows(blank())
    stage.camera.close()
    gc.collect()
    numbers = [found for found in gc.get_objects() if issubclass(type(found), np.ndarray) and found.size == 128]
    assert not [array for array in numbers if array.any() and array.dtype == np.float32]


@pytest.mark.parametrize(
    ("scene", "detail"),
    [
        (blank(), Detail.NO_FACE),
        (face_scene(size=0.17), Detail.FACE_TOO_SMALL),
        ((face_scene() * 0.25).astype(np.uint8), Detail.TOO_DARK),
        (np.hstack([face_scene(), face_scene(OTHER_PERSON)])[:, 200:-200], Detail.SEVERAL_FACES),
    ],
    ids=["nobody", "far away", "dark", "two people"],
)
def test_what_hinders_is_told_and_is_the_cause_of_the_time_out(stage, soon, wait_until, scene, detail):
    stage.simulator.shows(scene)
    begun = stage.camera.find_face(stage.consent, soon(60), on_hint=stage.stubborn)
    wait_until(lambda: detail in stage.hints)
    begun.cancel()
    for seconds in (1, 4, 16):  # a busy machine sees few frames
        face = stage.camera.find_face(stage.consent, time.monotonic() + seconds).result(30)
        if face.detail is detail:
            break
    assert (face.outcome, face.detail) == (Outcome.TIMED_OUT, detail)


def test_one_good_face_is_found(stage, soon):
    stage.simulator.shows(face_scene())
    assert stage.camera.find_face(stage.consent, soon()).result(20).outcome is Outcome.DONE


def test_more_than_one_frame_is_compared():
    assert COMPARED >= 3


def test_the_self_test_finds_models_and_a_face(stage, soon):
    stage.simulator.help_self_test()
    stage.simulator.shows(face_scene())
    report = stage.camera.self_test(soon()).result(20)
    assert [(step.name, step.verdict) for step in report.steps] == [
        ("status", Verdict.PASS),
        ("moving_picture", Verdict.PASS),
        ("face_models", Verdict.PASS),
        ("face_found", Verdict.PASS),
    ]
