"""The automatic listener: Whisper base on what the voice says. Runs in the speech environment only.

Free hearing is unfair to ticket numbers, because the listener expects sentences. So letters are also judged by a
forced choice: which of all letters and digits explains the sound best, after the listener's liking for a sign as
such has been taken off (its mean over all sounds).
"""

from __future__ import annotations

from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from tools.speech.environment import WHISPER

SAMPLE_RATE: Final = 16_000
THREADS: Final = 2
HOP: Final = 160

Samples = NDArray[np.float32]
Scores = NDArray[np.float64]


class Listener:
    """Whisper base, int8, told that it hears Mandarin."""

    def __init__(self) -> None:
        self._model = WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=THREADS)
        self._tokens: Any = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language="zh")

    def hear(self, samples_24k: Samples) -> str:
        """What the listener writes down, unaided."""
        segments, _ = self._model.transcribe(
            to_16k(samples_24k), language="zh", beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return "".join(segment.text for segment in segments).strip()

    def scores(self, samples_24k: Samples, candidates: list[str]) -> Scores:
        """The log-likelihood of each candidate text, given the sound."""
        samples = to_16k(samples_24k)
        features = pad_or_trim(self._model.feature_extractor(samples), self._model.feature_extractor.nb_max_frames)
        heard = np.array(self._model.encode(features))
        repeated = np.ascontiguousarray(np.repeat(heard, len(candidates), axis=0))
        aligned = self._model.model.align(
            ctranslate2.StorageView.from_array(repeated),
            self._tokens.sot_sequence,
            [self._tokens.encode(text) for text in candidates],
            [len(samples) // HOP] * len(candidates),
        )
        return np.array([np.sum(np.log(np.maximum(one.text_token_probs, 1e-12))) for one in aligned])


def to_16k(samples_24k: Samples) -> Samples:
    """Resample from 24 kHz to 16 kHz by cutting the spectrum."""
    count = round(len(samples_24k) * 2 / 3)
    spectrum = np.fft.rfft(samples_24k)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) * (count / len(samples_24k))).astype(np.float32)
