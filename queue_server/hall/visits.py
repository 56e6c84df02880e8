"""What a visit is made of: one ticket (the number) and its steps, and for whom a step waits."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from queue_server.hall.base import CorruptHistory, quick
from queue_server.hall.states import AT_COUNTER, FINISHED, INITIAL, Act, StepState, after

if TYPE_CHECKING:
    from queue_server.hall.store import Store


Origin = Literal["arrived", "transferred", "next_service", "came_back", "reinstated"]
"""How a step began: number taken; sent on; a further service; put back by the no-show rule; put back by hand."""


@dataclass(frozen=True)
class Addressee:
    """A counter or a clerk, by id, for whom alone a ticket waits or is held; None in its place means the hall."""

    kind: Literal["counter", "clerk"]
    id: str


@quick
class Step:
    """One service within a visit. `order_key` is the instant (µs since 1970) from which it accrues, made unique."""

    id: str
    service: str
    queue: str
    order_key: int
    opened_at: datetime
    origin: Origin = "arrived"
    addressee: Addressee | None = None
    deferred: bool = False
    """Not called before the instant of its order key: an appointment that came early, a no-show that backs off."""
    state: StepState = INITIAL
    session: str | None = None
    counter: str | None = None
    calls: int = 0
    """How often it was called, recalls included."""
    called_at: datetime | None = None
    last_call_at: datetime | None = None
    turn: tuple[str, ...] = ()
    """Classes that took part in the ratio's turn which called it."""
    started_at: datetime | None = None
    held_at: datetime | None = None
    pool: Addressee | None = None
    """Where it is held: by the hall (None), by a counter or by a clerk."""
    ended_at: datetime | None = None


@quick
class Ticket:
    """A number and the steps that it stands for; its state is its current (last) step's."""

    id: str
    visit: str
    number: str
    prefix: str
    serial: int
    business_date: date
    priority_class: str
    evidence: str | None
    """Kind of evidence by which the class was granted."""
    arrived_at: datetime
    follow_token: str
    device: str | None
    person: str | None
    """HMAC-SHA256 of the person, made in the terminal; never an ID number."""
    steps: tuple[Step, ...]
    planned: tuple[str, ...] = ()
    """Services of this visit that follow the current one, in order."""
    companions: int = 0
    appointment: str | None = None
    client: str | None = None
    """Who booked, as the booking channel calls them: an opaque id, never personal data."""
    booked_for: datetime | None = None
    """When the appointment's slot begins."""
    uncertain_s: int = 0
    """By how much `arrived_at` may be wrong, where a terminal's clock said it."""
    printed: str | None = None
    """The number on the slip, where the terminal gave it offline."""
    version: int = 1

    @property
    def step(self) -> Step:
        return self.steps[-1]

    @property
    def state(self) -> StepState:
        return self.steps[-1].state

    @property
    def service(self) -> str:
        return self.steps[-1].service

    @property
    def queue(self) -> str:
        return self.steps[-1].queue

    @property
    def waits_from(self) -> datetime:
        """From when on its wait counts: the arrival, but with an appointment not before the booked time."""
        return self.arrived_at if self.booked_for is None else max(self.arrived_at, self.booked_for)

    @property
    def at_session(self) -> str | None:
        """The counter session that calls or serves it now."""
        step = self.steps[-1]
        return step.session if step.state in AT_COUNTER else None

    @property
    def since(self) -> datetime:
        """When it came into its state."""
        step = self.steps[-1]
        if step.state is StepState.HELD and step.held_at is not None:
            return step.held_at
        return step.ended_at or step.started_at or step.called_at or step.opened_at

    @property
    def finished(self) -> bool:
        return self.steps[-1].state in FINISHED


@dataclass(frozen=True, kw_only=True)
class Visit:
    """The whole stay of one person: one ticket."""

    id: str
    ticket: str
    began_at: datetime


def act(store: "Store", ticket_id: str, what: Act, **changes: object) -> Ticket:
    """Moves the ticket's current step by the transition table, with `changes` to the step; the ticket as it is now."""
    ticket = store.tickets.get(ticket_id)
    state = after(ticket.state, what) if ticket else None
    if ticket is None or state is None:
        raise CorruptHistory(f"{what.value} of ticket {ticket_id} in state {ticket.state if ticket else None}")
    step = replace(ticket.step, state=state, **changes)  # type: ignore[arg-type]  # field names checked by replace
    moved = replace(ticket, steps=(*ticket.steps[:-1], step), version=ticket.version + 1)
    store.put_ticket(moved)
    return moved
