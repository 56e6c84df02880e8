"""What the camera for codes costs over bare zxing-cpp on the same frame of 1280 × 720 pixels.

Ours runs from the frame's arrival in the capture thread to the event with the code's text: freeze watch, hand-over
between threads, decoding, character set and rules. The bare turn decodes the same frame with the same formats.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import zxingcpp

from benchmarks.device_latency import Ratio, ratio
from hardware.camera.capture import Capture, CaptureSettings
from hardware.camera.code_camera import CodeCamera
from hardware.camera.codes import FORMATS
from hardware.camera.frames import Frame, Image
from hardware.command import Run
from hardware.device import Supervision
from hardware.events import CodeScanned, DeviceEvent
from hardware.simulators.scenes import code_scene

GOAL: Final = 1.3
SIZE: Final = (1280, 720)
QUIET: Final = Supervision(probe_interval_s=600)
"""No probe gets between the turns."""
TEXT: Final = "ESTATION-SAMPLE-0017"


class _TimedCamera(CodeCamera):
    """Keeps a copy of the frame that it works on, and when it came; the time of copying is not counted."""

    picture: Image
    came = 0.0

    def _frames(self, run: Run[Capture]) -> Iterator[Frame]:
        for frame in super()._frames(run):
            began = time.monotonic()
            self.picture = frame.image.copy()
            self.came = frame.at + time.monotonic() - began
            yield frame


def camera_ratios(turns: int) -> Sequence[Ratio]:
    """A frame with a code, from its arrival to the event."""
    with tempfile.TemporaryDirectory() as folder:
        return (_code_frame(Path(folder) / "film.avi", turns),)


def _code_frame(film: Path, turns: int) -> Ratio:
    _record(film)
    ours: list[float] = []
    bare: list[float] = []
    told: list[float] = []

    def hear(event: DeviceEvent) -> None:
        if isinstance(event, CodeScanned):
            told.append(time.monotonic())

    settings = CaptureSettings(width=SIZE[0], height=SIZE[1], fps=15)
    camera = _TimedCamera(f"video:{film}", settings=settings, on_event=hear, supervision=QUIET)
    try:
        for _ in range(turns + 1):
            camera.scan(time.monotonic() + 30).result(60)
            ours.append(told[-1] - camera.came)
            bare.append(_bare(camera.picture))
    finally:
        camera.close()
    return ratio("Camera: frame to code / bare zxing-cpp", ours[1:], bare[1:], GOAL)


def _record(film: Path) -> None:
    """A second of a code held before a camera, with the noise of a sensor."""
    scene = cv2.resize(code_scene(TEXT, size=220), SIZE)
    noise = np.random.default_rng(1)
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, SIZE)
    for _ in range(15):
        picture = scene.astype(np.int16) + noise.integers(-3, 4, scene.shape)
        writer.write(np.clip(picture, 0, 255).astype(np.uint8))
    writer.release()


def _bare(picture: Image) -> float:
    began = time.monotonic()
    found = zxingcpp.read_barcodes(picture, formats=FORMATS)
    took = time.monotonic() - began
    if not found or found[0].text != TEXT:
        raise RuntimeError("the bare decoder read something else")
    return took
