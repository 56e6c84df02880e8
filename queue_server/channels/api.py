"""The booking channels' HTTP API (`/api/v1/channels`): appointments for an app, a mini-programme, a hotline.

Every act carries an `Idempotency-Key`, kept for 90 days: sent again it gets the first answer. The application keeps its
`ChannelDoor` in `app.state.channels`. See `docs/openapi.yaml`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from queue_server.channels.bodies import (
    AppointmentBody,
    BookableBody,
    Booking,
    Cancellation,
    Change,
    CheckIn,
    DayBody,
    PersonBody,
)
from queue_server.channels.keys import ApiKeys, Caller, Scope
from queue_server.channels.service import ChannelService
from queue_server.counters.outcomes import Refused
from queue_server.counters.problems import ApiRefusal, problems
from queue_server.rate_limit import RateLimit

REQUESTS_A_MINUTE = 600
"""Of one key: a city's app asks for slots often. Acts of one person are bounded by the hall's rules."""
FAILURES_A_MINUTE = 20
"""Keys that are none, from one address."""
LONGEST_LOOK_DAYS = 31
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class ChannelDoor:
    """What the routes need: the service, the keys, and how often each may ask."""

    service: ChannelService
    keys: ApiKeys
    requests: RateLimit = field(default_factory=lambda: RateLimit(REQUESTS_A_MINUTE, 60.0))
    failures: RateLimit = field(default_factory=lambda: RateLimit(FAILURES_A_MINUTE, 60.0))


_bearer = HTTPBearer(auto_error=False, scheme_name="apiKey", description="API key of the channel: `es_…`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _door(request: Request) -> ChannelDoor:
    door: ChannelDoor = request.app.state.channels
    return door


Door = Annotated[ChannelDoor, Depends(_door)]


def _needs(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def caller(request: Request, door: Door, credentials: Credentials) -> Caller:
        found = None if credentials is None else door.keys.caller(credentials.credentials)
        if found is None:
            address = request.client.host if request.client else "unknown"
            if (seconds := door.failures.wait(address)) > 0:
                raise ApiRefusal(Refused("too_many_attempts", {}, seconds))
            raise ApiRefusal(Refused("key_unknown"))
        if (seconds := door.requests.wait(found.key)) > 0:
            raise ApiRefusal(Refused("too_many_attempts", {}, seconds))
        if not found.may(scope):
            raise ApiRefusal(Refused("scope_missing", {"scope": scope}))
        return found

    return caller


def _once(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[A-Za-z0-9_-]{8,64}$",
            description="The channel's own id for this act, such as a UUID. Needed; sent again it does nothing twice.",
        ),
    ] = None,
) -> str:
    if key is None:
        raise ApiRefusal(Refused("idempotency_key_missing"))
    return key


Once = Annotated[str, Depends(_once)]
ReadSlots = Annotated[Caller, Depends(_needs("slots:read"))]
ReadAppointments = Annotated[Caller, Depends(_needs("appointments:read"))]
WriteAppointments = Annotated[Caller, Depends(_needs("appointments:write"))]
WriteCheckIns = Annotated[Caller, Depends(_needs("check-in:write"))]
WriteBlocks = Annotated[Caller, Depends(_needs("blocks:write"))]
Id = Annotated[str, Path(min_length=1, max_length=64)]
_LOOK: dict[int | str, dict[str, Any]] = problems(401, 403, 404, 422, 429, 503)
_ACT: dict[int | str, dict[str, Any]] = problems(400, 401, 403, 404, 409, 422, 429, 503)

router = APIRouter(prefix="/api/v1/channels", tags=["channels"])


@router.get("/services", operation_id="listBookableServices", responses=_LOOK)
async def services(door: Door, _caller: ReadSlots) -> list[BookableBody]:
    """The services that can be booked."""
    found = await door.service.services()
    if isinstance(found, Refused):
        raise ApiRefusal(found)
    return found


@router.get("/slots", operation_id="listSlots", responses=_LOOK)
async def slots(
    door: Door,
    caller: ReadSlots,
    service: Annotated[str, Query(min_length=1, max_length=64)],
    first: Annotated[date | None, Query(alias="from", ge=_FIRST_DAY, le=_LAST_DAY)] = None,
    days: Annotated[int, Query(ge=1, le=LONGEST_LOOK_DAYS)] = 7,
) -> list[DayBody]:
    """Slots of a service by calendar day of the hall, with the places that this channel can book now."""
    found = await door.service.slots(caller, service, first, days)
    if isinstance(found, Refused):
        raise ApiRefusal(found)
    return found


@router.post("/appointments", operation_id="bookAppointment", status_code=201, responses=_ACT)
async def book(door: Door, caller: WriteAppointments, body: Booking, once: Once) -> AppointmentBody:
    """Book a place. `slot_full` and `channel_quota_reached` name near slots in `params.alternatives`."""
    return _or_refuse(await door.service.book(caller, body, once))


@router.post("/appointments/search", operation_id="findAppointments", responses=_LOOK)
async def search(door: Door, caller: ReadAppointments, body: PersonBody) -> list[AppointmentBody]:
    """The open appointments of a person; of other channels too with `appointments:all`."""
    found = await door.service.open_of(caller, body.person)
    if isinstance(found, Refused):
        raise ApiRefusal(found)
    return found


@router.get("/appointments/{appointment}", operation_id="getAppointment", responses=_LOOK)
async def appointment_state(door: Door, caller: ReadAppointments, appointment: Id) -> AppointmentBody:
    """One appointment, with its ticket once its holder has checked in."""
    return _or_refuse(await door.service.appointment(caller, appointment))


@router.post("/appointments/{appointment}/change", operation_id="changeAppointment", responses=_ACT)
async def change(door: Door, caller: WriteAppointments, appointment: Id, body: Change, once: Once) -> AppointmentBody:
    """Move to another slot of the same service: the new place is taken and the old one freed, or nothing happens."""
    return _or_refuse(await door.service.change(caller, appointment, body, once))


@router.post("/appointments/{appointment}/cancel", operation_id="cancelAppointment", responses=_ACT)
async def cancel(
    door: Door, caller: WriteAppointments, appointment: Id, body: Cancellation, once: Once
) -> AppointmentBody:
    """Give the place up."""
    return _or_refuse(await door.service.cancel(caller, appointment, body, once))


@router.post("/check-ins", operation_id="checkIn", responses=_ACT)
async def check_in(door: Door, caller: WriteCheckIns, body: CheckIn, once: Once) -> AppointmentBody:
    """The appointment's holder is at the hall: the answer's `ticket` is the number."""
    return _or_refuse(await door.service.check_in(caller, body.code, once))


@router.post("/blocks/lift", operation_id="liftBookingBlock", status_code=204, responses=_ACT)
async def lift_block(door: Door, caller: WriteBlocks, body: PersonBody, once: Once) -> None:
    """Let a person book again who missed too many appointments."""
    if (refused := await door.service.lift_block(caller, body.person, once)) is not None:
        raise ApiRefusal(refused)


def _or_refuse(outcome: AppointmentBody | Refused) -> AppointmentBody:
    if isinstance(outcome, Refused):
        raise ApiRefusal(outcome)
    return outcome
