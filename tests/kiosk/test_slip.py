"""The slip: what stands on it, and that it fits."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.ticket_printer.document import Banner, BigText, PrintDocument, QrCode, Text
from kiosk import slip
from kiosk.bundle import read
from kiosk.journeys.catalogue import TextLists
from kiosk.slip_words import WORDS
from tests.kiosk.halls import CATALOGUE, NOW, TICKET


def laid_out(language: str = "zh", **changes) -> PrintDocument:
    options = {"masked_name": "张*", "terminal": "t1", "printed_at": NOW} | changes
    return slip.lay_out(TICKET, CATALOGUE, language=language, **options)


def words(document: PrintDocument) -> str:
    return "\n".join(block.text for block in document.blocks if isinstance(block, Text | Banner))


def test_it_says_what_a_person_must_know():
    text = words(laid_out())
    for part in (
        "示例市政务服务中心",
        "养老待遇申领",
        "前面还有 5 人",
        "12–18 分钟",
        "10:32",
        "1、2 号",
        "东区",
        "居民身份证原件、居民户口簿原件、本人银行卡",
        "过号请重新取号。",
        "2026-03-02 10:32",
        "t1",
        "张*",
    ):
        assert part in text
    assert [block.text for block in laid_out().blocks if isinstance(block, BigText)] == ["A036"]
    assert [block.data for block in laid_out().blocks if isinstance(block, QrCode)] == [TICKET.follow_url]


@pytest.mark.parametrize(
    ("language", "booked", "called"), [("zh", "预约 11:00", "10:50 起"), ("en", "Appointment 11:00", "from 10:50")]
)
def test_a_checked_in_slip_bears_the_booked_time_and_when_calls_begin(language, booked, called):
    early = replace(TICKET, booked_for=NOW + timedelta(minutes=28), callable_from=NOW + timedelta(minutes=18))
    document = slip.lay_out(early, CATALOGUE, language=language, masked_name="张*", terminal="t1", printed_at=NOW)
    assert booked in words(document)
    assert called in words(document)
    assert slip.height_mm(document) <= slip.LONGEST_MM
    assert "预约" not in words(laid_out(language))


def test_the_english_slip_keeps_the_chinese_names_that_staff_read():
    text = words(laid_out("en"))
    assert "养老待遇申领" in text
    assert "Pension claim" in text
    assert "People ahead: 5" in text
    assert "Household register" in text


def test_a_reprint_is_marked_and_a_first_print_is_not():
    assert not any(isinstance(block, Banner) for block in laid_out().blocks)
    assert isinstance(laid_out(reprint=True).blocks[0], Banner)
    assert "补" in words(laid_out(reprint=True))


def test_the_only_window_says_where_it_is():
    document = slip.lay_out(
        replace(TICKET, counters=("5",)),
        CATALOGUE,
        language="zh",
        masked_name=None,
        terminal="t1",
        printed_at=NOW,
    )
    assert "西侧第 1 个窗口" in words(document)


def test_neither_language_lacks_a_word():
    for language in ("zh", "en"):
        assert all(vars(WORDS[language]).values())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("reprint", [False, True])
def test_every_slip_of_the_sample_hall_fits_with_its_number_large(sample_bundle, language, reprint):
    catalogue = read(sample_bundle)
    for service in catalogue.services:
        ticket = replace(TICKET, service=service.id, counters=("1", "2", "3"))
        document = slip.lay_out(
            ticket,
            catalogue,
            language=language,
            masked_name="张*",
            terminal="hall-east-1",
            printed_at=NOW,
            reprint=reprint,
        )
        assert slip.height_mm(document) <= slip.LONGEST_MM
        (number,) = [block for block in document.blocks if isinstance(block, BigText)]
        assert number.height_dots >= 17 * slip.DOTS_PER_MM


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("户口簿原件复印 abc", min_size=1, max_size=40), max_size=12),
    st.text("过号规则,请重新取号。", max_size=80),
    st.sampled_from(["zh", "en"]),
    st.booleans(),
)
def test_materials_give_way_before_the_paper_gets_too_long(materials, rule, language, reprint):
    service = replace(CATALOGUE.services[0], materials=TextLists(tuple(materials), tuple(materials)))
    catalogue = replace(CATALOGUE, services=(service,), passed_rule=replace(CATALOGUE.passed_rule, zh=rule, en=rule))
    document = slip.lay_out(
        TICKET,
        catalogue,
        language=language,
        masked_name="张*",
        terminal="t1",
        printed_at=NOW,
        reprint=reprint,
    )
    assert slip.height_mm(document) <= slip.LONGEST_MM
    assert any(isinstance(block, QrCode) for block in document.blocks)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_offline_number_says_what_it_is_and_that_it_is_valid(language):
    offline = replace(TICKET, number="XA001", people_ahead=None, wait=None, counters=(), offline=True)
    document = slip.lay_out(offline, CATALOGUE, language=language, masked_name=None, terminal="t1", printed_at=NOW)
    text = words(document)
    assert "离线号" in text
    assert "10:32" in text
    assert {"zh": "同样有效", "en": "but valid"}[language] in text
    assert "前面" not in text
    assert "网络恢复后" in text
    assert slip.height_mm(document) <= slip.LONGEST_MM


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_number_that_may_not_be_reached_says_so_on_paper(language):
    late = replace(TICKET, may_close_at=NOW)
    document = slip.lay_out(late, CATALOGUE, language=language, masked_name=None, terminal="t1", printed_at=NOW)
    assert "下班前可能轮不到" in words(document)
    assert slip.height_mm(document) <= slip.LONGEST_MM
