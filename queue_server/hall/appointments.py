"""Appointments: booking a place in a slot, moving it to another slot, giving it up.

Quotas are part of the decision itself: of two who ask for the last place, one books and the other is refused, and
nothing is left behind of the second.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from queue_server.hall import refusals
from queue_server.hall.admission import is_person
from queue_server.hall.appointment_book import Appointment, AppointmentState
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.slots import Slot, slot_at, slots_on

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


CITIZEN_LEFT = "citizen_left"


@dataclass(frozen=True, kw_only=True)
class Book(Command):
    """Book a place in the slot of `service` that begins at `starts_at`, for a person known by a keyed HMAC."""

    appointment: str
    code: str
    person: str
    channel: str
    service: str
    starts_at: datetime
    client: str | None = None
    """Who books, as the channel calls them: an opaque id, never personal data."""


@dataclass(frozen=True, kw_only=True)
class AppointmentCommand(Command):
    """An act on an appointment. `seen` is its version; `of_channel`: only if it was booked there."""

    appointment: str
    seen: int
    of_channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeAppointment(AppointmentCommand):
    """Move to another slot of the same service: the new place is taken and the old one freed, or nothing happens."""

    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class CancelAppointment(AppointmentCommand):
    """Give the place up; possible until the slot begins, for staff until it is missed."""


@dataclass(frozen=True, kw_only=True)
class AppointmentBooked(Event):
    kind: ClassVar[str] = "appointment_booked"

    appointment: str
    code: str
    person: str
    channel: str
    client: str | None
    service: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class AppointmentChanged(Event):
    kind: ClassVar[str] = "appointment_changed"

    appointment: str
    was: datetime
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class AppointmentCancelled(Event):
    kind: ClassVar[str] = "appointment_cancelled"

    appointment: str


@dataclass(frozen=True, kw_only=True)
class SlotNow:
    """A slot as a channel sees it: how many places it can still book there."""

    starts_at: datetime
    ends_at: datetime
    places: int
    """Places that all channels together may book."""
    left: int
    reason: str | None
    """The code of the refusal that `Book` would get; None where a place can be booked."""


def free_slots(hall: "Hall", service: str, day: date, channel: str, now: datetime) -> list[SlotNow]:
    """The slots of a service on a calendar day of the hall, with what `channel` can book at `now`."""
    found = []
    for slot in slots_on(hall.configuration, service, day):
        closed = _closed(hall, slot, now)
        full = _full(hall, slot, channel)
        found.append(
            SlotNow(
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                places=slot.plan.bookable,
                left=0 if closed else _left(hall, slot, channel),
                reason=closed.code if closed else full.code if full else None,
            )
        )
    return found


def other_slots(
    hall: "Hall", service: str, starts_at: datetime, channel: str, now: datetime, *, limit: int = 3
) -> list[SlotNow]:
    """The bookable slots nearest to `starts_at`: what to offer instead."""
    today = now.astimezone(ZoneInfo(hall.configuration.time_zone)).date()
    days = (today + timedelta(days=ahead) for ahead in range(hall.configuration.appointments.days_ahead + 1))
    free = [slot for day in days for slot in free_slots(hall, service, day, channel, now) if slot.reason is None]
    free.sort(key=lambda slot: (abs(slot.starts_at - starts_at), slot.starts_at))
    return sorted(free[:limit], key=lambda slot: slot.starts_at)


def book(hall: "Hall", command: Book, now: datetime) -> Outcome:
    if refusal := _malformed(hall, command) or _not_entitled(hall, command, now):
        return refusal
    slot = slot_at(hall.configuration, command.service, command.starts_at)
    if slot is None:
        return refusals.SlotUnknown(service=command.service, starts_at=wall(hall, command.starts_at))
    if refusal := _closed(hall, slot, now) or _full(hall, slot, command.channel):
        return refusal
    return (
        AppointmentBooked(
            at=now,
            by=command.by,
            why=Why("requested"),
            appointment=command.appointment,
            code=command.code,
            person=command.person,
            channel=command.channel,
            client=command.client,
            service=command.service,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
        ),
    )


def change(hall: "Hall", command: ChangeAppointment, now: datetime) -> Outcome:
    appointment = asked_for(hall, command)
    if isinstance(appointment, Refusal):
        return appointment
    if appointment.starts_at == command.starts_at:
        return ()
    rules = hall.configuration.appointments
    if now > appointment.starts_at - timedelta(minutes=rules.change_minutes):
        return refusals.ChangeTooLate(minutes_before=rules.change_minutes)
    slot = slot_at(hall.configuration, appointment.service, command.starts_at)
    if slot is None:
        return refusals.SlotUnknown(service=appointment.service, starts_at=wall(hall, command.starts_at))
    own = slot.starts_at <= appointment.starts_at < slot.ends_at
    if refusal := _closed(hall, slot, now) or (None if own else _full(hall, slot, appointment.channel)):
        return refusal
    return (
        AppointmentChanged(
            at=now,
            by=command.by,
            why=Why("requested"),
            appointment=appointment.id,
            was=appointment.starts_at,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
        ),
    )


def cancel(hall: "Hall", command: CancelAppointment, now: datetime) -> Outcome:
    appointment = asked_for(hall, command)
    if isinstance(appointment, Refusal):
        return appointment
    by_staff = command.by.kind in ("clerk", "manager")
    if now >= appointment.starts_at and not by_staff:
        return refusals.AppointmentBegun(starts_at=wall(hall, appointment.starts_at))
    why = Why("cancelled_by_staff" if by_staff else "requested")
    return (AppointmentCancelled(at=now, by=command.by, why=why, appointment=appointment.id),)


def still_booked(hall: "Hall", new: "HallConfiguration") -> Refusal | None:
    """Why `new` cannot follow: it drops a service for which somebody has an appointment."""
    booked = (appointment.service for appointment in hall.store.appointments.values() if appointment.open)
    dropped = next((service for service in booked if new.service(service) is None), None)
    return None if dropped is None else refusals.StillInUse(what="service", id=dropped)


def asked_for(hall: "Hall", command: AppointmentCommand) -> Appointment | Refusal:
    """The open appointment that a command is about, as its maker saw it."""
    appointment = hall.store.appointments.get(command.appointment)
    if appointment is None or command.of_channel not in (None, appointment.channel):
        return refusals.AppointmentUnknown()
    if not appointment.open:
        return refusals.AppointmentNotOpen(state=appointment.state.value)
    if command.seen != appointment.version:
        return refusals.StaleVersion(seen=command.seen, now=appointment.version)
    return appointment


def wall(hall: "Hall", instant: datetime) -> str:
    """The instant on the hall's clock, RFC 3339 to the minute: how refusals name it."""
    return instant.astimezone(ZoneInfo(hall.configuration.time_zone)).isoformat(timespec="minutes")


