"""A device's own test: its steps, what each found, and the report. The words of a report are made at the edge."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hardware.errors import HardwareError
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, Verdict, WhoActs

_WORST_FIRST: Final = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS)


class Request(StrEnum):
    """What a person is asked to do for a step."""

    LAY_ID_CARD = "lay_id_card"
    INSERT_CARD = "insert_card"
    SHOW_CODE = "show_code"
    LAY_DOCUMENT = "lay_document"
    FACE_CAMERA = "face_camera"
    PRESS_KEY = "press_key"
    TAKE_SLIP = "take_slip"
    LISTEN = "listen"
    LOOK_AT_LIGHTS = "look_at_lights"
    LOOK_AT_DISPLAY = "look_at_display"
    STEP_BEFORE_SENSOR = "step_before_sensor"
    OPEN_DOOR = "open_door"
    EVALUATE = "evaluate"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that has ended. `measured` is a fact for the report (a count, a serial number), nothing personal."""

    name: str
    """Of lower-case words joined by `_`, such as `status`, `card_read`, `slip_with_fence`."""
    verdict: Verdict
    detail: Detail = Detail.NONE
    measured: str = ""

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """All steps of one device."""

    steps: tuple[Step, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the steps; UNKNOWN where nothing was tested."""
        found = {step.verdict for step in self.steps}
        return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.UNKNOWN)

    @property
    def decisive(self) -> Step | None:
        """The step that decided the verdict: of a pass the last, else the first as bad as that; None without steps."""
        worst = next((step for step in self.steps if step.verdict is self.verdict), None)
        return worst if worst is not None and worst.verdict is not Verdict.PASS else next(reversed(self.steps), None)


@dataclass(frozen=True, slots=True)
class StepBegun:
    """Progress: a step runs now, and what a person has to do for it, if anything."""

    name: str
    request: Request | None = None


Progress = StepBegun | Step
OnProgress = Callable[[Progress], None]


class Steps:
    """What a driver's `_self_test` writes its steps into.

        with steps.step("status") as step:
            step.measured = …       # raise a HardwareError, or call step.fail / step.unknown, when it is not right

    A step whose block raises a `HardwareError` becomes FAIL where the device says that it cannot work or is not there,
    UNKNOWN where it does not answer or a person did not come, and the test goes on behind the block, except after a
    cancel or a closed device, which end it.
    """

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self._on_progress = on_progress or (lambda _: None)
        self._steps: list[Step] = []

    @property
    def report(self) -> SelfTestReport:
        return SelfTestReport(tuple(self._steps))

    @property
    def failed(self) -> bool:
        """Whether some step so far did not pass: what builds on it need not be tried."""
        return any(step.verdict in {Verdict.FAIL, Verdict.UNKNOWN} for step in self._steps)

    @contextmanager
    def step(self, name: str, request: Request | None = None) -> "Iterator[OpenStep]":
        """One step; see the class."""
        self._on_progress(StepBegun(name, request))
        opened = OpenStep(name)
        try:
            yield opened
        except HardwareError as error:
            opened.take(error)
            if error.outcome is Outcome.CANCELLED:
                raise
        except Exception:
            opened.fail(Detail.DRIVER_ERROR)
            raise
        finally:
            self.add(opened.ended)

    def add(self, step: Step) -> None:
        """A step that has ended."""
        self._steps.append(step)
        self._on_progress(step)

    def end_with(self, error: HardwareError) -> SelfTestReport:
        """The report of a test that `error` ended before its first step, or between two."""
        if not self._steps or self._steps[-1].detail is not error.detail:
            self.add(Step("connection", verdict_of(error), error.detail))
        return self.report


class OpenStep:
    """A step that runs: passes unless told otherwise."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._verdict = Verdict.PASS
        self._detail = Detail.NONE
        self.measured = ""

    @property
    def ended(self) -> Step:
        return Step(self._name, self._verdict, self._detail, self.measured)

    def fail(self, detail: Detail) -> None:
        """The device does not do what it should."""
        self._verdict, self._detail = Verdict.FAIL, detail

    def unknown(self, detail: Detail) -> None:
        """It could not be found out."""
        self._verdict, self._detail = Verdict.UNKNOWN, detail

    def not_supported(self) -> None:
        """This device has nothing of the kind."""
        self._verdict, self._detail = Verdict.NOT_SUPPORTED, Detail.NONE

    def judge(self, status: DeviceStatus) -> None:
        """What a status means for a test: OK and DEGRADED pass, a device that does not answer is unknown."""
        if status.health in {Health.FAULT, Health.OFFLINE}:
            self.fail(status.detail)
        elif not status.usable:
            self.unknown(status.detail)

    def take(self, error: HardwareError) -> None:
        self._verdict, self._detail = verdict_of(error), error.detail

    def result(self, outcome: Outcome, detail: Detail) -> None:
        """What a command's outcome means for a test: DONE passes, a device's fault fails, anything else is unknown."""
        if outcome is Outcome.DEVICE_FAULT:
            self.fail(detail)
        elif outcome is not Outcome.DONE:
            self.unknown(detail)


def verdict_of(error: HardwareError) -> Verdict:
    """FAIL where it is known that the device cannot work; UNKNOWN where nothing is known."""
    known = error.health in {Health.FAULT, Health.OFFLINE}
    return Verdict.FAIL if known or error.detail is Detail.DRIVER_ERROR else Verdict.UNKNOWN
