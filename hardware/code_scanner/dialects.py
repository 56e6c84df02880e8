"""What serial scanners are told: trigger on and off, and the question whether they are there. Pure.

Honeywell: SYN T CR (`16 54 0D`) starts reading, SYN U CR (`16 55 0D`) ends it; a query is SYN M CR (`16 4D 0D`), a tag
with `?` and a full stop, answered by the tag in capitals, its value and ACK, ENQ or NAK (chapter "Serial programming
commands" of the makers' user guides, e.g. Voyager 1250g, Xenon 1900). A query reads; it writes no flash memory.
Datalogic and CipherLab: `E` enables, `D` disables (appendix "Host serial commands" of QuickScan 2300, CipherLab 1664);
neither answers, and there is no question that all of them answer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Dialect(StrEnum):
    """Whose commands a scanner understands; `none` for one that is never told anything (presentation mode)."""

    HONEYWELL = "honeywell"
    DATALOGIC = "datalogic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ScannerCommands:
    """The bytes of one dialect. `query` is empty for scanners that cannot be asked."""

    trigger_on: bytes = b""
    trigger_off: bytes = b""
    query: bytes = b""


COMMANDS: Final = {
    Dialect.HONEYWELL: ScannerCommands(
        trigger_on=b"\x16T\r",
        trigger_off=b"\x16U\r",
        query=b"\x16M\rcbrena?.",
    ),
    Dialect.DATALOGIC: ScannerCommands(trigger_on=b"E", trigger_off=b"D"),
    Dialect.NONE: ScannerCommands(),
}

_QUERY_ANSWER: Final = re.compile(rb"CBRENA[^\x05\x06\x15\r\n]{0,16}[\x05\x06\x15]", re.IGNORECASE)
_ANSWER_BEGUN: Final = re.compile(rb"C(?:B(?:R(?:E(?:N(?:A[^\x05\x06\x15\r\n]{0,16})?)?)?)?)?\Z", re.IGNORECASE)
_AFTER_ANSWER: Final = b".\r\n"
"""The query's full stop is echoed behind the status character by some models, and a line end by others."""


class AnswerFilter:
    """Takes the answer to a query out of the bytes that come, and lets everything else (codes) through.

    Bytes that may be the beginning of the answer are held back until they are or are not.
    """

    def __init__(self) -> None:
        self._held = b""
        self._behind = self._tail = False
        self.answered = False

    @property
    def ended(self) -> bool:
        """Whether what some models send behind their answer has come too."""
        return self.answered and (self._tail or not self._behind)

    def feed(self, data: bytes) -> bytes:
        """What of the bytes is no answer."""
        if self.answered:
            return self._behind_answer(data)
        self._held += data
        found = _QUERY_ANSWER.search(self._held)
        if found is not None:
            before, after = self._held[: found.start()], self._held[found.end() :]
            self.answered, self._behind, self._held = True, True, b""
            return before + self._behind_answer(after)
        begun = _ANSWER_BEGUN.search(self._held)
        keep = len(self._held) if begun is None else begun.start()
        passed, self._held = self._held[:keep], self._held[keep:]
        return passed

    def flush(self) -> bytes:
        """What was held back, when no more is waited for."""
        passed, self._held = self._held, b""
        return passed

    def _behind_answer(self, data: bytes) -> bytes:
        if self._behind:
            rest = data.lstrip(_AFTER_ANSWER)
            self._tail = self._tail or len(rest) < len(data)
            self._behind = not rest
            return rest
        return data
