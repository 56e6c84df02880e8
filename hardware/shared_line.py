"""A line with several devices on it (RS-485): this process opens it once, and one exchange goes on at a time.

A serial port belongs to one opener, and on two wires only one may speak; yet each device has a thread of its own. So
each has a share of the line, and speaks inside its `turn`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from hardware.addresses import LineAddress
from hardware.command import POLL_SLICE_S, Run
from hardware.errors import LineLost
from hardware.lines import Line, open_line

_registry: Final = threading.Lock()
_wires: Final[dict[str, "_Wire"]] = {}
"""The lines that are open, by address; one process, one set of ports."""


class _Wire:
    """What the shares of one line have in common."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.shares = 0
        self.line: Line | None = None
        self.opened = 0
        self.quiet_since = 0.0

    def ensure_open(self, address: LineAddress) -> int:
        """Open it unless it is; how often it was opened so far (inside the turn). Raises `LineLost`."""
        if self.line is None:
            self.line = open_line(address)
            self.opened += 1
        return self.opened

    def close(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None


class SharedLine:
    """One device's share; as `hardware.lines.Line`, used inside `turn` only. Raises `LineLost` as `open_line` does.

    A line that one device lost is lost for all of them, and the first to come back opens it anew. `gap_s`: silence
    between two exchanges, which tells devices where a frame begins.
    """

    def __init__(self, address: LineAddress, gap_s: float = 0.005) -> None:
        self._address = address
        self._gap_s = gap_s
        self._closed = False
        with _registry:
            self._wire = _wires.setdefault(str(address), _Wire())
            self._wire.shares += 1
        try:
            with self._wire.turn:
                self._opened = self._wire.ensure_open(address)
        except LineLost:
            self.close()
            raise

    @property
    def address(self) -> str:
        return str(self._address)

    @contextmanager
    def turn(self, run: Run[Any]) -> Iterator[None]:
        """Have the line for one exchange; what came before it is thrown away. Raises as `Run.check` does."""
        while not self._wire.turn.acquire(timeout=POLL_SLICE_S):
            run.check()
        try:
            quiet = self._wire.quiet_since + self._gap_s - time.monotonic()
            if quiet > 0:
                run.pause(quiet)
            run.discard_input()
            yield
        finally:
            self._wire.quiet_since = time.monotonic()
            self._wire.turn.release()

    def write(self, data: bytes, deadline: float) -> None:
        line = self._line()
        try:
            line.write(data, deadline)
        except LineLost:
            self._wire.close()
            raise

    def read_available(self, deadline: float) -> bytes:
        line = self._line()
        try:
            return line.read_available(deadline)
        except LineLost:
            self._wire.close()
            raise

    def close(self) -> None:
        """Give the share back; the last one closes the line."""
        if self._closed:
            return
        self._closed = True
        with _registry:
            self._wire.shares -= 1
            last = self._wire.shares == 0
            if last:
                del _wires[str(self._address)]
        if last:
            with self._wire.turn:
                self._wire.close()

    def _line(self) -> Line:
        if self._closed or self._wire.line is None or self._wire.opened != self._opened:
            raise LineLost(f"{self._address}: lost")
        return self._wire.line
