"""Codes out of bytes and key events: terminators, silence, character sets, rules, hostile keys, random streams."""

import struct

import pytest
from evdev import ecodes
from hypothesis import given
from hypothesis import strategies as st

from hardware.code_scanner.dialects import COMMANDS, AnswerFilter, Dialect
from hardware.code_scanner.keys import KeyDecoder
from hardware.code_scanner.payload import BadCode, Characters, Code, CodeProblem, CodeRules, Encoding, RawCode, judge
from hardware.code_scanner.splitter import CodeEnd, CodeSplitter
from hardware.errors import CodeWiped

RULES = CodeRules()


def events(*items):
    """A recorded stream: (key, value) pairs or raw (type, code, value), a report after each."""
    stream = b""
    for item in items:
        kind, code, value = item if len(item) == 3 else (ecodes.EV_KEY, *item)
        stream += struct.pack("@llHHi", 1_700_000_000, 5, kind, code, value)
        stream += struct.pack("@llHHi", 1_700_000_000, 5, ecodes.EV_SYN, ecodes.SYN_REPORT, 0)
    return stream


def tap(*keys):
    return [event for key in keys for event in ((key, 1), (key, 0))]


def held(modifier, *keys):
    return [(modifier, 1), *tap(*keys), (modifier, 0)]


def typed(*items, max_bytes=64):
    decoder = KeyDecoder(max_bytes)
    codes = decoder.feed(events(*items), 0.0)
    return [code.data for code in codes], decoder


# what a payload says


@pytest.mark.parametrize(
    ("raw", "text", "encoding"),
    [
        (b"A012", "A012", Encoding.UTF_8),
        ("取号凭证".encode(), "取号凭证", Encoding.UTF_8),
        ("取号凭证".encode("gbk"), "取号凭证", Encoding.GB18030),
        ("王㛃喆𠀀".encode("gb18030"), "王㛃喆𠀀", Encoding.GB18030),
        (b"\xef\xbb\xbfA1", "A1", Encoding.UTF_8),
        ("凭证A012".encode("gbk"), "凭证A012", Encoding.GB18030),
        ("联通".encode("gbk"), "联通", Encoding.GB18030),
        ("凭证".encode(), "凭证", Encoding.UTF_8),
        ("café".encode(), "café", Encoding.UTF_8),
        ("Привет".encode(), "Привет", Encoding.UTF_8),
        ("ئۇيغۇر".encode(), "ئۇيغۇر", Encoding.UTF_8),
    ],
)
def test_text_is_utf8_where_it_can_be_and_gb18030_else_and_the_bytes_are_kept(raw, text, encoding):
    code = judge(RawCode(raw), RULES)
    assert (code.text, code.encoding, code.raw) == (text, encoding, raw)


