"""Spoken prompts: rendered WAV files by language and id, played one at a time."""

import asyncio
import contextlib
import shutil
import time
from concurrent.futures import Future
from pathlib import Path

import structlog

from hardware.speaker.speaker import Played, Speaker

LONGEST_S = 60.0

log = structlog.get_logger(__name__)


class Prompts:
    """`<language>/prompt_<id>.wav` under a directory, played by the cabinet's speaker, or through ALSA where the
    profile names no speaker. A newer prompt ends the one before it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._player = shutil.which("aplay")
        self._speaker: Speaker | None = None
        self._playing: asyncio.subprocess.Process | None = None
        self._spoken: Future[Played] | None = None

    def use(self, speaker: Speaker | None) -> None:
        """Play on this device from now on."""
        self.stop()
        self._speaker = speaker

    @property
    def languages(self) -> frozenset[str]:
        """Languages in which there is anything to hear."""
        if self._player is None and self._speaker is None:
            return frozenset()
        return frozenset(file.parent.name for file in self._directory.glob("*/prompt_*.wav"))

    async def say(self, prompt: str, language: str) -> None:
        """Start a prompt; one that was not rendered is silence."""
        self.stop()
        file = self._directory / language / f"prompt_{prompt}.wav"
        if not file.is_file():
            return
        if self._speaker is not None:
            wav = await asyncio.to_thread(file.read_bytes)
            self.stop()
            self._spoken = self._speaker.play(wav, time.monotonic() + LONGEST_S)
            return
        if self._player is None:
            return
        try:
            self._playing = await asyncio.create_subprocess_exec(self._player, "-q", str(file))
        except OSError as error:
            log.warning("prompt_not_played", error=error.strerror)

    def stop(self) -> None:
        if self._spoken is not None:
            self._spoken.cancel()
            self._spoken = None
        if self._playing is not None:
            with contextlib.suppress(ProcessLookupError):
                self._playing.terminate()
            self._playing = None
