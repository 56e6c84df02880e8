"""A simulated camera: Motion JPEG on a socket, as network cameras send it, showing what is held before it."""

import contextlib
import itertools
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from hardware.simulators.faces import face_scene
from hardware.simulators.scenes import blank, code_scene, page_scene
from hardware.simulators.simulator import GARBAGE, Place, Simulator, Trouble

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CameraFaults:
    """What is wrong with the camera."""

    frozen: bool = False
    """The same picture again and again, noise and all."""
    stalled: bool = False
    """Connected, and no picture any more."""
    slow_s: float = 0.0
    """Added between two pictures."""
    garbage: bool = False
    """Bytes that are no picture."""
    half_pictures: bool = False
    """Each picture breaks off in its middle."""
    dark: float = 1.0
    """Factor of the brightness."""
    blur: int = 0
    """Width of the blur in pixels; 0 for sharp."""


class CameraSimulator(Simulator):
    """`shows` plays scenes one after another for ever; each picture has the noise of a sensor. `size`: width and height
    of what it sends, in pixels."""

    def __init__(
        self,
        path: Path,
        *,
        fps: float = 15.0,
        size: tuple[int, int] = (640, 480),
        helper: Callable[[], list[Image]] | None = None,
    ) -> None:
        self.faults = CameraFaults()
        self.sent = 0
        """Pictures sent since the beginning."""
        self._path = path
        self._fps = fps
        self._size = size
        self._helper = helper or (lambda: [code_scene("ESTATION-SAMPLE-0017")])
        self._scenes = itertools.cycle([blank(*size)])
        self._noise = np.random.default_rng(7)
        self._last: bytes | None = None
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None
        self._vanish = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="camera-simulator", daemon=True)

    @property
    def address(self) -> str:
        return f"video:{self._path.absolute()}"

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {
            "show": self.show_file,
            "code": self.show_code,
            "page": self.show_page,
            "face": self.show_face,
            "hide": self.hide,
        }

    def start(self) -> Self:
        self.plug()
        self._thread.start()
        return self

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self.unplug()

    def plug(self) -> None:
        with self._lock:
            if self._listener is None:
                self._path.unlink(missing_ok=True)
                self._listener = socket.socket(socket.AF_UNIX)
                self._listener.bind(str(self._path))
                self._listener.listen(1)
                self._vanish = False

    def unplug(self) -> None:
        with self._lock:
            for end in (self._peer, self._listener):
                if end is not None:
                    end.close()
            if self._listener is not None:
                self._path.unlink(missing_ok=True)
            self._peer = self._listener = None

    def shows(self, *scenes: Image) -> None:
        """Hold these pictures before the camera, one after another, for ever; each is fitted to the camera's size."""
        with self._lock:
            self._scenes = itertools.cycle([_fitted(scene, self._size) for scene in scenes])

    def show_file(self, path: str) -> None:
        """Hold up a picture from a file."""
        image = cv2.imread(path)
        if image is None:
            raise ValueError(f"{path} is no picture")
        self.shows(np.asarray(image, dtype=np.uint8))

    def show_code(self, text: str = "ESTATION-SAMPLE-0017") -> None:
        """Hold up a QR code."""
        self.shows(code_scene(text))

    def show_page(self) -> None:
        """Lay a page under the camera."""
        self.shows(page_scene())

    def show_face(self, turn: str = "0", size: str = "0.32") -> None:
        """A drawn person steps before the camera: degrees to his own left, width of the head."""
        self.shows(face_scene(turn=float(turn), size=float(size)))

    def hide(self) -> None:
        """Nothing before the camera."""
        self.shows(blank())

    def set_faults(self, **changes: Any) -> None:
        with self._lock:
            self.faults = replace(self.faults, **changes)

    def clear_faults(self) -> None:
        with self._lock:
            self.faults = CameraFaults()
            self._vanish = False

    def trouble(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.SILENT | Trouble.STUCK_BUSY:
                self.set_faults(stalled=True)
            case Trouble.SLOW:
                self.set_faults(slow_s=0.1)
            case Trouble.GARBAGE:
                self.set_faults(garbage=True)
            case Trouble.HALF_FRAME:
                self.set_faults(half_pictures=True)
            case Trouble.VANISHES:
                with self._lock:
                    self._vanish = True

    def help_self_test(self) -> None:
        self.shows(*self._helper())

    def _loop(self) -> None:
        due = time.monotonic()
        while not self._closing.is_set():
            self._accept(max(0.0, due - time.monotonic()))
            if time.monotonic() >= due:
                due = time.monotonic() + 1 / self._fps + self.faults.slow_s
                with self._lock:
                    self._send()

    def _accept(self, wait_s: float) -> None:
        with self._lock:
            listener = self._listener if self._peer is None else None
        if listener is None:
            self._closing.wait(wait_s)
            return
        with contextlib.suppress(OSError, ValueError):  # unplugged meanwhile
            if select.select([listener], [], [], min(wait_s, 0.05))[0]:
                peer = listener.accept()[0]
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                peer.setblocking(False)
                with self._lock:
                    self._peer = peer

    def _send(self) -> None:
        """One picture to whoever looks; a camera whose host is too slow drops it."""
        if self._peer is None or self.faults.stalled:
            return
        data = self._picture()
        if self._vanish:
            data = data[: len(data) // 2]
        try:
            self._peer.send(data)
        except BlockingIOError:
            return
        except OSError:
            self._peer.close()
            self._peer = None
            return
        self.sent += 1
        if self._vanish:
            self.unplug()

    def _picture(self) -> bytes:
        faults = self.faults
        if faults.garbage:
            return GARBAGE * 64
        if not (faults.frozen and self._last is not None):
            image = next(self._scenes).astype(np.int16)
            image = (image * faults.dark).astype(np.int16) + self._noise.integers(-3, 4, image.shape, np.int16)
            picture = np.clip(image, 0, 255).astype(np.uint8)
            if faults.blur:
                picture = cv2.blur(picture, (faults.blur, faults.blur))
            self._last = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        return self._last[: len(self._last) // 2] if faults.half_pictures else self._last


def _fitted(scene: Image, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(scene, size), dtype=np.uint8)


def simulate_codes(place: Place) -> CameraSimulator:
    """For the simulator desk and the fault matrix."""
    return CameraSimulator(_socket(place, "code-camera"))


def simulate_documents(place: Place) -> CameraSimulator:
    """For the simulator desk and the fault matrix."""
    return CameraSimulator(_socket(place, "document-camera"), size=(1280, 960), helper=lambda: [page_scene()])


def simulate_faces(place: Place) -> CameraSimulator:
    """For the simulator desk and the fault matrix."""
    return CameraSimulator(_socket(place, "face-camera"), helper=lambda: [face_scene()])


def _socket(place: Place, name: str) -> Path:
    path = place.folder / name
    if len(os.fsencode(path.absolute())) > 100:
        raise ValueError(f"{path}: a socket's path has at most 100 bytes")
    return path