@pytest.mark.parametrize(
    ("raw", "characters", "problem"),
    [
        (b"", Characters.TEXT, CodeProblem.EMPTY),
        (b"\xef\xbb\xbf", Characters.TEXT, CodeProblem.EMPTY),
        (b"\xff\xfe", Characters.TEXT, CodeProblem.NOT_TEXT),
        (b"a\x1bb", Characters.TEXT, CodeProblem.FORBIDDEN_CHARACTER),
        (b"a\x00", Characters.TEXT, CodeProblem.FORBIDDEN_CHARACTER),
        (b"a\nb", Characters.TEXT, CodeProblem.FORBIDDEN_CHARACTER),
        ("ab\u202etxt".encode(), Characters.TEXT, CodeProblem.FORBIDDEN_CHARACTER),
        ("a\u2028b".encode(), Characters.LINES, CodeProblem.FORBIDDEN_CHARACTER),
        ("号".encode(), Characters.ASCII, CodeProblem.FORBIDDEN_CHARACTER),
        (b"12a", Characters.DIGITS, CodeProblem.FORBIDDEN_CHARACTER),
        ("１２".encode(), Characters.DIGITS, CodeProblem.FORBIDDEN_CHARACTER),
        (b"x" * 1025, Characters.TEXT, CodeProblem.TOO_LONG),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_reason(raw, characters, problem):
    assert judge(RawCode(raw), CodeRules(characters=characters)) == BadCode(problem, len(raw))


def test_a_long_run_of_chinese_with_something_else_behind_it_is_judged_at_once():
    """A code of 84 bytes, which anybody may hold before a scanner, once took longer than a human life."""
    assert judge(RawCode(b"\xc8\xa1" * 500 + b"\xff"), RULES) == BadCode(CodeProblem.NOT_TEXT, 1001)
    assert judge(RawCode("取号".encode("gbk") * 200 + b"A"), RULES).text == "取号" * 200 + "A"


def test_a_cut_or_holed_code_is_never_taken_for_a_short_one():
    assert judge(RawCode(b"A01", cut=True), RULES) == BadCode(CodeProblem.TOO_LONG, 3)
    assert judge(RawCode(b"A01", holes=True), RULES) == BadCode(CodeProblem.INCOMPLETE, 3)


@given(st.binary(max_size=80))
def test_judging_never_raises_and_shows_no_content(raw):
    answer = judge(RawCode(raw), RULES)
    if isinstance(answer, Code):
        assert answer.raw == raw
        assert answer.text not in repr(answer) or len(answer.text) < 3


def test_a_wiped_code_is_overwritten_and_says_nothing_any_more():
    code = judge(RawCode("凭证12".encode()), RULES)
    held = [code._raw, code._text]
    code.wipe()
    assert [set(block) for block in held] == [{0}, {0}]
    with pytest.raises(CodeWiped):
        _ = code.text
    with pytest.raises(CodeWiped):
        _ = code.raw


# serial


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_each_terminator_ends_a_code_at_once(end):
    splitter = CodeSplitter(64)
    codes = splitter.feed(b"A001" + end + b"B002" + end, 1.0)
    assert [code.data for code in codes] == [b"A001", b"B002"]
    assert not splitter.receiving


def test_a_line_feed_that_comes_late_is_no_second_code():
    splitter = CodeSplitter(64)
    assert splitter.feed(b"A001\r", 1.0) == [RawCode(b"A001")]
    assert splitter.feed(b"\n", 1.4) == []


def test_silence_ends_a_code_without_terminator():
    splitter = CodeSplitter(64, gap_s=0.125)
    assert splitter.feed(b"A0", 1.0) == []
    assert splitter.feed(b"01", 1.0625) == []
    assert splitter.silence(1.125) == []
    assert splitter.due() == 1.1875
    assert splitter.silence(1.1875) == [RawCode(b"A001")]
    assert splitter.feed(b"B", 2.0) == []
    assert splitter.feed(b"C\r", 3.0) == [RawCode(b"B"), RawCode(b"C")]


def test_a_code_that_breaks_off_is_incomplete_where_others_had_their_terminator():
    splitter = CodeSplitter(64, gap_s=0.125)
    splitter.feed(b"A001\rA0", 1.0)
    assert splitter.silence(2.0) == [RawCode(b"A0", holes=True)]
    decoder = KeyDecoder(64, end=CodeEnd.EITHER, gap_s=0.125)
    decoder.feed(events(*tap(ecodes.KEY_A, ecodes.KEY_ENTER, ecodes.KEY_B)), 1.0)
    assert decoder.silence(2.0) == [RawCode(b"b", holes=True)]


def test_where_each_code_has_its_line_end_one_that_falls_silent_is_incomplete():
    splitter = CodeSplitter(64, end=CodeEnd.LINE_END)
    splitter.feed(b"A0", 1.0)
    assert splitter.silence(2.0) == [RawCode(b"A0", holes=True)]
    decoder = KeyDecoder(64)
    decoder.feed(events(*tap(ecodes.KEY_A)), 1.0)
    assert decoder.silence(2.0) == [RawCode(b"a", holes=True)]


def test_typed_lines_are_one_code_where_silence_alone_ends_it():
    decoder = KeyDecoder(64, end=CodeEnd.SILENCE)
    assert decoder.feed(events(*tap(ecodes.KEY_A, ecodes.KEY_ENTER, ecodes.KEY_B, ecodes.KEY_ENTER)), 1.0) == []
    assert decoder.silence(2.0) == [RawCode(b"a\nb")]


def test_a_code_of_several_lines_is_one_code_where_silence_alone_ends_it():
    splitter = CodeSplitter(64, end=CodeEnd.SILENCE)
    assert splitter.feed(b"BEGIN:VCARD\r\nEND:VCARD\r\n", 1.0) == []
    assert splitter.silence(2.0) == [RawCode(b"BEGIN:VCARD\r\nEND:VCARD")]


def test_more_than_the_cap_is_thrown_away_and_the_next_code_is_whole():
    splitter = CodeSplitter(8)
    first, second = splitter.feed(b"x" * 5000 + b"\rA001\r", 1.0)
    assert (len(first.data), first.cut) == (8, True)
    assert second == RawCode(b"A001")


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 40))
def test_the_splitter_never_raises_holds_no_more_than_the_cap_and_finds_the_code_after_noise(parts, cap):
    splitter = CodeSplitter(cap)
    now = 0.0
    for part in parts:
        now += 0.01
        for code in splitter.feed(part, now):
            assert len(code.data) <= cap
    assert [code.data for code in splitter.feed(b"\rA\r", now)][-1] == b"A"


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x9FFF), min_size=1, max_size=8), max_size=5))
def test_codes_come_out_whole_however_the_bytes_are_split(texts):
    stream = b"".join(text.encode() + b"\r\n" for text in texts)
    splitter, whole = CodeSplitter(64), CodeSplitter(64)
    bytewise = [code for byte in stream for code in splitter.feed(bytes((byte,)), 0.0)]
    assert bytewise == whole.feed(stream, 0.0) == [RawCode(text.encode()) for text in texts]


