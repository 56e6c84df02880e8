"""What a scanner types: the events of its keyboard become the bytes of codes. Pure.

Key numbers are those of linux/input-event-codes.h. Scanners type as on a US keyboard unless set up otherwise, and end a
code with Enter. What no US key types they enter with Alt and the keypad's digits: the number of a byte, or of a GBK
pair of bytes. Everything else (control, function and cursor keys, shortcuts) is dropped: it is meant for a screen, and
a code that holds such keys was made to drive one.
"""

from collections.abc import Iterator
from typing import Final

from hardware.code_scanner.payload import RawCode
from hardware.code_scanner.splitter import CodeEnd
from hardware.linux_input import EV_KEY, EV_SYN, PRESSED, RELEASED, SYN_DROPPED, SYN_REPORT, EventDecoder, InputEvent

KEY_ENTER: Final = 28
KEY_KPENTER: Final = 96
KEY_CAPSLOCK: Final = 58
KEY_LEFTALT: Final = 56
SHIFTS: Final = frozenset({42, 54})
SHORTCUTS: Final = frozenset({29, 97, 100, 125, 126})
"""Left and right Ctrl, right Alt, both Meta keys: what is typed while one is down is no character."""

_ROWS: Final = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_KEYPAD: Final = {71 + place: key for place, key in enumerate("789-456+1230.")} | {55: "*", 98: "/"}
US_LAYOUT: Final = {
    first + place: (plain, shifted)
    for first, row, upper in _ROWS
    for place, (plain, shifted) in enumerate(zip(row, upper, strict=True))
} | {code: (key, key) for code, key in _KEYPAD.items()}
"""Key number → what it types without and with Shift. The keypad counts with Num Lock on."""

_ALT_DIGITS: Final = {code: key for code, key in _KEYPAD.items() if key.isdigit()}
_MOST_ALT_DIGITS: Final = 6


class KeyDecoder:
    """Codes out of a scanner's key events. Never raises; holds at most `max_bytes`. Times are monotonic seconds.

    `gap_s`: seconds without a key that end a code; `end` says what such a code is worth. Where silence alone ends a
    code, Enter is a line end inside it.
    """

    def __init__(self, max_bytes: int, *, end: CodeEnd = CodeEnd.LINE_END, gap_s: float = 0.1) -> None:
        self._max_bytes = max_bytes
        self._end = end
        self._gap_s = gap_s
        self._events = EventDecoder()
        self._typed = bytearray()
        self._cut = self._holes = False
        self._enters = end is CodeEnd.LINE_END
        self._shifts: set[int] = set()
        self._shortcuts: set[int] = set()
        self._alt: str | None = None
        self._capitals = False
        self._skipping = False
        self._last_at = 0.0
        self.dropped = 0
        """Keys that were dropped since the beginning."""

    @property
    def receiving(self) -> bool:
        """Whether a code has begun and not ended."""
        return bool(self._typed) or self._cut or self._holes

    def due(self) -> float | None:
        """When silence ends the code under way, if nothing more comes; None when there is none."""
        return self._last_at + self._gap_s if self.receiving else None

    def feed(self, data: bytes, now: float) -> list[RawCode]:
        """The codes that are complete with these bytes of the event stream."""
        codes = self.silence(now)
        for event in self._events.feed(data):
            self._last_at = now
            codes += self._event(event)
        return codes

    def silence(self, now: float) -> list[RawCode]:
        """The code that ends because no key has come for long enough."""
        due = self.due()
        if due is None or now < due:
            return []
        self._holes = self._holes or self._enters
        return list(self._take())

    def reset(self) -> None:
        """Forget the code under way."""
        self._typed[:] = bytes(len(self._typed))
        self._typed.clear()
        self._cut = self._holes = False

    def _event(self, event: InputEvent) -> Iterator[RawCode]:
        if event.kind == EV_SYN:
            if event.code == SYN_DROPPED:
                self._lost()
            elif event.code == SYN_REPORT:
                self._skipping = False
        elif event.kind == EV_KEY and not self._skipping:
            if event.value == PRESSED:
                yield from self._pressed(event.code)
            elif event.value == RELEASED:
                self._released(event.code)

    def _lost(self) -> None:
        """Events are missing: which keys are down is not known any more, nor what was typed."""
        self._skipping = self._holes = True
        self._shifts.clear()
        self._shortcuts.clear()
        self._alt = None

    def _pressed(self, key: int) -> Iterator[RawCode]:
        if key in SHIFTS:
            self._shifts.add(key)
        elif key in SHORTCUTS:
            self._shortcuts.add(key)
        elif key == KEY_LEFTALT:
            self._alt = ""
        elif key == KEY_CAPSLOCK:
            self._capitals = not self._capitals
        elif self._shortcuts:
            self.dropped += 1
        elif self._alt is not None:
            self._alt_digit(key)
        elif key in (KEY_ENTER, KEY_KPENTER):
            yield from self._enter()
        elif key in US_LAYOUT:
            self._type(self._character(key).encode("ascii"))
        else:
            self.dropped += 1

    def _enter(self) -> Iterator[RawCode]:
        if self._end is CodeEnd.SILENCE:
            self._type(b"\n")
            return
        self._enters = True
        yield from self._take()

    def _released(self, key: int) -> None:
        self._shifts.discard(key)
        self._shortcuts.discard(key)
        if key == KEY_LEFTALT and self._alt is not None:
            digits, self._alt = self._alt, None
            self._alt_code(digits)

    def _character(self, key: int) -> str:
        plain, shifted = US_LAYOUT[key]
        upper = bool(self._shifts) != (self._capitals and plain.isalpha())
        return shifted if upper else plain

    def _alt_digit(self, key: int) -> None:
        if key in _ALT_DIGITS and self._alt is not None and len(self._alt) < _MOST_ALT_DIGITS:
            self._alt += _ALT_DIGITS[key]
        else:
            self.dropped += 1

    def _alt_code(self, digits: str) -> None:
        if not digits:
            return
        number = int(digits)
        if number > 0xFFFF or number < 0x20 or number == 0x7F:
            self.dropped += 1
        else:
            self._type(number.to_bytes(1 if number <= 0xFF else 2))

    def _type(self, data: bytes) -> None:
        if len(self._typed) + len(data) > self._max_bytes:
            self._cut = True
        else:
            self._typed += data

    def _take(self) -> Iterator[RawCode]:
        typed = self._typed.rstrip(b"\n") if self._end is CodeEnd.SILENCE else self._typed
        code = RawCode(bytes(typed), cut=self._cut, holes=self._holes)
        begun = self.receiving
        self.reset()
        if begun:
            yield code
