"""Driver of a camera before which a person stands: is a face there, and is it the face on the card.

No frame is looked at without the person's consent. Nothing is stored: pictures, card photo and the numbers of a face
are overwritten as soon as they have been compared. The result is one piece of evidence beside others, never the only
way to prove who somebody is, and no certified test of liveness.
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random, SystemRandom
from statistics import median
from typing import Final, Literal

from hardware.camera.capture import Capture, CaptureSettings
from hardware.camera.challenge import Challenge, ChallengeRules, ChallengeState, Move, Seen, choose_moves
from hardware.camera.device import Camera, CameraOptions
from hardware.camera.faces import LEAST_ALIKE, SAME_FACE, Face, FaceGates, FaceModels, Signature, alike, judge_face
from hardware.camera.finding import cameras
from hardware.camera.frames import Frame
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import DeadlinePassed, DeviceFault, HardwareError
from hardware.events import OnEvent
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import WHO_ACTS, Detail, Outcome, WhoActs

STATEMENT: Final = (
    "A comparison by software: one piece of evidence beside others. It is no certified test of liveness, and nobody "
    "may be turned away for it alone: a person compares instead."
)
COMPARED: Final = 3
"""Frames that are compared at least; the middle value counts, so that one lucky or unlucky frame decides nothing."""

OnHint = Callable[["Move | Detail"], None]


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's agreement to have his face compared now. It holds for its session and can be taken back: cancel."""

    session: DeviceSession
    given_at: datetime
    """With its time zone."""
    wording: str
    """Which text the person agreed to: id and version."""

    @property
    def holds(self) -> bool:
        return not self.session.cancelled


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """How looking for a face ended; DONE: one face is there and good enough. TIMED_OUT carries what hindered."""

    outcome: Outcome
    detail: Detail = Detail.NONE

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """How a comparison ended.

    DONE: it was made, and `same` says what it found (`not_the_same_face` where it did not match: a person decides).
    USER_ERROR: `no_consent`, `bad_card_photo`, or `challenge_not_met`. TIMED_OUT carries what hindered last.
    """

    outcome: Outcome
    detail: Detail = Detail.NONE
    same: bool | None = None
    score: float | None = None
    """Cosine, -1 to 1; None where nothing was compared."""
    threshold: float = SAME_FACE
    challenge_met: bool = False
    certified_liveness: Literal[False] = field(default=False, init=False)
    statement: str = field(default=STATEMENT, init=False, repr=False)

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class FaceCamera(Camera):
    """A camera that faces the person. Its face models are loaded when they are first needed."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.FACE_CAMERA,
        settings: CaptureSettings | None = None,
        gates: FaceGates | None = None,
        challenge: ChallengeRules | None = None,
        threshold: float = SAME_FACE,
        rng: Random | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._gates = gates or FaceGates()
        self._challenge = challenge or ChallengeRules()
        self._threshold = threshold
        self._rng = rng or SystemRandom()
        self._models: FaceModels | None = None
        super().__init__(address, role=role, settings=settings, on_event=on_event, supervision=supervision)

    def find_face(
        self,
        consent: Consent | None,
        deadline: float,
        *,
        cancel: CancelToken | None = None,
        on_hint: OnHint | None = None,
    ) -> "Future[FaceSeen]":
        """Wait until one face that is good enough is there."""
        wait = _FaceWait(on_hint or (lambda _: None))
        return self._submit(
            partial(self._find_face, wait, consent),
            failed=lambda error: FaceSeen(error.outcome, wait.detail_after(error)),
            deadline=deadline,
            cancel=cancel,
            session=consent.session if consent is not None else None,
        )

    def match(
        self,
        consent: Consent | None,
        card_photo: bytearray,
        deadline: float,
        *,
        cancel: CancelToken | None = None,
        on_hint: OnHint | None = None,
    ) -> "Future[FaceMatch]":
        """Compare the person before the camera with a card's photo (BMP, JPEG or PNG; overwritten here in any case).

        First the photo, then a challenge of movements that `on_hint` hears as they are asked for (beside what hinders);
        frames in which the person looks straight and that are good enough are compared meanwhile.
        """
        wait = _FaceWait(on_hint or (lambda _: None))
        future = self._submit(
            partial(self._match, wait, consent, card_photo),
            failed=lambda error: FaceMatch(error.outcome, wait.detail_after(error), threshold=self._threshold),
            deadline=deadline,
            cancel=cancel,
            session=consent.session if consent is not None else None,
        )
        future.add_done_callback(lambda _: _overwrite(card_photo))
        return future

    def _find_face(self, wait: "_FaceWait", consent: Consent | None, run: Run[Capture]) -> FaceSeen:
        if consent is None or not consent.holds:
            return FaceSeen(Outcome.USER_ERROR, Detail.NO_CONSENT)
        models = self._loaded()
        for frame in self._frames(run):
            face = self._only_face(models, frame, wait)
            if face is not None and self._good(frame, face, wait):
                return FaceSeen(Outcome.DONE)
        raise AssertionError("frames end by raising")

    def _match(self, wait: "_FaceWait", consent: Consent | None, card_photo: bytearray, run: Run[Capture]) -> FaceMatch:
        if consent is None or not consent.holds:
            return FaceMatch(Outcome.USER_ERROR, Detail.NO_CONSENT, threshold=self._threshold)
        models = self._loaded()
        with models.card_signature(card_photo) as card:
            _overwrite(card_photo)
            if card is None:
                return FaceMatch(Outcome.USER_ERROR, Detail.BAD_CARD_PHOTO, threshold=self._threshold)
            return self._challenged(wait, models, card, run)

    def _challenged(self, wait: "_FaceWait", models: FaceModels, card: Signature, run: Run[Capture]) -> FaceMatch:
        trial = self._new_trial()
        for frame in self._frames(run):
            face = self._only_face(models, frame, wait)
            state = trial.challenge.see(_seen(face), time.monotonic())
            if state is ChallengeState.BROKEN:
                trial = self._new_trial()
                continue
            if state is ChallengeState.NOT_MET:
                return FaceMatch(Outcome.USER_ERROR, Detail.CHALLENGE_NOT_MET, threshold=self._threshold)
            if face is None:
                continue
            if trial.wants_comparison and self._good(frame, face, wait):
                with models.signature(frame.image, face) as numbers:
                    trial.compared(alike(card, numbers))
            if state is ChallengeState.MET and len(trial.scores) >= COMPARED:
                return self._judged(trial.scores)
            wait.ask(trial.challenge.asks)
        raise AssertionError("frames end by raising")

    def _judged(self, scores: list[float]) -> FaceMatch:
        score = median(scores)
        same = score >= self._threshold and min(scores) >= min(LEAST_ALIKE, self._threshold)
        detail = Detail.NONE if same else Detail.NOT_THE_SAME_FACE
        return FaceMatch(
            Outcome.DONE, detail, same=same, score=round(score, 3), threshold=self._threshold, challenge_met=True
        )

    def _new_trial(self) -> "_Trial":
        moves = choose_moves(self._rng, self._challenge.moves)
        return _Trial(Challenge(moves, self._challenge, time.monotonic()))

    def _loaded(self) -> FaceModels:
        if self._models is None:
            self._models = FaceModels()
        return self._models

    def _only_face(self, models: FaceModels, frame: Frame, wait: "_FaceWait") -> Face | None:
        faces = models.find(frame.image)
        if len(faces) > 1 and faces[1].box[2] >= self._gates.least_width * frame.image.shape[1] / 2:
            wait.hindered(Detail.SEVERAL_FACES)
            return None
        if not faces:
            wait.hindered(Detail.NO_FACE)
            return None
        return faces[0]

    def _good(self, frame: Frame, face: Face, wait: "_FaceWait") -> bool:
        problem = judge_face(frame.image, face, self._gates)
        if problem is not None:
            wait.hindered(problem)
        return problem is None

    def _self_test(self, run: Run[Capture], steps: Steps) -> None:
        super()._self_test(run, steps)
        if steps.failed:
            return
        with steps.step("face_models"):
            try:
                self._loaded()
            except (OSError, RuntimeError) as error:
                raise DeviceFault(Detail.SELF_TEST_FAILED) from error
        if steps.failed:
            return
        with steps.step("face_found", Request.FACE_CAMERA) as step:
            wait = _FaceWait(lambda _: None)
            tester = Consent(DeviceSession(), datetime.now().astimezone(), "self-test")
            try:
                self._find_face(wait, tester, run)
            except DeadlinePassed:
                step.unknown(wait.detail)


class _Trial:
    """One run of the challenge and what was compared meanwhile; a face that is lost takes both along."""

    def __init__(self, challenge: Challenge) -> None:
        self.challenge = challenge
        self.scores: list[float] = []
        self._asked: Move | None = None

    @property
    def wants_comparison(self) -> bool:
        """Once each time that the person looks straight, and as often as is lacking at the end."""
        met = self.challenge.state is ChallengeState.MET
        return self.challenge.looks_straight and (met or self.challenge.asks is not self._asked)

    def compared(self, score: float) -> None:
        self.scores.append(score)
        self._asked = self.challenge.asks


class _FaceWait:
    """What one wait has seen, and what its screen has been told."""

    def __init__(self, on_hint: OnHint) -> None:
        self._on_hint = on_hint
        self._told: Move | Detail | None = None
        self.detail = Detail.NO_FACE

    def hindered(self, detail: Detail) -> None:
        self.detail = detail
        self._tell(detail)

    def ask(self, move: Move) -> None:
        self._tell(move)

    def detail_after(self, error: HardwareError) -> Detail:
        return self.detail if isinstance(error, DeadlinePassed) else error.detail

    def _tell(self, hint: Move | Detail) -> None:
        if hint is not self._told:
            self._told = hint
            self._on_hint(hint)


def _seen(face: Face | None) -> Seen | None:
    if face is None or not math.isfinite(face.pose.nod):
        return None
    left, top, width, height = face.box
    return Seen(face.pose, left + width / 2, top + height / 2, width)


def _overwrite(photo: bytearray) -> None:
    photo[:] = bytes(len(photo))


class FaceCameraOptions(CameraOptions):
    """What a profile may say of a camera for faces. `threshold`: cosine, to be calibrated by the operator."""

    width: int = 640
    height: int = 480
    threshold: float = SAME_FACE


def _open(opening: Opening[FaceCameraOptions]) -> FaceCamera:
    return FaceCamera(
        str(opening.address),
        role=opening.role,
        settings=opening.options.settings,
        threshold=opening.options.threshold,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="camera-faces",
    title="Camera that compares a face with a card's photo",
    roles=frozenset({Role.FACE_CAMERA}),
    schemes=frozenset({"video"}),
    open=_open,
    options=FaceCameraOptions,
    find=cameras,
)
