"""Frames of a camera, and whether they move. Pure: time is an argument.

On an unplugged or hung camera a capture library may answer the same frame for ever (opencv#5746, #14044, #5221, #4468).
Two frames of a living sensor are never equal, because of its noise: equal frames for a while mean a frozen picture.
"""

import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""Pixels, height × width × 3 in the order blue, green, red, or height × width in grey."""

_EVERY: Final = 7
"""Rows and columns that are hashed: each seventh; prime to the 8 × 8 blocks of a JPEG."""
_LOWEST: Final = 16
"""The lowest sixteenth of a picture is looked at by itself."""
_RECENT: Final = 24
"""Pictures that are remembered, by their hashes alone."""
_NOTHING: Final = 1.0
"""Grey levels of deviation below which rows show nothing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. `number` counts from 1 since the camera was opened; `at` is monotonic seconds of its arrival."""

    image: Image = field(repr=False)
    number: int
    at: float

    def age(self, now: float) -> float:
        """Seconds since it came."""
        return max(0.0, now - self.at)

    def wipe(self) -> None:
        """Overwrite the pixels."""
        wipe_image(self.image)


def wipe_image(image: npt.NDArray[Any] | None) -> None:
    """Overwrite pixels, or the numbers of a face, in place."""
    if image is not None:
        image.fill(0)


def picture_hash(image: Image) -> int:
    """A check sum over a sample of the pixels: equal for equal pictures, different for any two of a living sensor."""
    return zlib.crc32(np.ascontiguousarray(image[::_EVERY, ::_EVERY]).data)


def lower_hash(image: Image) -> int | None:
    """The same of the lowest rows alone: of a picture that breaks off in its middle the rest may be that of an old one.

    None where these rows show nothing (all black, all white), which a living picture may do too.
    """
    lowest = image[-max(1, image.shape[0] // _LOWEST) :: 2, ::_EVERY]
    return None if float(lowest.std()) < _NOTHING else zlib.crc32(np.ascontiguousarray(lowest).data)


class FreezeWatch:
    """Tells a picture that has frozen: one of the last few, again and again, for `after_s` seconds and `frames` frames.

    Of a hung camera one picture comes; decoders fill what is missing of a picture from one of several.
    """

    def __init__(self, after_s: float = 3.0, frames: int = 5) -> None:
        self._after_s = after_s
        self._frames = frames
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._since = 0.0
        self._repeated = 0

    def see(self, image_hash: int | None, now: float) -> None:
        """A frame has come. None: its hash says nothing."""
        if image_hash is not None and image_hash in self._recent:
            self._repeated += 1
            return
        self._since, self._repeated = now, 1
        if image_hash is not None:
            self._recent.append(image_hash)

    def frozen(self, now: float) -> bool:
        """Whether nothing new has come for too long, although frames came."""
        return self._repeated >= self._frames and now - self._since >= self._after_s
