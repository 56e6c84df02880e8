"""Ratings (好差评): a visit is rated once however many services it had, a self-service item once each.

The first rating counts; a later one of the same visit or item, by whatever way it comes, is an addendum.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from queue_server.hall import refusals
from queue_server.hall.base import Command, Event, Outcome, Why
from queue_server.hall.states import StepState
from queue_server.hall.visits import Ticket

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

WORST, BEST = 1, 5
Way = Literal["on_site", "online", "scan", "sms"]
"""现场评 在线评 扫码评 短信评."""


@dataclass(frozen=True, kw_only=True)
class Rating:
    """The rating that counts; `level` from 1 (very dissatisfied) to 5 (very satisfied)."""

    level: int
    way: Way
    at: datetime
    addenda: int = 0


@dataclass(frozen=True, kw_only=True)
class RateVisit(Command):
    """Rate a whole visit, after a service of it was done."""

    rating: str
    ticket: str
    level: int
    way: Way


@dataclass(frozen=True, kw_only=True)
class RateItem(Command):
    """Rate one item done by self-service; `item` names its order at the terminal."""

    rating: str
    item: str
    level: int
    way: Way


@dataclass(frozen=True, kw_only=True)
class Rated(Event):
    """`subject`: `visit:<id>` or `item:<id>`. `counters`: where the visit was served, in order."""

    kind: ClassVar[str] = "rated"

    rating: str
    subject: str
    ticket: str | None
    counters: tuple[str, ...]
    level: int
    way: Way
    addendum: bool


def rate_visit(hall: "Hall", command: RateVisit, now: datetime) -> Outcome:
    ticket = hall.ticket(command.ticket)
    if ticket is None:
        return refusals.TicketUnknown(ticket=command.ticket)
    if not _served_at(ticket):
        return refusals.VisitNotServed(number=ticket.number)
    return _rated(hall, command, now, ticket)


def rate_item(hall: "Hall", command: RateItem, now: datetime) -> Outcome:
    return _rated(hall, command, now, None)


def may_rate(ticket: Ticket) -> bool:
    """Whether the visit is over, and a service of it was done."""
    return ticket.finished and bool(_served_at(ticket))


def rating_of(hall: "Hall", ticket: Ticket) -> Rating | None:
    """The rating of the ticket's visit that counts."""
    return hall.store.ratings.get(f"visit:{ticket.visit}")


def _served_at(ticket: Ticket) -> tuple[str, ...]:
    found = (step.counter for step in ticket.steps if step.state is StepState.COMPLETED)
    return tuple(dict.fromkeys(counter for counter in found if counter is not None))


def _rated(hall: "Hall", command: RateVisit | RateItem, now: datetime, ticket: Ticket | None) -> Outcome:
    if not WORST <= command.level <= BEST:
        return refusals.RatingOutOfRange(level=command.level)
    subject = f"item:{command.item}" if isinstance(command, RateItem) else f"visit:{ticket.visit if ticket else ''}"
    return (
        Rated(
            at=now,
            by=command.by,
            why=Why("rated"),
            rating=command.rating,
            subject=subject,
            ticket=ticket.id if ticket else None,
            counters=_served_at(ticket) if ticket else (),
            level=command.level,
            way=command.way,
            addendum=subject in hall.store.ratings,
        ),
    )


def rated(store: "Store", event: Rated) -> None:
    first = store.ratings.get(event.subject)
    if first is None:
        store.ratings[event.subject] = Rating(level=event.level, way=event.way, at=event.at)
    else:
        store.ratings[event.subject] = replace(first, addenda=first.addenda + 1)


DECIDE: dict[type[Any], Callable[..., Outcome]] = {RateVisit: rate_visit, RateItem: rate_item}
EVOLVE = {Rated: rated}
