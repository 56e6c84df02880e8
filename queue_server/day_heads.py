"""Day heads outside the database: a file for each closed day, so that a rewritten chain is found."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from queue_server.hall.canonical import canonical
from queue_server.ledger.port import DayHead


def export(directory: Path, day: DayHead) -> Path:
    """Write the head of `day` durably; a day that was opened again gets a file of its own for each closing."""
    folder = directory / day.hall
    folder.mkdir(parents=True, exist_ok=True)
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


def exported(directory: Path, hall: str) -> Iterator[DayHead]:
    """The heads that were exported for a hall. Raises `ValueError` for a file that is none."""
    for path in sorted((directory / hall).glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        try:
            yield DayHead(found["hall"], found["date"], found["seq"], found["hash"], found["at"])
        except (KeyError, TypeError):
            raise ValueError(f"no day head: {path.name}") from None
