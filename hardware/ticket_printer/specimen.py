"""The slip of a printer's own test: every way in which something gets onto the paper, to be looked at."""

from hardware.ticket_printer.document import Align, BigText, PrintDocument, QrCode, Rule, Text
from hardware.ticket_printer.profile import PrinterProfile


def specimen(profile: PrinterProfile) -> PrintDocument:
    """Edges, sizes, Chinese from the printer's font and drawn by us, and a code."""
    ruler = ("1234567890" * 10)[: profile.columns]
    return PrintDocument(
        (
            Text("打印机自检 Printer self-test", bold=True, align=Align.CENTER),
            Text(f"{profile.name}  {profile.fence}", align=Align.CENTER),
            Rule(),
            Text(ruler),
            Text("汉字：永和九年，岁在癸丑。"),
            Text("生僻字：㛃䶮𬭊·〇"),
            Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ￥0123456789"),
            BigText("A036", 96),
            QrCode("SELF-TEST"),
            Text("请核对字迹清晰、二维码可扫、切口整齐。"),
        )
    )
