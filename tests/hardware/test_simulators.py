"""The simulators themselves: judged by published literals and by encoders that nobody here wrote."""

import pytest
import zxingcpp
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture
from PIL import ImageDraw

from hardware.addresses import parse_address
from hardware.lines import open_line
from hardware.simulators.escpos_parser import CommandParser
from hardware.simulators.id_cards import SAMPLE_CARDS

PREAMBLE = "AA AA AA 96 69 "


def exchange(address, soon, request, size):
    """Bytes out, `size` bytes back, with no driver in between."""
    line = open_line(parse_address(address))
    line.write(request, soon())
    got = b""
    while len(got) < size:
        got += line.read_available(soon())
    line.close()
    return got


@pytest.mark.parametrize(
    ("request_frame", "reply"),
    [
        ("00 03 10 FF EC", "00 04 00 00 90 94"),
        ("00 03 11 FF ED", "00 04 00 00 90 94"),
        ("00 03 20 01 22", "00 08 00 00 9F 00 00 00 00 97"),
        ("00 03 30 01 32", "00 04 00 00 41 45"),
        ("00 03 30 03 30", "00 04 00 00 41 45"),
        ("00 03 20 01 23", "00 04 00 00 10 14"),
        ("00 03 77 01 75", "00 04 00 00 21 25"),
        ("00 04 20 01 00 25", "00 04 00 00 11 15"),
        ("00 03 20 02 21", "00 0C 00 00 90 00 00 00 00 00 00 00 00 9C"),
    ],
)
def test_the_reader_answers_with_the_published_frames(bench, soon, request_frame, reply):
    """http://eastcoms.com/service/downdrive/508.html; a read without a selected card fails."""
    simulator = bench.reader_simulator()
    simulator.lay(SAMPLE_CARDS[0])
    wanted = bytes.fromhex(PREAMBLE + reply)
    assert exchange(simulator.address, soon, bytes.fromhex(PREAMBLE + request_frame), len(wanted)) == wanted


def test_the_readers_line_runs_at_its_rate_and_follows_the_baud_command(bench, soon):
    simulator = bench.reader_simulator()
    request = bytes.fromhex(PREAMBLE + "00 03 60 04 67")
    assert exchange(simulator.address, soon, request, 11).endswith(b"\x94")
    assert simulator.address.endswith("baud=9600")


def test_the_printer_answers_questions_with_the_published_bytes(bench, soon):
    simulator = bench.tcp_printer_simulator()
    questions = b"".join(bytes((0x10, 0x04, n)) for n in (1, 2, 3, 4))
    assert exchange(simulator.address, soon, questions, 4) == bytes.fromhex("12 12 12 12")
    simulator.set_faults(paper_out=True)
    assert exchange(simulator.address, soon, questions, 4) == bytes.fromhex("1A 32 12 7E")
    simulator.set_faults(paper_out=False, cover_open=True)
    assert exchange(simulator.address, soon, questions, 4) == bytes.fromhex("1A 16 12 12")


def test_the_printer_answers_fences_in_order_and_holds_them_without_paper(bench, soon):
    simulator = bench.tcp_printer_simulator()
    fence = bytes.fromhex("1D 28 48 06 00 30 30") + b"abcd"
    assert exchange(simulator.address, soon, b"text\n" + fence, 7) == b"\x37\x22abcd\x00"
    simulator.set_faults(paper_out=True)
    held = exchange(simulator.address, soon, b"text\n" + fence + bytes.fromhex("10 04 04"), 1)
    assert held == b"\x7e", "the real-time answer comes, the fence's does not"


def test_the_printer_executes_real_time_bytes_inside_a_picture_as_real_ones_do(bench, soon):
    simulator = bench.tcp_printer_simulator()
    picture = bytes.fromhex("1D 76 30 00 03 00 01 00 10 04 01")
    assert exchange(simulator.address, soon, picture, 1) == b"\x12"
    assert [event.kind for event in simulator.events] == ["real_time_inside_data"]


@pytest.mark.parametrize("size", [6, 3])
def test_a_slip_made_by_python_escpos_is_printed_as_a_person_would_read_it(bench, soon, wait_until, size):
    foreign = Dummy()
    foreign.hw("INIT")
    foreign.set(align="center", bold=True, double_width=True, double_height=True)
    foreign.text("Ticket A036\n")
    foreign.set_with_default(align="left")
    foreign.text("政务服务大厅\n")
    foreign.qr("https://hall.example/t/1", native=True, size=size)
    foreign.ln()
    logo = Picture.new("1", (64, 64), 1)
    ImageDraw.Draw(logo).rectangle((0, 0, 31, 63), 0)
    foreign.image(logo)
    foreign.cut()
    simulator = bench.tcp_printer_simulator()
    line = open_line(parse_address(simulator.address))
    line.write(foreign.output, soon())
    wait_until(lambda: bool(simulator.slips))
    line.close()
    slip = simulator.slips[0]
    assert slip.text.splitlines()[:2] == ["Ticket A036", "政务服务大厅"]
    picture = Picture.open(slip.path).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["https://hall.example/t/1"]
    assert _rows_with(picture, [0] * 32 + [255] * 32) == 64, "the left half of the logo is black, dot by dot"
    assert not [event for event in simulator.events if event.kind == "unknown_command"]


def _rows_with(picture, dots):
    row, left = bytes(dots), 32
    rows = (picture.crop((left, y, left + len(dots), y + 1)).tobytes() for y in range(picture.height))
    return sum(candidate == row for candidate in rows)


@given(st.binary(max_size=600))
def test_any_bytes_can_be_fed_to_the_printers_input_stage(data):
    parser = CommandParser()
    for byte in data:
        parser.feed(byte)


def test_any_command_bytes_leave_the_printer_alive(bench, soon):
    simulator = bench.tcp_printer_simulator()
    line = open_line(parse_address(simulator.address))
    for prefix in (0x1B, 0x1C, 0x1D):
        for letter in range(256):
            line.write(bytes((prefix, letter)) + bytes(12), soon())
            line.write(bytes((prefix, letter)) + b"\xff\x00\x01\x00" * 3 + bytes(4), soon())
    line.close()
    assert exchange(simulator.address, soon, bytes.fromhex("10 04 01"), 1) == b"\x12"
