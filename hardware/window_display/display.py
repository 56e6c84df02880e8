"""Driver of a window LED display (RS-485) by a sample or by tables of the profile."""

import re
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field, field_validator

from hardware.addresses import parse_line_address
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import HardwareError
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, serial_ports
from hardware.frame_table import BadValue, FrameTable
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.shared_line import SharedLine
from hardware.table_exchange import ask
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs
from hardware.window_display.sample_codec import ANSWERS, WRITE, Sample

_TRIES: Final = 3
_TEST_TEXT: Final = "888"
_TEST_S: Final = 1.0
_MOST_DIGITS: Final = 10
_DIGITS: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class WindowDisplayCapabilities(Capabilities):
    """What the display can do."""

    shows_text: bool
    """Else numbers alone: the last digits of a ticket's number."""
    answers: bool
    """Whether it says that it has understood; what is shown is not known else."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How it ended. DONE: the display has confirmed. UNKNOWN: sent to a display that never answers. NOT_SUPPORTED: it
    cannot show this."""

    outcome: Outcome
    detail: Detail = Detail.NONE

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class WindowDisplayOptions(Options):
    """A published sample, or tables of one's own (`hardware.frame_table`) for a display of another make."""

    sample: Sample = Sample.XUNPENG
    frame: tuple[str, ...] | None = None
    answer: tuple[str, ...] | None = None
    address: int = Field(default=1, ge=0, le=255)
    colour: int = Field(default=2, ge=0, le=255)
    info: int = Field(default=1, ge=0, le=255)
    idle: str = Field(default="0", max_length=40)
    """What it shows until it is told something."""
    answer_s: float = Field(default=0.3, ge=0.02, le=5)

    @field_validator("frame", "answer")
    @classmethod
    def _is_a_table(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if words:
            FrameTable(words)
        return words

    @property
    def writing(self) -> FrameTable:
        return WRITE[self.sample] if self.frame is None else FrameTable(self.frame)

    @property
    def answers(self) -> tuple[FrameTable, ...]:
        if self.frame is None:
            return ANSWERS[self.sample]
        return (FrameTable(self.answer),) if self.answer else ()


class WindowDisplay(Device[SharedLine]):
    """A display on a line such as `serial:/dev/serial/by-id/…?baud=9600`. What it shows is sent again at each probe,
    so that a display that was switched off shows it when it is back. Raises `BadAddress`."""

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.WINDOW_DISPLAY,
        options: WindowDisplayOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or WindowDisplayOptions()
        self._table, self._answers = self._options.writing, self._options.answers
        self._shows = self._options.idle
        super().__init__(
            role,
            partial(SharedLine, parse_line_address(address)),
            capabilities=WindowDisplayCapabilities("text" in self._table.names, bool(self._answers)),
            on_event=on_event,
            supervision=supervision,
        )

    def show(self, text: str, deadline: float, *, cancel: CancelToken | None = None) -> "Future[Shown]":
        """Show a text, or the number at its end where the display knows numbers only (`A012`: 12)."""

        def show(run: Run[SharedLine]) -> Shown:
            try:
                self._frame(text)
            except BadValue:
                return Shown(Outcome.NOT_SUPPORTED, Detail.BAD_TEXT)
            self._shows = text
            return self._send(run, text)

        return self._submit(show, failed=_failed, deadline=deadline, cancel=cancel)

    def _frame(self, text: str) -> bytes:
        options = self._options
        values: dict[str, int | str] = {
            "text": text,
            "address": options.address,
            "colour": options.colour,
            "info": options.info,
        }
        digits = _DIGITS.findall(text)
        if digits and len(digits[-1]) < _MOST_DIGITS:
            values["number"] = int(digits[-1])
        return self._table.frame(values)

    def _send(self, run: Run[SharedLine], text: str) -> Shown:
        answer = ask(
            run,
            self._frame(text),
            self._answers,
            answer_s=self._options.answer_s if self._answers else 0.0,
            tries=_TRIES if self._answers else 1,
            fits=self._is_its,
        )
        if not self._answers:
            return Shown(Outcome.UNKNOWN, Detail.CANNOT_BE_ASKED)
        return Shown(Outcome.DONE) if answer is not None else Shown(Outcome.UNKNOWN, Detail.NO_ANSWER)

    def _is_its(self, answer: dict[str, int | str]) -> bool:
        return answer.get("address", self._options.address) == self._options.address

    def _probe(self, run: Run[SharedLine]) -> DeviceStatus:
        shown = self._send(run, self._shows)
        if shown.outcome is Outcome.DONE:
            return DeviceStatus(Health.OK)
        return DeviceStatus(Health.UNKNOWN, shown.detail)

    def _self_test(self, run: Run[SharedLine], steps: Steps) -> None:
        with steps.step("display", Request.LOOK_AT_DISPLAY) as step:
            shown = self._send(run, _TEST_TEXT)
            step.result(shown.outcome, shown.detail)
            run.pause(_TEST_S)
            run.report(self._probe(run))


def _failed(error: HardwareError) -> Shown:
    return Shown(error.outcome, error.detail)


def _open(opening: Opening[WindowDisplayOptions]) -> WindowDisplay:
    try:
        opening.options.writing.frame({"text": "", "number": 0, "address": 0, "colour": 0, "info": 0})
    except BadValue as error:
        raise ValueError(f"frame: {error}") from None
    return WindowDisplay(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="sample-display",
    title="Window LED display (RS-485), by a sample or by tables of the profile",
    roles=frozenset({Role.WINDOW_DISPLAY}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=WindowDisplayOptions,
    bauds=(9600,),
    find=serial_ports,
)
