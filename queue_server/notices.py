"""What a booking channel is told: the events of the hall that touch an appointment, as notices without personal data.

`near` (few people ahead), `called` (also a recall), `no_show` (missed at call, or never came), `waiting_again` (a
missed ticket waits once more), `undone` (a call, completion or no-show was a mistake), `cancelled` (the appointment or
its ticket is void). A notice is kept in the transaction of its event.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from queue_server.clock import instant_text
from queue_server.hall import (
    ActUndone,
    Appointment,
    AppointmentCancelled,
    AppointmentMissed,
    Event,
    Hall,
    NoShowRecorded,
    StepOpened,
    TicketCalled,
    TicketCancelled,
    TicketExpired,
    TicketRecalled,
    TurnNear,
)
from queue_server.hall.canonical import canonical
from queue_server.ledger.port import Notice

NoticeKind = Literal["near", "called", "no_show", "waiting_again", "undone", "cancelled"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

_Told = tuple[NoticeKind, Mapping[str, Any]]
_BACK = frozenset({"came_back", "reinstated"})


def _called(event: TicketCalled | TicketRecalled) -> _Told:
    return "called", {"counter": event.counter_number, "recall": isinstance(event, TicketRecalled)}


_OF_TICKET: Mapping[type[Event], Callable[[Any], _Told | None]] = {
    TicketCalled: _called,
    TicketRecalled: _called,
    TurnNear: lambda event: ("near", {"ahead": event.ahead}),
    NoShowRecorded: lambda _: ("no_show", {"reason": "not_come_when_called"}),
    StepOpened: lambda event: ("waiting_again", {"reason": event.why.code}) if event.origin in _BACK else None,
    ActUndone: lambda event: ("undone", {"what": event.undone}),
    TicketCancelled: lambda event: ("cancelled", {"reason": event.why.code}),
    TicketExpired: lambda event: ("cancelled", {"reason": event.why.code}),
}
_OF_APPOINTMENT: Mapping[type[Event], Callable[[Any], _Told]] = {
    AppointmentMissed: lambda event: (
        "no_show",
        {
            "reason": "never_came",
            "blocked_until": instant_text(event.blocked_until) if event.blocked_until is not None else None,
        },
    ),
    AppointmentCancelled: lambda event: ("cancelled", {"reason": event.why.code}),
}


def notice_of(hall: Hall, event: Event, seq: int) -> Notice | None:
    """What the booking channel is told of `event`, which stands at `seq`; `hall` is as it is after the event."""
    kind = type(event)
    if kind in _OF_TICKET:
        ticket = hall.ticket(event.ticket)  # type: ignore[attr-defined]  # the events of this table have one
        booked = hall.appointment(ticket.appointment) if ticket is not None and ticket.appointment else None
        told = _OF_TICKET[kind](event)
        # an appointment that is open again is not what its channel must be told is void
        return _notice(hall, event, seq, booked, told) if told and booked and not booked.open else None
    if kind in _OF_APPOINTMENT:
        booked = hall.appointment(event.appointment)  # type: ignore[attr-defined]  # the events of this table have one
        return _notice(hall, event, seq, booked, _OF_APPOINTMENT[kind](event)) if booked else None
    return None


def _notice(hall: Hall, event: Event, seq: int, appointment: Appointment, told: _Told) -> Notice:
    kind, more = told
    ticket = hall.ticket(appointment.ticket) if appointment.ticket else None
    id_, at = f"{hall.id}-{seq}", instant_text(event.at)
    body = {
        "id": id_,
        "type": kind,
        "timestamp": at,
        "data": {
            "hall": hall.id,
            "appointment": appointment.id,
            "client": appointment.client,
            "service": appointment.service,
            "starts_at": instant_text(appointment.starts_at),
            "number": ticket.number if ticket is not None else None,
            **more,
        },
    }
    return Notice(id_, hall.id, seq, appointment.channel, kind, at, canonical(body))
