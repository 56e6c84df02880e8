"""The self-test's report as one page of A4: devices, verdicts, what to do, and a line to sign on."""

import logging
from pathlib import Path
from typing import Final, cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from hardware.drivers import asset
from hardware.self_test import Step
from hardware.technician.record import CabinetRecord, DeviceRecord
from hardware.technician.screen import found
from hardware.technician.words import VERDICTS, role_words, step_words
from hardware.vocabulary import Verdict

FONT: Final = "Noto Sans SC"
MARGIN_MM: Final = 14.0
PAGE_MM: Final = (210.0, 297.0)
FOOT_MM: Final = 26.0
_COLUMNS: Final = (("设备 Device", 62.0), ("结果 Verdict", 28.0), ("内容和处理 Findings and what to do", 92.0))
_STYLES: Final = (
    *((size, False) for size in (10.0, 9.0, 8.0, 7.0)),
    *((size, True) for size in (8.0, 7.0, 6.0, 5.5, 5.0)),
)
"""Type sizes in points, and whether each device tells in one line what decided its verdict; the first that fits."""
_GREY: Final = {Verdict.PASS: 255, Verdict.NOT_SUPPORTED: 255, Verdict.UNKNOWN: 232, Verdict.FAIL: 208}
"""Rows that need somebody are shaded, so that they are found on a black-and-white print too."""


def write_pdf(record: CabinetRecord, path: Path) -> None:
    """One page, whatever the number of devices: smaller type, then less detail. Raises OSError."""
    fitted_page(record).pdf.output(str(path))


def fitted_page(record: CabinetRecord) -> "Page":
    """The page in the first style in which it fits; there is always one for a cabinet with one device in each role."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    pages = (Page(record, size, brief=brief) for size, brief in _STYLES)
    page = next(pages)
    while not page.fits:
        following = next(pages, None)
        if following is None:
            break
        page = following
    return page


class Page:
    """A page in one style; `fits` when no row stands below the beginning of its foot."""

    def __init__(self, record: CabinetRecord, size: float, *, brief: bool) -> None:
        self._size = size
        self._brief = brief
        self._line = size * 0.5
        self.pdf = FPDF(format="A4")
        self.pdf.set_margin(MARGIN_MM)
        self.pdf.set_auto_page_break(auto=False)
        self.pdf.set_title(f"Device self-test {record.terminal}")
        self.pdf.add_font(FONT, fname=asset("fonts/NotoSansSC-Regular.otf"))
        self.pdf.add_page()
        self._head(record)
        for device in record.devices:
            self._row(device)
        self.fits = self.pdf.get_y() <= PAGE_MM[1] - FOOT_MM - MARGIN_MM
        self._foot()

    def _head(self, record: CabinetRecord) -> None:
        pdf = self.pdf
        pdf.set_font(FONT, size=18)
        pdf.cell(0, 10, "设备自检报告  Device self-test", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.set_font(FONT, size=10)
        facts = (
            f"终端 Terminal: {record.terminal}    主机 Machine: {record.machine}",
            f"时间 Time: {record.made_at:%Y-%m-%d %H:%M:%S %z}"
            + ("    模拟设备，不代表真实设备 SIMULATED DEVICES" if record.simulated else ""),
        )
        for fact in facts:
            pdf.cell(0, 5.5, fact, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        counts = [sum(device.verdict is verdict for device in record.devices) for verdict in Verdict]
        told = "    ".join(
            f"{VERDICTS[verdict]} {count}" for verdict, count in zip(Verdict, counts, strict=True) if count
        )
        pdf.set_font(FONT, size=14)
        pdf.cell(0, 10, f"结论 Verdict: {VERDICTS[record.verdict]}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.set_font(FONT, size=10)
        pdf.cell(0, 6, told, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.ln(2)
        pdf.set_font(FONT, size=self._size)
        self._cells([title for title, _ in _COLUMNS], grey=240)

    def _row(self, device: DeviceRecord) -> None:
        name = f"{role_words(device.role)}\n{device.driver} · {_shortened(device.address)}"
        steps = device.report.steps
        if self._brief:
            passed = sum(step.verdict is Verdict.PASS for step in steps)
            steps = (device.worst,) if device.worst is not None else ()
        lines = "\n".join(_line(step) for step in steps)
        if self._brief:
            name = f"{role_words(device.role)} · {device.driver}\n{_shortened(device.address, 40)}"
            lines = f"{lines}\n{VERDICTS[Verdict.PASS]} × {passed}".strip()
        self._cells([name, f"{VERDICTS[device.verdict]}\n{device.seconds:.1f} s", lines], grey=_GREY[device.verdict])

    def _cells(self, texts: list[str], grey: int) -> None:
        """One row, as high as its highest cell."""
        pdf = self.pdf
        top = pdf.get_y()
        lines = [
            cast("list[str]", pdf.multi_cell(width - 2, text=text, dry_run=True, output=MethodReturnValue.LINES))
            for text, (_, width) in zip(texts, _COLUMNS, strict=True)
        ]
        height = max(map(len, lines)) * self._line + 2
        pdf.set_fill_color(grey)
        left = MARGIN_MM
        for text, (_, width) in zip(texts, _COLUMNS, strict=True):
            pdf.rect(left, top, width, height, style="DF")
            pdf.set_xy(left + 1, top + 1)
            pdf.multi_cell(width - 2, self._line, text, align="L")
            left += width
        pdf.set_xy(MARGIN_MM, top + height)

    def _foot(self) -> None:
        pdf = self.pdf
        pdf.set_font(FONT, size=9)
        pdf.set_xy(MARGIN_MM, PAGE_MM[1] - MARGIN_MM - FOOT_MM + 6)
        pdf.cell(0, 5, "未知不等于通过：标灰的设备须由人处理后重测。", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.cell(
            0,
            5,
            "Unknown is not passed: somebody has to see to every shaded device and test again.",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        pdf.set_xy(MARGIN_MM, PAGE_MM[1] - MARGIN_MM - 6)
        pdf.cell(0, 5, "技术员签字 Technician: ______________________      日期 Date: ____________________")


def _line(step: Step) -> str:
    told = found(step)
    return f"{VERDICTS[step.verdict]} · {step_words(step.name)}" + (f" · {told}" if told else "")


def _shortened(address: str, limit: int = 72) -> str:
    """Long by-id paths by their two ends."""
    return address if len(address) <= limit else f"{address[: limit // 2 - 1]}…{address[-limit // 2 :]}"
