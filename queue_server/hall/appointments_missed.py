"""Missed appointments: recorded when nobody can come any more, and who misses too many books nothing for a while.

Numbers at the hall are never refused for it. A manager may lift a block; the record of the person is then clean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.appointment_book import Appointment, AppointmentState
from queue_server.hall.appointments import CITIZEN_LEFT, AppointmentCancelled, move
from queue_server.hall.base import Command, Event, Outcome, Why

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class RecordMissed(Command):
    """Record every appointment whose time for check-in is over; one whose holder came and left again is cancelled."""


@dataclass(frozen=True, kw_only=True)
class LiftBlock(Command):
    """Let a person book again."""

    person: str


@dataclass(frozen=True, kw_only=True)
class AppointmentMissed(Event):
    """Nobody came. `blocked_until`: with this one the person has missed too many."""

    kind: ClassVar[str] = "appointment_missed"

    appointment: str
    blocked_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class BookingBlockLifted(Event):
    kind: ClassVar[str] = "booking_block_lifted"

    person: str


def missed_at(configuration: "HallConfiguration", appointment: Appointment) -> datetime:
    """From when on nobody can check in any more: the late limit, or the day's end where the late join the walk-ins."""
    if configuration.appointments.late == "refuse":
        return appointment.starts_at + timedelta(minutes=configuration.appointments.late_minutes)
    return configuration.day_ends(configuration.business_date(appointment.starts_at))


def missed_due(hall: "Hall", now: datetime) -> bool:
    """True if there is something for `RecordMissed`."""
    return hall.configured and next(_overdue(hall, now), None) is not None


def record_missed(hall: "Hall", command: RecordMissed, now: datetime) -> Outcome:
    events: list[AppointmentMissed | AppointmentCancelled] = []
    missed: dict[str, list[datetime]] = {}
    for appointment in _overdue(hall, now):
        if appointment.attended:
            events.append(
                AppointmentCancelled(at=now, by=command.by, why=Why(CITIZEN_LEFT), appointment=appointment.id)
            )
            continue
        past = missed.setdefault(appointment.person, list(hall.store.missed.get(appointment.person, ())))
        past.append(appointment.starts_at)
        events.append(
            AppointmentMissed(
                at=now,
                by=command.by,
                why=Why("never_came"),
                appointment=appointment.id,
                blocked_until=_blocked_until(hall.configuration, past, now),
            )
        )
    return tuple(events)


def lift_block(hall: "Hall", command: LiftBlock, now: datetime) -> Outcome:
    if command.person not in hall.store.blocked:
        return refusals.NotBlocked()
    return (BookingBlockLifted(at=now, by=command.by, why=Why("lifted_by_staff"), person=command.person),)


def forget_past(store: "Store", closed: date, now: datetime) -> None:
    """At the close of a day: drops what ended before it, records older than the rules look back, past blocks.

    A day may be closed hours before it ends, and a block outlasts that: only `now` tells what is over.
    """
    configuration = store.configuration
    if configuration is None:
        return
    for appointment in list(store.appointments.values()):
        if not appointment.open and configuration.business_date(appointment.starts_at) < closed:
            store.drop_appointment(appointment)
    seen_from = now - timedelta(days=configuration.appointments.missed_days)
    kept = {person: tuple(at for at in past if at >= seen_from) for person, past in store.missed.items()}
    store.missed = {person: past for person, past in kept.items() if past}
    store.blocked = {person: until for person, until in store.blocked.items() if until > now}


def _overdue(hall: "Hall", now: datetime) -> Iterator[Appointment]:
    for id_ in hall.store.book.open_by_time():
        appointment = hall.store.appointments[id_]
        if missed_at(hall.configuration, appointment) > now:
            return
        yield appointment


def _blocked_until(configuration: "HallConfiguration", past: list[datetime], now: datetime) -> datetime | None:
    rules = configuration.appointments
    seen_from = now - timedelta(days=rules.missed_days)
    if sum(at >= seen_from for at in past) < rules.missed_limit:
        return None
    return now + timedelta(days=rules.block_days)


def missed(store: "Store", event: AppointmentMissed) -> None:
    appointment = move(store, event.appointment, state=AppointmentState.MISSED)
    store.missed[appointment.person] = (*store.missed.get(appointment.person, ()), appointment.starts_at)
    if event.blocked_until is not None:
        store.blocked[appointment.person] = event.blocked_until


def block_lifted(store: "Store", event: BookingBlockLifted) -> None:
    store.blocked.pop(event.person, None)
    store.missed.pop(event.person, None)


DECIDE = {RecordMissed: record_missed, LiftBlock: lift_block}
EVOLVE = {AppointmentMissed: missed, BookingBlockLifted: block_lifted}
