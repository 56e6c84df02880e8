"""Turns that come near: booking channels are told once when few people are left ahead of an appointment's ticket."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall.base import Command, Event, Outcome, Why
from queue_server.hall.states import StepState

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store
    from queue_server.hall.visits import Ticket


@dataclass(frozen=True, kw_only=True)
class TellNear(Command):
    """Record every ticket whose turn has come near since this was last asked."""


@dataclass(frozen=True, kw_only=True)
class TurnNear(Event):
    """So many people are ahead of the ticket; recorded once for a ticket."""

    kind: ClassVar[str] = "turn_near"

    ticket: str
    ahead: int


def near_due(hall: "Hall", now: datetime) -> bool:
    """True if there is something for `TellNear`."""
    return hall.configured and next(_near(hall, now), None) is not None


def tell_near(hall: "Hall", command: TellNear, now: datetime) -> Outcome:
    return tuple(
        TurnNear(at=now, by=command.by, why=Why("turn_near", {"ahead": ahead}), ticket=ticket.id, ahead=ahead)
        for ticket, ahead in _near(hall, now)
    )


def _near(hall: "Hall", now: datetime) -> Iterator[tuple["Ticket", int]]:
    for id_ in hall.store.book.tickets():
        ticket = hall.ticket(id_)
        if ticket is None or ticket.state is not StepState.WAITING or id_ in hall.store.told_near:
            continue
        if (ahead := hall.people_ahead(ticket, now)) <= hall.configuration.appointments.tell_ahead:
            yield ticket, ahead


def near(store: "Store", event: TurnNear) -> None:
    store.told_near[event.ticket] = event.ahead


DECIDE = {TellNear: tell_near}
EVOLVE = {TurnNear: near}
