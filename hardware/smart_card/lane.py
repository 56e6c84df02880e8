"""A thread for calls that nothing can cancel: a card that hangs inside PC/SC holds this thread, not its device's.

`SCardTransmit` has no time limit, and a card or reader that stays silent keeps it for as long as it likes. A call that
did not come back in time goes on here; until it has, every further call is answered `NoAnswer` at once.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any, Final, TypeVar

from hardware.command import POLL_SLICE_S
from hardware.errors import NoAnswer

T = TypeVar("T")

STUCK_SLICE_S: Final = 0.01
_END: Final = None


class Lane:
    """One such thread, started by the first call. All methods may be called from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running = 0
        self._overdue = False

    @property
    def stuck(self) -> bool:
        """Whether a call that took too long has not come back yet."""
        return self._overdue and self._running > 0

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits there."""
        return self._running == 0

    def call(self, function: Callable[[], T], until: float, check: Callable[[], None]) -> T:
        """The result of `function`, run there. `check` is called now and then and may raise.

        Raises `NoAnswer` when it has not come back by `until` (monotonic seconds).
        """
        future = self.post(function)
        while True:
            left = until - time.monotonic()
            try:
                return future.result(max(0.0, min(left, POLL_SLICE_S)))
            except NotYet:
                if future.done():
                    raise
                if left <= 0:
                    self._overdue = True
                    raise NoAnswer(f"{self._name}: no answer") from None
                check()

    def wait_free(self, until: float, check: Callable[[], None]) -> None:
        """Wait for an earlier call that nobody waits for any more. Raises `NoAnswer` if it is not back by `until`."""
        while self._running:
            check()
            if time.monotonic() >= until:
                self._overdue = True
                raise NoAnswer(f"{self._name}: an earlier call has not come back")
            time.sleep(STUCK_SLICE_S)

    def post(self, function: Callable[[], T]) -> "Future[T]":
        """Run `function` there when everything before it is done."""
        future: Future[T] = Future()
        with self._lock:
            self._running += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
        self._work.put((future, function))
        return future

    def close(self, timeout_s: float = 1.0) -> None:
        """End the thread; one that hangs in a call ends when the call does."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(_END)
            thread.join(timeout_s)

    def _loop(self) -> None:
        while (work := self._work.get()) is not _END:
            future, function = work
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                self._done()
                future.set_exception(error)
            else:
                self._done()
                future.set_result(result)
            del work, future, function

    def _done(self) -> None:
        with self._lock:
            self._running -= 1
            self._overdue = self._overdue and self._running > 0
