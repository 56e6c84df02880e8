"""Line breaking: lines fit, nothing is lost, no line begins with a comma, numbers keep their units."""

from hypothesis import given
from hypothesis import strategies as st

from screens.wrapping import wrap

WIDTH = {True: 1.0, False: 0.55}


def measure(text: str) -> float:
    return sum(WIDTH[character > "\u2e80"] for character in text)


TEXTS = st.text(alphabet="社保卡办理号码，。、（）《》abcXYZ 0123 –-·", max_size=60)


@given(TEXTS, st.floats(min_value=4, max_value=40))
def test_lines_fit_and_keep_every_character(text: str, width: float) -> None:
    lines = wrap(text, width, measure)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(measure(line) <= width or len(line.strip()) == 1 for line in lines)


@given(st.text(alphabet="社保卡办理号码，。、", min_size=1, max_size=60), st.floats(min_value=12, max_value=40))
def test_no_line_begins_with_a_comma_after_a_word(text: str, width: float) -> None:
    lines = wrap(text, width, measure)
    runs_fit = all(measure(run) < width / 2 for run in text.replace("社", " ").split())
    if runs_fit:
        assert not [line for line in lines[1:] if line[0] in "，。、" and text[0] not in "，。、"]


def test_a_number_keeps_what_belongs_to_it() -> None:
    assert wrap("17 人等候，约 45–70 分钟", 9, measure) == ["17 人等候，", "约 45–70 分钟"]


def test_lines_are_of_even_length() -> None:
    assert wrap("请选择业务类别好吗", 8, measure) == ["请选择业务", "类别好吗"]


def test_english_words_stay_whole() -> None:
    assert wrap("Social security card: apply or replace", 12, measure) == ["Social security card:", "apply or replace"]
