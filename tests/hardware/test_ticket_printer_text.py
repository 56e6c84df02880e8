"""Which characters go to the printer's own font, their widths, and line breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.ticket_printer.profile import ChineseFont
from hardware.ticket_printer.text import cells, native_bytes, printable_lines, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A036", "41 30 33 36"),
        ("￥", "A3 A4"),
        ("·", "A1 A4"),
        ("〇", "A9 96"),
        ("喆", "86 B4"),
        ("堃", "88 D2"),
        ("赟", "DA 53"),
        ("：", "A3 BA"),
    ],
)
def test_characters_with_a_gbk_double_byte_go_as_such(text, expected):
    assert native_bytes(text, ChineseFont.GBK) == bytes.fromhex(expected)


@pytest.mark.parametrize("text", ["€", "䶮", "㐂", "㛃", "𬭊", "王㛃", "¥"])
def test_a_line_with_a_character_outside_gbk_is_drawn(text):
    assert native_bytes(text, ChineseFont.GBK) is None


@pytest.mark.parametrize("text", ["喆", "〇", "·"])
def test_a_gb2312_printer_gets_the_rest_drawn(text):
    assert native_bytes(text, ChineseFont.GB2312) is None
    assert native_bytes("政务", ChineseFont.GB2312) == "政务".encode("gb2312")


def test_a_printer_without_chinese_gets_ascii_only():
    assert native_bytes("A1", ChineseFont.NONE) == b"A1"
    assert native_bytes("政", ChineseFont.NONE) is None


def test_the_yen_sign_becomes_the_wide_one_that_printers_know():
    assert printable_lines("¥5") == ["￥5"]


@given(st.text(max_size=80))
def test_whatever_goes_out_natively_reads_back_the_same(text):
    for line in printable_lines(text):
        for font in ChineseFont:
            encoded = native_bytes(line, font)
            if encoded is not None:
                assert encoded.decode("gbk") == line
                assert len(encoded) == cells(line)
                assert all(byte >= 0x20 for byte in encoded)


@given(st.text(alphabet="政务大厅，、；,。A036 (b)12—", max_size=80), st.integers(2, 48))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text, columns):
    lines = wrap(text, columns)
    assert all(cells(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text(alphabet="政务大厅，、；。A036 ", max_size=120), st.integers(2, 48))
def test_whole_phrases_cost_no_line(text, columns):
    # a bracket may not begin a line either, but nobody rests after it
    without_rests = text.translate(str.maketrans(dict.fromkeys("，、；。", "）")))
    assert len(wrap(text, columns)) == len(wrap(without_rests, columns))


def test_a_phrase_stays_whole_where_that_costs_no_line():
    materials = "请准备：居民身份证原件、居民户口簿原件、本人银行卡"
    assert wrap(materials, 48) == ["请准备：居民身份证原件、居民户口簿原件、", "本人银行卡"]
    rule = "叫号后未到将重呼，仍未到即为过号；30 分钟内到场可请工作人员恢复，排到 3 人之后。"
    assert wrap(rule, 48) == ["叫号后未到将重呼，仍未到即为过号；", "30 分钟内到场可请工作人员恢复，排到 3 人之后。"]
    assert wrap("过号，30 分钟内到场可请工作人员恢复", 20) == ["过号，30 分钟内到场", "可请工作人员恢复"], (
        "less than half full"
    )
    assert wrap("一二三四五，六七八九十一二三四五六七八", 20) == ["一二三四五，六七八九", "十一二三四五六七八"], (
        "one more line"
    )


def test_no_line_begins_with_a_full_stop_and_no_word_is_torn():
    assert wrap("请到窗口办理。", 12) == ["请到窗口办", "理。"]
    assert wrap("room K01 here", 9) == ["room K01", "here"]
