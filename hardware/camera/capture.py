"""Capturing: a camera, film or row of pictures, read on a thread of its own that keeps the newest frame alone.

Whoever needs a frame never calls the library's `read`, which may block for ever on a camera that hangs or was pulled:
frames are waited for here with a deadline, and the capturing thread is left behind when it does not come back.
"""

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2

from hardware.addresses import VideoAddress
from hardware.camera.frames import Frame, FreezeWatch, lower_hash, picture_hash, wipe_image
from hardware.errors import LineLost, NoAnswer
from hardware.vocabulary import Detail

READ_LIMIT_S: Final = 2
"""After which a read of a camera that sends nothing comes back, where the library can be told so."""
IDLE_FPS: Final = 2.0
"""Frames that are decoded while nobody needs any: enough to see that the picture moves."""
_PACE_SLICE_S: Final = 0.05

# The library reads these when it opens a device. Without the second it looks into a stream for seconds; what its
# decoders have to say about each frame belongs in no log.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(READ_LIMIT_S))
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "analyzeduration;0|probesize;32768")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

_stuck_lock = threading.Lock()
_capturing: Final[dict[str, threading.Thread]] = {}
"""Threads by address that have not come back yet; a second one for the same camera is not started beside them."""


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What a camera is asked for; it may give what is nearest. `fps` is also the most that is decoded."""

    width: int = 1280
    height: int = 720
    fps: float = 15.0
    open_s: float = 4.0
    """Within which the first frame must come."""
    stall_s: float = 2.0
    """Without a frame for so long, the camera counts as silent."""
    give_up_s: float = 6.0
    """Without a frame for so long, it is closed and opened anew."""
    frozen_s: float = 3.0


class FrozenPicture(NoAnswer):
    """The camera sends the same picture again and again."""

    detail = Detail.FROZEN_PICTURE


class NoFrames(NoAnswer):
    """The camera is there and sends nothing."""

    detail = Detail.NO_FRAMES


class Capture:
    """An open camera. Raises `LineLost` when it is not there, or gives no first frame in time. Thread-safe."""

    def __init__(self, address: VideoAddress, settings: CaptureSettings | None = None) -> None:
        self._address = address
        self._settings = settings or CaptureSettings()
        self._arrived = threading.Condition()
        self._pending: Frame | None = None
        self._number = 0
        self._last_at = time.monotonic()
        self._ended: str | None = None
        self._closing = threading.Event()
        self._users = 0
        self._freezes = FreezeWatch(self._settings.frozen_s), FreezeWatch(self._settings.frozen_s)
        if not _is_there(address.path):
            raise LineLost(f"{address}: not there")
        self._thread = threading.Thread(target=self._run, name=f"capture-{address.path}", daemon=True)
        with _stuck_lock:
            before = _capturing.get(address.path)
            if before is not None and before.is_alive():
                raise LineLost(f"{address}: an earlier capture still hangs in it")
            _capturing[address.path] = self._thread
        self._thread.start()
        with self._arrived:
            self._arrived.wait_for(lambda: self._number or self._ended, self._settings.open_s)
        if not self._number:
            why = self._ended or "no first frame"
            self.close()
            raise LineLost(f"{address}: {why}")

    @property
    def address(self) -> str:
        return str(self._address)

    @contextlib.contextmanager
    def in_use(self) -> "Iterator[Capture]":
        """Frames come at the full rate inside the block."""
        with self._arrived:
            self._users += 1
        try:
            yield self
        finally:
            with self._arrived:
                self._users -= 1

    def take(self, since: float, until: float) -> Frame | None:
        """The newest frame if it came after `since`, waiting for one until `until` (both monotonic seconds).

        The frame is the taker's: nobody else sees it, and the taker wipes it. Raises `LineLost` when the camera has
        gone.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._fresh(since) or self._ended, max(0.0, until - time.monotonic()))
            if self._fresh(since):
                frame, self._pending = self._pending, None
                return frame
            if self._ended is not None:
                raise LineLost(f"{self._address}: {self._ended}")
            return None

    def check(self, now: float) -> None:
        """Raises `LineLost` when the camera has gone or must be opened anew, `NoFrames` or `FrozenPicture`."""
        with self._arrived:
            ended, age = self._ended, now - self._last_at
            frozen = any(freeze.frozen(now) for freeze in self._freezes)
        if ended is None and not _is_there(self._address.path):
            ended = "unplugged"
        if ended is None and age >= self._settings.give_up_s:
            ended = f"no frame for {age:.0f} s"
        if ended is not None:
            raise LineLost(f"{self._address}: {ended}")
        if age >= self._settings.stall_s:
            raise NoFrames(f"{self._address}: no frame for {age:.1f} s")
        if frozen:
            raise FrozenPicture(f"{self._address}: the same picture, or lower part of one, again and again")

    def close(self) -> None:
        """Give the camera back. A thread that hangs in the library ends by itself when the library lets it go."""
        self._closing.set()
        with self._arrived:
            self._end("closed")
            self._drop_pending()
        self._thread.join(0.5)

    def _run(self) -> None:
        source = None
        try:
            source = _Source(self._address.path, self._settings)
            while not self._closing.is_set():
                if not source.grab():
                    with self._arrived:
                        self._end("its pictures ended")
                    return
                self._take(source)
        except cv2.error as error:
            with self._arrived:
                self._end(f"library error {getattr(error, 'code', None)}")
        finally:
            if source is not None:
                source.close()
            with _stuck_lock:
                if _capturing.get(self._address.path) is threading.current_thread():
                    del _capturing[self._address.path]

    def _take(self, source: "_Source") -> None:
        """Decode the grabbed frame if one is due, in place of the one before."""
        now = time.monotonic()
        fps = self._settings.fps if self._users or not self._number else IDLE_FPS
        if self._number and now - self._last_at < 0.9 / fps:
            source.pace(self._closing)
            return
        image = source.retrieve()
        if image is None:
            return
        now = time.monotonic()
        hashes = picture_hash(image), lower_hash(image)
        with self._arrived:
            self._drop_pending()
            if self._closing.is_set():
                wipe_image(image)
                return
            self._number += 1
            self._last_at = now
            for freeze, image_hash in zip(self._freezes, hashes, strict=True):
                freeze.see(image_hash, now)
            self._pending = Frame(image, self._number, now)
            self._arrived.notify_all()
        source.pace(self._closing)

    def _fresh(self, since: float) -> bool:
        return self._pending is not None and self._pending.at >= since

    def _drop_pending(self) -> None:
        if self._pending is not None:
            self._pending.wipe()
            self._pending = None

    def _end(self, why: str) -> None:
        if self._ended is None:
            self._ended = why
        self._arrived.notify_all()


