"""Bodies of the counters' HTTP API. Instants are RFC 3339 in UTC; texts by language have the keys `zh` and `en`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from queue_server.counters.outcomes import CounterState
from queue_server.hall import Addressee
from queue_server.staff import Staff

Id = Annotated[str, Field(min_length=1, max_length=64)]
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

    ticket: Id
    seen: Seen


class OpenBody(BaseModel):
    """`profile` null: the counter's own."""

    profile: Id | None = None


class ProfileBody(OpenBody):
    seen: Seen


class PauseBody(BaseModel):
    """`reason`: one of the hall's."""

    reason: Id
    seen: Seen


class AnotherServiceBody(BaseModel):
    """`here`: the counter serves it now; else it waits in its own line when the current service is done."""

    service: Id
    here: bool
    seen: Seen


class AddresseeBody(BaseModel):
    """A counter or a clerk, by id."""

    kind: Literal["counter", "clerk"]
    id: Id

    def addressee(self) -> Addressee:
        return Addressee(self.kind, self.id)


class TransferBody(BaseModel):
    """`service` null: the same one. `to` null: whoever serves it."""

    service: Id | None = None
    to: AddresseeBody | None = None
    seen: Seen


class ReclassifyBody(BaseModel):
    service: Id | None = None
    priority_class: Id | None = None
    evidence: Id | None = None
    companions: Annotated[int, Field(ge=0, le=50)] | None = None
    seen: Seen


class HoldBody(BaseModel):
    """`pool` null: with the hall; any counter of its class may take it up again."""

    pool: AddresseeBody | None = None
    seen: Seen


class Shown(BaseModel):
    """A part of the projection as it travels."""

    model_config = ConfigDict(from_attributes=True)


class WaitBody(Shown):
    """Range in whole minutes, and when it was made."""

    low: int
    high: int
    made_at: datetime


class CurrentBody(Shown):
    """The ticket that the counter has called or serves; `since` is when it came into its state."""

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    evidence: str | None
    companions: int
    appointment: bool
    planned: list[Text]
    """Services of the same visit that follow."""
    state: State
    since: datetime
    waiting_since: datetime
    recalls: int
    version: int


class NextBody(Shown):
    """Whom Next would call now, and why."""

    ticket: str
    number: str
    service_name: Text
    waiting_since: datetime
    why: Text


class UndoBody(Shown):
    """The last act, which can be undone until `until`."""

    what: Literal["call", "completion", "no_show"]
    number: str
    until: datetime


class AsideBody(Shown):
    """A ticket that is held, or was missed and can be put back; `pool_…`: where it is parked."""

    ticket: str
    number: str
    service: str
    service_name: Text
    queue: str
    priority_class: str
    state: State
    since: datetime
    version: int
    pool_counter: str | None
    pool_clerk: str | None


class CounterBody(Shown):
    """A counter; `session` is null while nobody holds it. `version` is what the next command names as `seen`.

    `queues`: from which it calls, by its work profile.
    """

    counter: str
    number: str
    name: Text
    zone: str
    counter_class: str
    profile: str
    queues: list[str]
    session: str | None
    clerk: str | None
    clerk_name: str | None = None
    opened_at: datetime | None
    paused_since: datetime | None
    pause_reason: Text | None
    version: int
    current: CurrentBody | None
    next: NextBody | None
    undo: UndoBody | None
    aside: list[AsideBody] = []
    """What is held, or was missed, and this counter may take up."""
    waiting: int = 0
    """How many people wait in the counter's queues."""

    @classmethod
    def of(cls, state: CounterState) -> "CounterBody":
        about = {
            "clerk_name": state.clerk_name,
            "aside": [AsideBody.model_validate(ticket) for ticket in state.aside],
            "waiting": sum(queue.waiting_count for queue in state.queues),
        }
        return cls.model_validate(state.counter).model_copy(update=about)


class WaitingBody(Shown):
    """A waiting ticket; `version` is what acts on it name as `seen`.

    `called_from`: before this it is not called by itself. `for_counter`, `for_clerk`: it waits for them alone.
    """

    ticket: str
    number: str
    service: str
    service_name: Text
    priority_class: str
    companions: int
    appointment: bool
    waiting_since: datetime
    called_from: datetime | None
    for_counter: str | None
    for_clerk: str | None
    version: int


class QueueBody(Shown):
    """A queue; `waiting` is in call order and may be shorter than `waiting_count`."""

    queue: str
    name: Text
    zone: str
    waiting_count: int
    waiting: list[WaitingBody]
    open_counters: list[str]
    wait: WaitBody | None


class HelpBody(Shown):
    """A person at a terminal asks for staff; `screen` is the screen's id."""

    help: str
    device: str
    device_name: str
    screen: str
    at: datetime
    acknowledged_by: str | None
