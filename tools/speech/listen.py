"""Lets the listener hear joined calls for every letter and writes what it made of them to ``listening.json``.

Runs in the speech environment only. A letter is clear if, in every call heard, the forced choice picked it out of all
letters and digits with a lead of at least ``CLEAR_LEAD`` (natural logarithm of the likelihood ratio), and free hearing
never wrote another letter or a digit in its place. I and O are out, because on paper they are read as 1 and 0.
"""

from __future__ import annotations

import io
import json
import re
import sys
import wave
from string import ascii_uppercase
from typing import Any, Final

import numpy as np
from pypinyin import lazy_pinyin

from queue_server.speech.shape import samples
from queue_server.voice import SAMPLE_RATE, announcement
from queue_server.voice_pieces import DIGITS
from tools.speech.environment import ROOT
from tools.speech.listener import Listener, Samples, Scores
from tools.speech.script import PROMPTS

REPORT: Final = ROOT / "assets" / "voice" / "listening.json"
CLEAR_LEAD: Final = 1.0
READ_AS_DIGITS: Final = "IO"
SIGNS: Final = ascii_uppercase + "0123456789"
CALLS: Final = (("036", "5"), ("527", "12"))
NUMBERS: Final = ("B036", "M158", "P2749", "B805", "M317", "P4162", "B990", "M620", "P7538", "B014", "K111")
WINDOWS: Final = ("1", "2", "4", "7", "10", "12", "18", "20", "23", "35", "46", "60", "71", "89", "99")


def samples_of(wav: bytes) -> Samples:
    """The samples of a mono 16-bit WAV, -1..1."""
    with wave.open(io.BytesIO(wav), "rb") as file:
        return samples(file.readframes(file.getnframes()))


def call(number: str, counter: str) -> tuple[str, Samples]:
    """Text and sound of the words of one call, without chime."""
    said = announcement(number, counter, readings=1)
    return said.text, samples_of(said.wav)[round(said.words_start_s * SAMPLE_RATE) :]


def judge_letters(listener: Listener) -> dict[str, dict[str, Any]]:
    """For each letter: the lead over the next best sign in each call, and that sign."""
    table: dict[str, dict[str, Any]] = {letter: {"leads": [], "next": [], "heard": []} for letter in ascii_uppercase}
    for number, counter in CALLS:
        sounds = {letter: call(letter + number, counter)[1] for letter in ascii_uppercase}
        texts = [f"请{sign}{number}号" for sign in SIGNS]
        raw = np.array([listener.scores(sound, texts) for sound in sounds.values()])
        fair: Scores = raw - raw.mean(axis=0)
        for row, (letter, sound) in enumerate(sounds.items()):
            others = [place for place in range(len(SIGNS)) if SIGNS[place] != letter]
            best = max(others, key=lambda place: float(fair[row, place]))
            table[letter]["leads"].append(round(float(fair[row, row] - fair[row, best]), 1))
            table[letter]["next"].append(SIGNS[best])
            table[letter]["heard"].append(listener.hear(sound))
            print(letter, number, table[letter]["leads"][-1], SIGNS[best], table[letter]["heard"][-1], flush=True)
    return table


def is_clear(letter: str, judged: dict[str, Any]) -> bool:
    """Whether a letter may be used in ticket numbers."""
    led = min(judged["leads"]) >= CLEAR_LEAD
    return led and letter not in READ_AS_DIGITS and not any(_wrong_sign(letter, heard) for heard in judged["heard"])


def _wrong_sign(letter: str, heard: str) -> bool:
    sign = re.match(rf"[请請][\s,，]*([A-Z0-9{DIGITS}]+)", heard.upper())
    return sign is not None and not sign.group(1).startswith(letter)


def sound_errors(said: str, heard: str) -> tuple[int, int]:
    """Wrong syllables (edit distance of toneless pinyin) and syllables said; signs and 简/繁 do not count."""
    return _distance(_syllables(said), _syllables(heard)), len(_syllables(said))


def _syllables(text: str) -> list[str]:
    spelled = "".join(DIGITS[int(sign)] if sign in "0123456789" else sign for sign in text)
    return [syllable for sign in spelled if sign.isalnum() for syllable in lazy_pinyin(sign)]


def _distance(said: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for count, syllable in enumerate(said, start=1):
        previous, row[0] = row[0], count
        for place, other in enumerate(heard, start=1):
            previous, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, previous + (syllable != other))
    return row[-1]


def judge_sentences(listener: Listener) -> dict[str, Any]:
    """Syllable errors in free hearing: calls with many numbers and windows, and the terminal's prompts."""
    calls = [call(NUMBERS[place % len(NUMBERS)], window) for place, window in enumerate(WINDOWS)]
    prompts = ROOT / "assets" / "voice" / "zh"
    said_prompts = [(text, samples_of((prompts / f"prompt_{name}.wav").read_bytes())) for name, text in PROMPTS.items()]
    return {"calls": _heard(listener, calls), "prompts": _heard(listener, said_prompts)}


def _heard(listener: Listener, said: list[tuple[str, Samples]]) -> dict[str, Any]:
    lines, wrong, total = [], 0, 0
    for text, sound in said:
        heard = listener.hear(sound)
        errors, syllables = sound_errors(text, heard)
        wrong, total = wrong + errors, total + syllables
        lines.append({"said": text, "heard": heard, "errors": errors})
        print(f"{errors}/{syllables} {text} | {heard}", flush=True)
    return {"syllables": total, "errors": wrong, "rate": round(wrong / total, 3), "lines": lines}


def main(parts: list[str]) -> None:
    """Hear ``sentences``, ``letters`` or both, and bring the report up to date."""
    report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.is_file() else {}
    listener = Listener()
    if "sentences" in parts:
        report |= judge_sentences(listener)
    if "letters" in parts:
        letters = judge_letters(listener)
        clear = "".join(letter for letter in ascii_uppercase if is_clear(letter, letters[letter]))
        report |= {"clear_lead": CLEAR_LEAD, "clear": clear, "letters": letters}
    REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
