"""Driver of guide lights on outputs of a Modbus module: off, on or blinking, and put right after a power cut."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from hardware.addresses import parse_line_address
from hardware.cancel import CancelToken
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import HardwareError
from hardware.events import OnEvent
from hardware.finding import LINE_SCHEMES, serial_ports
from hardware.modbus.codec import read_coils, write_coil
from hardware.modbus.exchange import ModbusOptions, ask
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.shared_line import SharedLine
from hardware.vocabulary import WHO_ACTS, Detail, DeviceStatus, Health, Outcome, WhoActs

BLINK_S: Final = 0.5
_TEST_S: Final = 0.3
_DEFAULT: Final[Mapping[str, int]] = MappingProxyType({Role.ID_CARD_READER: 0, Role.TICKET_PRINTER: 1})


class Light(StrEnum):
    """What one light does."""

    OFF = "off"
    ON = "on"
    BLINKING = "blinking"


@dataclass(frozen=True, slots=True)
class GuideLightsCapabilities(Capabilities):
    """Names of the lights."""

    lights: frozenset[str]


@dataclass(frozen=True, slots=True)
class LightsShown:
    """How a change ended. NOT_SUPPORTED: a light of that name is not there, and nothing was changed."""

    outcome: Outcome
    detail: Detail = Detail.NONE

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class LightsOptions(ModbusOptions):
    """Which output each light is on, by the name that it is called by: the role beside which it shines."""

    lights: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default=dict(_DEFAULT), min_length=1, max_length=64)


class GuideLights(Device[SharedLine]):
    """Lights on a line such as `serial:/dev/serial/by-id/…?baud=9600`, which other Modbus devices may share. Raises
    `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.GUIDE_LIGHTS,
        options: LightsOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or LightsOptions()
        self._coils = dict(self._options.lights)
        self._wanted = dict.fromkeys(self._coils, Light.OFF)
        self._bright = False
        super().__init__(
            role,
            partial(SharedLine, parse_line_address(address)),
            capabilities=GuideLightsCapabilities(frozenset(self._coils)),
            on_event=on_event,
            supervision=supervision,
        )

    def show(
        self, lights: Mapping[str, Light], deadline: float, *, cancel: CancelToken | None = None
    ) -> "Future[LightsShown]":
        """Show exactly these; the others go out. What is wanted is kept, and shown again after a loss of the line or a
        power cut of the module."""
        wanted = dict(lights)

        def change(run: Run[SharedLine]) -> LightsShown:
            if not set(wanted) <= set(self._coils):
                return LightsShown(Outcome.NOT_SUPPORTED)
            self._wanted = dict.fromkeys(self._coils, Light.OFF) | wanted
            self._bright = True
            self._put_right(run)
            return LightsShown(Outcome.DONE)

        return self._submit(change, failed=_failed, deadline=deadline, cancel=cancel)

    def _probe(self, run: Run[SharedLine]) -> DeviceStatus:
        self._put_right(run)
        return DeviceStatus(Health.OK)

    def _listen(self, run: Run[SharedLine]) -> None:
        """Blink."""
        while Light.BLINKING in self._wanted.values():
            self._bright = not self._bright
            self._put_right(run)
            run.pause(BLINK_S)
        run.pause(max(0.0, run.deadline - time.monotonic()))

    def _put_right(self, run: Run[SharedLine]) -> None:
        """Switch what is not as it should be."""
        lit = self._read(run)
        for name, light in self._wanted.items():
            on = light is Light.ON or (light is Light.BLINKING and self._bright)
            if lit[name] is not on:
                self._switch(run, name, on=on)

    def _read(self, run: Run[SharedLine]) -> dict[str, bool]:
        first, last = min(self._coils.values()), max(self._coils.values())
        question = read_coils(self._options.station, first, last - first + 1)
        bits = ask(run, question, self._options.answer_s)
        return {name: bits[coil - first] for name, coil in self._coils.items()}

    def _switch(self, run: Run[SharedLine], name: str, *, on: bool) -> None:
        ask(run, write_coil(self._options.station, self._coils[name], on=on), self._options.answer_s)

    def _self_test(self, run: Run[SharedLine], steps: Steps) -> None:
        with steps.step("status"):
            self._put_right(run)
            run.report(DeviceStatus(Health.OK))
        if steps.failed:
            return
        with steps.step("lights", Request.LOOK_AT_LIGHTS) as step:
            for name in self._coils:
                self._switch(run, name, on=True)
                run.pause(_TEST_S)
                if not self._read(run)[name]:
                    step.fail(Detail.OUTPUT_STUCK)
                self._switch(run, name, on=False)
            step.measured = f"{len(self._coils)} lights"
            self._put_right(run)


def _failed(error: HardwareError) -> LightsShown:
    return LightsShown(error.outcome, error.detail)


def _open(opening: Opening[LightsOptions]) -> GuideLights:
    return GuideLights(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="modbus-lights",
    title="Guide lights (Modbus RTU outputs)",
    roles=frozenset({Role.GUIDE_LIGHTS}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=LightsOptions,
    bauds=(9600, 19200),
    find=serial_ports,
)
