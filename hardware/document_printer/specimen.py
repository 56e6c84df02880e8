"""The page of a printer's own test: edges, type in both scripts, greys and a code, on A4."""

from io import BytesIO
from typing import Final

import qrcode
from fpdf import FPDF

from hardware.document_printer.document import PdfDocument
from hardware.drivers import asset

_MARGIN_MM: Final = 10
_WIDTH_MM, _HEIGHT_MM = 210, 297


def specimen() -> PdfDocument:
    """One page, to be looked at."""
    page = FPDF(unit="mm", format="A4")
    page.set_auto_page_break(False)
    page.add_page()
    page.add_font("slip", fname=str(asset("fonts/NotoSansSC-Regular.otf")))
    page.rect(_MARGIN_MM, _MARGIN_MM, _WIDTH_MM - 2 * _MARGIN_MM, _HEIGHT_MM - 2 * _MARGIN_MM)
    for at, (size, text) in enumerate(
        (
            (26, "打印机自检 Printer self-test"),
            (14, "请核对：四边线条完整，字迹清晰，灰阶均匀，二维码可扫。"),
            (11, "Check: the frame is whole, the type is sharp, the greys are even, the code can be read."),
            (9, "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz 0123456789"),
            (9, "永和九年，岁在癸丑，暮春之初，会于会稽山阴之兰亭"),
        )
    ):
        page.set_font("slip", size=size)
        page.text(_MARGIN_MM + 10, 35 + 14 * at, text)
    for at in range(11):
        page.set_fill_color(round(255 * at / 10))
        page.rect(_MARGIN_MM + 10 + 16 * at, 110, 16, 20, style="F")
    picture = BytesIO()
    qrcode.make("SELF-TEST").save(picture)
    page.image(picture, _MARGIN_MM + 10, 145, 50)
    return PdfDocument(bytearray(page.output()), sides=1)