class _Source:
    """The library's capture of one address, on the capturing thread alone. Films and rows of pictures begin anew at
    their end, and are played at their own pace."""

    def __init__(self, path: str, settings: CaptureSettings) -> None:
        self._path = path
        self._settings = settings
        self._recorded = not _is_live(path)
        self._capture = self._open()
        own_fps = 0.0 if "%" in path else self._capture.get(cv2.CAP_PROP_FPS)
        self._period = 1.0 / (own_fps if 1 <= own_fps <= 240 else settings.fps)
        self._due = time.monotonic()

    def grab(self) -> bool:
        """Take the next picture from the device without decoding it; False when there is none and will be none."""
        if self._capture.grab():
            return True
        if not self._recorded:
            return False
        self._capture.release()
        self._capture = self._open()
        return bool(self._capture.grab())

    def retrieve(self) -> Any:
        """Decode what was grabbed; None when it cannot be."""
        done, image = self._capture.retrieve()
        return image if done and image is not None and image.size else None

    def pace(self, closing: threading.Event) -> None:
        """Wait until a recording's next picture is due. A live camera sets the pace itself."""
        if self._recorded:
            self._due = max(self._due + self._period, time.monotonic() - self._period)
            closing.wait(max(0.0, self._due - time.monotonic()))

    def close(self) -> None:
        self._capture.release()

    def _open(self) -> Any:
        return _open_library(self._path, self._settings)


def _open_library(path: str, settings: CaptureSettings) -> Any:
    if _is_socket(path):
        limit = READ_LIMIT_S * 1000
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        return cv2.VideoCapture(f"unix:{path}", cv2.CAP_FFMPEG, options)
    if _is_device(path):
        capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        for name, value in (
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),  # raw pictures do not fit through USB 2
            (cv2.CAP_PROP_FRAME_WIDTH, settings.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
            (cv2.CAP_PROP_FPS, settings.fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            capture.set(name, value)
        return capture
    return cv2.VideoCapture(path)


def _is_there(path: str) -> bool:
    return os.path.exists(os.path.dirname(path) if "%" in path else path)


def _is_live(path: str) -> bool:
    return _is_device(path) or _is_socket(path)


def _is_device(path: str) -> bool:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return stat.S_ISCHR(status.st_mode)
    return path.startswith("/dev/")


def _is_socket(path: str) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISSOCK(os.stat(path).st_mode)
    return False
