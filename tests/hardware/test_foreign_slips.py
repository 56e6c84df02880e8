"""The simulated printer judged by slips that foreign encoders made: what a person would read is what must come out."""

from pathlib import Path

import pytest
import zxingcpp
from PIL import Image as Picture

from hardware.addresses import parse_line_address as parse_address
from hardware.lines import open_line

FOREIGN = Path(__file__).parent / "foreign"


@pytest.fixture
def foreign(bench, soon, wait_until):
    """Sends a file's bytes to a simulated printer, and gives the printer once a slip is out."""

    def send(name):
        simulator = bench.tcp_printer_simulator()
        line = open_line(parse_address(simulator.address))
        line.write((FOREIGN / name).read_bytes(), soon())
        wait_until(lambda: bool(simulator.slips))
        line.close()
        return simulator

    return send


@pytest.mark.parametrize(
    ("name", "lines", "code"),
    [
        ("receiptline-gb18030.bin", ["A036", "政务服务大厅", "Window 3"], "https://hall.example/t/2"),
        ("receiptline-ascii.bin", ["A036", "Service hall", "Window 3"], "https://hall.example/t/2"),
        ("receipt-printer-encoder.bin", ["A036", "Service hall", "Window 3"], "https://hall.example/t/3"),
    ],
)
def test_a_foreign_slip_reads_as_it_was_meant_and_its_code_decodes(foreign, name, lines, code):
    simulator = foreign(name)
    (slip,) = simulator.slips
    for line in lines:
        assert line in slip.text
    assert [found.text for found in zxingcpp.read_barcodes(Picture.open(slip.path).convert("L"))] == [code]
    assert [event for event in simulator.events if event.kind == "unknown_command"] == []


def test_what_a_foreign_encoder_puts_in_the_middle_stands_there(foreign):
    """receiptline centres by an absolute position: 240 dots for `A036` in double size."""
    simulator = foreign("receiptline-ascii.bin")
    picture = Picture.open(simulator.slips[0].path).convert("L")
    first_line = picture.crop((0, 0, picture.width, 70)).point(lambda grey: 255 - grey)
    left, _, right, _ = first_line.getbbox()
    assert abs((left + right) / 2 - picture.width / 2) < 8
