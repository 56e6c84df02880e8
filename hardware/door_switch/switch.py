"""Driver of a door or tamper switch on an input of a Modbus module: says when the cabinet is opened and closed."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field

from hardware.addresses import parse_line_address
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import DeadlinePassed
from hardware.events import OnEvent, SwitchChanged
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.modbus.codec import read_inputs
from hardware.modbus.exchange import ModbusOptions, ask
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.shared_line import SharedLine
from hardware.vocabulary import Detail, DeviceStatus, Health


@dataclass(frozen=True, slots=True)
class SwitchCapabilities(Capabilities):
    """Longest time in seconds in which an opening may go unnoticed while the line is free."""

    notices_within_s: float


class SwitchOptions(ModbusOptions):
    """Which input it is on. A switch that is closed with its door (`open_when_off`) tells a cut wire as open."""

    input: int = Field(default=0, ge=0, le=65535)
    open_when_off: bool = True
    poll_s: float = Field(default=0.1, ge=0.02, le=5)


class DoorSwitch(Device[SharedLine]):
    """A switch on a line such as `serial:/dev/serial/by-id/…?baud=9600`, which other Modbus devices may share. Each
    change is a `SwitchChanged`, after two equal readings (contacts bounce). Raises `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.DOOR_SWITCH,
        options: SwitchOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or SwitchOptions()
        self._question = read_inputs(self._options.station, self._options.input, 1)
        self._open: bool | None = None
        self._last: bool | None = None
        super().__init__(
            role,
            partial(SharedLine, parse_line_address(address)),
            capabilities=SwitchCapabilities(2 * self._options.poll_s),
            on_event=on_event,
            supervision=supervision,
        )

    @property
    def open(self) -> bool | None:
        """Whether the door is open; None while that is not known."""
        return self._open if self.status.usable else None

    def _probe(self, run: Run[SharedLine]) -> DeviceStatus:
        self._look(run)
        return DeviceStatus(Health.OK)

    def _listen(self, run: Run[SharedLine]) -> None:
        while True:
            self._look(run)
            run.pause(self._options.poll_s)

    def _look(self, run: Run[SharedLine]) -> bool:
        (on,) = ask(run, self._question, self._options.answer_s)
        now_open = on is not self._options.open_when_off
        if now_open is self._last and now_open is not self._open:
            self._open = now_open
            self._emit(SwitchChanged(self.role, now_open))
        self._last = now_open
        return now_open

    def _self_test(self, run: Run[SharedLine], steps: Steps) -> None:
        with steps.step("status") as step:
            is_open = self._look(run)
            run.report(DeviceStatus(Health.OK))
            step.measured = "open" if is_open else "closed"
        if steps.failed:
            return
        with steps.step("door_moved", Request.OPEN_DOOR) as step:
            began = time.monotonic()
            try:
                for wanted in (True, False):
                    while self._look(run) is not wanted:
                        run.pause(self._options.poll_s)
            except DeadlinePassed:
                step.unknown(Detail.DOOR_NOT_MOVED)
                return
            step.measured = f"{time.monotonic() - began:.1f} s"


def _open(opening: Opening[SwitchOptions]) -> DoorSwitch:
    return DoorSwitch(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="modbus-switch",
    title="Door or tamper switch (Modbus RTU input)",
    roles=frozenset({Role.DOOR_SWITCH, Role.TAMPER_SWITCH}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=SwitchOptions,
    bauds=(9600, 19200),
    find=serial_ports,
    probe=partial(probe_by_opening, _open, SwitchOptions(), Role.DOOR_SWITCH),
)
