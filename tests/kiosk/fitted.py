"""The devices of a terminal that is fitted with some simulators, and what they told its journey."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from hardware.print_jobs import PrintJobStore
from hardware.profile import bind
from hardware.roles import Role
from hardware.simulators.simulator import Simulator
from kiosk.devices import Devices
from kiosk.journeys import events
from kiosk.journeys.views import Peripheral
from tests.kiosk.profiles import HALL_KEY
from tests.kiosk.stand_in import until


class Fitted:
    """Made on the loop of the test."""

    def __init__(self, fittings: Mapping[Role, tuple[str, Simulator]]) -> None:
        self.told: list[events.Event] = []
        self.devices = Devices(
            [
                bind(role, driver, simulator.address, **simulator.options)
                for role, (driver, simulator) in fittings.items()
            ],
            PrintJobStore(None, lambda: datetime.now(UTC)),
            HALL_KEY,
            self.told.append,
        )

    def of(self, kind: type) -> list:
        """What was told so far, of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    def line(self, role: Role) -> Peripheral:
        """How a device is, as technician and hall get it."""
        return next(line for line in self.devices.peripherals if line.role == role)

    def health(self, role: Role) -> str:
        return self.line(role).health


@asynccontextmanager
async def fitted(fittings: Mapping[Role, tuple[str, Simulator]]) -> AsyncIterator[Fitted]:
    """Driver id and simulator by role, the same one for devices that share a line: started, well, closed at the end."""
    simulators = {id(simulator): simulator for _driver, simulator in fittings.values()}.values()
    for simulator in simulators:
        simulator.start()
    terminal = Fitted(fittings)
    try:
        await until(lambda: all(terminal.health(role) == "ok" for role in fittings))
        yield terminal
    finally:
        await terminal.devices.close()
        for simulator in simulators:
            simulator.close()
