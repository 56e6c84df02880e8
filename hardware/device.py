"""What all devices have in common: role, capabilities, status, events, a self-test, and the one thread that owns it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.errors import HardwareError
from hardware.events import DeviceEvent, OnEvent, StatusChanged, ignore
from hardware.lines import Connection
from hardware.roles import Role
from hardware.self_test import OnProgress, SelfTestReport, Steps
from hardware.session import DeviceSession
from hardware.vocabulary import DeviceStatus, Health
from hardware.worker import BackOff, DeviceWorker

T = TypeVar("T")
C = TypeVar("C", bound=Connection)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a device can do; known from its driver and options, and never changed. Each kind of device has its own."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """How a device is looked after: waiting times of the reopening, and seconds between two probes while idle."""

    back_off: BackOff = field(default_factory=BackOff)
    probe_interval_s: float = 3.0
    probe_timeout_s: float = 3.0


class Device(ABC, Generic[C]):
    """Base of all drivers. A subclass makes its own fields first and calls `super().__init__` last: the device's thread
    starts in it, and calls `_probe` at once.

    Opening is supervised: a device that is absent or unplugged is looked for until `close`. `on_event` hears
    everything the device says by itself, on the device's thread. Deadlines are `time.monotonic` seconds. Every command
    returns a future whose result says how it ended; futures hold no exceptions.
    """

    listens: ClassVar[bool] = False
    """Whether devices of this kind speak by themselves, and `_listen` hears them."""

    def __init__(
        self,
        role: Role,
        opener: Callable[[], C],
        *,
        capabilities: Capabilities,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        supervision = supervision or Supervision()
        self.role = role
        self._capabilities = capabilities
        self._on_event = on_event or ignore
        self._worker: DeviceWorker[C] = DeviceWorker(
            role,
            opener,
            self._probe,
            on_status=lambda status: self._emit(StatusChanged(role, status)),
            listen=self._listen if self.listens else None,
            probe_interval_s=supervision.probe_interval_s,
            probe_timeout_s=supervision.probe_timeout_s,
            back_off=supervision.back_off,
        )
        self._worker.start()

    @property
    def capabilities(self) -> Capabilities:
        """What the device can do."""
        return self._capabilities

    @property
    def status(self) -> DeviceStatus:
        """What is known without asking."""
        return self._worker.status

    def ask_status(self, deadline: float) -> "Future[DeviceStatus]":
        """Ask the device how it is. Waits its turn behind a running command."""

        def ask(run: Run[C]) -> DeviceStatus:
            status = self._probe(run)
            run.report(status)
            return status

        return self._submit(ask, failed=status_after, deadline=deadline)

    def self_test(
        self, deadline: float, *, on_progress: OnProgress | None = None, cancel: CancelToken | None = None
    ) -> "Future[SelfTestReport]":
        """Test everything that the device does, with a person's help where it must be. `on_progress` hears each step
        begin and end, on the device's thread."""
        steps = Steps(on_progress)

        def test(run: Run[C]) -> SelfTestReport:
            self._self_test(run, steps)
            return steps.report

        return self._submit(test, failed=steps.end_with, deadline=deadline, cancel=cancel)

    def wake(self) -> None:
        """The device's address has just appeared: try it now."""
        self._worker.wake()

    def close(self) -> None:
        """End the running command, close the connection and end the thread."""
        self._worker.close()

    @abstractmethod
    def _probe(self, run: Run[C]) -> DeviceStatus:
        """Ask the device how it is (device's thread). `NoAnswer` and `DeviceFault` may be raised or answered."""

    @abstractmethod
    def _self_test(self, run: Run[C], steps: Steps) -> None:
        """Write the steps of the test (device's thread). Ends by returning or by a `HardwareError`."""

    def _listen(self, run: Run[C]) -> None:
        """Hear what the device says by itself, until `run` ends it (device's thread); see `listens`."""
        raise NotImplementedError

    def _submit(
        self,
        work: Callable[[Run[C]], T],
        *,
        failed: Callable[[HardwareError], T],
        deadline: float,
        cancel: CancelToken | None = None,
        session: DeviceSession | None = None,
        discard: Callable[[T], None] = lambda _: None,
    ) -> "Future[T]":
        """Queue a command; see `DeviceWorker.submit`."""
        return self._worker.submit(
            work, failed=failed, deadline=deadline, cancel=cancel, session=session, discard=discard
        )

    def _emit(self, event: DeviceEvent) -> None:
        self._on_event(event)


def status_after(error: HardwareError) -> DeviceStatus:
    """What is known of a device after `error`."""
    return DeviceStatus(error.health or Health.UNKNOWN, error.detail)
