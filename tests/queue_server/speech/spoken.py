"""A voice behind the port that needs no model: sound as long as the text, made when the test lets it."""

import asyncio

from queue_server.speech.sentence import in_words, readable
from queue_server.voice import SAMPLE_RATE, wav_file


class FixedVoice:
    """Speaks a tenth of a second of one tone for each character; `gate` holds it up until it is set."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def say(self, text: str) -> bytes:
        words = in_words(readable(text))
        self.said.append(words)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        wave = b"".join((8000 if (n // 30) % 2 else -8000).to_bytes(2, "little", signed=True) for n in range(2400))
        assert len(wave) == SAMPLE_RATE // 10 * 2
        return wav_file(wave * len(words))
