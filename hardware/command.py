"""One command of a device: its future, and what it works with while it runs."""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from hardware.cancel import CancelToken
from hardware.errors import CommandCancelled, DeadlinePassed, DeviceClosed, DriverError, HardwareError
from hardware.lines import Line
from hardware.vocabulary import DeviceStatus

T = TypeVar("T")

POLL_SLICE_S: Final = 0.05
"""The longest a running command can go on without looking at its cancel token."""

log = structlog.get_logger(__name__)


class DeviceThread(Protocol):
    """What a running command needs of the thread that owns its device."""

    device: str

    @property
    def closing(self) -> bool: ...

    def line(self) -> Line: ...

    def reopen(self) -> None: ...

    def report(self, status: DeviceStatus) -> None: ...

    def settle_expired(self) -> None: ...


class Run:
    """What a command works with: the open line, its deadline (monotonic seconds) and its cancel token."""

    def __init__(self, worker: DeviceThread, command: "Command[Any]") -> None:
        self._worker = worker
        self._command = command
        self._committed = False
        self.deadline = command.deadline
        self.cancel = command.cancel

    @property
    def cancelled(self) -> bool:
        """Whether the caller has given up, by token or by cancelling the future."""
        return self.cancel.cancelled or self._command.future.cancelled()

    def check(self) -> None:
        """Raise if the command has to end now: closed, cancelled, or its deadline passed."""
        self._worker.settle_expired()
        if self._worker.closing:
            raise DeviceClosed(self._worker.device)
        if self.cancelled and not self._committed:
            raise CommandCancelled(self._worker.device)
        if time.monotonic() >= self.deadline:
            raise DeadlinePassed(self._worker.device)

    def commit(self) -> None:
        """From here on the command cannot be undone: a cancel is no longer heard (deadline and close are)."""
        self.check()
        self._committed = True

    def read(self, until: float) -> bytes:
        """The next bytes, or none when `until` (monotonic) passed. Raises as `check` does, or `LineLost`."""
        line = self._worker.line()
        while True:
            self.check()
            end = min(until, self.deadline)
            data = line.read_available(min(end, time.monotonic() + POLL_SLICE_S))
            if data or time.monotonic() >= until:
                return data

    def write(self, data: bytes, until: float | None = None) -> None:
        """Hand over bytes; neither a cancel nor a close cuts a write in two. Raises `LineLost` or `LineStalled`."""
        self._worker.line().write(data, self.deadline if until is None else until)

    def discard_input(self) -> bytes:
        """Take whatever has arrived unasked, without waiting."""
        line = self._worker.line()
        taken = bytearray()
        while data := line.read_available(0.0):
            taken += data
        return bytes(taken)

    def pause(self, seconds: float) -> None:
        """Wait, ended early by cancel, close or deadline (which raise)."""
        until = min(time.monotonic() + seconds, self.deadline)
        while (left := until - time.monotonic()) > 0:
            if self._committed:
                time.sleep(min(left, POLL_SLICE_S))
            else:
                self.cancel.wait(min(left, POLL_SLICE_S))
            self.check()
        self.check()

    def reopen(self) -> None:
        """Close the line and open it anew. Raises `LineLost`."""
        self._worker.reopen()

    def report(self, status: DeviceStatus) -> None:
        """Tell what the command has just learnt of the device."""
        self._worker.report(status)


class Command(Generic[T]):
    """One queued command with its future. The future stays cancellable while the command runs."""

    def __init__(
        self,
        work: Callable[[Run], T],
        failed: Callable[[HardwareError], T],
        discard: Callable[[T], None],
        deadline: float,
        cancel: CancelToken,
    ) -> None:
        self._work = work
        self._failed = failed
        self._discard = discard
        self.deadline = deadline
        self.cancel = cancel
        self.future: Future[T] = Future()

    def execute(self, run: Run) -> HardwareError | None:
        """Do the work and settle the future; the error, if one ended the work."""
        try:
            run.check()
            result = self._work(run)
        except HardwareError as error:
            self.settle(error)
            return error
        except Exception as error:  # noqa: BLE001 - see below
            # A defect in one command must not take the device's thread along. Only type and place are logged:
            # the message of an error may quote what was on a card.
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("device_driver_error", error=type(error).__name__, file=place.filename, line=place.lineno)
            driver_error = DriverError(type(error).__name__)
            self.settle(driver_error)
            return driver_error
        self._deliver(result)
        return None

    def settle(self, error: HardwareError) -> None:
        """End the command with what the driver makes of `error`."""
        self._deliver(self._failed(error))

    def _deliver(self, result: T) -> None:
        try:
            self.future.set_result(result)
        except InvalidStateError:
            self._discard(result)
