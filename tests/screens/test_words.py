"""Translations: every message in both languages, with the same parameters; every code has a sentence of its own."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from hardware.vocabulary import Health
from kiosk.journeys.views import CardState, Opening, SlipState
from kiosk.journeys.words import load_words
from queue_server.hall import refusals
from screens import sentences, technician
from screens.app import TRANSLATIONS
from tools.translations import LOCALES, extracted, read

CODES_OF_THE_TERMINAL = {
    "starting",
    "no_configuration",
    "hall_away",
    "maintenance",
    "not_accepted",
    "cloned",
    "journal_fault",
    "program_fault",
    "power_low",
}

AFTERNOON = Opening("13:30", "3 月 2 日 13:30", "today")
TOMORROW = Opening("09:00", "3 月 3 日 09:00", "tomorrow")
NEXT_WEEK = Opening("09:00", "3 月 9 日 09:00", "later")


def ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def strings(message: Message) -> tuple[str, ...]:
    found = message.string if isinstance(message.string, tuple) else (message.string or "",)
    return tuple(found)


def parameters(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("locale", LOCALES)
def test_no_language_lacks_a_message_or_keeps_an_old_one(locale: str) -> None:
    wanted = {ids(message) for message in extracted() if message.id}
    there = {ids(message): message for message in read(locale) if message.id}
    assert set(there) == wanted
    assert [key for key, message in there.items() if not all(strings(message))] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_keep_the_parameters(locale: str) -> None:
    for message in read(locale):
        if message.id:
            of_message = set().union(*(parameters(text) for text in ids(message)))
            for text in strings(message):
                assert parameters(text) == of_message, message.id


def test_chinese_uses_chinese_punctuation() -> None:
    wrong = [text for message in read("zh_CN") for text in strings(message) if re.search(r"[一-鿿][,;:!?(]", text)]
    assert wrong == []


def test_numbers_of_things_have_their_form() -> None:
    words = load_words(TRANSLATIONS)
    one, many = "{n} person ahead of you", "{n} people ahead of you"
    assert words["en"].ntr(one, many, 1) == "1 person ahead"
    assert words["en"].ntr(one, many, 4) == "4 people ahead"
    assert words["zh"].ntr(one, many, 4) == "前面还有 4 人"


def test_a_missing_parameter_leaves_a_dash_and_an_unknown_message_itself() -> None:
    words = load_words(TRANSLATIONS)["zh"]
    assert words.tr("Your number is {number}") == "您的号码是 —"
    assert words.tr("No such message") == "No such message"


def test_a_terminal_does_not_start_with_half_its_words(tmp_path: Path) -> None:
    shutil.copytree(TRANSLATIONS / "en", tmp_path / "en")
    with pytest.raises(FileNotFoundError):
        load_words(tmp_path)


def test_every_reason_to_be_out_of_service_has_its_sentence() -> None:
    assert set(sentences.OUT_OF_SERVICE) == CODES_OF_THE_TERMINAL


def test_every_refusal_of_a_number_has_its_sentence() -> None:
    of_the_hall = (
        refusals.HallNotConfigured,
        refusals.ServiceUnknown,
        refusals.ServiceClosed,
        refusals.NumbersExhausted,
        refusals.DayAlreadyClosed,
        refusals.DayNotOpen,
        refusals.OutsideHours,
        refusals.NotToday,
        refusals.QuotaReached,
        refusals.AlreadyHolding,
        refusals.TooManyNumbers,
        refusals.NotReachableToday,
    )
    of_the_terminal = {"no_answer", "offline_ended", "offline_exhausted", "journal_slow"}
    assert {refusal.code for refusal in of_the_hall} | of_the_terminal <= set(sentences.REFUSED)
    of_tiles = (
        refusals.ServiceClosed,
        refusals.NumbersExhausted,
        refusals.OutsideHours,
        refusals.NotToday,
        refusals.QuotaReached,
        refusals.NotReachableToday,
        refusals.DayAlreadyClosed,
    )
    assert {refusal.code for refusal in of_tiles} <= set(sentences.CLOSED)


def test_a_closed_service_says_when_it_opens_and_a_person_which_number_they_hold() -> None:
    words = load_words(TRANSLATIONS)["zh"]
    assert "今天 13:30 开始取号" in sentences.refused(words, "outside_hours", {}, opens=AFTERNOON)[0]
    assert "3 月 9 日 09:00 开始取号" in sentences.refused(words, "not_today", {}, opens=NEXT_WEEK)[0]
    assert "A012" in sentences.refused(words, "already_holding", {"number": "A012"})[0]
    assert "17:00" in sentences.refused(words, "not_reachable_today", {"closes_at": "17:00"})[0]
    halves = {sentences.refused(words, "quota_reached", {"half": half}) for half in ("morning", "afternoon")}
    assert len(halves) == 2


@pytest.mark.parametrize(
    ("language", "opens", "said"),
    [
        ("zh", AFTERNOON, "今天 13:30 开始取号"),
        ("zh", TOMORROW, "明天 09:00 开始取号"),
        ("zh", NEXT_WEEK, "3 月 9 日 09:00 开始取号"),
        ("en", AFTERNOON, "today at 13:30"),
        ("en", TOMORROW, "tomorrow at 09:00"),
        ("en", replace(NEXT_WEEK, on="9 March, 09:00"), "on 9 March, 09:00"),
    ],
)
def test_a_service_without_an_open_counter_says_when_it_opens_on_its_tile_and_with_the_reason_when_touched(
    language: str, opens: Opening, said: str
) -> None:
    words = load_words(TRANSLATIONS)[language]
    assert said in sentences.closed(words, "service_closed", opens)
    happened, _, next_step = sentences.refused(words, "service_closed", {}, opens=opens)
    assert said in happened
    assert ("没有窗口" if language == "zh" else "No counter is open") in happened
    assert next_step != sentences.refused(words, "service_closed", {})[2]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_refusal_says_what_happened_what_became_of_the_number_and_what_to_do(language: str) -> None:
    words = load_words(TRANSLATIONS)[language]
    for code in (*sentences.REFUSED, "a_code_of_next_year"):
        happened, number, next_step = sentences.refused(words, code, {})
        assert len({happened, number, next_step}) == 3
        assert all(text.endswith(("。", ".")) for text in (happened, number, next_step)), code


def test_an_unprinted_slip_always_says_that_the_number_stands() -> None:
    words = load_words(TRANSLATIONS)["zh"]
    for cause in (*sentences.SLIP_CAUSE, None, "a_cause_of_next_year"):
        happened, next_step = sentences.slip(words, SlipState.NOT_PRINTED, cause)
        assert happened.startswith("号已取到")
        assert next_step
    assert sentences.slip(words, SlipState.UNKNOWN, "no_answer")[1]


def test_every_state_of_the_reader_and_every_health_has_words() -> None:
    assert set(sentences.CARD) == set(sentences.CARD_HINT) == set(CardState)
    assert {health.value for health in Health} == set(technician.HEALTH)
