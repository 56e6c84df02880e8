"""Playing through ALSA: the system's own `aplay`, which speaks to every sound card that Linux knows."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from hardware.addresses import SoundAddress
from hardware.errors import DeviceFault, HardwareError, LineLost, NoAnswer
from hardware.vocabulary import Detail, Health

APLAY: Final = Path("/usr/bin/aplay")
CARDS: Final = Path("/proc/asound")
DEFAULT: Final = "default"
_SLICE_S: Final = 0.02
_LATE_S: Final = 2.0


class NoSoundCard(HardwareError):
    """This machine has no sound card at all, or no `aplay`: nothing will ever be heard."""

    detail = Detail.NO_SOUND_CARD
    health = Health.NOT_SUPPORTED


class SoundOutput:
    """One sound card, by its ALSA id; or the path of something that takes the samples, as ALSA's own `file` plug-in
    writes them. Nothing is held open between two sounds: the card can be used by others."""

    def __init__(self, address: SoundAddress, cards: Path = CARDS, aplay: Path = APLAY) -> None:
        self._address, self._cards, self._aplay = address, cards, aplay
        self._playing: subprocess.Popen[bytes] | None = None
        with suppress(NoSoundCard):
            self.look()

    def look(self) -> None:
        """Raises `LineLost` where the card is not there (any more), `NoSoundCard` where there is none at all."""
        if not self._aplay.exists():
            raise NoSoundCard(f"{self._aplay} is missing")
        card = self._address.card
        if card.startswith("/"):
            if not os.path.exists(card):
                raise LineLost(f"{self._address}: not there")
        elif not any(self._cards.glob("card[0-9]*")):
            raise NoSoundCard("no sound card")
        elif card != DEFAULT and not (self._cards / card).exists():
            raise LineLost(f"{self._address}: not there")

    def play(self, wav: bytes, seconds: float, check: Callable[[], None]) -> None:
        """Play to the end. `check` is called meanwhile and may raise, which ends the sound.

        Raises as `look` does, `NoAnswer` where the card does not take the sound in its time, and `DeviceFault` where
        ALSA refuses it.
        """
        self.look()
        with subprocess.Popen(  # noqa: S603 - its arguments are a path of ours and an address of the profile
            [str(self._aplay), "-q", "-D", _pcm(self._address.card), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as playing:
            self._playing = playing
            try:
                self._feed(playing, wav, seconds, check)
            finally:
                playing.kill()
                self._playing = None
        self.look()  # taken away while it played, which a short sound need not notice
        if playing.returncode != 0:
            raise DeviceFault(Detail.SOUND_REFUSED)

    def close(self) -> None:
        """Nothing is open."""

    def _feed(self, playing: subprocess.Popen[bytes], wav: bytes, seconds: float, check: Callable[[], None]) -> None:
        assert playing.stdin is not None  # noqa: S101 - a pipe was asked for
        pipe = playing.stdin.fileno()
        os.set_blocking(pipe, False)
        left = memoryview(wav)
        until = time.monotonic() + seconds + _LATE_S
        while playing.poll() is None:
            check()
            self.look()
            if time.monotonic() >= until:
                raise NoAnswer(f"{self._address}: takes no sound")
            if left:
                with suppress(BlockingIOError, BrokenPipeError):
                    left = left[os.write(pipe, left) :]
                    if not left:
                        playing.stdin.close()
                        continue
            with suppress(subprocess.TimeoutExpired):
                playing.wait(_SLICE_S)


def _pcm(card: str) -> str:
    if card.startswith("/"):
        return f"file:FILE={card},FORMAT=raw"
    return DEFAULT if card == DEFAULT else f"plughw:CARD={card}"
