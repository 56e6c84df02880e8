"""From a print document to the ESC/POS bytes of one printer model, and how much paper they take. Pure, apart from the
font file."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, assert_never

from PIL import Image as Picture
from PIL import ImageChops

from hardware.errors import BadDocument
from hardware.ticket_printer.document import (
    AIR_DOTS,
    CHARACTER_DOTS,
    LINE_GAP_DOTS,
    Align,
    Banner,
    BigText,
    Block,
    Feed,
    Image,
    Logo,
    PrintDocument,
    QrCode,
    Rule,
    Text,
)
from hardware.ticket_printer.information import print_kept_picture
from hardware.ticket_printer.profile import ChineseFont, Cutter, PrinterProfile
from hardware.ticket_printer.raster import (
    QUIET_MODULES,
    SlipFont,
    banner,
    on_paper,
    qr_matrix,
    qr_picture,
    rule,
)
from hardware.ticket_printer.text import native_bytes, printable_lines, wrap

INITIALISE: Final = bytes.fromhex("1B 40")
CHINESE_ON: Final = bytes.fromhex("1C 26")
CHINESE_OFF: Final = bytes.fromhex("1C 2E")
MIN_MODULE_DOTS: Final = 3
# Second bytes that make 10 a real-time command: DLE EOT, DLE ENQ, DLE DC4.
_REAL_TIME: Final = frozenset({0x04, 0x05, 0x14})
_LINE_DOTS: Final = CHARACTER_DOTS + LINE_GAP_DOTS
_ALIGN: Final = {Align.LEFT: 0, Align.CENTER: 1, Align.RIGHT: 2}
_CUTS: Final = {
    Cutter.FULL: bytes.fromhex("1D 56 00"),
    Cutter.PARTIAL: bytes.fromhex("1D 56 01"),
    Cutter.NONE: b"",
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A slip as bytes, to be overwritten when it is done, and the paper that it takes."""

    stream: bytearray
    height_dots: int


def encode_document(
    document: PrintDocument, profile: PrinterProfile, font: SlipFont, kept: Collection[str] = ()
) -> Encoded:
    """The commands that print the document and feed it past the knife, without the cut. Raises `BadDocument`.

    `kept`: keys of the pictures that the printer itself holds; a logo that is not among them is sent as a picture.
    """
    encoder = _Encoder(profile, font, kept)
    encoder.put(start(profile))
    for block in document.blocks:
        encoder.block(block)
    encoder.feed(profile.feed_before_cut_lines)
    return Encoded(encoder.stream, encoder.height_dots)


def start(profile: PrinterProfile) -> bytes:
    """`ESC @` puts the character mode back to the model's own default, so the mode that we mean follows it."""
    return INITIALISE + (CHINESE_OFF if profile.chinese is ChineseFont.NONE else CHINESE_ON)


def cut(profile: PrinterProfile) -> bytes:
    """The cut of this model; nothing where the citizen tears the slip off."""
    return _CUTS[profile.cutter]