def _malformed(hall: "Hall", command: Book) -> Refusal | None:
    store, configuration = hall.store, hall.configuration
    if configuration.service(command.service) is None:
        return refusals.ServiceUnknown(service=command.service)
    if not is_person(command.person):
        return refusals.PersonNotKeyed()
    if command.appointment in store.appointments or store.book.of_code(command.code) is not None:
        return refusals.IdAlreadyUsed(id=command.appointment)
    return None


def _not_entitled(hall: "Hall", command: Book, now: datetime) -> Refusal | None:
    blocked_until = hall.store.blocked.get(command.person)
    if blocked_until is not None and now < blocked_until:
        return refusals.BookingBlocked(
            until=wall(hall, blocked_until), retry_after=(blocked_until - now).total_seconds()
        )
    held = [hall.store.appointments[id_] for id_ in hall.store.book.open_of(command.person)]
    if any(appointment.service == command.service for appointment in held):
        return refusals.AlreadyBooked(service=command.service)
    if len(held) >= hall.configuration.appointments.per_person:
        return refusals.TooManyAppointments(limit=hall.configuration.appointments.per_person)
    return None


def _closed(hall: "Hall", slot: Slot, now: datetime) -> Refusal | None:
    rules, zone = hall.configuration.appointments, ZoneInfo(hall.configuration.time_zone)
    if now >= slot.starts_at - timedelta(minutes=rules.closes_minutes):
        return refusals.SlotPast(starts_at=wall(hall, slot.starts_at))
    last = now.astimezone(zone).date() + timedelta(days=rules.days_ahead)
    if slot.starts_at.astimezone(zone).date() > last:
        return refusals.SlotTooFar(starts_at=wall(hall, slot.starts_at), days=rules.days_ahead)
    return None


