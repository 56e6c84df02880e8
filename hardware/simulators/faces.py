"""Drawn faces of nobody, for simulated cameras and cards: a head in space, so that it can turn.

The face models take them for faces, and tell the two persons here apart; what that says of real faces is nothing.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Colour = tuple[float, float, float]

_FINE: Final = 2
"""Drawn this much larger and shrunk, for soft edges."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a drawn head looks like. Lengths in half head widths, colours as blue, green, red."""

    skin: Colour = (135, 165, 215)
    hair: Colour = (30, 32, 40)
    height: float = 1.36
    eyes_apart: float = 0.43
    eyes_up: float = 0.16
    nose_down: float = 0.30
    nose_width: float = 0.20
    mouth_down: float = 0.72
    mouth_width: float = 0.38
    brows: float = 0.05
    glasses: bool = False
    beard: bool = False


SAMPLE_PERSON: Final = Person()
OTHER_PERSON: Final = Person(
    skin=(70, 86, 112), hair=(40, 90, 180), height=1.44, eyes_apart=0.34, eyes_up=0.065, nose_down=0.41,
    nose_width=0.27, mouth_down=0.63, mouth_width=0.24, brows=0.055, glasses=True,
)  # fmt: skip


def face_scene(
    person: Person = SAMPLE_PERSON, *, turn: float = 0.0, nod: float = 0.0, size: float = 0.32, shift: float = 0.0
) -> Image:
    """A person before a camera, 640 × 480.

    `turn`: degrees to the person's own left (to the right in the picture); `nod`: degrees downwards; `size`: width of
    the head as a share of the picture's height; `shift`: to the right, as a share of the picture's width.
    """
    width, height = 640 * _FINE, 480 * _FINE
    scene = np.full((height, width, 3), (172, 164, 156), np.uint8)
    head = _Head(person, scene, (width * (0.5 + shift), height * 0.5), size * height / 2, (turn, nod))
    head.draw()
    small = cv2.resize(cv2.GaussianBlur(scene, (0, 0), 1.2 * _FINE), (640, 480), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def card_photo(person: Person = SAMPLE_PERSON) -> bytes:
    """The picture on a card, 102 × 126 pixels, as BMP."""
    scene = face_scene(person, size=0.62)
    small = cv2.resize(scene[20:460, 142:498], (102, 126), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".bmp", small)[1].tobytes()


class _Head:
    def __init__(
        self, person: Person, scene: Image, middle: tuple[float, float], half: float, turned: tuple[float, float]
    ) -> None:
        self._person = person
        self._scene = scene
        self._middle = middle
        self._half = half
        turn, nod = np.radians(turned)
        about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(nod), np.sin(nod)], [0, -np.sin(nod), np.cos(nod)]])
        self._turned = about_x @ about_y

    def draw(self) -> None:
        person, (x, y), half = self._person, self._middle, self._half
        dark = _shade(person.skin, 0.8)
        tall = person.height
        hair = self._place(0, -0.3 * tall, -0.25)
        self._ellipse(hair, (1.16 * half, 1.0 * tall * half), person.hair)
        cv2.rectangle(
            self._scene, _whole(x - 0.5 * half, y + 0.6 * tall * half), _whole(x + 0.5 * half, 2 * y), dark, -1
        )
        self._ellipse((x, 2.1 * y), (2.2 * half, 0.75 * tall * half), (92, 62, 50))
        for side in (-1, 1):
            self._ellipse(self._place(side * 0.98, 0.05, -0.05), (0.12 * half, 0.24 * half), dark)
        self._ellipse(self._middle, (half, tall * half), person.skin)
        fringe = self._place(0, -0.78 * tall, 0.5)
        self._ellipse(fringe, (0.92 * half, 0.4 * tall * half), person.hair)
        if person.beard:
            self._ellipse(self._on(0, person.mouth_down + 0.28), (0.62 * half, 0.42 * half), _shade(person.hair, 1.1))
        for side in (-1, 1):
            self._eye(side)
        self._nose()
        self._mouth()

    def _eye(self, side: int) -> None:
        person, half = self._person, self._half
        across, up = side * person.eyes_apart, -person.eyes_up
        narrow = self._narrow(across)
        place = self._on(across, up)
        self._ellipse(place, (0.25 * half * narrow, 0.14 * half), _shade(person.skin, 0.82))
        self._ellipse(place, (0.19 * half * narrow, 0.085 * half), (238, 238, 238))
        self._ellipse(place, (0.08 * half * narrow, 0.08 * half), (40, 46, 60))
        self._ellipse(place, (0.035 * half * narrow, 0.035 * half), (8, 8, 8))
        lid = (0.2 * half * narrow, 0.09 * half)
        self._arc(place, lid, (25, 25, 32), 0.02)
        brow = self._on(across, up - 0.2)
        self._arc(brow, (0.26 * half * narrow, 0.08 * half), person.hair, person.brows)
        if person.glasses:
            cv2.ellipse(
                self._scene, _whole(*place), _whole(0.3 * half * narrow, 0.24 * half), 0, 0, 360, (20, 20, 20),
                max(2, round(0.05 * half)), cv2.LINE_AA,
            )  # fmt: skip

    def _nose(self) -> None:
        person, half = self._person, self._half
        tip = self._place(0, person.nose_down, 1.28)
        cv2.line(
            self._scene, _whole(*self._on(-0.06, -0.02)), _whole(*tip), _shade(person.skin, 0.87), round(0.06 * half)
        )
        self._ellipse(tip, (person.nose_width * half, 0.12 * half), _shade(person.skin, 0.86))
        bridge = (tip[0], tip[1] - 0.03 * half)
        self._ellipse(bridge, (0.75 * person.nose_width * half, 0.1 * half), _shade(person.skin, 1.05))
        for side in (-1, 1):
            nostril = (tip[0] + side * 0.45 * person.nose_width * half, tip[1] + 0.06 * half)
            self._ellipse(nostril, (0.05 * half, 0.03 * half), _shade(person.skin, 0.45))

    def _mouth(self) -> None:
        person, half = self._person, self._half
        place, narrow = self._on(0, person.mouth_down), self._narrow(0)
        wide = person.mouth_width * half * narrow
        self._ellipse(place, (wide, 0.075 * half), (95, 85, 185))
        self._ellipse((place[0], place[1] + 0.04 * half), (0.8 * wide, 0.085 * half), (115, 105, 200))
        left, right = _whole(place[0] - wide, place[1]), _whole(place[0] + wide, place[1])
        cv2.line(self._scene, left, right, (50, 45, 90), max(2, round(0.03 * half)), cv2.LINE_AA)

    def _on(self, across: float, down: float) -> tuple[float, float]:
        """A place on the face's surface."""
        depth = max(0.0, 1 - across**2 - (down / self._person.height) ** 2) ** 0.5
        return self._place(across, down, 1.05 * depth)

    def _place(self, across: float, down: float, depth: float) -> tuple[float, float]:
        x, y, _ = self._turned @ np.array((across, down, depth))
        return self._middle[0] + float(x) * self._half, self._middle[1] + float(y) * self._half

    def _narrow(self, across: float) -> float:
        """How much narrower a feature looks where the face turns away."""
        left, right = self._on(across - 0.05, 0), self._on(across + 0.05, 0)
        return float(np.clip((right[0] - left[0]) / (0.1 * self._half), 0.15, 1.0))

    def _ellipse(self, middle: tuple[float, float], axes: tuple[float, float], colour: Colour) -> None:
        cv2.ellipse(self._scene, _whole(*middle), _whole(*axes), 0, 0, 360, colour, -1, cv2.LINE_AA)

    def _arc(self, middle: tuple[float, float], axes: tuple[float, float], colour: Colour, thick: float) -> None:
        line = max(1, round(thick * self._half))
        cv2.ellipse(self._scene, _whole(*middle), _whole(*axes), 0, 190, 350, colour, line, cv2.LINE_AA)


def _whole(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def _shade(colour: Colour, factor: float) -> Colour:
    blue, green, red = (min(255.0, part * factor) for part in colour)
    return blue, green, red
