"""``python -m tools.speech``: render missing pieces; ``--check`` reports them, ``--listen`` has them judged.

``--live TEXT`` speaks a sentence as the server does, and has it judged.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.speech.environment import ROOT, SpeechEnvironmentError, prepare, python
from tools.speech.script import CHIME, pieces

PIECES: Final = ROOT / "assets" / "voice" / "zh"


def expected() -> list[str]:
    """Ids of all pieces, the chime first."""
    return [CHIME, *(piece.id for piece in pieces())]


def missing(folder: Path = PIECES) -> list[str]:
    """Ids without a recording."""
    return [name for name in expected() if not (folder / f"{name}.wav").is_file()]


def unknown(folder: Path = PIECES) -> list[str]:
    """Recordings that the script does not name."""
    return sorted({file.stem for file in folder.glob("*.wav")} - set(expected()))


def check() -> int:
    """Say which pieces are missing or unknown; 0 if none."""
    for name in missing():
        print(f"missing: {name}.wav")
    for name in unknown():
        print(f"not in the script: {name}.wav")
    if missing() or unknown():
        return 1
    print(f"{len(expected())} pieces, complete")
    return 0


def _run_in_speech_environment(module: str, *arguments: str) -> int:
    return subprocess.run([str(python()), "-m", module, *arguments], cwd=ROOT, check=False).returncode


def main() -> int:
    """Run what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.speech", description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="report missing pieces, render nothing")
    action.add_argument("--listen", nargs="*", choices=("sentences", "letters"), help="judge, write listening.json")
    action.add_argument("--all", action="store_true", help="render every piece anew")
    action.add_argument("--only", nargs="+", metavar="ID", help="render these pieces anew")
    action.add_argument("--live", metavar="TEXT", help="speak a sentence, say what the recogniser heard")
    options = parser.parse_args()
    if options.check:
        return check()
    wanted = options.only or (expected() if options.all else missing())
    if strangers := set(wanted) - set(expected()):
        parser.error(f"no such piece: {', '.join(sorted(strangers))}")
    try:
        prepare()
    except SpeechEnvironmentError as error:
        print(f"cannot make the speech environment: {error}", file=sys.stderr)
        return 1
    if options.listen is not None:
        return _run_in_speech_environment("tools.speech.listen", *(options.listen or ("sentences", "letters")))
    if options.live is not None:
        return _run_in_speech_environment("tools.speech.live", options.live)
    return _run_in_speech_environment("tools.speech.render", *wanted) or check()


if __name__ == "__main__":
    sys.exit(main())
