"""Sounds as WAV files: a tone for self-tests and prompts, and what may be played. Pure."""

import io
import math
import sys
import wave
from array import array
from dataclasses import dataclass
from typing import Final

RATE_HZ: Final = 16_000
_FADE_S: Final = 0.01
_MOST_CHANNELS: Final = 2
_BYTES_A_SAMPLE: Final = 2
_RATES_HZ: Final = range(8_000, 192_001)


class BadSound(ValueError):
    """No sound that can be played; the message says why."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A WAV file that was looked at: 16 bits, one or two channels, 8 to 192 kHz."""

    wav: bytes
    seconds: float


def tone(hertz: float = 880.0, seconds: float = 0.6, loudness: float = 0.5) -> Sound:
    """A sine tone without clicks at its ends. `hertz` 50 to 7000, `seconds` 0.05 to 10, `loudness` 0 to 1."""
    if not (50 <= hertz <= 7000 and 0.05 <= seconds <= 10 and 0 <= loudness <= 1):
        raise ValueError(f"{hertz} Hz for {seconds} s at {loudness}")
    count = round(seconds * RATE_HZ)
    fade = _FADE_S * RATE_HZ
    samples = array("h")
    for index in range(count):
        envelope = min(1.0, index / fade, (count - 1 - index) / fade)
        samples.append(round(32767 * loudness * envelope * math.sin(2 * math.pi * hertz * index / RATE_HZ)))
    if sys.byteorder == "big":
        samples.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(_BYTES_A_SAMPLE)
        written.setframerate(RATE_HZ)
        written.writeframes(samples.tobytes())
    return Sound(file.getvalue(), count / RATE_HZ)


def sound(wav: bytes) -> Sound:
    """Look at a WAV file. Raises `BadSound` for what is none, is cut off, or has another layout than `Sound` allows."""
    try:
        with wave.open(io.BytesIO(wav)) as read:
            channels, width, rate, frames = read.getparams()[:4]
            there = len(read.readframes(frames))
    except (wave.Error, EOFError, ValueError, ZeroDivisionError) as error:
        raise BadSound(f"no WAV file: {error}") from None
    except Exception as error:  # noqa: BLE001 - the reader of the standard library trusts the lengths in a file
        raise BadSound(f"no WAV file: {type(error).__name__}") from None
    if width != _BYTES_A_SAMPLE or not 1 <= channels <= _MOST_CHANNELS or rate not in _RATES_HZ:
        raise BadSound(f"{channels} channels of {8 * width} bits at {rate} Hz")
    if not frames or there != frames * channels * width:
        raise BadSound("nothing in it, or cut off")
    return Sound(wav, frames / rate)
