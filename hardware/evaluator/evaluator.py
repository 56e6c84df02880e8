"""Driver of an evaluator (RS-485) by a sample or by tables of the profile: asks for one evaluation and waits for it."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field, field_validator

from hardware.addresses import parse_line_address
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import DeadlinePassed, HardwareError, NoAnswer
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, serial_ports
from hardware.frame_table import FrameTable
from hardware.roles import Role
from hardware.sample_packet import LIGHT_UP, NOTHING, PACKET, TAKEN
from hardware.self_test import Request, Steps
from hardware.session import DeviceSession
from hardware.shared_line import SharedLine
from hardware.table_exchange import ask
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs

_TRIES: Final = 3


class Grade(StrEnum):
    """The five grades of 政务服务好差评 (非常满意 … 非常不满意)."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    FAIRLY_SATISFIED = "fairly_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


_KEYS: Final = MappingProxyType(dict(enumerate(Grade, start=1)))


@dataclass(frozen=True, slots=True)
class EvaluatorCapabilities(Capabilities):
    """Grades that it has keys for."""

    grades: frozenset[Grade]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How waiting for an evaluation ended; `grade` is there exactly when the outcome is DONE."""

    outcome: Outcome
    detail: Detail = Detail.NONE
    grade: Grade | None = field(default=None, repr=False)

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class EvaluatorOptions(Options):
    """Its address, and what the numbers of its keys mean."""

    address: int = Field(default=1, ge=0, le=255)
    keys: dict[Annotated[int, Field(ge=1, lt=TAKEN)], Grade] = Field(default=dict(_KEYS), min_length=1, max_length=64)
    frame: tuple[str, ...] = PACKET
    """With the values `address` and `number`; questions and answers look alike."""
    light_up: int = Field(default=LIGHT_UP, ge=0, le=0xFF)
    poll_s: float = Field(default=0.1, ge=0.02, le=5)
    answer_s: float = Field(default=0.15, ge=0.02, le=5)

    @field_validator("frame")
    @classmethod
    def _is_a_table(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if FrameTable(words).names != {"address", "number"} or not any(word.startswith("number:") for word in words):
            raise ValueError("want a table with address and a number of two bytes")
        return words


class Evaluator(Device[SharedLine]):
    """An evaluator on a line such as `serial:/dev/serial/by-id/…?baud=9600`. What is pressed while nobody is asked
    counts for nothing. Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.EVALUATOR,
        options: EvaluatorOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or EvaluatorOptions()
        self._table = FrameTable(self._options.frame)
        super().__init__(
            role,
            partial(SharedLine, parse_line_address(address)),
            capabilities=EvaluatorCapabilities(frozenset(self._options.keys.values())),
            on_event=on_event,
            supervision=supervision,
        )

    def evaluate(
        self, deadline: float, *, session: DeviceSession | None = None, cancel: CancelToken | None = None
    ) -> "Future[Evaluation]":
        """Light up and wait for one grade, until the deadline or a cancel."""

        def wait(run: Run[SharedLine]) -> Evaluation:
            return Evaluation(Outcome.DONE, grade=self._wait(run))

        return self._submit(wait, failed=_failed, deadline=deadline, cancel=cancel, session=session)

    def _wait(self, run: Run[SharedLine]) -> Grade:
        """What was pressed before it was lit is thrown away."""
        before = self._say(run, self._options.light_up)
        if before != NOTHING:
            self._say(run, TAKEN + before)
        while True:
            number = self._say(run, NOTHING)
            if number in self._options.keys:
                with suppress(NoAnswer):  # then it is thrown away with the next evaluation
                    self._say(run, TAKEN + number)
                return self._options.keys[number]
            run.pause(self._options.poll_s)

    def _say(self, run: Run[SharedLine], number: int) -> int:
        """The number that it answers with. Raises `NoAnswer`."""
        answer = ask(
            run,
            self._table.frame({"address": self._options.address, "number": number}),
            (self._table,),
            answer_s=self._options.answer_s,
            tries=_TRIES,
            fits=lambda values: values["address"] == self._options.address,
        )
        if answer is None:
            raise NoAnswer(f"{self.role}: no answer")
        return int(answer["number"])

    def _probe(self, run: Run[SharedLine]) -> DeviceStatus:
        self._say(run, NOTHING)
        return DeviceStatus(Health.OK)

    def _self_test(self, run: Run[SharedLine], steps: Steps) -> None:
        with steps.step("status"):
            self._say(run, NOTHING)
            run.report(DeviceStatus(Health.OK))
        if steps.failed:
            return
        with steps.step("evaluated", Request.EVALUATE) as step:
            try:
                self._wait(run)
            except DeadlinePassed:
                step.unknown(Detail.NO_KEY)


def _failed(error: HardwareError) -> Evaluation:
    return Evaluation(error.outcome, Detail.NO_KEY if isinstance(error, DeadlinePassed) else error.detail)


def _open(opening: Opening[EvaluatorOptions]) -> Evaluator:
    return Evaluator(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="sample-evaluator",
    title="Evaluator (RS-485), by a sample or by tables of the profile",
    roles=frozenset({Role.EVALUATOR}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=EvaluatorOptions,
    bauds=(9600,),
    find=serial_ports,
)