def separator(profile: PrinterProfile) -> bytes:
    """Ends whatever an interrupted slip left, and cuts it off.

    The zeros complete a picture whose data broke off (white dots), and are ignored where a command is expected.
    """
    picture_rest = bytes(profile.slice_rows * profile.width_dots // 8)
    return picture_rest + start(profile) + b"\n" + _feed(profile.feed_before_cut_lines) + cut(profile)


class _Encoder:
    """Puts one block after the other, counting the paper."""

    def __init__(self, profile: PrinterProfile, font: SlipFont, kept: Collection[str]) -> None:
        self._profile, self._font, self._kept = profile, font, kept
        self.stream = bytearray()
        self.height_dots = 0

    def put(self, data: bytes, dots: int = 0) -> None:
        self.stream += data
        self.height_dots += dots

    def block(self, block: Block) -> None:
        match block:
            case Text():
                self._text(block)
            case QrCode():
                self._qr_code(block)
            case Feed():
                self.feed(block.lines)
            case BigText():
                picture = self._font.ink(block.text, block.height_dots, self._profile.width_dots, bold=block.bold)
                self._air(AIR_DOTS)
                self._picture(picture, block.align)
                self._air(AIR_DOTS)
            case Image():
                self._image(block)
            case Logo():
                self._logo(block)
            case Rule():
                self._picture(rule(self._profile.width_dots, dashed=block.dashed), Align.LEFT)
            case Banner():
                self._picture(banner(block.text, self._font, self._profile.width_dots), Align.LEFT)
                self._air(AIR_DOTS)
            case _:
                assert_never(block)

    def feed(self, lines: int) -> None:
        """Whole lines of single height."""
        self.put(_feed(lines), lines * _LINE_DOTS)

    def _air(self, dots: int) -> None:
        self.put(bytes((0x1B, 0x4A, dots)), dots)

    def _text(self, block: Text) -> None:
        columns = self._profile.columns // block.width
        if columns < 2:
            raise BadDocument(f"text {block.width} times as wide does not fit the paper")
        self.put(_style(block, chinese=self._profile.chinese is not ChineseFont.NONE))
        for line in printable_lines(block.text):
            for part in wrap(line, columns):
                native = native_bytes(part, self._profile.chinese)
                if native is None:
                    picture = self._font.line(part, block.width, block.height, bold=block.bold)
                    width = min(picture.width, self._profile.width_dots)
                    self._picture(picture.crop((0, 0, width, picture.height)), block.align)
                    self._air(LINE_GAP_DOTS)
                    self.put(bytes((0x1B, 0x61, _ALIGN[block.align])))
                else:
                    self.put(native + b"\n", CHARACTER_DOTS * block.height + LINE_GAP_DOTS)

    def _image(self, block: Image) -> None:
        picture = Picture.frombytes("1", (block.width, block.height), block.bits).convert("L")
        self._picture(ImageChops.invert(picture), block.align)

    def _logo(self, block: Logo) -> None:
        if self._profile.stored_logos and block.key in self._kept:
            aligned = bytes((0x1B, 0x61, _ALIGN[block.image.align]))
            self.put(aligned + print_kept_picture(block.key), block.image.height)
        else:
            self._image(block.image)

    def _picture(self, picture: Picture.Image, align: Align) -> None:
        # Raster pictures carry their own place: not every model aligns them by ESC a.
        placed = on_paper(picture, align, self._profile.width_dots)
        self.put(b"\x1b\x61\x00" + b"".join(raster_commands(placed, self._profile.slice_rows)), placed.height)

    def _qr_code(self, block: QrCode) -> None:
        matrix = qr_matrix(block.data)
        size = min(block.module_size, self._profile.width_dots // len(matrix))
        if size < MIN_MODULE_DOTS:
            raise BadDocument(f"a QR code of {len(matrix)} modules on {self._profile.width_dots} dots of paper")
        data = block.data.encode()
        store = bytes.fromhex("1D 28 6B") + (len(data) + 3).to_bytes(2, "little") + bytes.fromhex("31 50 30") + data
        if not self._profile.native_qr or without_real_time(store) != store:
            self._picture(qr_picture(matrix, size), block.align)
            return
        quiet = QUIET_MODULES * size  # printers leave no quiet zone of their own above and below
        self._air(quiet)
        self.put(bytes((0x1B, 0x61, _ALIGN[block.align])))
        self.put(bytes.fromhex("1D 28 6B 04 00 31 41 32 00"))
        self.put(bytes.fromhex("1D 28 6B 03 00 31 43") + bytes((size,)))
        self.put(bytes.fromhex("1D 28 6B 03 00 31 45 31") + store)
        self.put(bytes.fromhex("1D 28 6B 03 00 31 51 30"), (len(matrix) - 2 * QUIET_MODULES) * size)
        self._air(quiet)


def _style(block: Text, *, chinese: bool) -> bytes:
    """Alignment, size, weight and line spacing.

    `GS !` sets the size of all characters; models that keep a size of their own for Chinese ones follow `FS !`, which
    knows single and double only.
    """
    style = bytes((0x1B, 0x61, _ALIGN[block.align]))
    style += bytes((0x1D, 0x21, (block.width - 1) << 4 | (block.height - 1)))
    if chinese and block.width <= 2 and block.height <= 2:
        style += bytes((0x1C, 0x21, (block.width - 1) * 0x04 | (block.height - 1) * 0x08))
    style += bytes((0x1B, 0x45, block.bold))
    return style + bytes((0x1B, 0x33, CHARACTER_DOTS * block.height + LINE_GAP_DOTS))


def _feed(lines: int) -> bytes:
    return bytes((0x1B, 0x33, _LINE_DOTS, 0x1B, 0x64, lines))


def raster_commands(black: Picture.Image, slice_rows: int) -> list[bytes]:
    """`GS v 0` commands of at most `slice_rows` rows for a picture whose set dots are black.

    No two bytes of the picture make a real-time command, which a printer may execute even inside picture data: such a
    pair gets one more black dot.
    """
    row_bytes = black.width // 8
    bits = without_real_time(black.tobytes())
    commands = []
    for top in range(0, black.height, slice_rows):
        rows = min(slice_rows, black.height - top)
        header = bytes.fromhex("1D 76 30 00") + row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
        commands.append(header + bits[top * row_bytes : (top + rows) * row_bytes])
    return commands


def without_real_time(bits: bytes) -> bytes:
    """The same bytes with each 10 before 04, 05 or 14 made 18."""
    safe = bytearray(bits)
    for i in range(len(safe) - 1):
        if safe[i] == 0x10 and safe[i + 1] in _REAL_TIME:
            safe[i] = 0x18
    return bytes(safe)
