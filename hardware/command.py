"""One command of a device: its future, and what it works with while it runs."""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from hardware.cancel import CancelToken
from hardware.errors import CommandCancelled, DeadlinePassed, DeviceClosed, DriverError, HardwareError
from hardware.lines import Connection, Line
from hardware.session import DeviceSession
from hardware.vocabulary import DeviceStatus

T = TypeVar("T")
C = TypeVar("C", bound=Connection)
C_co = TypeVar("C_co", bound=Connection, covariant=True)

POLL_SLICE_S: Final = 0.05
"""The longest a running command can go on without looking at its cancel token."""

log = structlog.get_logger(__name__)


def log_defect(error: Exception) -> None:
    """Say that a driver has a defect, by type and place: the message of an error may quote what was on a card."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("device_driver_error", error=type(error).__name__, file=place.filename, line=place.lineno)


class DeviceThread(Protocol[C_co]):
    """What a running command needs of the thread that owns its device."""

    device: str

    @property
    def closing(self) -> bool: ...

    def connection(self) -> C_co: ...

    def reopen(self) -> None: ...

    def report(self, status: DeviceStatus) -> None: ...

    def settle_expired(self) -> None: ...


class Run(Generic[C_co]):
    """What a command works with: the open connection, its deadline (monotonic seconds) and its cancel token."""

    def __init__(self, worker: DeviceThread[C_co], command: "Command[Any, Any]") -> None:
        self._worker = worker
        self._command = command
        self._committed = False
        self.deadline = command.deadline
        self.cancel = command.cancel

    @property
    def connection(self) -> C_co:
        """What the driver's opener gave. Raises `LineLost` when it is not open."""
        return self._worker.connection()

    @property
    def cancelled(self) -> bool:
        """Whether the caller has given up: by token, by cancelling the future, or by the end of the session."""
        return self._command.given_up

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

    def read(self: "Run[Line]", until: float) -> bytes:
        """The next bytes, or none when `until` (monotonic) passed. Raises as `check` does, or `LineLost`."""
        line = self._worker.connection()
        while True:
            self.check()
            end = min(until, self.deadline)
            data = line.read_available(min(end, time.monotonic() + POLL_SLICE_S))
            if data or time.monotonic() >= until:
                return data

    def write(self: "Run[Line]", data: bytes, until: float | None = None) -> None:
        """Hand over bytes; neither a cancel nor a close cuts a write in two. Raises `LineLost` or `LineStalled`."""
        self._worker.connection().write(data, self.deadline if until is None else until)

    def discard_input(self: "Run[Line]") -> bytes:
        """Take whatever has arrived unasked, without waiting."""
        line = self._worker.connection()
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
        """Close the connection and open it anew. Raises `LineLost`."""
        self._worker.reopen()

    def report(self, status: DeviceStatus) -> None:
        """Tell what the command has just learnt of the device."""
        self._worker.report(status)


class Command(Generic[C, T]):
    """One queued command with its future. The future stays cancellable while the command runs."""

    def __init__(
        self,
        device: str,
        work: Callable[[Run[C]], T],
        *,
        failed: Callable[[HardwareError], T],
        discard: Callable[[T], None],
        deadline: float,
        cancel: CancelToken,
        session: DeviceSession | None = None,
    ) -> None:
        self._device = device
        self._session = session
        self._work = work
        self._failed = failed
        self._discard = discard
        self.deadline = deadline
        self.cancel = cancel
        self.future: Future[T] = Future()

    @property
    def given_up(self) -> bool:
        """Whether nobody wants the result any more."""
        ended = self._session is not None and self._session.cancelled
        return ended or self.cancel.cancelled or self.future.cancelled()

    def execute(self, run: Run[C]) -> HardwareError | None:
        """Do the work and settle the future; the error, if one ended the work."""
        try:
            run.check()
            result = self._work(run)
        except HardwareError as error:
            self.settle(error)
            return error
        except Exception as error:  # noqa: BLE001 - a defect in one command must not take the device's thread along
            log_defect(error)
            driver_error = DriverError(type(error).__name__)
            self.settle(driver_error)
            return driver_error
        self._deliver(result)
        return None

    def settle(self, error: HardwareError) -> None:
        """End the command with what the driver makes of `error`."""
        self._deliver(self._failed(error))

    def _deliver(self, result: T) -> None:
        if self._session is not None and not self._session.deliver(lambda: self._discard(result)):
            self._discard(result)
            result = self._failed(CommandCancelled(self._device))
        try:
            self.future.set_result(result)
        except InvalidStateError:
            self._discard(result)
