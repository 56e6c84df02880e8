"""What a booking channel does: look at slots, book, change, cancel, check in, and see what became of it.

Answers are made in the decision and kept with it, so that a channel that lost one asks again and gets the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from queue_server.channels.bodies import (
    AppointmentBody,
    BookableBody,
    Booking,
    Cancellation,
    Change,
    CheckInWindow,
    DayBody,
    Person,
    SlotBody,
    TicketBody,
)
from queue_server.channels.keys import Caller
from queue_server.counters.bodies import Text
from queue_server.counters.outcomes import Refused
from queue_server.hall import (
    Actor,
    Appointment,
    Book,
    CancelAppointment,
    ChangeAppointment,
    CheckIn,
    Command,
    Hall,
    LiftBlock,
    Refusal,
    Service,
    SlotNow,
    StepState,
    check_in_window,
    free_slots,
    other_slots,
    refusals,
)
from queue_server.hall_port import HallPort, NotDone, RequestKey
from queue_server.ids import new_code, new_id, new_token, read_code
from queue_server.runner import Decided
from wire.person_key import person_key

_OFFERED = frozenset({refusals.SlotFull.code, refusals.ChannelQuotaReached.code})
_MADE_HERE = frozenset({"appointment", "code", "visit", "ticket", "step", "follow_token"})
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept: the appointment, or the refusal."""

    appointment: AppointmentBody | None = None
    refused: Refused | None = None


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


