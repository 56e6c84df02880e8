"""Makes a recording fit to be joined: silence cut off, loudness levelled, ends faded. And the chime."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from queue_server.voice import SAMPLE_RATE

LOUDNESS_DBFS: Final = -18.0
"""Root mean square of the spoken part of every piece."""
PEAK: Final = 0.89
"""No sample is larger (-1 dBFS)."""
FADE_IN_S: Final = 0.004
FADE_OUT_S: Final = 0.012
CHIME_HZ: Final = (880.0, 659.26)
CHIME_NOTE_S: Final = 0.42

Samples = NDArray[np.float32]


class SilentPieceError(ValueError):
    """The model gave no speech."""


def fit(samples: Samples) -> Samples:
    """Trim, level and fade one spoken piece."""
    return fade(level(trim(samples)))


def trim(samples: Samples, threshold_db: float = -35.0, margin_s: float = 0.015) -> Samples:
    """Cut off what is quieter than ``threshold_db`` below the loudest 5 ms, keeping ``margin_s`` on both sides."""
    step = SAMPLE_RATE // 200
    loudness = _loudness(samples, step)
    if not loudness.size or loudness.max() < 1e-4:
        raise SilentPieceError("no speech in this piece")
    spoken = np.flatnonzero(loudness > loudness.max() * 10 ** (threshold_db / 20))
    margin = round(margin_s * SAMPLE_RATE)
    return samples[max(0, spoken[0] * step - margin) : (spoken[-1] + 1) * step + margin]


def level(samples: Samples) -> Samples:
    """Bring the spoken part (within 20 dB of the loudest 20 ms) to ``LOUDNESS_DBFS``, no sample above ``PEAK``."""
    loudness = _loudness(samples, SAMPLE_RATE // 50)
    spoken = loudness[loudness > loudness.max() / 10]
    gain = 10 ** (LOUDNESS_DBFS / 20) / float(np.sqrt(np.mean(spoken**2)))
    peak = float(np.abs(samples).max())
    return (samples * min(gain, PEAK / peak)).astype(np.float32)


def fade(samples: Samples) -> Samples:
    """Start and end at zero, so that joins do not click."""
    rise, fall = round(FADE_IN_S * SAMPLE_RATE), round(FADE_OUT_S * SAMPLE_RATE)
    faded = samples.copy()
    faded[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    faded[-fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return faded


def frames(samples: Samples) -> bytes:
    """Samples -1..1 as 16-bit integers, little endian."""
    return np.round(samples * 32767).astype("<i2").tobytes()


def samples(recorded: bytes) -> Samples:
    """Samples -1..1 of 16-bit integers, little endian."""
    return (np.frombuffer(recorded, dtype="<i2") / 32768).astype(np.float32)


def chime() -> Samples:
    """Two falling bell tones, one after the other, the second ringing on over the end of the first."""
    note = round(CHIME_NOTE_S * SAMPLE_RATE)
    ring = np.arange(2 * note) / SAMPLE_RATE
    sound = np.zeros(3 * note)
    for position, pitch in enumerate(CHIME_HZ):
        partials = sum(
            strength * np.sin(2 * np.pi * pitch * multiple * ring)
            for multiple, strength in ((1, 1.0), (2, 0.35), (3, 0.1))
        )
        sound[position * note : position * note + 2 * note] += partials * np.exp(-5 * ring)
    sound *= 0.5 / np.abs(sound).max()
    return fade(trim(sound.astype(np.float32)))


def _loudness(samples: Samples, step: int) -> Samples:
    whole = len(samples) // step * step
    blocks = samples[:whole].reshape(-1, step).astype(np.float32)
    loudness: Samples = np.sqrt(np.mean(blocks**2, axis=1))
    return loudness
