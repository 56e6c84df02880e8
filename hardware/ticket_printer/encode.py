"""From a print document to the ESC/POS bytes of one printer model. Pure, apart from the font file."""

from typing import Final, assert_never

from PIL import Image as Picture
from PIL import ImageChops

from hardware.errors import BadDocument
from hardware.ticket_printer.document import (
    Align,
    Banner,
    BigText,
    Block,
    Feed,
    Image,
    PrintDocument,
    QrCode,
    Rule,
    Text,
)
from hardware.ticket_printer.profile import PrinterProfile
from hardware.ticket_printer.raster import (
    CHARACTER_DOTS,
    QUIET_MODULES,
    SlipFont,
    banner,
    on_paper,
    qr_matrix,
    qr_picture,
    raster_commands,
    rule,
    without_real_time,
)
from hardware.ticket_printer.text import native_bytes, printable_lines, wrap

# ESC @ puts the character mode back to the model's own default, so Chinese mode is switched on explicitly after it.
START: Final = bytes.fromhex("1B 40 1C 26")
CUT: Final = bytes.fromhex("1D 56 00")
LINE_GAP_DOTS: Final = 8
AIR_DOTS: Final = 14
MIN_MODULE_DOTS: Final = 3
_ALIGN: Final = {Align.LEFT: 0, Align.CENTER: 1, Align.RIGHT: 2}


def encode_document(document: PrintDocument, profile: PrinterProfile, font: SlipFont) -> list[bytes]:
    """The commands that print the document and feed it past the knife, without the cut. Raises `BadDocument`."""
    commands = [START]
    for block in document.blocks:
        commands += _encode_block(block, profile, font)
    commands.append(_feed(profile.feed_before_cut_lines))
    return commands


def separator(profile: PrinterProfile) -> list[bytes]:
    """Commands that end whatever an interrupted slip left, and cut it off.

    The zeros complete a picture whose data broke off (white dots), and are ignored where a command is expected.
    """
    picture_rest = bytes(profile.slice_rows * profile.width_dots // 8)
    return [picture_rest, START, b"\n", _feed(profile.feed_before_cut_lines), CUT]


def _encode_block(block: Block, profile: PrinterProfile, font: SlipFont) -> list[bytes]:
    match block:
        case Text():
            return _text(block, profile, font)
        case QrCode():
            return _qr_code(block, profile)
        case Feed():
            return [_feed(block.lines)]
        case BigText():
            picture = font.ink(block.text, block.height_dots, profile.width_dots, bold=block.bold)
            return [_dots(AIR_DOTS), *_picture(picture, block.align, profile), _dots(AIR_DOTS)]
        case Image():
            picture = Picture.frombytes("1", (block.width, block.height), block.bits).convert("L")
            return _picture(ImageChops.invert(picture), block.align, profile)
        case Rule() | Banner():
            return _band(block, profile, font)
        case _:
            assert_never(block)


def _band(block: Rule | Banner, profile: PrinterProfile, font: SlipFont) -> list[bytes]:
    if isinstance(block, Rule):
        return _picture(rule(profile.width_dots, dashed=block.dashed), Align.LEFT, profile)
    return [*_picture(banner(block.text, font, profile.width_dots), Align.LEFT, profile), _dots(AIR_DOTS)]


def _text(block: Text, profile: PrinterProfile, font: SlipFont) -> list[bytes]:
    columns = profile.columns // block.width
    if columns < 2:
        raise BadDocument(f"text {block.width} times as wide does not fit the paper")
    commands = [_style(block)]
    for line in printable_lines(block.text):
        for part in wrap(line, columns):
            native = native_bytes(part, profile.chinese)
            if native is None:
                picture = font.line(part, block.width, block.height, bold=block.bold)
                commands += _picture(
                    picture.crop((0, 0, min(picture.width, profile.width_dots), picture.height)), block.align, profile
                )
                commands.append(_dots(LINE_GAP_DOTS))
            else:
                commands.append(native + b"\n")
    return commands


def _style(block: Text) -> bytes:
    """Alignment, size, weight and line spacing.

    `GS !` sets the size of all characters; models that keep a size of their own for Chinese ones follow `FS !`, which
    knows single and double only.
    """
    style = bytes((0x1B, 0x61, _ALIGN[block.align]))
    style += bytes((0x1D, 0x21, (block.width - 1) << 4 | (block.height - 1)))
    if block.width <= 2 and block.height <= 2:
        style += bytes((0x1C, 0x21, (block.width - 1) * 0x04 | (block.height - 1) * 0x08))
    style += bytes((0x1B, 0x45, block.bold))
    return style + bytes((0x1B, 0x33, CHARACTER_DOTS * block.height + LINE_GAP_DOTS))


def _picture(picture: Picture.Image, align: Align, profile: PrinterProfile) -> list[bytes]:
    # Raster pictures carry their own place: not every model aligns them by ESC a.
    return [b"\x1b\x61\x00", *raster_commands(on_paper(picture, align, profile.width_dots), profile.slice_rows)]


def _qr_code(block: QrCode, profile: PrinterProfile) -> list[bytes]:
    matrix = qr_matrix(block.data)
    size = min(block.module_size, profile.width_dots // len(matrix))
    if size < MIN_MODULE_DOTS:
        raise BadDocument(f"a QR code of {len(matrix)} modules on {profile.width_dots} dots of paper")
    data = block.data.encode()
    store = bytes.fromhex("1D 28 6B") + (len(data) + 3).to_bytes(2, "little") + bytes.fromhex("31 50 30") + data
    if not profile.native_qr or without_real_time(store) != store:
        return _picture(qr_picture(matrix, size), block.align, profile)
    quiet = _dots(QUIET_MODULES * size)  # printers leave no quiet zone of their own above and below
    return [
        quiet + bytes((0x1B, 0x61, _ALIGN[block.align])),
        bytes.fromhex("1D 28 6B 04 00 31 41 32 00"),
        bytes.fromhex("1D 28 6B 03 00 31 43") + bytes((size,)),
        bytes.fromhex("1D 28 6B 03 00 31 45 31"),
        store,
        bytes.fromhex("1D 28 6B 03 00 31 51 30") + quiet,
    ]


def _feed(lines: int) -> bytes:
    """Feed whole lines of single height."""
    return bytes((0x1B, 0x33, CHARACTER_DOTS + LINE_GAP_DOTS, 0x1B, 0x64, lines))


def _dots(count: int) -> bytes:
    return bytes((0x1B, 0x4A, count))
