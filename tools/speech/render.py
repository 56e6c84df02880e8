"""Renders the pieces of the script into ``assets/voice/zh``. Runs in the speech environment only."""

from __future__ import annotations

import sys

from queue_server.speech.model import Speaker
from queue_server.speech.shape import Samples, chime, fit, frames
from queue_server.voice import SAMPLE_RATE, wav_file
from tools.speech.environment import ROOT
from tools.speech.script import CHIME, Piece, pieces

PIECES = ROOT / "assets" / "voice" / "zh"


def write(name: str, samples: Samples) -> None:
    """Write one piece as mono 16-bit PCM."""
    (PIECES / f"{name}.wav").write_bytes(wav_file(frames(samples)))


def render(piece: Piece, speaker: Speaker) -> Samples:
    """Speak one piece, ready to be joined."""
    return fit(speaker.say(piece.phonemes or speaker.phonemes(piece.text), piece.speed))


def main(wanted: list[str]) -> None:
    """Render the pieces whose ids are given."""
    PIECES.mkdir(parents=True, exist_ok=True)
    speaker = Speaker()
    if CHIME in wanted:
        write(CHIME, chime())
    chosen = [piece for piece in pieces() if piece.id in wanted]
    for count, piece in enumerate(chosen, start=1):
        samples = render(piece, speaker)
        write(piece.id, samples)
        print(f"{count}/{len(chosen)} {piece.id} {piece.text} {len(samples) / SAMPLE_RATE:.2f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
