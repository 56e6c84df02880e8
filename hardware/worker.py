"""The thread that owns one device: a queue of commands, one at a time, and a line that is reopened by itself."""

import random
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog

from hardware.cancel import CancelToken
from hardware.errors import (
    CommandCancelled,
    DeadlinePassed,
    DeviceClosed,
    DriverError,
    HardwareError,
    LineLost,
)
from hardware.lines import Line, LineOpener
from hardware.vocabulary import Detail, DeviceStatus, Health

T = TypeVar("T")

POLL_SLICE_S: Final = 0.05
"""The longest a running command can go on without looking at its cancel token."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waiting times between attempts to reopen a line: doubling from `first_s` to `limit_s`, each times 0.5 to 1.5."""

    first_s: float = 0.25
    limit_s: float = 8.0

    def delay(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 0)."""
        return min(self.limit_s, self.first_s * 2.0 ** min(attempt, 30)) * rng.uniform(0.5, 1.5)


class Run:
    """What a command works with: the open line, its deadline (monotonic seconds) and its cancel token."""

    def __init__(self, worker: "DeviceWorker", command: "_Command[Any]") -> None:
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


Probe = Callable[[Run], DeviceStatus]


class _Command(Generic[T]):
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


class DeviceWorker:
    """Runs the commands of one device on a thread of its own.

    `probe` asks the device how it is; it runs after each (re)opening of the line and every `probe_interval_s` while
    idle. `on_status` hears each change of status, on the worker's thread. The loss of a device and its return are
    logged once each.
    """

    def __init__(
        self,
        device: str,
        opener: LineOpener,
        probe: Probe,
        *,
        on_status: Callable[[DeviceStatus], None] | None = None,
        probe_interval_s: float = 3.0,
        probe_timeout_s: float = 3.0,
        back_off: BackOff | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.device = device
        self._opener = opener
        self._probe = probe
        self._on_status = on_status
        self._probe_interval_s = probe_interval_s
        self._probe_timeout_s = probe_timeout_s
        self._back_off = back_off or BackOff()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._status = DeviceStatus(device, Health.UNKNOWN, Detail.NOT_ASKED)
        self._lost: bool | None = None
        self._line: Line | None = None
        self._attempt = 0
        self._next_turn = 0.0
        self._wake = threading.Condition()
        self._queue: deque[_Command[Any]] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"device-{device}", daemon=True)
        self._thread.start()

    @property
    def status(self) -> DeviceStatus:
        """The last known status."""
        return self._status

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def submit(
        self,
        work: Callable[[Run], T],
        *,
        failed: Callable[[HardwareError], T],
        deadline: float,
        cancel: CancelToken | None = None,
        discard: Callable[[T], None] = lambda _: None,
    ) -> "Future[T]":
        """Queue a command; its future gets the result of `work`, or of `failed` when a `HardwareError` ended it.

        `deadline` is in monotonic seconds and counts the time in the queue. A cancel ends a queued command at once and
        a running one at its next wait. Cancelling the future (or the asyncio task that awaits
        `asyncio.wrap_future(future)`) cancels the command; a result that then nobody takes is given to `discard`.
        """
        token = cancel or CancelToken()
        command = _Command(work, failed, discard, deadline, token)
        with self._wake:
            if self.closing:
                refused = True
            else:
                refused = False
                self._queue.append(command)
                self._wake.notify()
        if refused:
            command.settle(DeviceClosed(self.device))
        forget = token.on_cancel(lambda: self._drop_if_queued(command))
        command.future.add_done_callback(lambda _: forget())
        return command.future

    def close(self, timeout_s: float = 5.0) -> None:
        """End the running command, settle the queued ones, close the line and end the thread."""
        with self._wake:
            self._closing.set()
            self._wake.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def line(self) -> Line:
        """The open line (worker's thread only). Raises `LineLost`."""
        if self._line is None:
            raise LineLost(f"{self.device}: line is not open")
        return self._line

    def reopen(self) -> None:
        """Close and open the line (worker's thread only). Raises `LineLost`."""
        self._close_line()
        self._line = self._opener()

    def report(self, status: DeviceStatus) -> None:
        """Take a status learnt from the device (worker's thread only)."""
        changed = status != self._status
        self._status = status
        lost = status.health in {Health.OFFLINE, Health.UNKNOWN}
        if lost != self._lost:
            if lost:
                log.warning("device_lost", device=self.device, health=status.health, detail=status.detail)
            else:
                log.info("device_found", device=self.device, health=status.health)
            self._lost = lost
        if changed and self._on_status is not None:
            self._on_status(status)

    def settle_expired(self) -> None:
        """End the queued commands whose deadline has passed (worker's thread only)."""
        now = time.monotonic()
        with self._wake:
            expired = [command for command in self._queue if command.deadline <= now]
            for command in expired:
                self._queue.remove(command)
        for command in expired:
            command.settle(DeadlinePassed(self.device))

    def _drop_if_queued(self, command: _Command[T]) -> None:
        with self._wake:
            try:
                self._queue.remove(command)
            except ValueError:
                return
        command.settle(CommandCancelled(self.device))

    def _loop(self) -> None:
        try:
            while not self.closing:
                command = self._next_command()
                if command is not None:
                    self._execute(command)
                elif not self.closing and time.monotonic() >= self._next_turn:
                    self._look_after_line()
        finally:
            self._close_line()
            with self._wake:
                left = list(self._queue)
                self._queue.clear()
            for command in left:
                command.settle(DeviceClosed(self.device))

    def _next_command(self) -> _Command[Any] | None:
        with self._wake:
            if not self._queue and not self.closing:
                self._wake.wait(max(0.0, self._next_turn - time.monotonic()))
            return self._queue.popleft() if self._queue and not self.closing else None

    def _execute(self, command: _Command[Any]) -> None:
        if self._line is None and not self._open_line():
            command.settle(LineLost(f"{self.device}: line cannot be opened"))
            return
        self._after(command.execute(Run(self, command)))

    def _look_after_line(self) -> None:
        if self._line is None and not self._open_line():
            return
        deadline = time.monotonic() + self._probe_timeout_s
        probe = _Command(
            lambda run: self.report(self._probe(run)), lambda _: None, lambda _: None, deadline, CancelToken()
        )
        self._next_turn = time.monotonic() + self._probe_interval_s
        error = probe.execute(Run(self, probe))
        self._after(error)
        if isinstance(error, DeadlinePassed):
            self.report(DeviceStatus(self.device, Health.UNKNOWN, Detail.NO_ANSWER))

    def _open_line(self) -> bool:
        try:
            self._line = self._opener()
        except LineLost as error:
            self._line_failed(error)
            return False
        self._next_turn = 0.0
        return True

    def _after(self, error: HardwareError | None) -> None:
        if isinstance(error, LineLost):
            self._line_failed(error)
        elif error is None:
            self._attempt = 0
        elif error.health is not None and (error.health, error.detail) != (self._status.health, self._status.detail):
            self.report(DeviceStatus(self.device, error.health, error.detail))

    def _line_failed(self, error: LineLost) -> None:
        self._close_line()
        self._next_turn = time.monotonic() + self._back_off.delay(self._attempt, self._rng)
        self._attempt += 1
        self.report(DeviceStatus(self.device, Health.OFFLINE, error.detail))

    def _close_line(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
