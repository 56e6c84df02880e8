"""What the rest of the server reads of a hall: immutable values, built at most four times a second.

All instants are UTC. Texts by language are dictionaries with the keys `zh` and `en`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from queue_server.hall.forecast import WaitRange

Text = Mapping[str, str]
StepState = Literal["waiting", "called", "serving", "held", "completed", "no_show", "cancelled", "expired"]

PASSED_SHOWN = 50
"""How many no-shows a projection holds."""
WAITING_SHOWN = 100
"""How many waiting tickets of a queue a projection holds; the count is always complete."""


@dataclass(frozen=True, slots=True)
class TicketAtCounter:
    """The ticket that a counter has called or serves."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    state: StepState
    since: datetime
    """When it came into this state."""
    waiting_since: datetime
    recalls: int
    version: int = 0
    companions: int = 0
    appointment: bool = False
    evidence: str | None = None
    planned: tuple[Text, ...] = ()
    """Services of the same visit that follow."""


@dataclass(frozen=True, slots=True)
class NextTicket:
    """What Next would call now, and why, in a sentence."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    waiting_since: datetime
    why: Text


@dataclass(frozen=True, slots=True)
class UndoNow:
    """The last act of a counter, which can be undone until `until`."""

    what: Literal["call", "completion", "no_show"]
    number: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """Something that is chosen from a list: its id and its name."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class ClassNow:
    """A priority class and the kinds of evidence of which one must be shown for it; none: nothing is asked."""

    id: str
    name: Text
    evidence: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class CounterNow:
    """A counter; `session` is None while nobody holds it. `version` is what commands name as `seen`.

    `queues`: from which it calls, by its work profile; `able`: all that its class is able to serve.
    """

    counter: str
    number: str
    name: Text
    zone: str
    queues: tuple[str, ...]
    session: str | None = None
    clerk: str | None = None
    opened_at: datetime | None = None
    version: int = 0
    counter_class: str = ""
    able: tuple[str, ...] = ()
    profile: str = ""
    profiles: tuple[Named, ...] = ()
    """The work profiles that it can choose."""
    paused_since: datetime | None = None
    pause_reason: Text | None = None
    undo: UndoNow | None = None
    current: TicketAtCounter | None = None
    next: NextTicket | None = None


@dataclass(frozen=True, slots=True)
class WaitingTicket:
    """A waiting ticket; `version` is what commands on the ticket name as `seen`."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    waiting_since: datetime
    version: int
    companions: int = 0
    appointment: bool = False
    called_from: datetime | None = None
    """Before this it is not called by itself."""
    for_counter: str | None = None
    for_clerk: str | None = None
    """Waits for this counter or clerk alone, by id."""


@dataclass(frozen=True, slots=True)
class AsideTicket:
    """A ticket that is held, or was missed and can be put back. `pool_counter`, `pool_clerk`: where it is parked."""

    ticket: str
    number: str
    service: str
    service_name: Text
    queue: str
    priority_class: str
    state: StepState
    since: datetime
    version: int
    pool_counter: str | None = None
    pool_clerk: str | None = None


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue; `waiting` is in call order, who is not called yet at the end, and holds the first `WAITING_SHOWN`."""

    queue: str
    name: Text
    colour: str | None
    zone: str
    waiting_count: int
    waiting: tuple[WaitingTicket, ...]
    open_counters: tuple[str, ...]
    """Numbers of the counters that call from this queue now."""
    wait: WaitRange | None = None


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A service; `reason` is a refusal code when it is not open."""

    service: str
    name: Text
    group: str
    queue: str
    open: bool
    reason: str | None
    waiting: int
    wait: WaitRange | None = None
    opens_at: datetime | None = None
    """From when numbers are given again, where that is known."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a passed number comes back: by staff, behind so many waiting people; the hall promises it until `until`."""

    until: datetime
    behind: int


@dataclass(frozen=True, slots=True)
class FollowedTicket:
    """A ticket as the person who holds its follow token may see it."""

    number: str
    service: str
    service_name: Text
    queue: str
    state: StepState
    since: datetime
    issued_at: datetime
    people_ahead: int | None
    """None unless the ticket waits."""
    wait: WaitRange | None
    counter: str | None
    """Number of the counter that called or serves it."""
    zone: str | None
    business_date: date
    made_at: datetime
    ticket: str
    """Its id and that of its visit: to act on it, never shown."""
    visit: str
    may_rate: bool
    """The visit is over, and a service of it was done."""
    rating: int | None
    """The level that counts, 1 to 5, once the visit is rated."""
    way_back: WayBack | None = None
    """Of a number that was passed on this business day."""


@dataclass(frozen=True, slots=True)
class HelpNow:
    """A request for help that is still open; `acknowledged_by` is the clerk who goes."""

    help: str
    device: str
    device_name: str
    screen: str
    at: datetime
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class AlertNow:
    """An open alert: `code` is a named condition, `subject` what it is about (a device, a hall)."""

    code: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    raised_at: datetime
    last_at: datetime
    count: int
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeripheralNow:
    role: str
    driver: str
    health: str
    detail: str | None
    supplies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeviceNow:
    """A device of the registry with what it last said of itself."""

    device: str
    name: str
    registered: Literal["accepted", "pending", "refused", "cloned"]
    presence: Literal["init", "ready", "degraded", "offline", "unknown"]
    presence_since: datetime | None
    last_hello: datetime | None
    last_ticket_at: datetime | None
    configuration_revision: int | None
    backlog: int
    versions: Mapping[str, str]
    peripherals: tuple[PeripheralNow, ...]


@dataclass(frozen=True, slots=True)
class HallProjection:
    """The whole hall at one moment; `(epoch, rev)` grows with every projection."""

    hall: str
    epoch: int
    rev: int
    made_at: datetime
    business_date: date | None
    """None until the hall is configured."""
    configuration_revision: int
    name: Text
    notice: Text
    counters: tuple[CounterNow, ...] = ()
    queues: tuple[QueueNow, ...] = ()
    services: tuple[ServiceNow, ...] = ()
    aside: tuple[AsideTicket, ...] = ()
    classes: tuple[ClassNow, ...] = ()
    pause_reasons: tuple[Named, ...] = ()
    helps: tuple[HelpNow, ...] = ()
    alerts: tuple[AlertNow, ...] = ()
    devices: tuple[DeviceNow, ...] = ()
    leading: bool = True
    """False while this server does not lead the hall: the picture may be old."""

    def counter(self, counter: str) -> CounterNow | None:
        """The counter with this id."""
        return next((c for c in self.counters if c.counter == counter), None)

    def counter_of_session(self, session: str) -> CounterNow | None:
        """The counter that this session holds."""
        return next((c for c in self.counters if c.session == session), None)

    def queue(self, queue: str) -> QueueNow | None:
        """The queue with this id."""
        return next((q for q in self.queues if q.queue == queue), None)
