"""Watching one PC/SC reader: service, reader and card, by a thread that survives pcscd's end and comes back with it."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from smartcard import scard

from hardware.addresses import PcscAddress
from hardware.errors import HardwareError
from hardware.smart_card.pcsc import PNP, Context
from hardware.worker import BackOff

LOOK_MS: Final = 1000
"""The longest a wait for a change goes on; then readers are listed anew, should a notice of one have been missed."""
SILENT_S: Final = 3.0
"""Without any answer of pcscd, after which it counts as silent: a frozen one neither answers nor hangs up."""

SETTLE_S: Final = 1.5
"""After a reader came back, for its daemon to find the card in it: it looks every 0.4 s."""
CANCEL_S: Final = 0.02

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SlotState:
    """What is known of a reader and the card in it."""

    service: bool = False
    """pcscd answers."""
    reader: str | None = None
    """Its full name; None while it is not there."""
    card: bool = False
    mute: bool = False
    """The card there gives no answer to reset: put in the wrong way, or broken."""
    held: bool = False
    """Another program has the card there for itself."""
    insertion: int = 0
    """Counts cards put in; the same number is the same stay of the same card. While the reader was not seen, no card
    was seen to leave: what is in it afterwards counts as the same."""


OnSlot = Callable[[SlotState], None]


class ReaderMonitor:
    """`on_change` hears each change, on the monitor's thread. The service's loss and return are logged once each."""

    def __init__(self, address: PcscAddress, on_change: OnSlot, back_off: BackOff) -> None:
        self._address = address
        self._on_change = on_change
        self._back_off = back_off
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._state = SlotState()
        self._known = False
        self._events: int | None = None
        self._empty = True
        self._empty_before = True
        self._reader_since = 0.0
        self._heard_at = time.monotonic()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._context: Context | None = None
        self._context_lock = threading.Lock()
        self._lost: bool | None = None
        self._thread = threading.Thread(target=self._loop, name=f"pcsc-{address.reader}", daemon=True)

    @property
    def silent(self) -> bool:
        """Whether pcscd has left a question unanswered for long."""
        return time.monotonic() - self._heard_at > SILENT_S

    def start(self) -> None:
        self._heard_at = time.monotonic()
        self._thread.start()

    @property
    def state(self) -> SlotState:
        return self._state

    def known(self, within_s: float) -> SlotState:
        """The state, waiting for the first one that is known."""
        with self._changed:
            self._changed.wait_for(lambda: self._known or self._closing.is_set(), within_s)
            return self._state

    def wait(self, seen: SlotState, seconds: float) -> SlotState:
        """The state, waiting up to `seconds` for one that differs from `seen`."""
        with self._changed:
            self._changed.wait_for(lambda: self._state != seen or self._closing.is_set(), seconds)
            return self._state

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        until = time.monotonic() + timeout_s
        while self._thread.is_alive() and time.monotonic() < until:
            with self._context_lock:
                if self._context is not None:  # again and again: a cancel before the wait has begun is not heard
                    self._context.cancel()
            self._thread.join(CANCEL_S)

    def _loop(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            try:
                with self._open() as context:
                    attempt = 0
                    self._service(lost=False)
                    self._watch(context)
            except Exception as error:  # noqa: BLE001 - whatever it is, this thread goes on
                self._events = None
                self._service(lost=True, why=str(error) if isinstance(error, HardwareError) else type(error).__name__)
                self._publish(SlotState(insertion=self._state.insertion))
                self._heard_at = time.monotonic()
                self._closing.wait(self._back_off.delay(attempt, self._rng))
                attempt += 1

    @contextlib.contextmanager
    def _open(self) -> Iterator[Context]:
        """A context that `close` can cancel."""
        context = Context()
        with self._context_lock:
            self._context = context
        try:
            yield context
        finally:
            with self._context_lock:
                self._context = None
            context.close()

    def _watch(self, context: Context) -> None:
        """Follow the reader until something fails."""
        reader: str | None = None
        states: list[tuple[str, int]] = []
        while not self._closing.is_set():
            found = _matching(self._address.reader, context.readers())
            if found != reader or not states:
                reader, self._events = found, None
                self._reader_since, self._empty_before = time.monotonic(), self._empty
                states = [(PNP, scard.SCARD_STATE_UNAWARE)]
                states += [(reader, scard.SCARD_STATE_UNAWARE)] if reader is not None else []
                if reader is None:
                    self._publish(SlotState(service=True, insertion=self._state.insertion))
            changed = context.changed(states, LOOK_MS)
            self._answered()
            if changed is None:
                continue
            states = [(name, state & ~scard.SCARD_STATE_CHANGED) for name, state, _ in changed]
            for name, state, atr in changed:
                if name == reader:
                    self._seen(reader, state, atr)

    def _answered(self) -> None:
        was_silent, self._heard_at = self.silent, time.monotonic()
        if was_silent:
            self._on_change(self._state)

    def _seen(self, reader: str, state: int, atr: bytes) -> None:
        """Take one report of the reader. Its upper half counts insertions and removals since pcscd started."""
        events = state >> 16
        card = bool(state & scard.SCARD_STATE_PRESENT)
        missed = self._events is not None and events != self._events and self._state.card and card
        self._events = events
        insertion = self._state.insertion
        # A reader that has just come back is empty until its daemon has looked: that is no card that was pulled.
        fresh = time.monotonic() - self._reader_since < SETTLE_S
        if card:
            insertion += missed or (self._empty_before if fresh else self._empty)
            self._reader_since = -SETTLE_S
        self._empty = not card
        mute = card and (bool(state & scard.SCARD_STATE_MUTE) or not atr)
        if missed:
            self._publish(SlotState(True, reader, insertion=self._state.insertion))
        held = bool(state & scard.SCARD_STATE_EXCLUSIVE)
        self._publish(SlotState(True, reader, card, mute, held, insertion))

    def _publish(self, state: SlotState) -> None:
        with self._changed:
            changed = state != self._state or not self._known
            self._state, self._known = state, True
            self._changed.notify_all()
        if changed:
            self._on_change(state)

    def _service(self, *, lost: bool, why: str = "") -> None:
        if lost != self._lost:
            if lost:
                log.warning("card_service_lost", reader=self._address.reader, reason=why)
            else:
                log.info("card_service_found", reader=self._address.reader)
            self._lost = lost


def _matching(wanted: str, names: Sequence[str]) -> str | None:
    """The reader of this name, or the first one that begins as a name ending in `*` does."""
    if wanted.endswith("*"):
        return next((name for name in sorted(names) if name.startswith(wanted[:-1])), None)
    return wanted if wanted in names else None
