"""Single codes out of the bytes of a serial scanner. Pure: time is an argument.

Scanners end a code with CR or with CR LF, as they are set up; both are taken, and a silence too, for those set up to
send no terminator at all. From a scanner that sends terminators, silence in the middle of a code means that its end is
missing.
"""

from enum import StrEnum
from typing import Final

from hardware.code_scanner.payload import RawCode

_LINE_ENDS: Final = b"\r\n"


class CodeEnd(StrEnum):
    """What ends a code."""

    LINE_END = "line_end"  # CR, LF or CR LF (Enter, where it is typed); a code that falls silent is incomplete
    EITHER = "either"  # the same, and silence for as long as no line end was ever sent
    SILENCE = "silence"  # silence alone: for codes that hold several lines


class CodeSplitter:
    """Takes the bytes as they come, split or joined in any way. Never raises; holds at most `max_bytes`.

    `gap_s`: seconds of silence that end a code. Times are monotonic seconds.
    """

    def __init__(self, max_bytes: int, *, end: CodeEnd = CodeEnd.EITHER, gap_s: float = 0.1) -> None:
        self._max_bytes = max_bytes
        self._end = end
        self._gap_s = gap_s
        self._pending = bytearray()
        self._cut = False
        self._terminates = end is CodeEnd.LINE_END
        self._last_at = 0.0

    @property
    def receiving(self) -> bool:
        """Whether a code has begun and not ended."""
        return bool(self._pending) or self._cut

    def due(self) -> float | None:
        """When silence ends the code under way, if nothing more comes; None when there is none."""
        return self._last_at + self._gap_s if self.receiving else None

    def feed(self, data: bytes, now: float) -> list[RawCode]:
        """The codes that are complete with these bytes."""
        codes = self.silence(now)
        self._last_at = now
        if self._end is CodeEnd.SILENCE:
            self._keep(data)
            return codes
        *lines, rest = data.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._keep(line)
            self._terminates = True
            codes += self._take()
        self._keep(rest)
        return codes

    def silence(self, now: float) -> list[RawCode]:
        """The code that ends because nothing has come for long enough."""
        due = self.due()
        return self._take(holes=self._terminates) if due is not None and now >= due else []

    def reset(self) -> None:
        """Forget the code under way."""
        self._pending[:] = bytes(len(self._pending))
        self._pending.clear()
        self._cut = False

    def _keep(self, data: bytes) -> None:
        room = self._max_bytes - len(self._pending)
        self._pending += data[:room]
        self._cut = self._cut or len(data) > room

    def _take(self, *, holes: bool = False) -> list[RawCode]:
        data = bytes(self._pending)
        if self._end is CodeEnd.SILENCE and not self._cut:
            data = data.rstrip(_LINE_ENDS)
        code = RawCode(data, cut=self._cut, holes=holes)
        self.reset()
        return [code] if code.data or code.cut else []
