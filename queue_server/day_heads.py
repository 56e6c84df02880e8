"""Heads of the chain outside the database, so that a rewritten chain is found.

`<hall>/<date>.<seq>.json` for each closing of a day, and between closings a line of `<hall>/running.jsonl` now and
then. Whoever copies this folder away can prove later that nothing before was rewritten.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from queue_server.hall.canonical import canonical
from queue_server.ledger.port import DayHead, Head

_RUNNING = "running.jsonl"


def export(directory: Path, day: DayHead) -> Path:
    """Write the head of `day` durably; a day that was opened again gets a file of its own for each closing."""
    folder = _folder(directory, day.hall)
    path = folder / f"{day.business_date}.{day.seq}.json"
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(
            canonical({"hall": day.hall, "date": day.business_date, "seq": day.seq, "hash": day.hash, "at": day.at})
        )
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    return path


def export_running(directory: Path, hall: str, head: Head, at: str) -> None:
    """Add the head as it is at the instant `at`, durably."""
    with (_folder(directory, hall) / _RUNNING).open("a", encoding="utf-8") as file:
        # a line that the power cut short stays alone
        file.write("\n" + canonical({"hall": hall, "seq": head.seq, "hash": head.hash, "at": at}))
        file.flush()
        os.fsync(file.fileno())


def exported(directory: Path, hall: str) -> Iterator[Head]:
    """The heads that were exported for a hall; lines that the power cut short are passed over.

    Raises `ValueError` for a day's file that holds something else.
    """
    folder = directory / hall
    for path in sorted(folder.glob("*.json")):
        yield _head(path.read_text(encoding="utf-8"), path)
    running = folder / _RUNNING
    for line in running.read_text(encoding="utf-8").splitlines() if running.exists() else ():
        with suppress(ValueError):
            yield _head(line, running)


def _folder(directory: Path, hall: str) -> Path:
    folder = directory / hall
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _head(text: str, path: Path) -> Head:
    try:
        found = json.loads(text)
        return Head(int(found["seq"]), str(found["hash"]))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"no head of a chain: {path.name}") from None
