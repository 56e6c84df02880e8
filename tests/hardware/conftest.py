"""Simulated devices and their drivers, joined by real ptys and sockets."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hardware.device import Supervision
from hardware.id_card.reader import IdCardReader, ReaderTiming
from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.line import PtyLine, SimulatedLine, TcpServerLine
from hardware.simulators.ticket_printer import TicketPrinterSimulator
from hardware.ticket_printer.conversation import PrinterTiming
from hardware.ticket_printer.printer import TicketPrinter
from hardware.worker import BackOff

FONT = Path(__file__).parents[2] / "assets" / "fonts" / "NotoSansSC-Regular.otf"
QUICK_READER = ReaderTiming(find_interval_s=0.02, answer_s=0.6, misses=2, read_s=2.0, gap_s=0.1, relay_hint_s=60)
QUICK_PRINTER = PrinterTiming(answer_s=0.4, misses=2, look_interval_s=0.03)
QUICK = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=1.0)


def soon(seconds: float = 20.0) -> float:
    """A deadline far enough for a busy machine."""
    return time.monotonic() + seconds


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition; fails the test when it does not come."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the awaited condition did not come"
        time.sleep(0.005)


@pytest.fixture
def font() -> Path:
    return FONT


class Bench:
    """Makes simulators and drivers, and ends them all after the test."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def reader_simulator(self, **options) -> IdCardReaderSimulator:
        simulator = IdCardReaderSimulator(PtyLine(self.folder / "reader"), **options).start()
        self._stack.callback(simulator.close)
        return simulator

    def reader(self, address: str, **options) -> IdCardReader:
        options = {"timing": QUICK_READER, "supervision": QUICK} | options
        reader = IdCardReader(address, **options)
        self._stack.callback(reader.close)
        return reader

    def printer_simulator(self, line: SimulatedLine | None = None, **options) -> TicketPrinterSimulator:
        line = line or PtyLine(self.folder / "printer")
        simulator = TicketPrinterSimulator(line, self.folder / "slips", FONT, **options).start()
        self._stack.callback(simulator.close)
        return simulator

    def tcp_printer_simulator(self, **options) -> TicketPrinterSimulator:
        return self.printer_simulator(TcpServerLine(), **options)

    def printer(self, address: str, **options) -> TicketPrinter:
        options = {"timing": QUICK_PRINTER, "supervision": QUICK} | options
        printer = TicketPrinter(address, FONT, **options)
        self._stack.callback(printer.close)
        return printer


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


@pytest.fixture(name="soon")
def soon_fixture() -> Callable[..., float]:
    return soon


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., None]:
    return wait_until
