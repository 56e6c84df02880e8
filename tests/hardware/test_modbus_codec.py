"""Modbus RTU: requests and answers of published examples, and noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.modbus.codec import AnswerDecoder, Refused, read_coils, read_inputs, write_coil
from hardware.simulators.modbus_module import checksum

# The examples of MODBUS Application Protocol V1.1b3, 6.1, 6.2 and 6.5, as simplymodbus.ca frames them for station 17.
COILS = read_coils(17, 0x13, 37)
COILS_ANSWER = bytes.fromhex("11 01 05 CD 6B B2 0E 1B 45 E6")
INPUTS = read_inputs(17, 0xC4, 22)
INPUTS_ANSWER = bytes.fromhex("11 02 03 AC DB 35 20 18")
SWITCH = write_coil(17, 0xAC, on=True)


def bits(*octets):
    """Each octet lowest bit first."""
    return tuple(bool(octet >> place & 1) for octet in octets for place in range(8))


def test_the_published_requests():
    assert COILS.frame == bytes.fromhex("11 01 00 13 00 25 0E 84")
    assert INPUTS.frame == bytes.fromhex("11 02 00 C4 00 16 BA A9")
    assert SWITCH.frame == bytes.fromhex("11 05 00 AC FF 00 4E 8B")
    assert write_coil(17, 0xAC, on=False).frame[4:6] == bytes.fromhex("00 00")


def test_the_published_answers():
    assert AnswerDecoder(COILS).feed(COILS_ANSWER) == bits(0xCD, 0x6B, 0xB2, 0x0E, 0x1B)[:37]
    assert AnswerDecoder(INPUTS).feed(INPUTS_ANSWER) == bits(0xAC, 0xDB, 0x35)[:22]
    assert AnswerDecoder(SWITCH).feed(SWITCH.frame) == (True,)


def test_the_published_refusal():
    """The exception example of simplymodbus.ca: function 01 of station 10 refused with 02, no such address."""
    question = read_coils(10, 0x04A1, 1)
    assert question.frame == bytes.fromhex("0A 01 04 A1 00 01 AC 63")
    assert AnswerDecoder(question).feed(bytes.fromhex("0A 81 02 B0 53")) == Refused(2)


@pytest.mark.parametrize(
    "wrong",
    [
        bytes([0x12, *INPUTS_ANSWER[1:-2]]),
        bytes([0x11, 0x01, *INPUTS_ANSWER[2:-2]]),
        bytes([0x11, 0x02, 0x02, 0xAC, 0xDB]),
    ],
    ids=["another station", "another function", "another count"],
)
def test_the_answer_to_something_else_is_none(wrong):
    assert AnswerDecoder(INPUTS).feed(wrong + checksum(wrong)) is None


@given(st.binary(max_size=40), st.integers(1, 8))
def test_an_answer_is_found_behind_noise_and_in_any_pieces(noise, size):
    decoder, got = AnswerDecoder(INPUTS), None
    stream = noise + INPUTS_ANSWER
    for start in range(0, len(stream), size):
        got = got or decoder.feed(stream[start : start + size])
    assert got is not None or noise.endswith(b"\x11") or b"\x11\x02" in noise or b"\x11\x82" in noise
    if got is None:  # what looked like a beginning may have swallowed one frame, not two
        got = decoder.feed(INPUTS_ANSWER)
    assert got is not None


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_raise_and_no_changed_bit_is_believed(pieces):
    decoder = AnswerDecoder(COILS)
    for piece in pieces:
        decoder.feed(piece)


@given(st.integers(0, 8 * len(INPUTS_ANSWER) - 1))
def test_a_changed_bit_is_not_believed(place):
    damaged = bytearray(INPUTS_ANSWER)
    damaged[place // 8] ^= 1 << place % 8
    assert AnswerDecoder(INPUTS).feed(bytes(damaged)) is None