class ChannelService:
    """The booking channels of one hall. `hall_key` is the key that the hall's terminals have too; None: no bookings."""

    def __init__(self, port: HallPort, *, hall_key: bytes | None, public_url: str) -> None:
        self._port = port
        self._hall_key = hall_key
        self._public_url = public_url.rstrip("/")

    # --- looking

    async def services(self) -> list[BookableBody] | Refused:
        """The services that can be booked."""

        def question(hall: Hall, _now: datetime) -> list[BookableBody]:
            bookable = {service for plan in hall.configuration.slot_plans for service in plan.services}
            return [_bookable(service) for service in hall.configuration.services if service.id in bookable]

        return await self._look(question)

    async def slots(self, caller: Caller, service: str, first: date | None, days: int) -> list[DayBody] | Refused:
        """The slots of a service on `days` calendar days of the hall, from today on if no first day is named."""

        def question(hall: Hall, now: datetime) -> list[DayBody] | Refused:
            if hall.configuration.service(service) is None:
                return Refused(refusals.ServiceUnknown.code, {"service": service})
            zone = ZoneInfo(hall.configuration.time_zone)
            begin = first or now.astimezone(zone).date()
            wanted = [begin + timedelta(days=n) for n in range(days)]
            return [
                DayBody(
                    day=day,
                    slots=[_slot(slot, zone) for slot in free_slots(hall, service, day, caller.channel, now)],
                )
                for day in wanted
            ]

        return await self._look(question)

    async def appointment(self, caller: Caller, appointment: str) -> AppointmentBody | Refused:
        """One appointment; of another channel only for who may see all."""

        def question(hall: Hall, now: datetime) -> AppointmentBody | Refused:
            found = hall.appointment(appointment)
            if found is None or _of_channel(caller) not in (None, found.channel):
                return Refused(refusals.AppointmentUnknown.code)
            return self._body(hall, found, now)

        return await self._look(question)

    async def open_of(self, caller: Caller, person: Person) -> list[AppointmentBody] | Refused:
        """The open appointments of a person, the first ones first."""
        if (key := self._person_key(person)) is None:
            return Refused("persons_not_keyed")

        def question(hall: Hall, now: datetime) -> list[AppointmentBody]:
            held = [a for a in hall.open_appointments(key) if _of_channel(caller) in (None, a.channel)]
            return [self._body(hall, appointment, now) for appointment in held]

        return await self._look(question)

    # --- acting; `once` is the channel's own id of the act

    async def book(self, caller: Caller, booking: Booking, once: str) -> AppointmentBody | Refused:
        """Take a place; where the slot is full, `params.alternatives` names near slots that are not."""
        if (key := self._person_key(booking.person)) is None:
            return Refused("persons_not_keyed")
        command = Book(
            by=_actor(caller),
            appointment=new_id(),
            code=new_code(),
            person=key,
            channel=caller.channel,
            client=booking.client,
            service=booking.service,
            starts_at=booking.starts_at,
        )
        return await self._act(caller, command, once, lambda hall: hall.appointment(command.appointment))

    async def change(self, caller: Caller, appointment: str, change: Change, once: str) -> AppointmentBody | Refused:
        """Move to another slot: the new place is taken and the old one freed, or nothing happens."""
        command = ChangeAppointment(
            by=_actor(caller),
            appointment=appointment,
            seen=change.seen,
            starts_at=change.starts_at,
            of_channel=_of_channel(caller),
        )
        return await self._act(caller, command, once, lambda hall: hall.appointment(appointment))

    async def cancel(
        self, caller: Caller, appointment: str, cancellation: Cancellation, once: str
    ) -> AppointmentBody | Refused:
        """Give the place up."""
        command = CancelAppointment(
            by=_actor(caller), appointment=appointment, seen=cancellation.seen, of_channel=_of_channel(caller)
        )
        return await self._act(caller, command, once, lambda hall: hall.appointment(appointment))

    async def check_in(self, caller: Caller, code: str, once: str) -> AppointmentBody | Refused:
        """Its holder is at the hall: the number."""
        command = CheckIn(
            by=_actor(caller),
            visit=new_id(),
            ticket=new_id(),
            step=new_id(),
            follow_token=new_token(),
            code=read_code(code),
            of_channel=_of_channel(caller),
        )
        return await self._act(caller, command, once, lambda hall: hall.appointment_by_code(command.code or ""))

    async def lift_block(self, caller: Caller, person: Person, once: str) -> Refused | None:
        """Let a person book again who missed too many."""
        if (key := self._person_key(person)) is None:
            return Refused("persons_not_keyed")
        outcome = await self._act(caller, LiftBlock(by=_actor(caller), person=key), once, lambda _hall: None)
        return outcome if isinstance(outcome, Refused) else None

    # --- inside

    def _person_key(self, person: Person) -> str | None:
        return None if self._hall_key is None else person_key(person.document_number, self._hall_key)

    async def _look(self, question: Callable[[Hall, datetime], Found]) -> Found | Refused:
        found = await self._port.look(
            lambda hall, now: question(hall, now) if hall.configured else Refused(refusals.HallNotConfigured.code)
        )
        return Refused("not_leading", {}, 2.0) if found is None else found

    async def _act(
        self, caller: Caller, command: Command, once: str, about: Callable[[Hall], Appointment | None]
    ) -> AppointmentBody | Refused:
        def compose(decided: Decided) -> bytes:
            hall, outcome, now = decided.hall, decided.outcome, decided.now
            if isinstance(outcome, Refusal):
                kept = Kept(refused=self._refused(hall, outcome, command, caller, now))
            else:
                found = about(hall)
                kept = Kept(appointment=self._body(hall, found, now) if found else None)
            return _KEPT.dump_json(kept)

        key = RequestKey.of_client(f"channel:{caller.channel}", once, _meaning(command))
        answer = await self._port.answer(command, key, compose)
        if isinstance(answer, NotDone):
            return Refused(answer.code, {}, answer.retry_after)
        kept = _KEPT.validate_json(answer)
        return kept.refused or kept.appointment  # type: ignore[return-value]

    def _refused(self, hall: Hall, refusal: Refusal, command: Command, caller: Caller, now: datetime) -> Refused:
        refused = Refused(refusal.code, refusal.params(), refusal.retry_after)
        if refusal.code not in _OFFERED or not isinstance(command, Book | ChangeAppointment):
            return refused
        held = hall.appointment(command.appointment)
        service = command.service if isinstance(command, Book) else held.service if held else ""
        zone = ZoneInfo(hall.configuration.time_zone)
        near = other_slots(hall, service, command.starts_at, caller.channel, now)
        offered = [_slot(slot, zone).model_dump(mode="json") for slot in near]
        return replace(refused, params={**refused.params, "alternatives": offered})

    def _body(self, hall: Hall, appointment: Appointment, now: datetime) -> AppointmentBody:
        service = hall.configuration.service(appointment.service)
        window = check_in_window(hall.configuration, appointment)
        return AppointmentBody(
            appointment=appointment.id,
            code=appointment.code,
            state=appointment.state.value,
            version=appointment.version,
            channel=appointment.channel,
            client=appointment.client,
            service=appointment.service,
            service_name=Text.of(service.name.by_language() if service else {}),
            starts_at=appointment.starts_at,
            ends_at=appointment.ends_at,
            starts_local=_local(appointment.starts_at, ZoneInfo(hall.configuration.time_zone)),
            booked_at=appointment.booked_at,
            check_in=CheckInWindow(
                opens_at=window.opens_at,
                on_time_until=window.on_time_until,
                closes_at=window.closes_at,
                late=hall.configuration.appointments.late,
            ),
            ticket=self._ticket(hall, appointment, now),
        )

    def _ticket(self, hall: Hall, appointment: Appointment, now: datetime) -> TicketBody | None:
        ticket = hall.ticket(appointment.ticket) if appointment.ticket else None
        if ticket is None:
            return None
        return TicketBody(
            ticket=ticket.id,
            number=ticket.number,
            state=ticket.state.value,
            counter=hall.counter_number(ticket) or None,
            people_ahead=hall.people_ahead(ticket, now) if ticket.state is StepState.WAITING else 0,
            follow_url=f"{self._public_url}/t/{ticket.follow_token}",
        )


def _actor(caller: Caller) -> Actor:
    return Actor("channel", caller.channel)


def _of_channel(caller: Caller) -> str | None:
    return None if caller.may("appointments:all") else caller.channel


def _meaning(command: Command) -> bytes:
    """What a command asks, without the ids that this server makes for it."""
    asked = {name: value for name, value in vars(command).items() if name not in _MADE_HERE}
    if isinstance(command, ChangeAppointment | CancelAppointment):
        asked["appointment"] = command.appointment
    if isinstance(command, CheckIn):
        asked["code"] = command.code
    return repr((type(command).__name__, sorted(asked.items()))).encode()


def _bookable(service: Service) -> BookableBody:
    materials = {language: list(service.materials.in_language(language)) for language in ("zh", "en")}
    return BookableBody(
        service=service.id,
        group=service.group,
        name=Text.of(service.name.by_language()),
        minutes=service.minutes,
        materials=materials,
    )


def _slot(slot: SlotNow, zone: ZoneInfo) -> SlotBody:
    return SlotBody(
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        starts_local=_local(slot.starts_at, zone),
        places=slot.places,
        left=slot.left,
        reason=slot.reason,
    )


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
