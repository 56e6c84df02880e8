"""Programs of ours as child processes: started with a log file, ended in order, killed by their own pid."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 8.0


class ProgramEnded(Exception):
    """A program that should be running is not; the text holds the end of its log."""


class Program:
    """One child process, `python -m MODULE ARGUMENTS…`; output and errors go to `log`."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C at a demonstration ends the parts in our order, not all at once
            )

    async def ready(self, check: Callable[[], Awaitable[bool]], within_s: float = READY_WITHIN_S) -> None:
        """Wait until `check` says so. Raises `ProgramEnded`, TimeoutError."""
        async with asyncio.timeout(within_s):
            while not await check():
                if self.pid is None:
                    raise ProgramEnded(f"{self.name} ended:\n{self.last_words()}")
                await asyncio.sleep(0.05)

    def stop(self) -> int | None:
        """End it in order, kill it if it does not; its exit status."""
        if self._process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process = None
        return status

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def server_program(config_file: Path, log: Path) -> Program:
    """The queue server."""
    return Program("queue server", ["queue_server", "run", "--config", str(config_file)], log)


def terminal_program(profile: Path, log: Path, *, guide: Path | None = None) -> Program:
    """A terminal with its screens; `guide` names the socket on which it takes touches on command."""
    arguments = ["kiosk", "--profile", str(profile)]
    if guide is not None:
        arguments += ["--guide", str(guide)]
    return Program("terminal", arguments, log)
