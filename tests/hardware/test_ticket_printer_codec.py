"""ESC/POS status bytes and their sorting. Bit meanings:
download4.epson.biz/sec_pubs/pos/reference_en/escpos/{dle_eot,gs_la,gs_lr}.html.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.ticket_printer.codec import (
    AnswerClassifier,
    AutomaticStatus,
    FenceEcho,
    FlowControl,
    OrderedPaperStatus,
    RealTimeStatus,
    Stray,
    ask_fence,
    ask_real_time,
    fence_id_of,
    status_of,
)
from hardware.vocabulary import Detail, Health, Supply, WhoActs

FINE = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}


def test_questions_are_their_published_bytes():
    assert [ask_real_time(n).hex(" ") for n in (1, 4)] == ["10 04 01", "10 04 04"]
    assert ask_fence(b"@ABC") == bytes.fromhex("1D 28 48 06 00 30 30 40 41 42 43")


def test_each_kind_of_answer_is_told_by_its_fixed_bits():
    classifier = AnswerClassifier()
    stream = bytes.fromhex("12 14 00 00 0F 11 13 00 03 37 22 40 41 42 43 00 FF")
    assert classifier.feed(stream) == [
        RealTimeStatus(0x12),
        AutomaticStatus(bytes.fromhex("14 00 00 0F")),
        FlowControl(True),
        FlowControl(False),
        OrderedPaperStatus(0x00),
        OrderedPaperStatus(0x03),
        FenceEcho(b"@ABC"),
        Stray(0xFF),
    ]


def test_a_real_time_answer_inside_another_one_is_told_apart():
    classifier = AnswerClassifier()
    answers = classifier.feed(bytes.fromhex("37 22 40 1A 41 42 43 13 00"))
    assert answers == [RealTimeStatus(0x1A), FlowControl(False), FenceEcho(b"@ABC")]


@given(st.integers(0, 0xFFFF))
def test_fence_ids_are_distinct_and_look_like_no_status(number):
    fence_id = fence_id_of(number)
    assert fence_id != fence_id_of(number + 1)
    assert not any(byte & 0x93 in {0x10, 0x12} or byte in {0x11, 0x13, 0x37} for byte in fence_id)
    assert AnswerClassifier().feed(b"\x37\x22" + fence_id + b"\x00") == [FenceEcho(fence_id)]


@given(st.binary(max_size=300))
def test_any_bytes_are_sorted_and_none_is_held_for_ever(data):
    classifier = AnswerClassifier()
    classifier.feed(data)
    assert len(classifier._begun) < 7


@given(st.binary(max_size=40), st.integers(0, 0xFFFF))
def test_after_noise_and_a_reset_the_next_fence_is_heard(noise, number):
    classifier = AnswerClassifier()
    classifier.feed(noise)
    classifier.reset()
    fence_id = fence_id_of(number)
    assert classifier.feed(b"\x37\x22" + fence_id + b"\x00") == [FenceEcho(fence_id)]


@pytest.mark.parametrize(
    ("changed", "health", "detail", "paper"),
    [
        ({}, Health.OK, Detail.NONE, Supply.OK),
        ({4: 0x1E}, Health.DEGRADED, Detail.PAPER_LOW, Supply.LOW),
        ({1: 0x1A, 2: 0x32, 4: 0x7E}, Health.FAULT, Detail.PAPER_OUT, Supply.OUT),
        ({1: 0x1A, 2: 0x16}, Health.FAULT, Detail.COVER_OPEN, Supply.OK),
        ({1: 0x1A, 2: 0x52, 3: 0x1A}, Health.FAULT, Detail.CUTTER_ERROR, Supply.OK),
        ({1: 0x1A, 2: 0x52, 3: 0x32}, Health.FAULT, Detail.PRINTER_ERROR, Supply.OK),
        ({1: 0x1A, 2: 0x52, 3: 0x52}, Health.FAULT, Detail.HEAD_TOO_HOT, Supply.OK),
        ({1: 0x1A}, Health.FAULT, Detail.PRINTER_OFFLINE, Supply.OK),
        ({1: 0x1A, 2: 0x76, 3: 0x1A, 4: 0x7E}, Health.FAULT, Detail.CUTTER_ERROR, Supply.OUT),
        ({1: 0x1A, 2: 0x36, 4: 0x7E}, Health.FAULT, Detail.COVER_OPEN, Supply.OUT),
    ],
)
def test_status_bits_become_health_with_error_before_cover_before_paper(changed, health, detail, paper):
    status = status_of(FINE | changed)
    assert (status.health, status.detail, status.supplies["paper"]) == (health, detail, paper)


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_a_question_without_answer_is_never_ok(missing):
    answers = {n: byte for n, byte in FINE.items() if n != missing}
    assert status_of(answers).health is Health.UNKNOWN
    assert status_of({}).supplies["paper"] is Supply.UNKNOWN


@given(st.dictionaries(st.integers(1, 4), st.integers(0, 255)))
def test_any_answers_make_a_status_with_someone_to_act_on_a_fault(answers):
    status = status_of(answers)
    if status.health is Health.FAULT and status.detail is not Detail.HEAD_TOO_HOT:
        assert status.who_acts in {WhoActs.CLERK, WhoActs.TECHNICIAN}
