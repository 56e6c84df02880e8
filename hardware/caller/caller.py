"""Driver of callers (RS-485) by a sample or by tables of the profile: says which key was pressed at which counter."""

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field, field_validator

from hardware.addresses import parse_line_address
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import DeadlinePassed, NoAnswer
from hardware.events import CallerPressed, OnEvent
from hardware.finding import LINE_SCHEMES, serial_ports
from hardware.frame_table import FrameTable
from hardware.roles import Role
from hardware.sample_packet import NOTHING, PACKET, TAKEN
from hardware.self_test import Request, Steps
from hardware.shared_line import SharedLine
from hardware.table_exchange import ask
from hardware.vocabulary import Detail, DeviceStatus, Health

_KEYS: Final = MappingProxyType({1: "next", 2: "recall", 3: "no_show", 4: "pause"})


@dataclass(frozen=True, slots=True)
class CallerCapabilities(Capabilities):
    """Counters that are on the line, and the keys that each has."""

    counters: tuple[int, ...]
    keys: frozenset[str]


class CallerOptions(Options):
    """The counters' addresses, and what the numbers of the keys mean."""

    counters: tuple[Annotated[int, Field(ge=0, le=255)], ...] = Field(default=(1,), min_length=1, max_length=64)
    keys: dict[Annotated[int, Field(ge=1, lt=TAKEN)], str] = Field(default=dict(_KEYS), min_length=1, max_length=64)
    frame: tuple[str, ...] = PACKET
    """With the values `address` and `number`; questions and answers look alike."""
    poll_s: float = Field(default=0.1, ge=0.02, le=5)
    answer_s: float = Field(default=0.15, ge=0.02, le=5)

    @field_validator("frame")
    @classmethod
    def _is_a_table(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if FrameTable(words).names != {"address", "number"} or not any(word.startswith("number:") for word in words):
            raise ValueError("want a table with address and a number of two bytes")
        return words


class Caller(Device[SharedLine]):
    """The callers of one line. OK when all counters answer, DEGRADED when some do, UNKNOWN when none does. Raises
    `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.CALLER,
        options: CallerOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or CallerOptions()
        self._table = FrameTable(self._options.frame)
        self._told: dict[int, int] = {}
        """Keys that were told, and whose counter does not know yet that they were taken."""
        super().__init__(
            role,
            partial(SharedLine, parse_line_address(address)),
            capabilities=CallerCapabilities(self._options.counters, frozenset(self._options.keys.values())),
            on_event=on_event,
            supervision=supervision,
        )

    def _probe(self, run: Run[SharedLine]) -> DeviceStatus:
        answered = [self._poll(run, counter, tries=2) is not None for counter in self._options.counters]
        if not any(answered):
            raise NoAnswer(f"{self.role}: no counter answers")
        return DeviceStatus(Health.OK) if all(answered) else DeviceStatus(Health.DEGRADED, Detail.COUNTER_SILENT)

    def _listen(self, run: Run[SharedLine]) -> None:
        while True:
            for counter in self._options.counters:
                self._poll(run, counter)
            run.pause(self._options.poll_s)

    def _poll(self, run: Run[SharedLine], counter: int, *, tries: int = 1) -> int | None:
        """What a counter says, told if it is a key; None when it does not answer."""
        number = self._ask(run, counter, NOTHING, tries)
        if number in self._options.keys:
            if self._told.get(counter) != number:
                self._told[counter] = number
                self._emit(CallerPressed(self.role, counter, self._options.keys[number]))
            if self._ask(run, counter, TAKEN + number, tries=2) is not None:
                del self._told[counter]
        elif number == NOTHING:
            self._told.pop(counter, None)
        return number

    def _ask(self, run: Run[SharedLine], counter: int, number: int, tries: int) -> int | None:
        answer = ask(
            run,
            self._table.frame({"address": counter, "number": number}),
            (self._table,),
            answer_s=self._options.answer_s,
            tries=tries,
            fits=lambda values: values["address"] == counter,
        )
        return None if answer is None else int(answer["number"])

    def _self_test(self, run: Run[SharedLine], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            if status.health is not Health.OK:
                step.fail(status.detail)
        if steps.failed:
            return
        with steps.step("key_pressed", Request.PRESS_KEY) as step:
            try:
                while not any(self._poll(run, counter) in self._options.keys for counter in self._options.counters):
                    run.pause(self._options.poll_s)
            except DeadlinePassed:
                step.unknown(Detail.NO_KEY)


def _open(opening: Opening[CallerOptions]) -> Caller:
    return Caller(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="sample-caller",
    title="Callers at counters (RS-485), by a sample or by tables of the profile",
    roles=frozenset({Role.CALLER}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=CallerOptions,
    bauds=(9600,),
    find=serial_ports,
)
