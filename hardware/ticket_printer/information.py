"""What a printer tells of itself beside its state: names (GS I), kept pictures (GS ( L), slip in the mouth. Pure.

Sources: Epson's ESC/POS command reference, pages gs_ci and gs_lparen_cl (download4.epson.biz/sec_pubs/pos/
reference_en/escpos/); for the slip in the mouth the public command manuals of Custom's KPM and VKP printers.
These answers hold bytes that look like other answers, so each is asked for alone, with nothing else on its way.
"""

from dataclasses import dataclass
from typing import Final

from hardware.vocabulary import Detail

MAKER: Final = 66
MODEL: Final = 67
FIRMWARE: Final = 65
MAX_TEXT: Final = 80
ASK_KEPT_PICTURES: Final = bytes.fromhex("1D 28 4C 04 00 30 40 4B 43")
MORE: Final = b"\x06"
"""Sent after a block that says that another one follows."""
ASK_FULL_STATUS: Final = bytes.fromhex("10 04 14")
FULL_STATUS_SIZE: Final = 6


@dataclass(frozen=True, slots=True)
class KeptPictures:
    """One block of the list of kept pictures: key codes of two characters, and whether more blocks follow."""

    keys: frozenset[str]
    more: bool


@dataclass(frozen=True, slots=True)
class FullStatus:
    """State of a kiosk printer with a mouth: what `DLE EOT 20` answers."""

    slip_in_mouth: bool
    paper_out: bool
    paper_low: bool
    detail: Detail
    """The one fault that goes before the others; NONE without any."""


def ask_information(n: int) -> bytes:
    """`GS I n`."""
    return bytes((0x1D, 0x49, n))


def information(data: bytes) -> str | None:
    """The text of the first whole answer `5F … 00` in what came; None when there is none (yet)."""
    frame = _framed(data, 0x5F)
    if frame is None:
        return None
    return "".join(chr(byte) for byte in frame if 0x20 <= byte < 0x7F).strip()


def store_picture(key: str, width: int, height: int, bits: bytes) -> bytes:
    """`GS ( L` function 67 (`GS 8 L` for more than 64 KB): keep a picture under a key of two printable characters.

    The memory takes only so many writings in its life: technicians do this, no program by itself.
    """
    body = bytes.fromhex("30 43 30") + _key(key) + b"\x01"
    body += width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\x31" + bits
    if len(body) <= 0xFFFF:
        return b"\x1d\x28\x4c" + len(body).to_bytes(2, "little") + body
    return b"\x1d\x38\x4c" + len(body).to_bytes(4, "little") + body


def print_kept_picture(key: str) -> bytes:
    """`GS ( L` function 69, at its own size."""
    return bytes.fromhex("1D 28 4C 06 00 30 45") + _key(key) + b"\x01\x01"


def kept_pictures(data: bytes) -> KeptPictures | None:
    """The first whole answer `37 72 … 00` in what came; None when there is none (yet)."""
    start = data.find(b"\x37\x72")
    if start < 0 or len(data) < start + 3:
        return None
    body = data[start + 3 : start + 3 + MAX_TEXT + 1]
    end = body.find(0)
    if end < 0:
        return None
    codes = body[:end]
    pairs = (codes[i : i + 2] for i in range(0, len(codes) - 1, 2))
    keys = frozenset(pair.decode("ascii") for pair in pairs if all(0x20 <= byte < 0x7F for byte in pair))
    return KeptPictures(keys, more=data[start + 2] == 0x41)


def full_status(data: bytes) -> FullStatus | None:
    """The last whole answer `10 0F` and four bytes in what came; None when there is none (yet)."""
    start = data.rfind(b"\x10\x0f", 0, max(0, len(data) - 4))
    if start < 0:
        return None
    paper, user, recoverable, unrecoverable = data[start + 2 : start + FULL_STATUS_SIZE]
    causes = (
        (unrecoverable & 0x01, Detail.CUTTER_ERROR),
        (unrecoverable, Detail.PRINTER_ERROR),
        (recoverable & 0x01, Detail.HEAD_TOO_HOT),
        (recoverable & 0x40, Detail.PAPER_JAM),
        (user & 0x03, Detail.COVER_OPEN),
        (paper & 0x01, Detail.PAPER_OUT),
    )
    detail = next((detail for shown, detail in causes if shown), Detail.NONE)
    return FullStatus(bool(paper & 0x20), bool(paper & 0x01), bool(paper & 0x04), detail)


def _key(key: str) -> bytes:
    if len(key) != 2 or not (key.isascii() and key.isprintable()):
        raise ValueError(f"{key!r}: want two printable ASCII characters")
    return key.encode("ascii")


def _framed(data: bytes, header: int) -> bytes | None:
    start = data.find(header)
    if start < 0:
        return None
    body = data[start + 1 : start + 2 + MAX_TEXT]
    end = body.find(0)
    return body[:end] if end >= 0 else None
