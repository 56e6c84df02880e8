"""SAM_V frames. The literals are those of the published protocol, quoted alike by three independent sources:
http://eastcoms.com/service/downdrive/508.html, https://softs.im/身份证阅读器通信协议,
https://blog.csdn.net/zhangbijun1230/article/details/85242964.
"""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware.id_card.codec import (
    MAX_LENGTH,
    Command,
    FrameDecoder,
    Reply,
    Sw3,
    answers,
    checksum,
    encode,
    parse_sam_id,
    split_blocks,
)

PREAMBLE = bytes.fromhex("AAAAAA9669")


def literal(text: str) -> bytes:
    return PREAMBLE + bytes.fromhex(text)


def frame(body: bytes) -> bytes:
    """A reply frame for property tests, built here rather than by the code under test."""
    length = (len(body) + 1).to_bytes(2, "big")
    check = 0
    for byte in length + body:
        check ^= byte
    return PREAMBLE + length + body + bytes([check])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Command.RESET_SAM, "00 03 10 FF EC"),
        (Command.SAM_STATUS, "00 03 11 FF ED"),
        (Command.SAM_ID, "00 03 12 FF EE"),
        (Command.FIND_CARD, "00 03 20 01 22"),
        (Command.SELECT_CARD, "00 03 20 02 21"),
        (Command.READ_TEXT_AND_PHOTO, "00 03 30 01 32"),
        (Command.READ_TEXT_PHOTO_AND_FINGERPRINT, "00 03 30 10 23"),
        (Command.READ_NEWEST_ADDRESS, "00 03 30 03 30"),
        (Command.SET_BAUD_115200, "00 03 60 00 63"),
        (Command.SET_BAUD_57600, "00 03 60 01 62"),
        (Command.SET_BAUD_38400, "00 03 60 02 61"),
        (Command.SET_BAUD_19200, "00 03 60 03 60"),
        (Command.SET_BAUD_9600, "00 03 60 04 67"),
    ],
)
def test_each_command_is_its_published_frame(command, expected):
    assert encode(command) == literal(expected)


@pytest.mark.parametrize(
    ("text", "status", "size"),
    [
        ("00 04 00 00 90 94", 0x90, 0),
        ("00 04 00 00 60 64", Sw3.SELF_TEST_FAILED, 0),
        ("00 08 00 00 9F 00 00 00 00 97", Sw3.CARD_FOUND, 4),
        ("00 04 00 00 80 84", Sw3.FIND_FAILED, 0),
        ("00 0C 00 00 90 00 00 00 00 00 00 00 00 9C", Sw3.OK, 8),
        ("00 04 00 00 81 85", Sw3.SELECT_FAILED, 0),
        ("00 04 00 00 41 45", Sw3.READ_FAILED, 0),
        ("00 04 00 00 10 14", Sw3.HOST_CHECKSUM_WRONG, 0),
        ("00 04 00 00 21 25", Sw3.BAD_COMMAND, 0),
        ("00 04 00 00 66 62", Sw3.SAM_NOT_AUTHORISED, 0),
    ],
)
def test_each_published_reply_is_understood(text, status, size):
    assert FrameDecoder().feed(literal(text)) == [Reply(status, bytes(size))]


def test_a_read_reply_is_1295_bytes_and_gives_text_and_photo():
    whole = frame(bytes.fromhex("00 00 90 01 00 04 00") + b"t" * 256 + b"p" * 1024)
    assert whole[5:14] == bytes.fromhex("05 08 00 00 90 01 00 04 00")
    assert len(whole) == 1295
    (reply,) = FrameDecoder().feed(whole)
    blocks = split_blocks(Command.READ_TEXT_AND_PHOTO, reply.data)
    assert (blocks.text, blocks.photo, blocks.fingerprint) == (b"t" * 256, b"p" * 1024, b"")


@pytest.mark.parametrize(
    ("header", "fingerprint", "size"),
    [("05 0A 00 00 90 01 00 04 00 00 00", b"", 1297), ("09 0A 00 00 90 01 00 04 00 04 00", b"f" * 1024, 2321)],
)
def test_a_read_with_fingerprint_gives_three_blocks(header, fingerprint, size):
    head = bytes.fromhex(header)
    whole = frame(head[2:] + b"t" * 256 + b"p" * 1024 + fingerprint)
    assert whole[5:16] == head
    assert len(whole) == size
    (reply,) = FrameDecoder().feed(whole)
    assert split_blocks(Command.READ_TEXT_PHOTO_AND_FINGERPRINT, reply.data).fingerprint == fingerprint


