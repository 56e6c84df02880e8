"""Drawn scenes for simulated cameras: codes, pages, an empty background."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

Image = npt.NDArray[np.uint8]

_GROUND: Final = (96, 110, 104)


def blank(width: int = 640, height: int = 480) -> Image:
    """Nothing but a dull ground that is lighter in one corner."""
    across = np.linspace(-14, 14, width)[None, :, None]
    down = np.linspace(-10, 10, height)[:, None, None]
    return np.clip(np.array(_GROUND)[None, None, :] + across + down, 0, 255).astype(np.uint8)


def code_picture(text: str | bytes, kind: str = "QRCode", size: int = 240) -> Image:
    """A code alone, dark on white with its quiet zone, in grey."""
    code = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(kind))
    picture = np.array(zxingcpp.write_barcode_to_image(code, scale=4, add_quiet_zones=True), dtype=np.uint8)
    scale = size / max(picture.shape[:2])
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def code_scene(text: str | bytes, kind: str = "QRCode", *, size: int = 240, turn: float = 0.0) -> Image:
    """A code held before a camera, turned by so many degrees."""
    scene = blank()
    code = cv2.cvtColor(code_picture(text, kind, size), cv2.COLOR_GRAY2BGR)
    height, width = code.shape[:2]
    place = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    place[:, 2] += (320 - width / 2, 240 - height / 2)
    return np.asarray(
        cv2.warpAffine(code, place, (640, 480), dst=scene, borderMode=cv2.BORDER_TRANSPARENT), dtype=np.uint8
    )


def page_picture(width: int = 620, height: int = 877) -> Image:
    """A page as from a printer: heading, lines of text, a red seal."""
    page = np.full((height, width, 3), 228, np.uint8)
    cv2.putText(page, "ESTATION SAMPLE PAGE", (60, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (30, 30, 30), 3, cv2.LINE_AA)
    for row, top in enumerate(range(150, height - 220, 34)):
        text = f"{row + 1:02d} lorem ipsum 0123456789 sample row of a form"
        cv2.putText(page, text, (60, top), cv2.FONT_HERSHEY_SIMPLEX, 0.62, (45, 45, 45), 1, cv2.LINE_AA)
    cv2.circle(page, (width - 150, height - 130), 70, (50, 40, 200), 4, cv2.LINE_AA)
    cv2.putText(page, "SAMPLE", (width - 200, height - 120), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (50, 40, 200), 2)
    return page


PAGE_CORNERS: Final = ((365.0, 60.0), (915.0, 75.0), (945.0, 890.0), (335.0, 880.0))
"""Where the page's corners lie in a scene of 1280 × 960: top left, top right, bottom right, bottom left."""


def page_scene(corners: tuple[tuple[float, float], ...] = PAGE_CORNERS) -> Image:
    """A page on a table, seen a little from the side."""
    scene, page = blank(1280, 960), page_picture()
    height, width = page.shape[:2]
    whole = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    place = cv2.getPerspectiveTransform(whole, np.array(corners, np.float32))
    return np.asarray(
        cv2.warpPerspective(
            page, place, (1280, 960), dst=scene, borderMode=cv2.BORDER_TRANSPARENT, flags=cv2.INTER_AREA
        ),
        dtype=np.uint8,
    )
