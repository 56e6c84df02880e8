"""Bodies of the booking channels' HTTP API. Instants are RFC 3339; `…_local` is the hall's wall time without offset."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from queue_server.counters.bodies import Text

_ID = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_PERSONAL = re.compile(r"(?:\+?86)?1\d{10}|\d{15}|\d{17}[0-9Xx]")
"""A mobile number, or an ID number: 15 digits, or 17 and a check character (GB 11643)."""


def _in_calendar(instant: datetime) -> datetime:
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError("year out of range")
    return instant


def _opaque(client: str) -> str:
    if _PERSONAL.fullmatch(client):
        raise ValueError("a client id must not be a phone or ID number")
    return client


Instant = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
Id = Annotated[str, StringConstraints(pattern=_ID)]
Seen = Annotated[int, Field(ge=1, description="Version of the appointment as its holder saw it.")]
State = Literal["booked", "checked_in", "cancelled", "missed"]
Code = Annotated[
    str, StringConstraints(min_length=4, max_length=40), Field(description="The appointment's code, as typed.")
]


class Asked(BaseModel):
    """What a channel sends: a field that is not known is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Person(Asked):
    """Who comes. The number is turned into a keyed digest at once; it is neither stored nor logged."""

    document_number: Annotated[str, StringConstraints(min_length=5, max_length=32, pattern=r"^[0-9A-Za-z ()-]+$")]


class Booking(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "social-card",
                    "starts_at": "2026-03-03T09:00:00+08:00",
                    "person": {"document_number": "11010519491231002X"},
                    "client": "u-5f2a9c0e",
                }
            ]
        }
    )

    service: Id
    starts_at: Instant
    person: Person
    client: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"),
            AfterValidator(_opaque),
            Field(description="The channel's own opaque id of its user; it comes back in every webhook."),
        ]
        | None
    ) = None


class Change(Asked):
    starts_at: Instant
    seen: Seen


class Cancellation(Asked):
    seen: Seen


class CheckIn(Asked):
    code: Code


class PersonBody(Asked):
    person: Person


class SlotBody(BaseModel):
    """A slot; `left` is how many places this channel can still book, `reason` why it cannot."""

    starts_at: datetime
    ends_at: datetime
    starts_local: str
    places: int
    left: int
    reason: str | None


class DayBody(BaseModel):
    day: date
    slots: list[SlotBody]


class BookableBody(BaseModel):
    """A service that can be booked."""

    service: str
    group: str
    name: Text
    minutes: float
    materials: dict[str, list[str]]


class TicketBody(BaseModel):
    """The number that check-in gave; `follow_url` opens its live page."""

    ticket: str
    number: str
    state: str
    counter: str | None
    people_ahead: int
    follow_url: str


class CheckInWindow(BaseModel):
    """When its holder can check in; after `on_time_until`, `late` says what happens until `closes_at`."""

    opens_at: datetime
    on_time_until: datetime
    closes_at: datetime
    late: Literal["walk_in", "refuse"]


class AppointmentBody(BaseModel):
    """An appointment. `version` is what the next act names as `seen`; `code` is shown at check-in."""

    appointment: str
    code: str
    state: State
    version: int
    channel: str
    client: str | None
    service: str
    service_name: Text
    starts_at: datetime
    ends_at: datetime
    starts_local: str
    booked_at: datetime
    check_in: CheckInWindow
    ticket: TicketBody | None
