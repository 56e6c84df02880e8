"""Driver of a camera that reads codes: the same waiting for one usable code as a scanner's."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

from hardware.camera.capture import Capture, CaptureSettings
from hardware.camera.codes import look_again, read_codes
from hardware.camera.device import Camera, CameraOptions
from hardware.camera.finding import cameras
from hardware.camera.frames import Image
from hardware.cancel import CancelToken
from hardware.code_scanner.payload import BadCode, Characters, Code, CodeRules
from hardware.code_scanner.scanner import CodeScan, CodeWait, OnProblem, wipe_scan
from hardware.command import Run
from hardware.device import Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import DeadlinePassed
from hardware.events import CodeRefused, CodeScanned, OnEvent
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import Outcome

SECOND_LOOK_S: Final = 0.4
"""Between two second looks: they cost far more than first ones, and there is mostly no code before the camera."""
SAME_PROBLEM_S: Final = 2.0
"""A code that cannot be used is told once while it is held up."""


class CodeCamera(Camera):
    """A camera for codes held before it. Nothing of a frame is kept."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.CODE_CAMERA,
        rules: CodeRules | None = None,
        settings: CaptureSettings | None = None,
        second_look: Callable[[Image, CodeRules], list[Code | BadCode]] = look_again,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._rules = rules or CodeRules()
        self._look_again = second_look
        super().__init__(address, role=role, settings=settings, on_event=on_event, supervision=supervision)

    def scan(
        self,
        deadline: float,
        *,
        session: DeviceSession | None = None,
        cancel: CancelToken | None = None,
        on_problem: OnProblem | None = None,
    ) -> "Future[CodeScan]":
        """Wait until a usable code is held before the camera; as a scanner's `scan`."""
        wait = CodeWait(on_problem or (lambda _: None))
        return self._submit(
            partial(self._scan, wait),
            failed=wait.failed,
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=wipe_scan,
        )

    def _scan(self, wait: CodeWait, run: Run[Capture]) -> CodeScan:
        look_again_at, told = 0.0, _Told()
        for frame in self._frames(run):
            found = read_codes(frame.image, self._rules)
            now = time.monotonic()
            if not found and now >= look_again_at:
                found = self._look_again(frame.image, self._rules)
                look_again_at = time.monotonic() + SECOND_LOOK_S
            run.check()
            for code in found:
                if isinstance(code, Code):
                    self._emit(CodeScanned(self.role, code.text, code.symbology))
                    return CodeScan(Outcome.DONE, code=code)
            for bad in found:
                if isinstance(bad, BadCode) and told.is_new(bad, now):
                    self._emit(CodeRefused(self.role, bad.problem))
                    wait.refused(bad)
        raise AssertionError("frames end by raising")

    def _self_test(self, run: Run[Capture], steps: Steps) -> None:
        super()._self_test(run, steps)
        if steps.failed:
            return
        with steps.step("code_read", Request.SHOW_CODE) as step:
            wait = CodeWait(lambda _: None)
            try:
                scanned = self._scan(wait, run)
            except DeadlinePassed:
                step.unknown(wait.detail)
                return
            step.measured = "" if scanned.code is None else f"{scanned.code.symbology}, {scanned.code.size} bytes"
            wipe_scan(scanned)


class _Told:
    """Which unusable code was told last, and when."""

    def __init__(self) -> None:
        self._last: BadCode | None = None
        self._seen_at = 0.0

    def is_new(self, code: BadCode, now: float) -> bool:
        new = code != self._last or now - self._seen_at > SAME_PROBLEM_S
        self._last, self._seen_at = code, now
        return new


class CodeCameraOptions(CameraOptions):
    """What a profile may say of a camera for codes."""

    max_bytes: int = 1024
    characters: Characters = Characters.TEXT


def _open(opening: Opening[CodeCameraOptions]) -> CodeCamera:
    options = opening.options
    return CodeCamera(
        str(opening.address),
        role=opening.role,
        rules=CodeRules(options.max_bytes, options.characters),
        settings=options.settings,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="camera-codes",
    title="Camera that reads codes",
    roles=frozenset({Role.CODE_CAMERA}),
    schemes=frozenset({"video"}),
    open=_open,
    options=CodeCameraOptions,
    find=cameras,
)
