"""A page in a picture: where its corners are (or honestly nowhere), the page made flat, whether it can be read. Pure.

Method: shrunk to 800 pixels; on each channel of the Lab colour space a blurred threshold and dilated edges, closed;
outer contours' convex hulls with a fair share of the picture; the largest that is a quadrilateral wins, and its sides
are moved to where brightness changes most. Proven on plain grounds only: on a table as white as the page no page is
found, and that is what is said.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hardware.camera.frames import Image, wipe_image
from hardware.vocabulary import Detail

Corners = npt.NDArray[np.float32]
"""4 × 2 pixels, x before y: top left, top right, bottom right, bottom left."""

WORK_SIZE: Final = 800
LEAST_SHARE: Final = 0.15
MOST_SHARE: Final = 0.98
_LEAST_ANGLE: Final = 50.0
"""Degrees of the sharpest corner of a page that lies under a camera, seen from the side."""
_BORDER: Final = 0.012
"""Of width and height: a corner nearer to the picture's edge may be one that the edge has cut."""

_CLOSE: Final = 25
_APART: Final = 7.0
_LEAST_STEP: Final = 12
"""Grey levels between a page and its ground, so many pixels on either side of its edge (of 800)."""
_REACH: Final = 8.0
"""Pixels (of 800) next to a side that was found within which its edge is looked for."""

A4_RATIO: Final = 2**0.5
_A4_TOLERANCE: Final = 0.06

DARKEST_PAPER: Final = 70.0
GLARE_LEVEL: Final = 250
GLARE_ABOVE_PAPER: Final = 18
MOST_GLARE: Final = 0.004
LEAST_SHARPNESS: Final = 0.14
LEAST_CONTRAST: Final = 40.0
"""Grey levels between ink and paper below which a page counts as blank and its sharpness as unknown."""
_JUDGED_WIDTH: Final = 1000


@dataclass(frozen=True, slots=True)
class PageQuality:
    """What was measured on a flat page."""

    brightness: float
    """Median grey, 0 to 255: that of the paper."""
    glare: float
    """Share of the page that shines so that nothing can be read there, 0 to 1."""
    sharpness: float | None
    """Steepest edges over contrast, 0 (blurred) to about 0.5; None on a blank page."""

    def problem(self, least_sharpness: float = LEAST_SHARPNESS) -> Detail | None:
        """The worst that is wrong, or None."""
        if self.brightness < DARKEST_PAPER:
            return Detail.TOO_DARK
        if self.brightness >= GLARE_LEVEL:
            return Detail.TOO_BRIGHT
        if self.glare > MOST_GLARE:
            return Detail.GLARE
        if self.sharpness is not None and self.sharpness < least_sharpness:
            return Detail.BLURRED
        return None


def find_page(image: Image) -> Corners | None:
    """The corners of the largest page in a picture (height × width × 3), or None when there is none to be sure of."""
    scale = min(1.0, WORK_SIZE / max(image.shape[:2]))
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    best, best_area = None, 0.0
    for channel in cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2Lab)):
        for mask in _masks(np.asarray(channel, dtype=np.uint8)):
            corners, area = _largest_quadrilateral(mask)
            if corners is not None and area > best_area and _stands_out(small, order_corners(corners)):
                best, best_area = corners, area
    return None if best is None else _refined(small, order_corners(best)) / np.float32(scale)


