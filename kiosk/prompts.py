"""Spoken prompts: rendered WAV files by language and id, played one at a time."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Prompts:
    """`<language>/prompt_<id>.wav` under a directory, played through ALSA. A newer prompt ends the one before it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._player = shutil.which("aplay")
        self._playing: asyncio.subprocess.Process | None = None

    @property
    def languages(self) -> frozenset[str]:
        """Languages in which there is anything to hear."""
        if self._player is None:
            return frozenset()
        return frozenset(file.parent.name for file in self._directory.glob("*/prompt_*.wav"))

    async def say(self, prompt: str, language: str) -> None:
        """Start a prompt; one that was not rendered is silence."""
        self.stop()
        file = self._directory / language / f"prompt_{prompt}.wav"
        if self._player is None or not file.is_file():
            return
        try:
            self._playing = await asyncio.create_subprocess_exec(self._player, "-q", str(file))
        except OSError as error:
            log.warning("prompt_not_played", error=error.strerror)

    def stop(self) -> None:
        if self._playing is not None:
            with contextlib.suppress(ProcessLookupError):
                self._playing.terminate()
            self._playing = None
