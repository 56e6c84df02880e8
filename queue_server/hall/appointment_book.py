"""The book of appointments: who booked what, in the orders in which rules look at it."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_First = tuple[datetime, str]
"""When it begins, and the appointment."""


class AppointmentState(StrEnum):
    """已预约 已签到 已取消 已爽约."""

    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """A place in a slot, held for a person. `ticket` is the number that check-in gave."""

    id: str
    code: str
    """What its holder shows at check-in; whoever has it may use it."""
    person: str
    """HMAC-SHA256 of the person; never an ID number."""
    channel: str
    client: str | None
    """Who booked, as the booking channel calls them: an opaque id, never personal data."""
    service: str
    starts_at: datetime
    ends_at: datetime
    booked_at: datetime
    state: AppointmentState = AppointmentState.BOOKED
    ticket: str | None = None
    attended: bool = False
    """Its holder came, and perhaps left again without being served: it is not counted as missed."""
    version: int = 1

    @property
    def open(self) -> bool:
        """Booked, and nothing has become of it yet."""
        return self.state is AppointmentState.BOOKED

    @property
    def takes_place(self) -> bool:
        """Counts against its slot's places."""
        return self.state is not AppointmentState.CANCELLED


class AppointmentBook:
    """The indexes over a hall's appointments; they follow from the appointments alone."""

    def __init__(self, appointments: Iterable[Appointment]) -> None:
        self._by_code: dict[str, str] = {}
        self._open_of: dict[str, set[str]] = {}
        self._open: list[_First] = []
        self._tickets: dict[str, None] = {}
        self._taken: dict[str, list[tuple[datetime, str, str]]] = {}
        for appointment in appointments:
            self.put(None, appointment)

    def put(self, before: Appointment | None, now: Appointment | None) -> None:
        """An appointment is what it was not before; None: it is not there."""
        if before is not None:
            self._remove(before)
        if now is not None:
            self._add(now)

    def of_code(self, code: str) -> str | None:
        """The appointment with this code."""
        return self._by_code.get(code)

    def open_of(self, person: str) -> list[str]:
        """The open appointments of a person."""
        return sorted(self._open_of.get(person, ()))

    def open_by_time(self) -> Iterator[str]:
        """The open appointments, the first ones first."""
        return (appointment for _, appointment in self._open)

    def tickets(self) -> Iterable[str]:
        """The tickets that check-in gave, in its order."""
        return self._tickets

    def channels_within(self, services: Iterable[str], starts_at: datetime, ends_at: datetime) -> list[str]:
        """Channels of the appointments for `services` that begin in [`starts_at`, `ends_at`), one for each place."""
        found: list[str] = []
        for service in services:
            places = self._taken.get(service, [])
            first = bisect_left(places, (starts_at, "", ""))
            found += [channel for _, _, channel in places[first : bisect_left(places, (ends_at, "", ""))]]
        return found

    def _add(self, appointment: Appointment) -> None:
        self._by_code[appointment.code] = appointment.id
        if appointment.ticket is not None:
            self._tickets[appointment.ticket] = None
        if appointment.takes_place:
            insort(self._taken.setdefault(appointment.service, []), _place(appointment))
        if appointment.open:
            self._open_of.setdefault(appointment.person, set()).add(appointment.id)
            insort(self._open, (appointment.starts_at, appointment.id))

    def _remove(self, appointment: Appointment) -> None:
        del self._by_code[appointment.code]
        if appointment.ticket is not None:
            del self._tickets[appointment.ticket]
        if appointment.takes_place:
            places = self._taken[appointment.service]
            del places[bisect_left(places, _place(appointment))]
        if appointment.open:
            self._open_of[appointment.person].discard(appointment.id)
            if not self._open_of[appointment.person]:
                del self._open_of[appointment.person]
            del self._open[bisect_left(self._open, (appointment.starts_at, appointment.id))]


def _place(appointment: Appointment) -> tuple[datetime, str, str]:
    return appointment.starts_at, appointment.id, appointment.channel
