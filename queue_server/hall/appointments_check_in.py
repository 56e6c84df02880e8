"""Check-in (签到): the holder of an appointment is at the hall and gets a number.

Within the window the ticket accrues from the check-in, but not from earlier than the grace before its slot, and is not
called before that instant. Who comes later joins as a walk-in from the check-in, or is refused, by the hall's rule.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from queue_server.hall import refusals
from queue_server.hall.appointment_book import Appointment, AppointmentState
from queue_server.hall.appointments import move, wall
from queue_server.hall.appointments_missed import missed_at
from queue_server.hall.base import Command, Event, Outcome, Refusal, Why
from queue_server.hall.tickets import Issue, issue

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

ORDINARY = "ordinary"


@dataclass(frozen=True, kw_only=True)
class CheckIn(Command):
    """Find an open appointment by its code, or by the person whose it is, and give a number for it.

    `priority_class`: one that its holder has besides, with its `evidence`. `of_channel`: only if it was booked there.
    """

    visit: str
    ticket: str
    step: str
    follow_token: str
    code: str | None = None
    person: str | None = None
    device: str | None = None
    of_channel: str | None = None
    priority_class: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, kw_only=True)
class AppointmentCheckedIn(Event):
    """Follows the ticket's own event. `late`: it joined as a walk-in."""

    kind: ClassVar[str] = "appointment_checked_in"

    appointment: str
    ticket: str
    late: bool


@dataclass(frozen=True, kw_only=True)
class CheckInWindow:
    """Check-in is possible from `opens_at` until before `closes_at`, and on time up to `on_time_until`; all UTC."""

    opens_at: datetime
    on_time_until: datetime
    closes_at: datetime

    def place(self, now: datetime) -> Literal["early", "on_time", "late", "over"]:
        """Where `now` lies."""
        if now < self.opens_at:
            return "early"
        if now >= self.closes_at:
            return "over"
        return "on_time" if now <= self.on_time_until else "late"


def check_in_window(configuration: "HallConfiguration", appointment: Appointment) -> CheckInWindow:
    """When an appointment's holder can check in, by the rules in force."""
    rules, starts_at = configuration.appointments, appointment.starts_at
    return CheckInWindow(
        opens_at=starts_at - timedelta(minutes=rules.early_minutes),
        on_time_until=starts_at + timedelta(minutes=rules.late_minutes),
        closes_at=missed_at(configuration, appointment),
    )


def check_in(hall: "Hall", command: CheckIn, now: datetime) -> Outcome:
    appointment = _found(hall, command, now)
    if isinstance(appointment, Refusal):
        return appointment
    window = check_in_window(hall.configuration, appointment)
    place = window.place(now)
    if place == "early":
        return refusals.CheckInTooEarly(
            starts_at=wall(hall, appointment.starts_at),
            opens_at=wall(hall, window.opens_at),
            retry_after=(window.opens_at - now).total_seconds(),
        )
    if place == "over":
        return refusals.CheckInTooLate(starts_at=wall(hall, appointment.starts_at))
    events = issue(hall, _issue(hall.configuration, command, appointment, now, late=place == "late"), now)
    if isinstance(events, Refusal):
        return events
    checked_in = AppointmentCheckedIn(
        at=now,
        by=command.by,
        why=Why("requested"),
        appointment=appointment.id,
        ticket=command.ticket,
        late=place == "late",
    )
    return (*events, checked_in)


def _found(hall: "Hall", command: CheckIn, now: datetime) -> Appointment | Refusal:
    store = hall.store
    if command.code is not None:
        id_ = store.book.of_code(command.code)
        found = store.appointments[id_] if id_ is not None else None
    else:
        held = [store.appointments[id_] for id_ in store.book.open_of(command.person or "")]
        found = min(held, key=lambda one: _preference(hall, one, now)) if held else None
    if found is None or command.of_channel not in (None, found.channel):
        return refusals.AppointmentUnknown()
    if not found.open:
        return refusals.AppointmentNotOpen(state=found.state.value)
    return found


def _preference(hall: "Hall", appointment: Appointment, now: datetime) -> tuple[int, datetime, str]:
    """Of several appointments: on time first, then late ones, then those to come, then those that are over."""
    place = check_in_window(hall.configuration, appointment).place(now)
    return ("on_time", "late", "early", "over").index(place), appointment.starts_at, appointment.id


def _issue(
    configuration: "HallConfiguration", command: CheckIn, appointment: Appointment, now: datetime, *, late: bool
) -> Issue:
    rules = configuration.appointments
    accrues_from = max(now, appointment.starts_at - timedelta(minutes=rules.grace_minutes))
    return Issue(
        by=command.by,
        visit=command.visit,
        ticket=command.ticket,
        step=command.step,
        service=appointment.service,
        follow_token=command.follow_token,
        priority_class=command.priority_class or (ORDINARY if late else rules.priority_class),
        evidence=command.evidence,
        person=appointment.person,
        device=command.device,
        appointment=appointment.id,
        client=appointment.client,
        booked_for=appointment.starts_at,
        accrues_from=accrues_from if accrues_from > now else None,
    )


def checked_in(store: "Store", event: AppointmentCheckedIn) -> None:
    move(store, event.appointment, state=AppointmentState.CHECKED_IN, ticket=event.ticket, attended=True)


DECIDE = {CheckIn: check_in}
EVOLVE = {AppointmentCheckedIn: checked_in}