def order_corners(points: npt.NDArray[Any]) -> Corners:
    """Four points in the order top left, top right, bottom right, bottom left.

    Clockwise around their middle, beginning with the one nearest to the picture's origin.
    """
    points = np.asarray(points, np.float32).reshape(4, 2)
    middle = points.mean(axis=0)
    around = points[np.argsort(np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)


def page_problem(corners: Corners, image: Image) -> Detail | None:
    """What is wrong with where a page lies: cut off by the picture's edge, or too small in it."""
    height, width = image.shape[:2]
    near = np.array([width, height], np.float32) * _BORDER
    if (corners < near).any() or (corners > np.array([width, height], np.float32) - 1 - near).any():
        return Detail.PAGE_CUT_OFF
    if cv2.contourArea(corners) < LEAST_SHARE * width * height:
        return Detail.PAGE_TOO_SMALL
    return None


def flatten_page(image: Image, corners: Corners, longest: int = 2339) -> Image:
    """The page as from a scanner, its longer side `longest` pixels (2339 is A4 at 200 dpi).

    `corners` as found, or as a person has set them. Nearly A4 becomes exactly A4; other proportions stay.
    """
    top_left, top_right, bottom_right, bottom_left = order_corners(corners)
    across = (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2
    down = (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
    ratio = max(across, down) / max(1.0, min(across, down))
    if abs(ratio / A4_RATIO - 1) < _A4_TOLERANCE:
        ratio = A4_RATIO
    shorter = max(1, round(longest / ratio))
    width, height = (longest, shorter) if across > down else (shorter, longest)
    whole = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    place = cv2.getPerspectiveTransform(order_corners(corners), whole)
    return np.asarray(cv2.warpPerspective(image, place, (width, height), flags=cv2.INTER_AREA), dtype=np.uint8)


def judge_page(page: Image) -> PageQuality:
    """Measure a flat page. Its size does not matter: it is judged at one width."""
    scale = _JUDGED_WIDTH / page.shape[1]
    grey = cv2.cvtColor(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    margin = round(0.03 * _JUDGED_WIDTH)
    grey = grey[margin:-margin, margin:-margin]
    paper = float(np.median(grey))
    shining = ((grey >= GLARE_LEVEL) & (grey > paper + GLARE_ABOVE_PAPER)).astype(np.uint8)
    shining = np.asarray(cv2.morphologyEx(shining, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), dtype=np.uint8)
    quality = PageQuality(paper, float(shining.mean()), _sharpness(np.asarray(grey, dtype=np.uint8)))
    wipe_image(np.asarray(grey))
    return quality


def moved(before: Corners, now: Corners, image: Image) -> float:
    """How far the corner that moved most has moved, as a share of the picture's diagonal."""
    height, width = image.shape[:2]
    return float(np.linalg.norm(before - now, axis=1).max() / math.hypot(width, height))


def _sharpness(grey: Image) -> float | None:
    quiet = cv2.GaussianBlur(grey, (3, 3), 0)
    dark, light = np.percentile(quiet, (1.0, 60.0))
    contrast = float(light - dark)
    if contrast < LEAST_CONTRAST:
        return None
    across, down = cv2.Sobel(quiet, cv2.CV_32F, 1, 0), cv2.Sobel(quiet, cv2.CV_32F, 0, 1)
    steepness = np.hypot(across, down) / 8  # grey levels a pixel
    return float(np.percentile(steepness, 99.0)) / contrast


def _masks(channel: Image) -> tuple[Image, Image]:
    """Where a page might be, by brightness and by edges."""
    quiet = cv2.GaussianBlur(channel, (5, 5), 0)
    threshold = cv2.threshold(quiet, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    edges = cv2.dilate(cv2.Canny(np.asarray(quiet, dtype=np.uint8), 25, 75), np.ones((3, 3), np.uint8))
    return _closed(threshold), _closed(edges)


def _closed(mask: Any) -> Image:
    """Gaps filled; away from the picture's edge, to which closing would else pull everything near it."""
    wide = cv2.copyMakeBorder(mask, _CLOSE, _CLOSE, _CLOSE, _CLOSE, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((_CLOSE, _CLOSE), np.uint8))
    return np.asarray(closed[_CLOSE:-_CLOSE, _CLOSE:-_CLOSE], dtype=np.uint8)


def _stands_out(image: Image, corners: Corners) -> bool:
    """Whether the sides differ from what lies beyond them; the edge of the picture itself is no side of a page."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.int16)
    height, width = grey.shape
    middle = corners.mean(axis=0)
    seen = 0
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = start + (end - start) * np.linspace(0.08, 0.92, 40)[:, None]
        outward = (along - middle) / np.maximum(1e-3, np.linalg.norm(along - middle, axis=1))[:, None]
        beyond, within = np.rint(along + _APART * outward).astype(int), np.rint(along - _APART * outward).astype(int)
        there = ((beyond >= 0) & (beyond < (width, height))).all(axis=1)
        if there.mean() < 0.5:
            continue
        step = np.abs(grey[beyond[there, 1], beyond[there, 0]] - grey[within[there, 1], within[there, 0]])
        if np.median(step) < _LEAST_STEP:
            return False
        seen += 1
    return seen >= 2


def _refined(image: Image, corners: Corners) -> Corners:
    """The corners of the lines along which brightness changes most, next to the sides that were found."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (3, 3), 0).astype(np.float32)
    lines = [_edge(grey, *side) for side in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    crossings = [_crossing(before, line) for before, line in zip([lines[-1], *lines[:-1]], lines, strict=True)]
    refined = np.array(crossings, np.float32)
    near = np.isfinite(refined).all() and np.linalg.norm(refined - corners, axis=1).max() <= 2 * _REACH
    return refined if near else corners


def _edge(grey: npt.NDArray[np.float32], start: Corners, end: Corners) -> npt.NDArray[np.float32]:
    """The line of the steepest change next to the side from `start` to `end`: its direction and a point on it."""
    direction = (end - start) / max(1e-3, float(np.linalg.norm(end - start)))
    normal = np.array((-direction[1], direction[0]))
    along = start + (end - start) * np.linspace(0.08, 0.92, 60)[:, None]
    reach = np.arange(-_REACH, _REACH + 0.5, 0.5)
    places = (along[:, None] + reach[None, :, None] * normal).astype(np.float32)
    profiles = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    steepest = np.abs(np.diff(profiles, axis=1)).argmax(axis=1)
    edge = along + (reach[steepest] + 0.25)[:, None] * normal
    return np.asarray(cv2.fitLine(edge.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel(), dtype=np.float32)


def _crossing(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Where two lines meet; not finite for parallel ones."""
    (ax, ay, px, py), (bx, by, qx, qy) = one, other
    across = ax * by - ay * bx
    if abs(across) < 1e-6:
        return np.full(2, np.inf, np.float32)
    part = ((qx - px) * by - (qy - py) * bx) / across
    return np.array((px + part * ax, py + part * ay), np.float32)


def _largest_quadrilateral(mask: Image) -> tuple[npt.NDArray[Any] | None, float]:
    whole = mask.shape[0] * mask.shape[1]
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    best, best_area = None, 0.0
    for contour in contours:
        hull = cv2.convexHull(contour)
        area = cv2.contourArea(hull)
        if not best_area < area or not LEAST_SHARE / 3 <= area / whole <= MOST_SHARE:
            continue
        corners = _four_corners(hull)
        if corners is not None and cv2.contourArea(contour) > 0.5 * area:
            best, best_area = corners, area
    return best, best_area


def _four_corners(hull: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    perimeter = cv2.arcLength(hull, closed=True)
    for tolerance in (0.01, 0.02, 0.03, 0.04, 0.05):
        corners = cv2.approxPolyDP(hull, tolerance * perimeter, closed=True)
        if len(corners) == 4:
            points = corners.reshape(4, 2).astype(np.float32)
            fits = cv2.contourArea(points) > 0.9 * cv2.contourArea(hull)
            return points if fits and _sharpest_angle(points) >= _LEAST_ANGLE else None
    return None


def _sharpest_angle(points: npt.NDArray[Any]) -> float:
    """Degrees of the smallest inner angle of a convex quadrilateral."""
    to_next, to_last = np.roll(points, -1, axis=0) - points, np.roll(points, 1, axis=0) - points
    cosine = (to_next * to_last).sum(axis=1) / (np.linalg.norm(to_next, axis=1) * np.linalg.norm(to_last, axis=1))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).min())