def test_trigger_and_query_bytes_are_those_of_the_manuals():
    honeywell, datalogic = COMMANDS[Dialect.HONEYWELL], COMMANDS[Dialect.DATALOGIC]
    assert (honeywell.trigger_on.hex(" "), honeywell.trigger_off.hex(" ")) == ("16 54 0d", "16 55 0d")
    assert honeywell.query.startswith(bytes.fromhex("164D0D"))
    assert (datalogic.trigger_on, datalogic.trigger_off) == (b"E", b"D")


@pytest.mark.parametrize(
    "answer", [b"CBRENA1\x06", b"CBRENA0\x06.", b"cbrena1\x06.\r\n", b"CBRENA\x05?", b"CBRENA2\x15"]
)
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_answer_to_a_query_is_no_code_and_codes_around_it_are_kept(answer, chunk):
    stream = b"A001\r" + answer.removesuffix(b"?") + b"B002\r"
    answers = AnswerFilter()
    passed = b"".join(answers.feed(stream[i : i + chunk]) for i in range(0, len(stream), chunk)) + answers.flush()
    assert answers.answered
    assert passed == b"A001\rB002\r"


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_what_is_no_answer_passes_unchanged(parts):
    answers = AnswerFilter()
    passed = b"".join(answers.feed(part) for part in parts) + answers.flush()
    if not answers.answered:
        assert passed == b"".join(parts)


# keys


def test_keys_become_the_characters_of_a_us_keyboard():
    codes, _ = typed(
        *held(ecodes.KEY_LEFTSHIFT, ecodes.KEY_A), *tap(ecodes.KEY_0, ecodes.KEY_1, ecodes.KEY_MINUS),
        *held(ecodes.KEY_RIGHTSHIFT, ecodes.KEY_SLASH, ecodes.KEY_2), *tap(ecodes.KEY_KP7, ecodes.KEY_ENTER),
    )  # fmt: skip
    assert codes == [b"A01-?@7"]


def test_a_shift_that_is_let_go_before_its_key_counts_as_it_was_at_the_press():
    codes, _ = typed((ecodes.KEY_LEFTSHIFT, 1), (ecodes.KEY_B, 1), (ecodes.KEY_LEFTSHIFT, 0), (ecodes.KEY_B, 0),
                     *tap(ecodes.KEY_B, ecodes.KEY_KPENTER))  # fmt: skip
    assert codes == [b"Bb"]


def test_caps_lock_turns_letters_and_nothing_else():
    codes, _ = typed(*tap(ecodes.KEY_CAPSLOCK, ecodes.KEY_A, ecodes.KEY_1, ecodes.KEY_CAPSLOCK, ecodes.KEY_A,
                          ecodes.KEY_ENTER))  # fmt: skip
    assert codes == [b"A1a"]


