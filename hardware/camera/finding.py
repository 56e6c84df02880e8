"""Cameras on this machine."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hardware.addresses import VideoAddress
from hardware.drivers import Found

BY_ID: Final = Path("/dev/v4l/by-id")


def cameras(by_id: Path = BY_ID) -> Iterable[Found]:
    """Cameras under the names that udev gives them. Index 0 of each gives pictures, the others only tell about them."""
    for link in sorted(by_id.glob("*-video-index0")):
        yield Found(VideoAddress(str(link)), os.path.realpath(link))