def test_the_stray_zero_seen_in_the_field_inside_the_preamble_is_no_harm():
    noisy = bytes.fromhex("AA 00 AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C")
    assert FrameDecoder().feed(noisy) == [Reply(Sw3.OK, bytes(8))]


def test_the_sam_number_is_printed_in_its_five_parts():
    data = bytes.fromhex("0500 0300 1B2D3301 4E61BC00 15CD5B07")
    assert str(parse_sam_id(data)) == "05.03-20131099-0012345678-0123456789"


def test_a_late_reply_of_another_command_is_no_answer():
    found = Reply(Sw3.CARD_FOUND, bytes(4))
    selected = Reply(Sw3.OK, bytes(8))
    assert answers(Command.FIND_CARD, found)
    assert not answers(Command.SELECT_CARD, found)
    assert answers(Command.SELECT_CARD, selected)
    assert not answers(Command.SAM_STATUS, selected)
    assert not answers(Command.READ_TEXT_AND_PHOTO, selected)
    assert answers(Command.READ_TEXT_AND_PHOTO, Reply(0x77, b"")), "an unknown code may answer anything"


bodies = st.binary(min_size=3, max_size=MAX_LENGTH - 1)


@given(bodies, st.lists(st.integers(0, 3000), max_size=8))
def test_a_frame_cut_anywhere_is_the_same_reply(body, cuts):
    data = frame(body)
    decoder, replies = FrameDecoder(), []
    places = sorted({0, len(data), *(c % len(data) for c in cuts)})
    for start, end in pairwise(places):
        replies += decoder.feed(data[start:end])
    assert replies == [Reply(int.from_bytes(body[:3]), body[3:])]


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_random_bytes_never_raise_and_never_pile_up(chunks):
    decoder = FrameDecoder()
    for chunk in chunks:
        decoder.feed(chunk)
        assert len(decoder._pending) < MAX_LENGTH + 16
    decoder.flush()
    assert not decoder._pending


@given(st.binary(max_size=300), st.binary(min_size=3, max_size=40))
def test_after_any_noise_and_silence_the_next_frame_is_read(noise, body):
    decoder = FrameDecoder()
    decoder.feed(noise)
    decoder.flush()
    assert decoder.feed(frame(body)) == [Reply(int.from_bytes(body[:3]), body[3:])]


@given(st.binary(min_size=3, max_size=200), st.integers(1, 255), st.data())
def test_a_broken_frame_costs_itself_and_not_the_next(body, change, data):
    broken = bytearray(frame(body))
    place = data.draw(st.integers(5, len(broken) - 1))
    broken[place] ^= change
    length = int.from_bytes(broken[5:7])
    good = frame(b"\x00\x00\x80")
    candidate = bytes(broken) + good
    # The checksum is a mere XOR: leave out the changes that happen to make another frame with a right one.
    assume(length > len(candidate) - 7 or checksum(candidate[5 : 7 + length]) != 0)
    decoder = FrameDecoder()
    assert Reply(0x80, b"") in decoder.feed(candidate) + decoder.flush()


def test_a_frame_behind_a_preamble_that_broke_off_is_read():
    assert FrameDecoder().feed(PREAMBLE + frame(b"\x00\x00\x80")) == [Reply(0x80, b"")]
    assert FrameDecoder().feed(PREAMBLE + b"\x00\x04\x00" + frame(b"\x00\x00\x80")) == [Reply(0x80, b"")]


@given(st.binary(max_size=1400))
def test_splitting_any_data_gives_blocks_or_nothing(data):
    for command in (Command.READ_TEXT_AND_PHOTO, Command.READ_TEXT_PHOTO_AND_FINGERPRINT):
        blocks = split_blocks(command, data)
        assert blocks is None or len(blocks.text) == 256


def test_a_reply_shows_no_data_in_its_repr():
    assert "secret" not in repr(Reply(0x90, b"secret"))
