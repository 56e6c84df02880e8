"""The hall's voice: every call is a well-formed WAV made of recorded pieces, in the order people read them."""

from __future__ import annotations

import io
import wave
from array import array
from importlib import resources
from itertools import pairwise
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server import voice
from queue_server.hall.numbers import CLEAR_LETTERS
from queue_server.voice import (
    BETWEEN_READINGS_S,
    LEAD_S,
    SAMPLE_RATE,
    TAIL_S,
    Announcement,
    NothingToSayError,
    VoicePieceMissingError,
    announcement,
    spoken_text,
)
from queue_server.voice_pieces import DIGITS, counter_words, ticket_words
from tools.speech.__main__ import PIECES, expected, missing, unknown
from tools.speech.script import PROMPTS

NUMBERS = st.from_regex(r"[A-Z][0-9]{1,4}", fullmatch=True)
COUNTERS = st.integers(1, 99)
LARGEST_JUMP = 0.06
"""Of full scale between two neighbouring samples at a join: more would be heard as a click."""


def samples(wav: bytes) -> array[int]:
    with wave.open(io.BytesIO(wav), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        assert file.getcomptype() == "NONE"
        return array("h", file.readframes(file.getnframes()))


def recorded(piece: str) -> array[int]:
    return samples((PIECES / f"{piece}.wav").read_bytes())


def seconds_of_words(number: str, counter: str) -> float:
    words = (*ticket_words(number), *counter_words(counter))
    return sum(
        len(recorded(word.piece)) / SAMPLE_RATE + round(word.pause_s * SAMPLE_RATE) / SAMPLE_RATE for word in words
    )


@given(NUMBERS, COUNTERS, st.integers(1, 3))
def test_a_call_lasts_as_long_as_its_pieces_and_pauses(number: str, counter: int, readings: int) -> None:
    said = announcement(number, str(counter), readings=readings)
    words = seconds_of_words(number, str(counter))
    start = len(recorded("chime")) / SAMPLE_RATE + LEAD_S
    assert said.words_start_s == pytest.approx(start)
    assert said.first_reading_s == pytest.approx(start + words)
    assert said.total_s == pytest.approx(start + readings * words + (readings - 1) * BETWEEN_READINGS_S + TAIL_S)
    assert len(samples(said.wav)) / SAMPLE_RATE == pytest.approx(said.total_s)


@given(NUMBERS, COUNTERS)
def test_the_second_reading_is_the_first_one_again(number: str, counter: int) -> None:
    said = announcement(number, str(counter))
    sound = samples(said.wav)
    start, end = (round(at * SAMPLE_RATE) for at in (said.words_start_s, said.first_reading_s))
    again = end + round(BETWEEN_READINGS_S * SAMPLE_RATE)
    assert any(sound[start:end])
    assert sound[again : again + end - start] == sound[start:end]
    assert not any(sound[end:again])


@given(NUMBERS, COUNTERS)
def test_a_display_that_stops_after_the_first_reading_has_heard_the_whole_single_call(
    number: str, counter: int
) -> None:
    once, twice = (announcement(number, str(counter), readings=readings) for readings in (1, 2))
    end = round(twice.first_reading_s * SAMPLE_RATE)
    assert samples(once.wav)[:end] == samples(twice.wav)[:end]
    assert not any(samples(once.wav)[end:])


@given(NUMBERS, COUNTERS)
def test_the_same_call_is_the_same_bytes(number: str, counter: int) -> None:
    assert announcement(number, str(counter)) == announcement(number, str(counter))


@given(NUMBERS, COUNTERS)
def test_the_number_is_read_letter_first_and_digit_by_digit(number: str, counter: int) -> None:
    digits = "".join(DIGITS[int(digit)] for digit in number[1:])
    assert spoken_text(number, str(counter)).startswith(f"请{number[0]}{digits}号，到")
    assert announcement(number, str(counter)).text == spoken_text(number, str(counter))


@pytest.mark.parametrize("name", expected())
def test_no_piece_clips_or_starts_or_ends_with_a_click(name: str) -> None:
    sound = recorded(name)
    assert len(sound) > 0.15 * SAMPLE_RATE
    assert 0.1 < max(abs(sample) for sample in sound) / 32768 < 0.95
    assert max(abs(sound[0]), abs(sound[-1])) / 32768 < 0.001
    assert all(abs(after - before) / 32768 < LARGEST_JUMP for before, after in pairwise([0, *sound[:24]]))
    assert all(abs(after - before) / 32768 < LARGEST_JUMP for before, after in pairwise([*sound[-24:], 0]))


def test_q29_every_piece_of_the_script_is_recorded_and_nothing_else() -> None:
    assert missing() == []
    assert unknown() == []


def test_letters_digits_and_windows_up_to_99_can_be_said() -> None:
    said = {word.piece for sign in ascii_uppercase for word in ticket_words(f"{sign}0123456789")}
    said |= {word.piece for last in range(10) for word in ticket_words(f"A{last}")}
    said |= {word.piece for window in range(1000) for word in counter_words(str(window))}
    assert said <= set(expected())


def test_clear_letters_are_those_the_listener_told_apart() -> None:
    report = resources.files("assets").joinpath("voice", "listening.json").read_text(encoding="utf-8")
    assert f'"clear": "{"".join(sorted(CLEAR_LETTERS))}"' in report


def test_prompts_of_the_terminal_are_recorded() -> None:
    assert all((PIECES / f"prompt_{name}.wav").is_file() for name in PROMPTS)


@pytest.mark.parametrize(
    ("counter", "words"),
    [
        ("5", "，到五号窗口"),
        ("05", "，到五号窗口"),
        ("１２", "，到十二号窗口"),
        ("10", "，到十号窗口"),
        ("20", "，到二十号窗口"),
        ("35", "，到三十五号窗口"),
        ("40", "，到四十号窗口"),
        ("105", "，到一零五号窗口"),
        ("综合3号", "，到三号窗口"),
        ("3号窗口", "，到三号窗口"),
        ("三号窗口", "，到三号窗口"),
        ("二十一号", "，到二十一号窗口"),
        ("2楼5号窗口", "，到五号窗口"),
        ("2楼三号窗口", "，到三号窗口"),
        ("窗口7", "，到七号窗口"),
        ("Window 7", "，到七号窗口"),
        ("A12", "，到A一二号窗口"),
        ("B-3", "，到B三号窗口"),
        ("综合窗口", "，请看大屏幕"),
        ("", "，请看大屏幕"),
        ("123456", "，请看大屏幕"),
    ],
)
def test_a_window_is_named_as_people_name_it(counter: str, words: str) -> None:
    assert spoken_text("A036", counter) == f"请A零三六号{words}"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("A036", "请A零三六号"),
        ("a036", "请A零三六号"),
        ("036", "请零三六号"),
        ("A-1", "请A一号"),
        ("综036", "请零三六号"),
        ("K", "请K号"),
    ],
)
def test_signs_without_a_recording_are_left_out_of_a_number(number: str, words: str) -> None:
    assert spoken_text(number, "1") == f"{words}，到一号窗口"


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_announced_or_refused_by_name(number: str, counter: str) -> None:
    try:
        said = announcement(number, counter)
    except NothingToSayError:
        assert not ticket_words(number)
    else:
        assert isinstance(said, Announcement)
        assert len(samples(said.wav)) / SAMPLE_RATE == pytest.approx(said.total_s)


@pytest.mark.parametrize("number", ["", "综合", "—"])
def test_a_number_without_letter_and_digit_is_refused(number: str) -> None:
    with pytest.raises(NothingToSayError):
        announcement(number, "1")


@pytest.mark.parametrize("readings", [0, -1, 4])
def test_readings_out_of_range_are_refused(readings: int) -> None:
    with pytest.raises(ValueError, match="readings"):
        announcement("A001", "1", readings=readings)


def test_an_incomplete_installation_is_named() -> None:
    with pytest.raises(VoicePieceMissingError, match="letter_Ω"):
        voice._frames("letter_Ω")
