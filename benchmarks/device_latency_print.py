"""What the ticket printer's driver costs over the bare line, for a look at the state and for a whole slip.

The bare turn sends the same bytes and waits for the same answers with nothing in between: no classifier, no job kept on
disk, no encoding. The line is paced at 115,200 baud. Bare and driven turns alternate.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.device_latency import Ratio, ratio
from hardware.addresses import parse_line_address
from hardware.device import Supervision
from hardware.drivers import asset
from hardware.lines import Line, open_line
from hardware.print_jobs import PrintJobStore
from hardware.simulators.line import PtyLine
from hardware.simulators.ticket_printer import TicketPrinterSimulator
from hardware.ticket_printer.document import Align, BigText, PrintDocument, QrCode, Text
from hardware.ticket_printer.encode import encode_document
from hardware.ticket_printer.printer import TicketPrinter
from hardware.ticket_printer.profile import PrinterProfile
from hardware.ticket_printer.raster import SlipFont
from hardware.vocabulary import Outcome

BAUD: Final = 115200
ANSWER_S: Final = 30.0
QUIET: Final = Supervision(probe_interval_s=600)
"""No probe gets between the turns."""
FENCE: Final = bytes.fromhex("1D 28 48 06 00 30 30 40 41 42 43")
FENCE_SIZE: Final = 7
CUT: Final = bytes.fromhex("1D 56 00")
STATUS_GOAL: Final = 1.3
SLIP_GOAL: Final = 1.1
SLIP: Final = PrintDocument(
    (
        Text("样本市政务服务大厅", 2, 2, align=Align.CENTER),
        BigText("A036", 120),
        Text("前面等候 3 人，预计 8 至 15 分钟"),
        QrCode("https://hall.example/t/Zk3vN8QpXw2"),
    )
)


def print_ratios(turns: int) -> Sequence[Ratio]:
    """A look at the state, and a slip from the call to its cut."""
    font = asset("fonts/NotoSansSC-Regular.otf")
    stream = bytes(encode_document(SLIP, PrinterProfile(), SlipFont(font)).stream)
    times: dict[str, list[float]] = {name: [] for name in ("status", "bare status", "slip", "bare slip")}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        simulator = TicketPrinterSimulator(PtyLine(home / "printer", baud=BAUD), home / "slips", font).start()
        jobs = PrintJobStore(home / "jobs.sqlite3", lambda: datetime.now(UTC))
        try:
            for _ in range(turns):
                _bare_turn(simulator.address, stream, times)
                _driven_turn(simulator.address, font, jobs, times)
        finally:
            jobs.close()
            simulator.close()
    return (
        ratio("ticket printer: state / bare questions", times["status"], times["bare status"], STATUS_GOAL),
        ratio("ticket printer: slip / bare bytes and answers", times["slip"], times["bare slip"], SLIP_GOAL),
    )


def _bare_turn(address: str, stream: bytes, times: dict[str, list[float]]) -> None:
    line = open_line(parse_line_address(address))
    try:
        began = time.monotonic()
        _look(line)
        times["bare status"].append(time.monotonic() - began)
        began = time.monotonic()
        _look(line)
        _ask(line, stream + FENCE, FENCE_SIZE)
        _ask(line, CUT + FENCE, FENCE_SIZE)
        _ask(line, bytes.fromhex("10 04 03"), 1)
        times["bare slip"].append(time.monotonic() - began)
    finally:
        line.close()


def _driven_turn(address: str, font: Path, jobs: PrintJobStore, times: dict[str, list[float]]) -> None:
    printer = TicketPrinter(address, font, jobs=jobs, supervision=QUIET)
    try:
        printer.ask_status(time.monotonic() + ANSWER_S).result()
        began = time.monotonic()
        printer.ask_status(time.monotonic() + ANSWER_S).result()
        times["status"].append(time.monotonic() - began)
        began = time.monotonic()
        result = printer.print(SLIP, time.monotonic() + ANSWER_S).result()
        times["slip"].append(time.monotonic() - began)
        if result.outcome is not Outcome.DONE:
            raise RuntimeError(f"the slip did not print: {result}")
    finally:
        printer.close()


def _look(line: Line) -> None:
    for n in (1, 2, 3, 4):
        _ask(line, bytes((0x10, 0x04, n)), 1)


def _ask(line: Line, request: bytes, size: int) -> None:
    deadline = time.monotonic() + ANSWER_S
    line.write(request, deadline)
    got = 0
    while got < size:
        part = line.read_available(deadline)
        if not part:
            raise RuntimeError("the simulated printer does not answer")
        got += len(part)
