"""The port that makes a picture of a card's photo block, and its only real implementation: the maker's own library.

The 1024 bytes of the photo block are a proprietary format without a free decoder. Without a library there is no
picture: nothing here makes one up. The library is put beside the terminal by its operator and named in the profile.
"""

import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from hardware.errors import BadAddress, PhotoNotDecoded

PHOTO_SIZE: Final = 1024
WIDTH: Final = 102
HEIGHT: Final = 126
_ROW: Final = 3 * WIDTH
_PADDED_ROW: Final = 308
BMP_SIZE: Final = 54 + HEIGHT * _PADDED_ROW  # 38862, as every public user of these libraries expects
PIXELS_SIZE: Final = HEIGHT * _ROW


class PhotoDecoder(Protocol):
    """Turns a photo block (1024 bytes) into a BMP picture of 102 x 126 pixels, 24 bits (38862 bytes).

    Raises `PhotoNotDecoded`. The picture is personal data of the session it was made for.
    """

    def __call__(self, photo: bytes) -> bytes: ...


class PixelOrder(StrEnum):
    """Order of the three bytes of a pixel in what a library gives."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class PhotoLibrary:
    """A maker's library and how it is called: `int symbol(char *photo, char *pixels, int option)`.

    That call is what public users of `libwlt*` make; return value, option and order of the bytes differ by maker (one
    source each), so they are settings. A library that writes a whole BMP is understood by its first two bytes.
    """

    path: Path
    symbol: str = "unpack"
    option: int = 0
    order: PixelOrder = PixelOrder.RGB
    bottom_up: bool = True
    """The first row is the picture's lowest, as in a BMP."""
    good: int | None = 1
    """The value returned for a decoded photo; None where the library's value says nothing."""
    timeout_s: float = 5.0


class VendorPhotoDecoder:
    """Calls a maker's library in a process of its own, so that its crash or hang costs one photo and no terminal.

    Raises `BadAddress` when the library's file is not there.
    """

    def __init__(self, library: PhotoLibrary) -> None:
        if not library.path.is_file():
            raise BadAddress(f"{library.path}: no photo library there")
        self._library = library

    def __call__(self, photo: bytes) -> bytes:
        if len(photo) != PHOTO_SIZE:
            raise PhotoNotDecoded(f"want {PHOTO_SIZE} bytes, got {len(photo)}")
        library = self._library
        arguments = (str(library.path.resolve()), library.symbol, str(library.option))
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, and a library that the profile names
                (sys.executable, "-I", str(_CALLER), *arguments),
                input=photo,
                capture_output=True,
                timeout=library.timeout_s,
                check=False,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
            )
        except subprocess.TimeoutExpired as error:
            raise PhotoNotDecoded("the library did not come to an end") from error
        if done.returncode != 0 or len(done.stdout) != 4 + BMP_SIZE:
            raise PhotoNotDecoded(f"the library's process ended with {done.returncode}")
        (value,) = struct.unpack("<i", done.stdout[:4])
        if library.good is not None and value != library.good:
            raise PhotoNotDecoded(f"the library returned {value}")
        given = done.stdout[4:]
        if given[:2] == b"BM":
            return given
        return bitmap(given[:PIXELS_SIZE], library.order, bottom_up=library.bottom_up)


_CALLER: Final = Path(__file__).with_name("photo_call.py")
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH")


def bitmap(pixels: bytes, order: PixelOrder, *, bottom_up: bool) -> bytes:
    """A BMP of 102 x 126 pixels from rows of three bytes a pixel."""
    if len(pixels) != PIXELS_SIZE:
        raise PhotoNotDecoded(f"want {PIXELS_SIZE} bytes of pixels, got {len(pixels)}")
    rows = [pixels[start : start + _ROW] for start in range(0, PIXELS_SIZE, _ROW)]
    if not bottom_up:
        rows.reverse()
    if order is PixelOrder.RGB:
        rows = [_swapped(row) for row in rows]
    header = struct.pack("<2sIHHI", b"BM", BMP_SIZE, 0, 0, 54)
    picture = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 24, 0, BMP_SIZE - 54, 0, 0, 0, 0)
    return header + picture + b"".join(row + bytes(_PADDED_ROW - _ROW) for row in rows)


def _swapped(row: bytes) -> bytes:
    swapped = bytearray(row)
    swapped[0::3], swapped[2::3] = row[2::3], row[0::3]
    return bytes(swapped)
