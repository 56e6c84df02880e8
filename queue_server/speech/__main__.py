"""Speaks one text, in a process of its own: words on standard input (UTF-8), a WAV file on standard output.

Nothing of the text is written elsewhere. Ends with `UNSPEAKABLE` where a character has no pronunciation; any other
failure is named on standard error by its type and place alone.
"""

import os
import sys
from typing import Final

from wire.where import where

UNSPEAKABLE: Final = 3
FAILED: Final = 4
NICE: Final = 10
"""Calls and tickets go first."""


def main() -> int:
    """Speak; the exit code."""
    os.nice(NICE)
    try:
        # imported here: a model that is missing or broken is told like any other failure
        from queue_server.speech.model import Speaker, UnknownPhonemeError  # noqa: PLC0415
        from queue_server.speech.shape import frames  # noqa: PLC0415
        from queue_server.voice import wav_file  # noqa: PLC0415

        try:
            samples = Speaker().sentences(sys.stdin.buffer.read().decode())
        except UnknownPhonemeError:
            return UNSPEAKABLE
        sys.stdout.buffer.write(wav_file(frames(samples)))
    except Exception as error:  # noqa: BLE001 - its text may hold what was to be said
        sys.stderr.write(f"{type(error).__name__} at {where(error)}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
