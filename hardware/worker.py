"""The thread that owns one device: a queue of commands, one at a time, and a connection that is reopened by itself."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from hardware.cancel import CancelToken
from hardware.command import Command, Run, log_defect
from hardware.errors import CommandCancelled, DeadlinePassed, DeviceClosed, DriverError, HardwareError, LineLost
from hardware.lines import Connection
from hardware.session import DeviceSession
from hardware.vocabulary import Detail, DeviceStatus, Health

T = TypeVar("T")
C = TypeVar("C", bound=Connection)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waiting times between attempts to reopen a line: doubling from `first_s` to `limit_s`, each times 0.5 to 1.5."""

    first_s: float = 0.25
    limit_s: float = 8.0

    def delay(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 0)."""
        return min(self.limit_s, self.first_s * 2.0 ** min(attempt, 30)) * rng.uniform(0.5, 1.5)


class DeviceWorker(Generic[C]):
    """Runs the commands of one device on a thread of its own.

    `opener` opens a fresh connection to the same device each time, or raises `LineLost`. `probe` asks the device how
    it is; it runs after each (re)opening and every `probe_interval_s` while idle. `on_status` hears each change of
    status, on the worker's thread. The loss of a device and its return are logged once each.

    `listen` hears a device that speaks by itself: it runs whenever the device is usable and nothing else is to be done,
    blocks in `Run.read` or the like, and is ended by the next command or probe as a cancel would end it.
    """

    def __init__(
        self,
        device: str,
        opener: Callable[[], C],
        probe: Callable[[Run[C]], DeviceStatus],
        *,
        on_status: Callable[[DeviceStatus], None] | None = None,
        listen: Callable[[Run[C]], None] | None = None,
        probe_interval_s: float = 3.0,
        probe_timeout_s: float = 3.0,
        back_off: BackOff | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.device = device
        self._opener = opener
        self._probe = probe
        self._on_status = on_status
        self._listen = listen
        self._hearing: CancelToken | None = None
        self._deaf_until = 0.0
        self._probe_interval_s = probe_interval_s
        self._probe_timeout_s = probe_timeout_s
        self._back_off = back_off or BackOff()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._status = DeviceStatus(Health.UNKNOWN, Detail.NOT_ASKED)
        self._lost: bool | None = None
        self._connection: C | None = None
        self._attempt = 0
        self._next_turn = 0.0
        self._wake = threading.Condition()
        self._queue: deque[Command[C, Any]] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"device-{device}", daemon=True)

    def start(self) -> None:
        """Look for the device and probe it at once. Once, when whoever is called back can be."""
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
        work: Callable[[Run[C]], T],
        *,
        failed: Callable[[HardwareError], T],
        deadline: float,
        cancel: CancelToken | None = None,
        session: DeviceSession | None = None,
        discard: Callable[[T], None] = lambda _: None,
    ) -> "Future[T]":
        """Queue a command; its future gets the result of `work`, or of `failed` when a `HardwareError` ended it.

        `deadline` is in monotonic seconds and counts the time in the queue. A cancel ends a queued command at once and
        a running one at its next wait. Cancelling the future (or the asyncio task that awaits
        `asyncio.wrap_future(future)`) cancels the command; a result that then nobody takes is given to `discard`.
        So does the end of its `session`, and `discard` then gets also what was delivered in that session.
        """
        token = cancel or CancelToken()
        command = Command(
            self.device, work, failed=failed, discard=discard, deadline=deadline, cancel=token, session=session
        )
        with self._wake:
            if self.closing:
                refused = True
            else:
                refused = False
                self._queue.append(command)
                self._awake()
        if refused:
            command.settle(DeviceClosed(self.device))
        for each in (token, session):
            if each is not None:
                forget = each.on_cancel(lambda: self._drop_if_queued(command))
                command.future.add_done_callback(partial(_call, forget))
        return command.future

    def close(self, timeout_s: float = 5.0) -> None:
        """End the running command, settle the queued ones, close the line and end the thread."""
        with self._wake:
            self._closing.set()
            self._awake()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def connection(self) -> C:
        """What is open (worker's thread only). Raises `LineLost`."""
        if self._connection is None:
            raise LineLost(f"{self.device}: not open")
        return self._connection

    def wake(self) -> None:
        """Look after the device now rather than at its next turn: it has just been plugged in."""
        with self._wake:
            self._next_turn = 0.0
            self._awake()

    def reopen(self) -> None:
        """Close and open the connection (worker's thread only). Raises `LineLost`."""
        self._close_connection()
        self._connection = self._opener()

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

    def _drop_if_queued(self, command: Command[C, T]) -> None:
        with self._wake:
            try:
                self._queue.remove(command)
            except ValueError:
                return
        command.settle(CommandCancelled(self.device))

    def _loop(self) -> None:
        try:
            while not self.closing:
                self._do_next()
        finally:
            self._close_connection()
            with self._wake:
                left = list(self._queue)
                self._queue.clear()
            for command in left:
                command.settle(DeviceClosed(self.device))

    def _do_next(self) -> None:
        """One thing. A frame of its own: what a command brought is not kept until the next one comes."""
        command = self._next_command()
        if command is not None:
            self._execute(command)
        elif not self.closing and time.monotonic() >= self._next_turn:
            self._look_after_device()
        elif self._can_hear:
            self._hear()

    def _next_command(self) -> Command[C, Any] | None:
        with self._wake:
            if not self._queue and not self.closing and not self._can_hear:
                self._wake.wait(max(0.0, self._next_turn - time.monotonic()))
            return self._queue.popleft() if self._queue and not self.closing else None

    def _execute(self, command: Command[C, Any]) -> None:
        lost = self._open() if self._connection is None else None
        if lost is not None:
            command.settle(lost)
            return
        self._after(command.execute(Run(self, command)))

    def _look_after_device(self) -> None:
        if self._connection is None and self._open() is not None:
            return
        deadline = time.monotonic() + self._probe_timeout_s
        probe: Command[C, None] = Command(
            self.device,
            lambda run: self.report(self._probe(run)),
            failed=lambda _: None,
            discard=lambda _: None,
            deadline=deadline,
            cancel=CancelToken(),
        )
        self._next_turn = time.monotonic() + self._probe_interval_s
        error = probe.execute(Run(self, probe))
        self._after(error)
        if isinstance(error, DeadlinePassed):
            self.report(DeviceStatus(Health.UNKNOWN, Detail.NO_ANSWER))
        elif isinstance(error, DriverError):
            self.report(DeviceStatus(Health.UNKNOWN, Detail.DRIVER_ERROR))

    @property
    def _can_hear(self) -> bool:
        open_and_well = self._connection is not None and self._status.usable
        return self._listen is not None and open_and_well and time.monotonic() >= self._deaf_until

    def _hear(self) -> None:
        """Listen until there is something to do. A listener that failed is deaf until the next probe."""
        assert self._listen is not None  # noqa: S101 - asked by the loop
        token = CancelToken()
        with self._wake:
            if self._queue or self.closing or time.monotonic() >= self._next_turn:
                return
            self._hearing = token
            until = self._next_turn
        listening: Command[C, None] = Command(
            self.device, self._listen, failed=lambda _: None, discard=lambda _: None, deadline=until, cancel=token
        )
        error = listening.execute(Run(self, listening))
        self._hearing = None
        if isinstance(error, CommandCancelled | DeadlinePassed | DeviceClosed):
            return
        self._deaf_until = until
        self._after(error)

    def _awake(self) -> None:
        """Something is to be done (with the lock held)."""
        self._wake.notify()
        if self._hearing is not None:
            self._hearing.cancel()

    def _open(self) -> LineLost | None:
        """Open the connection; why it could not be."""
        try:
            self._connection = self._opener()
        except LineLost as error:
            self._failed(error)
            return error
        except Exception as error:  # noqa: BLE001 - a defect in an opener must not take the thread along either
            log_defect(error)
            lost = LineLost(f"{self.device}: {type(error).__name__}")
            self._failed(lost)
            return lost
        self._next_turn = 0.0
        return None

    def _after(self, error: HardwareError | None) -> None:
        if isinstance(error, LineLost):
            self._failed(error)
        elif error is None:
            self._attempt = 0
        elif error.health is not None and (error.health, error.detail) != (self._status.health, self._status.detail):
            self.report(DeviceStatus(error.health, error.detail))

    def _failed(self, error: LineLost) -> None:
        self._close_connection()
        self._next_turn = time.monotonic() + self._back_off.delay(self._attempt, self._rng)
        self._attempt += 1
        self.report(DeviceStatus(Health.OFFLINE, error.detail))

    def _close_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _call(forget: Callable[[], None], _: object) -> None:
    forget()
