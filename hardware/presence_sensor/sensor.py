"""Driver of an ultrasonic presence sensor (MaxSonar): says when somebody comes, and when they have left."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field

from hardware.addresses import parse_line_address
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import DeadlinePassed, NoAnswer
from hardware.events import OnEvent, PresenceChanged
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.lines import Line, open_line
from hardware.presence_sensor.codec import FARTHEST_MM, NEAREST_MM, ReadingDecoder
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.vocabulary import Detail, DeviceStatus, Health

READING_S: Final = 1.0
"""Without a reading for so long the sensor counts as silent; the slowest models speak every 0.2 s."""


@dataclass(frozen=True, slots=True)
class PresenceSensorCapabilities(Capabilities):
    """What the sensor can measure, in millimetres."""

    nearest_mm: int = NEAREST_MM
    farthest_mm: int = FARTHEST_MM


class SensorOptions(Options):
    """Somebody is there from `near_mm` on, and gone when all readings for `hold_s` seconds were beyond `far_mm`."""

    near_mm: int = Field(default=1000, ge=NEAREST_MM, le=FARTHEST_MM - 1)
    far_mm: int = Field(default=1400, ge=NEAREST_MM, le=FARTHEST_MM - 1)
    hold_s: float = Field(default=2.0, ge=0, le=60)


class PresenceSensor(Device[Line]):
    """A sensor on a line such as `serial:/dev/serial/by-id/…?baud=57600`. Raises `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.PRESENCE_SENSOR,
        options: SensorOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        self._options = options or SensorOptions()
        self._decoder = ReadingDecoder()
        self._present: bool | None = None
        self._last_near = 0.0
        super().__init__(
            role,
            partial(open_line, parse_line_address(address)),
            capabilities=PresenceSensorCapabilities(),
            on_event=on_event,
            supervision=supervision,
        )

    @property
    def present(self) -> bool | None:
        """Whether somebody is there; None while that is not known."""
        return self._present if self.status.usable else None

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        self._heed(self._reading(run))
        return DeviceStatus(Health.OK)

    def _listen(self, run: Run[Line]) -> None:
        while True:
            self._heed(self._reading(run))

    def _reading(self, run: Run[Line]) -> int:
        """The newest distance. Raises `NoAnswer` when none comes."""
        until = time.monotonic() + READING_S
        while time.monotonic() < until:
            readings = self._decoder.feed(run.read(until))
            if readings:
                return readings[-1]
        raise NoAnswer(f"{self.role}: no reading")

    def _heed(self, distance_mm: int) -> None:
        now = time.monotonic()
        if distance_mm <= self._options.near_mm or (self._present and distance_mm <= self._options.far_mm):
            self._last_near = now
            self._tell(present=True)
        elif self._present is None or now - self._last_near >= self._options.hold_s:
            self._tell(present=False)

    def _tell(self, *, present: bool) -> None:
        if present is not self._present:
            self._present = present
            self._emit(PresenceChanged(self.role, present))

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("reading") as step:
            distance = self._reading(run)
            run.report(DeviceStatus(Health.OK))
            step.measured = f"{distance} mm"
        if steps.failed:
            return
        with steps.step("somebody_seen", Request.STEP_BEFORE_SENSOR) as step:
            try:
                while (distance := self._reading(run)) > self._options.near_mm:
                    step.measured = f"{distance} mm"
            except DeadlinePassed:
                step.unknown(Detail.NOBODY_SEEN)
                return
            step.measured = f"{distance} mm"


def _open(opening: Opening[SensorOptions]) -> PresenceSensor:
    return PresenceSensor(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="maxsonar",
    title="Presence sensor (MaxSonar, ultrasonic)",
    roles=frozenset({Role.PRESENCE_SENSOR}),
    schemes=LINE_SCHEMES,
    open=_open,
    options=SensorOptions,
    bauds=(57600, 9600),
    speaks_unasked=True,
    find=serial_ports,
    probe=partial(probe_by_opening, _open, SensorOptions(), Role.PRESENCE_SENSOR),
)
