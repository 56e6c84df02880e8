"""What all commands share: their options, and how they speak: results as JSON on standard output, the rest beside."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from queue_server import logs
from queue_server.config import Config
from queue_server.stores import Stores

ConfigOption = Annotated[Path, typer.Option("--config", help="The server's TOML file.")]
HallOption = Annotated[str | None, typer.Option("--hall", help="Which hall, where the server has several.")]


def open_stores(settings: Config) -> Stores:
    """The server's database, for a command: only what is wrong is logged. Raises `ConfigError`, `LedgerError`."""
    logs.configure("warning")
    return Stores(settings)


def say(result: dict[str, Any]) -> None:
    """A line of JSON."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def fail(sentence: str) -> NoReturn:
    """End with status 2 and a sentence."""
    sys.stderr.write(f"queue_server: {sentence}\n")
    raise SystemExit(2)


class Gauge:
    """How far something is, on standard error: over itself on a terminal, else a line at every tenth."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._said = -1

    def __call__(self, table: str, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        if percent == self._said or (not sys.stderr.isatty() and percent // 10 == self._said // 10):
            return
        self._said = percent
        line = f"{self._what}: {percent:3} % ({done:,} of {total:,} rows, {table})"
        sys.stderr.write(f"\r{line:<78}" if sys.stderr.isatty() else f"{line}\n")
        if sys.stderr.isatty() and percent == 100:
            sys.stderr.write("\n")
