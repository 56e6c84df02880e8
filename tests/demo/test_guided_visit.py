"""The demonstration end to end: real programs, private broker, serial lines and browser, from card to call."""

import json
import re
import sqlite3
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from hardware.simulators.id_cards import SAMPLE_CARDS
from queue_server.voice import announcement

ROOT = Path(__file__).parent.parent.parent


NAME, NUMBER = SAMPLE_CARDS[0].name, SAMPLE_CARDS[0].number


@dataclass(frozen=True)
class Visit:
    evidence: dict[str, Any]
    directory: Path
    told: str


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    directory = tmp_path_factory.mktemp("hall") / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.demo", "--once", "--directory", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return Visit(json.loads(done.stdout.splitlines()[-1]), directory, done.stdout)


def test_the_last_line_names_ticket_counter_and_all_evidence(visit: Visit) -> None:
    evidence = visit.evidence
    assert set(evidence) == {
        "ticket",
        "counter",
        "slip_png",
        "screens",
        "display_png",
        "voice_wav",
        "issue_ms",
        "call_to_display_ms",
    }
    for path in (evidence["slip_png"], evidence["display_png"], *evidence["screens"]):
        with Image.open(path) as picture:
            picture.verify()
    assert evidence["issue_ms"] > 0
    assert evidence["call_to_display_ms"] > 0


def test_the_printed_code_holds_the_address_of_a_ticket_page(visit: Visit) -> None:
    with Image.open(visit.evidence["slip_png"]) as slip:
        codes = [found.text for found in zxingcpp.read_barcodes(slip.convert("L"))]
    assert len(codes) == 1
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/t/[\w-]{16,}", codes[0])


def test_the_voice_reads_the_number_twice(visit: Visit) -> None:
    with wave.open(visit.evidence["voice_wav"]) as sound:
        length_s = sound.getnframes() / sound.getframerate()
    expected = announcement(visit.evidence["ticket"], visit.evidence["counter"])
    assert length_s == pytest.approx(expected.total_s, abs=0.05)
    assert expected.total_s > 2 * 0.9 * expected.first_reading_s


def test_the_ledger_holds_the_whole_visit(visit: Visit) -> None:
    with sqlite3.connect(visit.directory / "server" / "data" / "ledger.db") as ledger:
        kinds = [kind for (kind,) in ledger.execute("SELECT kind FROM events ORDER BY seq")]
    wanted = [
        "hall_configured",
        "counter_opened",
        "ticket_issued",
        "ticket_called",
        "service_started",
        "service_completed",
    ]
    assert [kind for kind in kinds if kind in wanted] == wanted


def test_the_person_is_in_no_file_log_or_output_of_the_visit(visit: Visit) -> None:
    """Name and number in every spelling that our programs, devices and databases use."""
    spellings = [text.encode(code) for text in (NAME, NUMBER) for code in ("utf-8", "utf-16-le", "gb18030")]
    leaked = [
        str(path)
        for path in visit.directory.rglob("*")
        if path.is_file() and any(spelling in path.read_bytes() for spelling in spellings)
    ]
    assert leaked == []
    assert NAME not in visit.told
    assert NUMBER not in visit.told


def test_everything_that_was_started_has_ended(visit: Visit) -> None:
    left = subprocess.run(["pgrep", "-f", str(visit.directory)], capture_output=True, text=True, check=False).stdout
    assert left == ""
