"""What drivers of cameras have in common: health by frames that come and move, frames for a command, the self-test."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field

from hardware.addresses import VideoAddress, parse_address
from hardware.camera.capture import Capture, CaptureSettings
from hardware.camera.frames import Frame, lower_hash, picture_hash
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Options
from hardware.errors import BadAddress
from hardware.events import OnEvent
from hardware.roles import Role
from hardware.self_test import Steps
from hardware.vocabulary import Detail, DeviceStatus, Health

_WAIT_SLICE_S: Final = 0.05
_TEST_FRAMES: Final = 6
_TEST_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class CameraCapabilities(Capabilities):
    """What the camera is asked for: size in pixels, frames a second at most."""

    width: int
    height: int
    fps: float


class Camera(Device[Capture]):
    """A camera at `video:/dev/v4l/by-id/…`, a film, a row of pictures, or a camera's socket. Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        *,
        role: Role,
        settings: CaptureSettings | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        where = parse_address(address)
        if not isinstance(where, VideoAddress):
            raise BadAddress(f"{address!r}: want video:…")
        self._settings = settings or CaptureSettings()
        super().__init__(
            role,
            partial(Capture, where, self._settings),
            capabilities=CameraCapabilities(self._settings.width, self._settings.height, self._settings.fps),
            on_event=on_event,
            supervision=supervision,
        )

    def _frames(self, run: Run[Capture]) -> Iterator[Frame]:
        """Frames that come from now on, each new one once and wiped when the next is asked for.

        Ends by raising only: as `Run.check` does, `LineLost`, `NoFrames` or `FrozenPicture`.
        """
        since = time.monotonic()
        with run.connection.in_use() as capture:
            while True:
                run.check()
                now = time.monotonic()
                frame = capture.take(since, min(run.deadline, now + _WAIT_SLICE_S))
                capture.check(time.monotonic())
                if frame is None:
                    continue
                since = frame.at
                try:
                    yield frame
                finally:
                    frame.wipe()

    def _probe(self, run: Run[Capture]) -> DeviceStatus:
        run.connection.check(time.monotonic())
        return DeviceStatus(Health.OK)

    def _self_test(self, run: Run[Capture], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            step.judge(status)
        if steps.failed:
            return
        with steps.step("moving_picture") as step:
            whole: set[int] = set()
            lower: list[int | None] = []
            count, size, started, ended = 0, "", time.monotonic(), 0.0
            for frame in self._frames(run):
                whole.add(picture_hash(frame.image))
                lower.append(lower_hash(frame.image))
                count, ended = count + 1, time.monotonic()
                size = f"{frame.image.shape[1]}x{frame.image.shape[0]}"
                if count >= _TEST_FRAMES or ended - started > _TEST_S:
                    break
            step.measured = f"{size}, {count / max(ended - started, 1e-3):.0f} frames a second"
            if len(whole) < 2 or (None not in lower and len(set(lower)) < 2):
                step.fail(Detail.FROZEN_PICTURE)


class CameraOptions(Options):
    """What a profile may say of any camera."""

    width: int = Field(default=1280, ge=160, le=8192)
    height: int = Field(default=720, ge=120, le=8192)
    fps: float = Field(default=15.0, ge=1, le=60)

    @property
    def settings(self) -> CaptureSettings:
        return CaptureSettings(width=self.width, height=self.height, fps=self.fps)