def _full(hall: "Hall", slot: Slot, channel: str) -> Refusal | None:
    if _left(hall, slot, channel) > 0:
        return None
    if len(_taken(hall, slot)) >= slot.plan.bookable:
        return refusals.SlotFull(starts_at=wall(hall, slot.starts_at))
    return refusals.ChannelQuotaReached(channel=channel, starts_at=wall(hall, slot.starts_at))


def _left(hall: "Hall", slot: Slot, channel: str) -> int:
    taken = _taken(hall, slot)
    left = slot.plan.bookable - len(taken)
    quota = slot.plan.quotas.get(channel)
    if quota is not None:
        left = min(left, quota - Counter(taken)[channel])
    return max(0, left)


def _taken(hall: "Hall", slot: Slot) -> list[str]:
    return hall.store.book.channels_within(slot.plan.services, slot.starts_at, slot.ends_at)


def booked(store: "Store", event: AppointmentBooked) -> None:
    if event.appointment in store.appointments:
        raise CorruptHistory(f"appointment booked twice: {event.appointment}")
    store.put_appointment(
        Appointment(
            id=event.appointment,
            code=event.code,
            person=event.person,
            channel=event.channel,
            client=event.client,
            service=event.service,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            booked_at=event.at,
        )
    )


def changed(store: "Store", event: AppointmentChanged) -> None:
    move(store, event.appointment, starts_at=event.starts_at, ends_at=event.ends_at)


def cancelled(store: "Store", event: AppointmentCancelled) -> None:
    move(store, event.appointment, state=AppointmentState.CANCELLED)


def given_up(hall: "Hall", appointment_id: str, command: Command, now: datetime) -> tuple[AppointmentCancelled, ...]:
    """What becomes of an appointment whose holder gives the number of the check-in up, besides being open again.

    Nothing, so that they may check in once more: the number may never have reached them. But whoever booked another
    for the same service meanwhile has chosen that one. The earlier is then cancelled, in the same breath and in their
    channel's sight: its place goes to others, and it is not counted as missed. Booking while one waits is never
    refused, for the counter itself books the next date; how many appointments a person may have is asked at booking
    only, and takes none away afterwards.
    """
    appointment = hall.store.appointments.get(appointment_id)
    if appointment is None or appointment.state is not AppointmentState.CHECKED_IN:
        return ()
    others = (hall.store.appointments[id_] for id_ in hall.store.book.open_of(appointment.person))
    if all(other.service != appointment.service for other in others):
        return ()
    return (AppointmentCancelled(at=now, by=command.by, why=Why(CITIZEN_LEFT), appointment=appointment.id),)


def reopen(store: "Store", appointment_id: str) -> None:
    """Its holder gave the number of the check-in up, or never got it: they may check in again (see `given_up`)."""
    appointment = store.appointments.get(appointment_id)
    if appointment is not None and appointment.state is AppointmentState.CHECKED_IN:
        store.put_appointment(
            replace(appointment, state=AppointmentState.BOOKED, ticket=None, version=appointment.version + 1)
        )


def move(store: "Store", appointment_id: str, **changes: object) -> Appointment:
    """Changes an open appointment; as it is now. Raises `CorruptHistory` for one that is not open."""
    appointment = store.appointments.get(appointment_id)
    if appointment is None or not appointment.open:
        raise CorruptHistory(f"appointment {appointment_id} is not open")
    moved = replace(appointment, version=appointment.version + 1, **changes)  # type: ignore[arg-type]  # field names checked by replace
    store.put_appointment(moved)
    return moved


DECIDE = {Book: book, ChangeAppointment: change, CancelAppointment: cancel}
EVOLVE = {AppointmentBooked: booked, AppointmentChanged: changed, AppointmentCancelled: cancelled}
