"""The entry as a real process: clear words for a bad profile, a clean end, no core dumps, JSON logs."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.kiosk.profiles import write_profile

ROOT = Path(__file__).parents[2]


def start(profile: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kiosk", "--profile", str(profile), "--headless"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_bad_profile_ends_with_what_is_wrong(tmp_path):
    process = start(tmp_path / "none.toml")
    _out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "none.toml" in errors
    assert "Traceback" not in errors


def test_it_runs_without_hall_and_devices_and_ends_in_order(tmp_path):
    process = start(write_profile(tmp_path))
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "link_lost":
            break
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")) == ["0", "0"]
    process.send_signal(signal.SIGTERM)
    _out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "s3cret" not in errors + json.dumps(lines)
    assert (tmp_path / "state" / "journal.sqlite3").exists()
