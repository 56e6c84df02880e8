"""Driver of a UPS behind Network UPS Tools (upsd): says when the power fails and comes back."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field

from hardware.addresses import NutAddress, parse_address
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import BadAddress
from hardware.events import OnEvent, PowerChanged
from hardware.finding import probe_by_opening
from hardware.roles import Role
from hardware.self_test import Steps
from hardware.ups.server import UpsServer
from hardware.ups.state import Power, power
from hardware.vocabulary import Detail, DeviceStatus, Health


@dataclass(frozen=True, slots=True)
class UpsCapabilities(Capabilities):
    """Seconds between two looks at the server."""

    poll_s: float


class UpsOptions(Options):
    """How often the server is asked, and how long it may take."""

    poll_s: float = Field(default=1.0, ge=0.05, le=60)
    answer_s: float = Field(default=2.0, ge=0.1, le=10)


class Ups(Device[UpsServer]):
    """A UPS at `nut:<ups>@<host>[:<port>]`, read without an account. Each change of where the power comes from is a
    `PowerChanged`; how the battery is stands in the status. Raises `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.UPS,
        options: UpsOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        where = parse_address(address)
        if not isinstance(where, NutAddress):
            raise BadAddress(f"{address!r}: want nut:<ups>@<host>")
        self._options = options or UpsOptions()
        self._power: Power | None = None
        super().__init__(
            role,
            partial(UpsServer, where, self._options.answer_s),
            capabilities=UpsCapabilities(self._options.poll_s),
            on_event=on_event,
            supervision=supervision,
        )

    @property
    def power(self) -> Power | None:
        """What the UPS said last; None while that is not known."""
        return self._power if self.status.usable else None

    def _probe(self, run: Run[UpsServer]) -> DeviceStatus:
        return self._look(run).status

    def _listen(self, run: Run[UpsServer]) -> None:
        while True:
            run.pause(self._options.poll_s)
            run.report(self._look(run).status)

    def _look(self, run: Run[UpsServer]) -> Power:
        found = power(run.connection.variables(run.check))
        before = None if self._power is None else self._power.on_battery
        self._power = found
        if found.on_battery is not None and found.on_battery is not before:
            self._emit(PowerChanged(self.role, found.on_battery, found.seconds_left))
        return found

    def _self_test(self, run: Run[UpsServer], steps: Steps) -> None:
        with steps.step("status") as step:
            found = self._look(run)
            run.report(found.status)
            step.judge(found.status)
        if steps.failed:
            return
        with steps.step("battery") as step:
            if found.charge_percent is None and found.seconds_left is None:
                step.unknown(Detail.UNKNOWN_ANSWER)
            elif found.status.health is not Health.OK:
                step.fail(found.status.detail)
            charge = "" if found.charge_percent is None else f"{found.charge_percent} % "
            left = "" if found.seconds_left is None else f"{found.seconds_left} s"
            step.measured = (charge + left).strip()


def _open(opening: Opening[UpsOptions]) -> Ups:
    return Ups(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="nut",
    title="UPS (Network UPS Tools)",
    roles=frozenset({Role.UPS}),
    schemes=frozenset({"nut"}),
    open=_open,
    options=UpsOptions,
    probe=partial(probe_by_opening, _open, UpsOptions(), Role.UPS),
)
