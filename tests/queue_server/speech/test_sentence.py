"""What may be spoken, and how its numbers are read: the same as in calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.speech.sentence import MOST_SIGNS, TextRefusedError, in_words, readable
from queue_server.voice import spoken_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("请到12号窗口", "请到十二号窗口"),
        ("请A036号到3号窗口", "请A零三六号到三号窗口"),
        ("a-036号,请稍候", "A零三六号，请稍候"),
        ("请到105号窗口", "请到一零五号窗口"),
        ("下午1:30开始", "下午一点三十分开始"),
        ("8:05至17:00", "八点零五分至十七点"),
        ("00:10停电", "零点十分停电"),
        ("2026年，２楼", "二零二六年，二楼"),
    ],
)
def test_digits_are_read_as_people_read_them(text: str, words: str) -> None:
    assert in_words(readable(text)) == words


@given(st.from_regex(r"[A-Z][0-9]{1,4}", fullmatch=True), st.integers(1, 300))
def test_a_number_in_a_sentence_is_read_as_in_a_call(number: str, counter: int) -> None:
    call = spoken_text(number, str(counter))
    assert in_words(readable(f"请{number}号，到{counter}号窗口")) == call


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_empty"),
        (" \n", "text_empty"),
        ("请" * (MOST_SIGNS + 1), "text_too_long"),
        ("请看★", "text_not_speakable"),
        ("<b>请</b>", "text_not_speakable"),
        ("Hello", "text_not_speakable"),
        ("请😀", "text_not_speakable"),
        ("打8折，50%", "text_not_speakable"),
    ],
)
def test_what_cannot_be_spoken_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(TextRefusedError) as refused:
        readable(text)
    assert refused.value.code == code


def test_a_refusal_names_the_signs_and_the_limit() -> None:
    with pytest.raises(TextRefusedError) as refused:
        readable("请★看☆")
    assert refused.value.params == {"signs": "★ ☆"}
    with pytest.raises(TextRefusedError) as refused:
        readable("请" * 1000)
    assert refused.value.params == {"most": MOST_SIGNS}


@given(st.text(max_size=120))
def test_any_text_is_refused_by_name_or_becomes_words_without_digits(text: str) -> None:
    try:
        words = in_words(readable(text))
    except TextRefusedError:
        return
    assert not any(sign in "0123456789" for sign in words)
    assert readable(words) == words