@pytest.mark.parametrize(
    "hostile",
    [
        tap(ecodes.KEY_F1),
        tap(ecodes.KEY_ESC),
        tap(ecodes.KEY_TAB),
        tap(ecodes.KEY_BACKSPACE),
        tap(ecodes.KEY_LEFT),
        held(ecodes.KEY_LEFTCTRL, ecodes.KEY_C),
        held(ecodes.KEY_LEFTALT, ecodes.KEY_F4),
        held(ecodes.KEY_LEFTMETA, ecodes.KEY_R),
        held(ecodes.KEY_RIGHTALT, ecodes.KEY_E),
        held(ecodes.KEY_LEFTALT, ecodes.KEY_KP0, ecodes.KEY_KP1, ecodes.KEY_KP3),  # a carriage return by its number
        held(ecodes.KEY_LEFTCTRL, ecodes.KEY_ENTER),
    ],
    ids=str,
)
def test_keys_that_drive_a_screen_are_dropped_and_counted(hostile):
    codes, decoder = typed(*tap(ecodes.KEY_A), *hostile, *tap(ecodes.KEY_B, ecodes.KEY_ENTER))
    assert codes == [b"ab"]
    assert decoder.dropped == 1


def test_what_the_kernel_repeats_was_typed_once():
    codes, _ = typed((ecodes.KEY_A, 1), (ecodes.KEY_A, 2), (ecodes.KEY_A, 2), (ecodes.KEY_A, 0), *tap(ecodes.KEY_ENTER))
    assert codes == [b"a"]


def test_chinese_comes_by_alt_and_the_number_of_its_gbk_pair():
    keypad = {str(digit): getattr(ecodes, f"KEY_KP{digit}") for digit in range(10)}
    items = []
    for character in "号A":
        number = int.from_bytes(character.encode("gbk"))
        items += held(ecodes.KEY_LEFTALT, *(keypad[digit] for digit in f"{number:05d}"))
    codes, _ = typed(*items, *tap(ecodes.KEY_ENTER))
    assert codes == ["号A".encode("gbk")]
    assert judge(RawCode(codes[0]), RULES).text == "号A"


def test_a_code_whose_events_the_kernel_lost_is_incomplete_and_the_next_one_is_whole():
    decoder = KeyDecoder(64)
    lost = (ecodes.EV_SYN, ecodes.SYN_DROPPED, 0)
    stream = events(*tap(ecodes.KEY_A), (ecodes.KEY_LEFTSHIFT, 1), lost, *tap(ecodes.KEY_B, ecodes.KEY_ENTER))
    assert [judge(code, RULES) for code in decoder.feed(stream, 0.0)] == [BadCode(CodeProblem.INCOMPLETE, 2)]
    assert [code.data for code in decoder.feed(events(*tap(ecodes.KEY_C, ecodes.KEY_ENTER)), 0.0)] == [b"c"]


def test_a_code_without_enter_ends_by_silence_where_that_is_allowed():
    decoder = KeyDecoder(64, end=CodeEnd.EITHER, gap_s=0.125)
    assert decoder.feed(events(*tap(ecodes.KEY_A)), 1.0) == []
    assert decoder.silence(1.0625) == []
    assert decoder.silence(1.125) == [RawCode(b"a")]


def test_a_very_long_code_is_cut_and_says_so():
    codes, decoder = typed(*tap(*[ecodes.KEY_A] * 100, ecodes.KEY_ENTER), max_bytes=10)
    assert codes == [b"a" * 10]
    assert not decoder.receiving


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_the_key_decoder_takes_any_bytes_and_finds_the_next_code(parts):
    decoder = KeyDecoder(16)
    for part in parts:
        for code in decoder.feed(part, 0.0):
            assert len(code.data) <= 16
    rest = b"\0" * (-sum(map(len, parts)) % struct.calcsize("@llHHi"))
    modifiers = (42, 54, 29, 97, 100, 125, 126, 56)
    decoder.feed(rest + events((0, 0, 0), *((key, 0) for key in modifiers), *tap(ecodes.KEY_ENTER)), 0.0)
    assert [code.data for code in decoder.feed(events(*tap(ecodes.KEY_7, ecodes.KEY_ENTER)), 0.0)] == [b"7"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 0x2FF), st.integers(-1, 3)), max_size=60), st.integers(1, 50)
)
def test_events_split_anywhere_mean_the_same(items, chunk):
    stream = events(*items)
    whole, split = KeyDecoder(16), KeyDecoder(16)
    parts = [code for i in range(0, len(stream), chunk) for code in split.feed(stream[i : i + chunk], 0.0)]
    assert parts == whole.feed(stream, 0.0)
