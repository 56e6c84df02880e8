"""What a keypad's key events mean: digits, `enter`, `cancel`, `clear`, `backspace`. Pure.

Key numbers are those of linux/input-event-codes.h, for keypads that report as the numeric block of a keyboard, as its
upper row, or as a telephone's keys (KEY_NUMERIC_…). Every other key is dropped: it is meant for a screen.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hardware.linux_input import EV_KEY, EV_SYN, PRESSED, RELEASED, SYN_DROPPED, SYN_REPORT, EventDecoder

_BLOCK: Final = {71 + place: key for place, key in enumerate("789-456+1230.") if key not in "-+"}
_UPPER_ROW: Final = {2 + place: key for place, key in enumerate("1234567890")}
_TELEPHONE: Final = {0x200 + digit: str(digit) for digit in range(10)} | {0x20A: "*", 0x20B: "#"}
KEYS: Final[Mapping[int, str]] = MappingProxyType(
    _BLOCK
    | _UPPER_ROW
    | _TELEPHONE
    | {28: "enter", 96: "enter", 1: "cancel", 223: "cancel", 14: "backspace", 111: "clear", 0x163: "clear", 55: "*"}
)
"""Key number → what was pressed. The numeric block counts with Num Lock on."""


class KeypadDecoder:
    """Keys out of a stream of input events, each once however long it is held. Never raises."""

    def __init__(self) -> None:
        self._events = EventDecoder()
        self._skipping = False
        self._down: dict[int, float] = {}

    def feed(self, data: bytes, now: float) -> list[str]:
        """The keys that go down with these bytes. `now` in monotonic seconds."""
        pressed = []
        for event in self._events.feed(data):
            if event.kind == EV_SYN and event.code == SYN_DROPPED:
                self._skipping = True
                self._down.clear()  # which keys are down is not known any more
            elif event.kind == EV_SYN and event.code == SYN_REPORT:
                self._skipping = False
            elif event.kind == EV_KEY and not self._skipping:
                if event.value == PRESSED:
                    self._down[event.code] = now
                    pressed += [KEYS[event.code]] if event.code in KEYS else []
                elif event.value == RELEASED:
                    self._down.pop(event.code, None)
        return pressed

    def held_s(self, now: float) -> float:
        """For how long the key that has been down the longest is down; 0 when none is."""
        return now - min(self._down.values(), default=now)
