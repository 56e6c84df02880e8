"""The hall's Mandarin voice: joins recorded pieces into one WAV per call; needs no speech model.

A call is a chime, then "请 A 零 三 六号，到 五号窗口", a pause, and the same words once more. The ticket's letter comes
first, its digits one by one, the window's number as people read it (十二号窗口). Pieces live in ``assets/voice/zh`` and
are rendered by ``python -m tools.speech``. The same input always gives the same bytes.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from queue_server.voice_pieces import Reading, counter_words, ticket_words

SAMPLE_RATE: Final = 24_000
"""Samples per second of every piece and announcement; mono, 16 bit, little endian."""

LEAD_S: Final = 0.25
"""Silence between chime and words, seconds."""
BETWEEN_READINGS_S: Final = 0.9
TAIL_S: Final = 0.35

_BYTES_PER_SAMPLE: Final = 2


class NothingToSayError(ValueError):
    """The ticket number holds no letter and no digit that the voice has a recording of."""


class VoicePieceMissingError(LookupError):
    """A recording is not in ``assets/voice/zh``: the installation is incomplete."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One call as sound: ``wav`` is a whole file (mono, 16 bit, 24 kHz), times are seconds from its start.

    The words begin at ``words_start_s``, after the chime. ``first_reading_s`` is where the first reading has ended,
    pause not counted: a display that has other calls waiting stops there and cuts no word.
    """

    wav: bytes
    words_start_s: float
    first_reading_s: float
    total_s: float
    text: str
    readings: int


@cache
def _frames(piece: str) -> bytes:
    file = resources.files("assets").joinpath("voice", "zh", f"{piece}.wav")
    try:
        with wave.open(io.BytesIO(file.read_bytes()), "rb") as recording:
            shape = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
            if shape != (1, _BYTES_PER_SAMPLE, SAMPLE_RATE):
                raise VoicePieceMissingError(f"{piece}.wav has shape {shape}, not mono, 16 bit, {SAMPLE_RATE} Hz")
            return recording.readframes(recording.getnframes())
    except (FileNotFoundError, wave.Error, EOFError) as error:
        raise VoicePieceMissingError(f"no recording {piece}.wav; run python -m tools.speech") from error


def _silence(seconds: float) -> bytes:
    return bytes(round(seconds * SAMPLE_RATE) * _BYTES_PER_SAMPLE)


def _spoken(readings: tuple[Reading, ...]) -> Iterator[bytes]:
    for reading in readings:
        yield _frames(reading.piece)
        yield _silence(reading.pause_s)


def _reading(ticket_number: str, counter: str) -> tuple[Reading, ...]:
    words = ticket_words(ticket_number)
    if not words:
        raise NothingToSayError(f"no letter A-Z and no digit in ticket number {ticket_number!r}")
    return (*words, *counter_words(counter))


def spoken_text(ticket_number: str, counter: str) -> str:
    """The words of a call as Chinese text: ``spoken_text("A036", "5")`` → ``请A零三六号，到五号窗口``.

    Raises:
        NothingToSayError: as ``announcement``.
    """
    return "".join(reading.text for reading in _reading(ticket_number, counter))


def announcement(ticket_number: str, counter: str, *, readings: int = 2) -> Announcement:
    """The call of ``ticket_number`` to ``counter`` as one WAV: chime, then the words ``readings`` times (1..3).

    ``counter`` is a number ("5") or a name with a number in it ("综合3号", "3号窗口", "A12"); a name without one is
    announced as 请看大屏幕 ("please see the screen"). Signs of the ticket number other than A-Z and 0-9 are not read.

    Raises:
        NothingToSayError: the ticket number has no letter and no digit.
        ValueError: ``readings`` out of range.
        VoicePieceMissingError: a recording is absent from the installation.
    """
    if not 1 <= readings <= 3:
        raise ValueError(f"readings must be 1..3, not {readings}")
    words = _reading(ticket_number, counter)
    return _announced(b"".join(_spoken(words)), "".join(reading.text for reading in words), readings)


def number_sound(ticket_number: str) -> bytes:
    """`ticket_number` and 号 as the calls say them, joined from recordings: samples, mono, 16 bit, 24 kHz."""
    return b"".join(_spoken(ticket_words(ticket_number)[1:]))


def hall_announcement(words: bytes, text: str, *, readings: int = 2) -> Announcement:
    """Words spoken live (a WAV file: mono, 16 bit, 24 kHz), announced as a call is: chime, then `readings` times."""
    with wave.open(io.BytesIO(words), "rb") as spoken:
        return _announced(spoken.readframes(spoken.getnframes()), text, readings)


def _announced(once: bytes, text: str, readings: int) -> Announcement:
    lead = _frames("chime") + _silence(LEAD_S)
    sound = lead + _silence(BETWEEN_READINGS_S).join([once] * readings) + _silence(TAIL_S)
    return Announcement(
        wav=wav_file(sound),
        words_start_s=_seconds(lead),
        first_reading_s=_seconds(lead + once),
        total_s=_seconds(sound),
        text=text,
        readings=readings,
    )


def _seconds(sound: bytes) -> float:
    return len(sound) / (_BYTES_PER_SAMPLE * SAMPLE_RATE)


def wav_file(sound: bytes) -> bytes:
    """Samples (mono, 16 bit, 24 kHz) as a whole file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_BYTES_PER_SAMPLE)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound)
    return target.getvalue()
