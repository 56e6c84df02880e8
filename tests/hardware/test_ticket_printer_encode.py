"""From a document to bytes: published literals, and what must never be in a stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from hardware.errors import BadDocument
from hardware.ticket_printer.codec import real_time_sequences
from hardware.ticket_printer.document import (
    Align,
    Banner,
    BigText,
    Feed,
    Image,
    Logo,
    PrintDocument,
    QrCode,
    Rule,
    Text,
)
from hardware.ticket_printer.encode import encode_document, raster_commands, without_real_time
from hardware.ticket_printer.profile import ChineseFont, PrinterProfile
from hardware.ticket_printer.raster import SlipFont


@pytest.fixture(scope="module")
def slip_font():
    from pathlib import Path

    return SlipFont(Path(__file__).parents[2] / "assets" / "fonts" / "NotoSansSC-Regular.otf")


def stream(slip_font, *blocks, **profile):
    return bytes(encode_document(PrintDocument(blocks), PrinterProfile(**profile), slip_font).stream)


def test_chinese_mode_is_switched_on_after_every_initialise(slip_font):
    assert stream(slip_font).startswith(bytes.fromhex("1B 40 1C 26"))


def test_a_printer_without_chinese_gets_no_command_of_its_chinese_mode(slip_font):
    sent = stream(slip_font, Text("Window 3"), chinese=ChineseFont.NONE)
    assert sent.startswith(bytes.fromhex("1B 40 1C 2E"))
    assert sent.count(b"\x1c") == 1


def test_text_after_a_drawn_line_stands_where_it_should_again(slip_font):
    """Drawn lines carry their own place and put the printer's alignment to the left."""
    sent = stream(slip_font, Text("㛃\nWindow 3", align=Align.CENTER))
    place = sent.rindex(b"Window 3")
    assert sent[:place].endswith(b"\x1b\x61\x01")


def test_the_paper_that_a_slip_takes_is_counted_block_by_block(slip_font):
    def dots(*blocks):
        return encode_document(PrintDocument(blocks), PrinterProfile(feed_before_cut_lines=0), slip_font).height_dots

    assert dots() == 0
    assert dots(Text("A\nB", 2, 2)) == 2 * (48 + 8)
    assert dots(Feed(3)) == 3 * 32
    assert dots(Image(8, 100, bytes(100))) == 100
    assert dots(Logo("K1", Image(8, 100, bytes(100)))) == 100
    assert dots(Text("A"), Feed(1)) == dots(Text("A")) + dots(Feed(1))


def test_a_native_qr_code_is_the_published_sequence(slip_font):
    sent = stream(slip_font, QrCode("https://hall.example/t/1", 6))
    data = b"https://hall.example/t/1"
    assert (
        bytes.fromhex("1D 28 6B 04 00 31 41 32 00 1D 28 6B 03 00 31 43 06 1D 28 6B 03 00 31 45 31")
        + bytes.fromhex("1D 28 6B")
        + bytes([len(data) + 3, 0])
        + bytes.fromhex("31 50 30")
        + data
        + bytes.fromhex("1D 28 6B 03 00 31 51 30")
        in sent
    )


def test_pictures_go_in_slices_of_at_most_255_rows():
    picture = Picture.new("1", (576, 600), 1)
    commands = raster_commands(picture, 255)
    assert [int.from_bytes(c[6:8], "little") for c in commands] == [255, 255, 90]
    assert all(c[:6] == bytes.fromhex("1D 76 30 00 48 00") for c in commands)
    assert all(len(c) == 8 + 72 * int.from_bytes(c[6:8], "little") for c in commands)


dots = st.lists(st.sampled_from([0x00, 0x04, 0x05, 0x10, 0x14, 0xFF]), min_size=8, max_size=400).map(bytes)


@given(dots)
def test_no_picture_holds_a_real_time_command_and_at_most_one_dot_a_byte_is_added(bits):
    safe = without_real_time(bits)
    assert not list(real_time_sequences(safe))
    assert all(a == b or (a, b) == (0x10, 0x18) for a, b in zip(bits, safe, strict=True))


texts = st.text(max_size=60)
blocks = st.one_of(
    st.builds(Text, texts, st.integers(1, 8), st.integers(1, 8), st.booleans()),
    st.builds(Rule, st.booleans()),
    st.builds(Feed, st.integers(0, 50)),
    st.builds(QrCode, st.text(min_size=1, max_size=60), st.integers(3, 16)),
    st.builds(lambda bits: Image(64, len(bits) // 8, bits[: len(bits) // 8 * 8]), dots),
    st.builds(BigText, st.from_regex(r"[A-Z][0-9]{3}", fullmatch=True), st.integers(8, 300)),
    st.builds(Banner, st.just("补打")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(blocks, max_size=4), st.booleans())
def test_no_document_makes_a_real_time_command(slip_font, document, native_qr):
    sent = stream(slip_font, *document, native_qr=native_qr)
    assert not list(real_time_sequences(sent))


def test_what_cannot_be_on_the_paper_is_refused(slip_font):
    with pytest.raises(BadDocument):
        stream(slip_font, Image(640, 1, bytes(80)))
    with pytest.raises(BadDocument):
        stream(slip_font, QrCode("x" * 5000))
    with pytest.raises(BadDocument):
        stream(slip_font, BigText(" ", 100))
    for wrong in (lambda: Text("x", 9), lambda: QrCode(""), lambda: Feed(99), lambda: Image(8, 2, b"\0")):
        with pytest.raises(ValueError, match=r"."):
            wrong()


def test_a_transparent_logo_has_a_white_ground():
    logo = Picture.new("RGBA", (8, 1), (0, 0, 0, 0))
    logo.putpixel((0, 0), (0, 0, 0, 255))
    assert Image.from_picture(logo).bits == b"\x80"
