"""Bodies of the counters' HTTP API. Instants are RFC 3339 in UTC; texts by language have the keys `zh` and `en`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from queue_server.counters.outcomes import CounterState
from queue_server.projection import CounterNow, HelpNow, NextTicket, QueueNow, TicketAtCounter, WaitingTicket
from queue_server.staff import Staff

Seen = Annotated[int, Field(ge=0, description="Version of the counter (or ticket) as the clerk saw it.")]
State = Literal["waiting", "called", "serving", "held", "completed", "no_show", "cancelled", "expired"]


class Text(BaseModel):
    zh: str
    en: str

    @classmethod
    def of(cls, text: Mapping[str, str]) -> "Text":
        return cls(zh=text.get("zh", ""), en=text.get("en", ""))


class SignIn(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"login": "limin", "password": "correct horse battery"}]})

    login: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class Person(BaseModel):
    id: str
    name: str
    roles: list[Literal["clerk", "manager", "technician", "auditor"]]

    @classmethod
    def of(cls, staff: Staff) -> "Person":
        return cls(id=staff.id, name=staff.name, roles=sorted(staff.roles))


class SignedInBody(BaseModel):
    """`token` goes into `Authorization: Bearer …` until `expires_at`."""

    token: str
    expires_at: datetime
    staff: Person


class SeenBody(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"seen": 3}]})

    seen: Seen


class CallTicketBody(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"ticket": "5f2a9c0e1b7d4a6f8e3c", "seen": 3}]})

    ticket: Annotated[str, Field(min_length=1, max_length=64)]
    seen: Seen


class WaitBody(BaseModel):
    """Range in whole minutes, and when it was made."""

    low: int
    high: int
    made_at: datetime


class CurrentBody(BaseModel):
    """The ticket that the counter has called or serves; `since` is when it came into its state."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    state: State
    since: datetime
    waiting_since: datetime
    recalls: int

    @classmethod
    def of(cls, now: TicketAtCounter) -> "CurrentBody":
        return cls(
            ticket=now.ticket,
            number=now.number,
            service=now.service,
            service_name=Text.of(now.service_name),
            priority_class=now.priority_class,
            state=now.state,
            since=now.since,
            waiting_since=now.waiting_since,
            recalls=now.recalls,
        )


class NextBody(BaseModel):
    """Whom Next would call now, and why."""

    ticket: str
    number: str
    service_name: Text
    waiting_since: datetime
    why: Text

    @classmethod
    def of(cls, now: NextTicket) -> "NextBody":
        return cls(
            ticket=now.ticket,
            number=now.number,
            service_name=Text.of(now.service_name),
            waiting_since=now.waiting_since,
            why=Text.of(now.why),
        )


class CounterBody(BaseModel):
    """A counter; `session` is null while nobody holds it. `version` is what the next command names as `seen`."""

    counter: str
    number: str
    name: Text
    zone: str
    queues: list[str]
    session: str | None
    clerk: str | None
    clerk_name: str | None
    opened_at: datetime | None
    version: int
    current: CurrentBody | None
    next: NextBody | None
    waiting: int
    """How many people wait in the counter's queues."""

    @classmethod
    def of(cls, state: CounterState) -> "CounterBody":
        now: CounterNow = state.counter
        return cls(
            counter=now.counter,
            number=now.number,
            name=Text.of(now.name),
            zone=now.zone,
            queues=list(now.queues),
            session=now.session,
            clerk=now.clerk,
            clerk_name=state.clerk_name,
            opened_at=now.opened_at,
            version=now.version,
            current=None if now.current is None else CurrentBody.of(now.current),
            next=None if now.next is None else NextBody.of(now.next),
            waiting=sum(queue.waiting_count for queue in state.queues),
        )


class WaitingBody(BaseModel):
    """A waiting ticket; `version` is what `cancelTicket` names as `seen`."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    waiting_since: datetime
    version: int

    @classmethod
    def of(cls, now: WaitingTicket) -> "WaitingBody":
        return cls(
            ticket=now.ticket,
            number=now.number,
            service=now.service,
            service_name=Text.of(now.service_name),
            priority_class=now.priority_class,
            waiting_since=now.waiting_since,
            version=now.version,
        )


class QueueBody(BaseModel):
    """A queue; `waiting` is in call order and may be shorter than `waiting_count`."""

    queue: str
    name: Text
    zone: str
    waiting_count: int
    waiting: list[WaitingBody]
    open_counters: list[str]
    wait: WaitBody | None

    @classmethod
    def of(cls, now: QueueNow) -> "QueueBody":
        wait = now.wait
        return cls(
            queue=now.queue,
            name=Text.of(now.name),
            zone=now.zone,
            waiting_count=now.waiting_count,
            waiting=[WaitingBody.of(ticket) for ticket in now.waiting],
            open_counters=list(now.open_counters),
            wait=None if wait is None else WaitBody(low=wait.low, high=wait.high, made_at=wait.made_at),
        )


class HelpBody(BaseModel):
    """A person at a terminal asks for staff; `screen` is the screen's id."""

    help: str
    device: str
    device_name: str
    screen: str
    at: datetime
    acknowledged_by: str | None

    @classmethod
    def of(cls, now: HelpNow) -> "HelpBody":
        return cls(
            help=now.help,
            device=now.device,
            device_name=now.device_name,
            screen=now.screen,
            at=now.at,
            acknowledged_by=now.acknowledged_by,
        )
