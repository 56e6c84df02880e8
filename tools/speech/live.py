"""Speaks a sentence as the server does and has the recogniser write down what it hears. Runs in the speech environment.

The exit code is 1 if more than ``MOST_WRONG`` of its syllables were heard wrong.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from queue_server.live_speech import LiveSpeech, SpeechRefusedError
from queue_server.speech.sentence import TextRefusedError, in_words, readable
from tools.speech.environment import HOME
from tools.speech.listen import samples_of, sound_errors
from tools.speech.listener import Listener

MOST_WRONG: Final = 0.15
FILE: Final = HOME / "live.wav"


def main(text: str) -> int:
    """Speak, listen, compare; the exit code."""
    try:
        wav = asyncio.run(LiveSpeech().say(text))
    except (TextRefusedError, SpeechRefusedError) as refused:
        print(f"not spoken: {refused.code}", file=sys.stderr)
        return 1
    FILE.write_bytes(wav)
    sound = samples_of(wav)
    heard = Listener().hear(sound)
    wrong, syllables = sound_errors(in_words(readable(text)), heard)
    print(f"said:  {text}\nheard: {heard}")
    print(f"{wrong} of {syllables} syllables wrong, {len(sound) / 24_000:.1f} s, {FILE}")
    return 0 if wrong <= MOST_WRONG * syllables else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
