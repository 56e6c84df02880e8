"""What the terminal reports of itself: to the hall, and on the technician's screen. Nothing about persons."""

from datetime import datetime

from hardware.vocabulary import Detail, Health
from kiosk.hall_side import PresenceState
from kiosk.journeys.out_of_service import cause
from kiosk.journeys.state import State
from kiosk.journeys.views import Fact
from kiosk.profile import Profile
from kiosk.translate import peripheral_report
from wire.link import Link
from wire.messages import Reported

_WORKS = {Health.OK.value, Health.DEGRADED.value, Health.NOT_SUPPORTED.value}
_UNASKED = {Detail.CANNOT_BE_ASKED.value}
"""Of a device that answers no question: it is unknown until it is used for the first time, and nobody need look."""


def reported(
    state: State, versions: dict[str, str], last_ticket_at: datetime | None, *, backlog: int, set_aside: int
) -> Reported:
    catalogue = state.hall.catalogue
    return Reported(
        peripherals=tuple(peripheral_report(line) for line in state.equipment.peripherals),
        versions=versions,
        configuration_revision=catalogue.revision if catalogue is not None else None,
        last_ticket_at=last_ticket_at,
        backlog=backlog,
        set_aside=set_aside,
    )


def presence(state: State) -> PresenceState:
    """`degraded`: something that needs a person; it may still give numbers."""
    if state.hall.verdict != "accepted" or not state.condition.started:
        return "init"
    works = all(line.health in _WORKS or line.detail in _UNASKED for line in state.equipment.peripherals)
    return "ready" if works and cause(state) is None else "degraded"


def network(state: State, profile: Profile, link: Link, backlog: int) -> tuple[Fact, ...]:
    """Lines of the technician's screen."""
    return (
        Fact("broker", f"{profile.broker.host}:{profile.broker.port}"),
        Fact("connected", "yes" if link.connected else "no"),
        Fact("connection", str(link.conn_seq)),
        Fact("hall", profile.hall),
        Fact("standing", state.hall.verdict or "unknown"),
        Fact("backlog", str(backlog)),
    )
