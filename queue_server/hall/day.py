"""The business day: it opens with the first number or counter, and closes by an event, never by implication.

Closing ends what waits: waiting, called and held tickets expire, or are carried over into the next day where the hall
says so; a ticket is carried over its hall's number of days at most. What is carried over, and a ticket in service,
keeps its old date, its number and its place; the number is given to nobody else meanwhile. Where the hall's rule says
so, counters that serve nobody close too.
The closed day's tickets can still be looked up until the next day closes.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.appointments_missed import forget_past
from queue_server.hall.base import Actor, Command, CorruptHistory, Event, Outcome, Why
from queue_server.hall.counters import closing
from queue_server.hall.states import Act, after
from queue_server.hall.visits import act

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

CALENDAR = Actor("system", "calendar")
"""Who closes a day whose end has passed when the next one begins."""


@dataclass(frozen=True, kw_only=True)
class OpenDay(Command):
    """Open a day by hand: after it was closed too early. Its numbers go on where they were."""

    business_date: date


@dataclass(frozen=True, kw_only=True)
class CloseDay(Command):
    business_date: date


@dataclass(frozen=True, kw_only=True)
class DayOpened(Event):
    kind: ClassVar[str] = "day_opened"

    business_date: date


@dataclass(frozen=True, kw_only=True)
class TicketExpired(Event):
    """The day ended before the ticket was served."""

    kind: ClassVar[str] = "ticket_expired"

    ticket: str
    step: str
    session: str | None


@dataclass(frozen=True, kw_only=True)
class DayClosed(Event):
    """`last_serials`: the last serial given that day, by prefix. `carried`: tickets that go on in the next day."""

    kind: ClassVar[str] = "day_closed"

    business_date: date
    last_serials: dict[str, int]
    carried: tuple[str, ...] = ()


def begin_day(hall: "Hall", now: datetime) -> Outcome:
    """What must happen before the first act of a new day; nothing where the right day is open.

    A clock that was set back does not lead back: the open day goes on, and a closed one stays closed.
    """
    store = hall.store
    if store.open_day is not None and now < hall.configuration.day_ends(store.open_day):
        return ()
    today = hall.configuration.business_date(now)
    if store.is_past(today):
        return refusals.DayAlreadyClosed(business_date=str(today))
    ended = CloseDay(by=CALENDAR, business_date=store.open_day) if store.open_day else None
    before = _closing(hall, ended, now, Why("day_ended")) if ended else ()
    return (*before, DayOpened(at=now, by=CALENDAR, why=Why("day_began"), business_date=today))


def open_day(hall: "Hall", command: OpenDay, now: datetime) -> Outcome:
    store = hall.store
    day, today = command.business_date, hall.configuration.business_date(now)
    if store.open_day == day:
        return ()
    if store.open_day is not None:
        return refusals.DayStillOpen(business_date=str(store.open_day))
    if day != today:
        return refusals.NotThisDay(business_date=str(day), today=str(today))
    if store.is_forgotten(day):
        return refusals.DayAlreadyClosed(business_date=str(day))
    return (DayOpened(at=now, by=command.by, why=Why("requested"), business_date=day),)


def close_day(hall: "Hall", command: CloseDay, now: datetime) -> Outcome:
    store, day = hall.store, command.business_date
    if store.open_day == day:
        return _closing(hall, command, now, Why("day_ended" if hall.day_due(now) else "closed_by_staff"))
    if store.is_past(day):
        return refusals.DayAlreadyClosed(business_date=str(day))
    return refusals.DayNotOpen(business_date=str(day))


def _closing(hall: "Hall", command: CloseDay, now: datetime, why: Why) -> tuple[Event, ...]:
    store = hall.store
    live = [ticket for ticket in store.tickets.values() if after(ticket.state, Act.EXPIRE) is not None]
    live.sort(key=lambda ticket: (ticket.step.order_key, ticket.id))
    carried = {
        ticket.id for ticket in live if outlives(hall.configuration, ticket.business_date, command.business_date)
    }
    left = [ticket for ticket in live if ticket.id not in carried]
    expired = [
        TicketExpired(
            at=now,
            by=command.by,
            why=why,
            ticket=ticket.id,
            step=ticket.step.id,
            session=ticket.at_session,
        )
        for ticket in left
    ]
    busy = {ticket.id for ticket in left}
    closed = [
        closing(session, command, now, why)
        for session in hall.sessions()
        if hall.configuration.rules.day_end_closes_counters and (session.ticket is None or session.ticket in busy)
    ]
    serials = dict(store.series.get(command.business_date, {}))
    day = DayClosed(
        at=now,
        by=command.by,
        why=why,
        business_date=command.business_date,
        last_serials=serials,
        carried=tuple(ticket.id for ticket in live if ticket.id in carried),
    )
    return (*expired, *closed, day)


def outlives(configuration: "HallConfiguration", of: date, closed: date) -> bool:
    """Whether a waiting ticket of business date `of` goes on when the day `closed` ends."""
    rules = configuration.rules
    return rules.day_end_tickets == "carry_over" and (closed - of).days < rules.carry_over_days


def day_opened(store: "Store", event: DayOpened) -> None:
    if store.open_day is not None:
        raise CorruptHistory(f"day {event.business_date} opened while {store.open_day} is open")
    store.open_day = event.business_date
    store.series.setdefault(event.business_date, {})
    store.forget_old_series()


def expired(store: "Store", event: TicketExpired) -> None:
    act(store, event.ticket, Act.EXPIRE, ended_at=event.at)
    if event.session is not None:
        store.free_session(event.session, event.at)


def day_closed(store: "Store", event: DayClosed) -> None:
    if store.open_day != event.business_date:
        raise CorruptHistory(f"day {event.business_date} closed while {store.open_day} is open")
    store.open_day = None
    store.begin_afresh(event.business_date)
    forget_past(store, event.business_date, event.at)


DECIDE = {OpenDay: open_day, CloseDay: close_day}
EVOLVE = {DayOpened: day_opened, TicketExpired: expired, DayClosed: day_closed}
