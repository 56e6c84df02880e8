"""Driver of a camera over a tray: a page that lies still becomes a flat picture, or it is said why not."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from hardware.camera.capture import Capture, CaptureSettings
from hardware.camera.device import Camera, CameraOptions
from hardware.camera.finding import cameras
from hardware.camera.frames import Image, wipe_image
from hardware.camera.page import (
    LEAST_SHARPNESS,
    Corners,
    PageQuality,
    find_page,
    flatten_page,
    judge_page,
    moved,
    page_problem,
)
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import DeadlinePassed, DocumentWiped, HardwareError
from hardware.events import OnEvent
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import WHO_ACTS, Detail, Outcome, WhoActs

MOST_MOVEMENT: Final = 0.006
"""Of the picture's diagonal between two frames, for a page that lies still."""
STILL_FRAMES: Final = 3
SETTINGS: Final = CaptureSettings(width=1920, height=1080, fps=8.0)

OnHint = Callable[[Detail], None]


class Document:
    """A picture of a paper: the flat page, or the whole frame where no page was found and a person sets its corners.

    Its content is personal: the repr shows its size only, and after `wipe` (idempotent) it is overwritten and using it
    raises `DocumentWiped`.
    """

    __slots__ = ("_image", "_wiped", "corners", "quality")

    def __init__(self, image: Image, corners: Corners | None = None, quality: PageQuality | None = None) -> None:
        self._image = image
        self._wiped = False
        self.corners = corners
        """Where the page's corners were in the frame; None for a whole frame."""
        self.quality = quality

    def __repr__(self) -> str:
        height, width = self._image.shape[:2]
        return f"Document({width}x{height}, page found: {self.page_found})"

    def __reduce__(self) -> str:
        raise TypeError("a document is neither pickled nor copied")

    @property
    def page_found(self) -> bool:
        return self.corners is not None

    @property
    def image(self) -> Image:
        """The picture itself, not a copy: `wipe` overwrites it."""
        if self._wiped:
            raise DocumentWiped
        return self._image

    def cut_out(self, corners: Corners) -> "Document":
        """The flat page between corners that a person has set on a whole frame (4 × 2 pixels, any order)."""
        page = flatten_page(self.image, corners)
        return Document(page, np.array(corners, np.float32), judge_page(page))

    def jpeg(self, quality: int = 85) -> bytes:
        """The picture as JPEG; `quality` 1 to 100."""
        return cv2.imencode(".jpg", self.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()

    def wipe(self) -> None:
        """Overwrite the picture."""
        wipe_image(self._image)
        self._wiped = True


@dataclass(frozen=True, slots=True)
class DocumentCapture:
    """How waiting for a page ended. `document` is there exactly when the outcome is DONE, and its taker wipes it.

    TIMED_OUT carries what hindered last: `no_page`, `page_cut_off`, `page_too_small`, `too_dark`, `too_bright`,
    `glare`, `blurred`.
    """

    outcome: Outcome
    detail: Detail = Detail.NONE
    document: Document | None = None

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class DocumentCamera(Camera):
    """A camera that looks down on a paper."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.DOCUMENT_CAMERA,
        settings: CaptureSettings | None = None,
        least_sharpness: float = LEAST_SHARPNESS,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._least_sharpness = least_sharpness
        super().__init__(address, role=role, settings=settings or SETTINGS, on_event=on_event, supervision=supervision)

    def capture(
        self,
        deadline: float,
        *,
        session: DeviceSession | None = None,
        cancel: CancelToken | None = None,
        on_hint: OnHint | None = None,
    ) -> "Future[DocumentCapture]":
        """Wait for a page that lies still, whole and readable. `on_hint` hears what hinders, at each change."""
        wait = _PageWait(on_hint or (lambda _: None))
        return self._submit(
            partial(self._capture, wait),
            failed=wait.failed,
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=_wipe,
        )

    def whole_frame(
        self, deadline: float, *, session: DeviceSession | None = None, cancel: CancelToken | None = None
    ) -> "Future[DocumentCapture]":
        """The next frame as it is: for a page that is not found by itself, whose corners a person then sets."""
        return self._submit(
            self._whole_frame,
            failed=lambda error: DocumentCapture(error.outcome, error.detail),
            deadline=deadline,
            cancel=cancel,
            session=session,
            discard=_wipe,
        )

    def _capture(self, wait: "_PageWait", run: Run[Capture]) -> DocumentCapture:
        for frame in self._frames(run):
            corners = find_page(frame.image)
            run.check()
            problem = Detail.NO_PAGE if corners is None else page_problem(corners, frame.image)
            if corners is None or problem is not None:
                wait.hindered(problem or Detail.NO_PAGE)
                continue
            if not wait.lies_still(corners, frame.image):
                continue
            page = flatten_page(frame.image, corners)
            quality = judge_page(page)
            problem = quality.problem(self._least_sharpness)
            if problem is None and not run.cancelled:
                return DocumentCapture(Outcome.DONE, document=Document(page, corners, quality))
            wipe_image(page)
            wait.hindered(problem or Detail.NO_PAGE)
        raise AssertionError("frames end by raising")

    def _whole_frame(self, run: Run[Capture]) -> DocumentCapture:
        for frame in self._frames(run):
            return DocumentCapture(Outcome.DONE, document=Document(frame.image.copy()))
        raise AssertionError("frames end by raising")

    def _self_test(self, run: Run[Capture], steps: Steps) -> None:
        super()._self_test(run, steps)
        if steps.failed:
            return
        with steps.step("page_found", Request.LAY_DOCUMENT) as step:
            wait = _PageWait(lambda _: None)
            try:
                captured = self._capture(wait, run)
            except DeadlinePassed:
                step.unknown(wait.detail)
                return
            if captured.document is not None and captured.document.quality is not None:
                sharpness = captured.document.quality.sharpness
                step.measured = "blank page" if sharpness is None else f"sharpness {sharpness:.2f}"
            _wipe(captured)


class _PageWait:
    """What one wait for a page has seen, and what its screen has been told."""

    def __init__(self, on_hint: OnHint) -> None:
        self._on_hint = on_hint
        self._told: Detail | None = None
        self._corners: Corners | None = None
        self._still = 0
        self.detail = Detail.NO_PAGE

    def hindered(self, detail: Detail) -> None:
        self._corners, self._still = None, 0
        self.detail = detail
        if detail is not self._told:
            self._told = detail
            self._on_hint(detail)

    def lies_still(self, corners: Corners, image: Image) -> bool:
        """Whether the page has kept its place for some frames."""
        near = self._corners is not None and moved(self._corners, corners, image) <= MOST_MOVEMENT
        self._still = self._still + 1 if near else 1
        self._corners = corners
        return self._still >= STILL_FRAMES

    def failed(self, error: HardwareError) -> DocumentCapture:
        return DocumentCapture(error.outcome, self.detail if isinstance(error, DeadlinePassed) else error.detail)


def _wipe(captured: DocumentCapture) -> None:
    if captured.document is not None:
        captured.document.wipe()


class DocumentCameraOptions(CameraOptions):
    """What a profile may say of a camera for documents. `least_sharpness`: 0 (take anything) to 0.5; to be found out
    with the camera in its place."""

    width: int = 1920
    height: int = 1080
    fps: float = 8.0
    least_sharpness: float = LEAST_SHARPNESS


def _open(opening: Opening[DocumentCameraOptions]) -> DocumentCamera:
    return DocumentCamera(
        str(opening.address),
        role=opening.role,
        settings=opening.options.settings,
        least_sharpness=opening.options.least_sharpness,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="camera-documents",
    title="Camera that takes pictures of papers",
    roles=frozenset({Role.DOCUMENT_CAMERA}),
    schemes=frozenset({"video"}),
    open=_open,
    options=DocumentCameraOptions,
    find=cameras,
)
