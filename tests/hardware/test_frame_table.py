"""Frames that tables describe: the published samples byte for byte, tables of one's own, noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.frame_table import BadTable, BadValue, FrameTable, TableDecoder
from hardware.sample_packet import PACKET
from hardware.window_display.sample_codec import ANSWERS, WRITE, Sample

XUNPENG_888 = {"colour": 0, "number": 888, "info": 1}
TEXT = FrameTable(("FE", "address", "length", "text", "xor8", "EF"))


def test_the_makers_example_shows_888_in_green():
    """Xunpeng, m.zhiliandun.com/index.php/proview-133-10.html: 3A 00 78 03 01 B6 0A."""
    assert WRITE[Sample.XUNPENG].frame(XUNPENG_888) == bytes.fromhex("3A 00 78 03 01 B6 0A")


def test_both_of_the_makers_answers_are_understood():
    """The same page: the example's answer 2A 00 78 03 01 A6 0A, and the text's 3A, information, sum, 0A."""
    answers = TableDecoder(ANSWERS[Sample.XUNPENG])
    assert answers.feed(bytes.fromhex("2A 00 78 03 01 A6 0A")) == [XUNPENG_888]
    assert answers.feed(bytes.fromhex("3A 01 3B 0A")) == [{"info": 1}]


def test_the_packet_of_four_bytes():
    """id, high byte, low byte, sum: musicexecdevelopment.com/8238227."""
    packet = FrameTable(PACKET)
    assert packet.frame({"address": 5, "number": 0x0102}) == bytes([5, 1, 2, 8])
    assert TableDecoder((packet,)).feed(bytes([5, 1, 2, 8])) == [{"address": 5, "number": 258}]


def test_a_table_of_ones_own_carries_chinese():
    frame = TEXT.frame({"address": 3, "text": "请到3号窗口"})
    assert frame[:3] == bytes([0xFE, 3, 11])
    assert frame[3:-2] == "请到3号窗口".encode("gb2312")
    assert TableDecoder((TEXT,)).feed(frame) == [{"address": 3, "text": "请到3号窗口"}]


@pytest.mark.parametrize(
    "words",
    [(), ("3a0",), ("Number",), ("number:le32",), ("text",), ("text", "length"), ("info", "info"), ("sum8", "sum8")],
    ids=str,
)
def test_a_table_that_describes_no_frame_is_refused(words):
    with pytest.raises(BadTable):
        FrameTable(words)


@pytest.mark.parametrize(
    "values",
    [{}, {"address": 256, "text": "x"}, {"address": -1, "text": "x"}, {"address": 1, "text": "😀"},
     {"address": 1, "text": "x" * 201}, {"address": "1", "text": "x"}],
    ids=str,
)  # fmt: skip
def test_a_value_that_has_no_place_is_refused(values):
    with pytest.raises(BadValue):
        TEXT.frame(values)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_raise_and_no_more_than_a_frame_is_kept(pieces):
    for tables in ((TEXT,), ANSWERS[Sample.XUNPENG], (FrameTable(PACKET),)):
        decoder = TableDecoder(tables)
        for piece in pieces:
            decoder.feed(piece)
        assert len(decoder._begun) < 256


@given(st.integers(0, 65535), st.integers(0, 255), st.data())
def test_any_cutting_gives_the_same_values(number, colour, data):
    values = {"colour": colour, "number": number, "info": 7}
    stream = WRITE[Sample.XUNPENG].frame(values) * 2
    decoder, got = TableDecoder((WRITE[Sample.XUNPENG],)), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        got += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert got == [values, values]


@given(st.binary(max_size=60))
def test_noise_costs_one_frame_at_most(noise):
    decoder = TableDecoder(ANSWERS[Sample.XUNPENG])
    decoder.feed(noise)
    frame = bytes.fromhex("2A 00 78 03 01 A6 0A")
    assert XUNPENG_888 in decoder.feed(frame) + decoder.feed(frame)
