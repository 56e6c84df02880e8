"""The messages: one envelope, and a body model for each kind. Their bytes are `codec`'s.

Instants are UTC in RFC 3339. Unknown fields are kept, so that an older program passes on what a newer one said.
No body holds personal data: a person is an HMAC made in the terminal.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
REQUEST_ID = r"^[0-9a-f]{8,32}-[0-9]{1,12}$"
RequestId = Annotated[str, StringConstraints(pattern=REQUEST_ID)]
PersonKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MAX_INTEGER = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly."""


def _plausible(at: datetime) -> datetime:
    if not 1970 <= at.year < 9999:
        raise ValueError("year out of range")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""UTC in RFC 3339, from 1970 to 9998: a clock that was never set is a fault to see, not a message to refuse."""
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Health = Literal["ok", "degraded", "fault", "offline", "not_supported", "unknown"]
Supply = Literal["ok", "low", "out", "jammed", "unknown", "not_supported"]
Language = Literal["zh", "en"]


class Message(BaseModel):
    """Base of all bodies: frozen; fields that a newer program added are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Envelope(Message):
    """What every payload is: `kind` says which body model applies; `epoch` and `rev` come from servers only."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    at: Instant
    epoch: Count | None = None
    rev: Count | None = None
    body: Message


# --- device to server: requests ------------------------------------------------------------------


Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}$")]


class OfflineUse(Message):
    """Where a terminal stands in the numbers that it holds for bad times."""

    own_next: Count | None = None
    """The serial that it gives next in its own series; None: it has none yet."""
    leases: dict[str, Count] = Field(default_factory=dict)
    """Lease id to the serial that it gives next; above the block's last where it is used up."""
    returns: tuple[str, ...] = ()
    """Blocks that it gives back."""


class Hello(Message):
    """First request of every connection, and again whenever the terminal wants to hear what it holds."""

    boot_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,32}$")]
    conn_seq: Count = Field(ge=1)
    instance: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """Made once when a device is provisioned; a copied disk shows two holders of one instance."""
    versions: dict[str, str] = Field(default_factory=dict)
    offline: OfflineUse | None = None


class Issue(Message):
    """Take a number for a service."""

    service: Id
    priority_class: Id = "ordinary"
    evidence: Id | None = None
    """Kind of evidence by which the class is asked for."""
    planned: Annotated[tuple[Id, ...], Field(max_length=10)] = ()
    """Further services of the same visit, in order."""
    companions: Annotated[int, Field(ge=0, le=50)] = 0
    person: PersonKey | None = None
    language: Language = "zh"


class CheckIn(Message):
    """The holder of an appointment is here (签到): give them their number, which `issue_answer` brings.

    The appointment is found by the `code` that they typed or showed, else by the `person`.
    """

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    person: PersonKey | None = None
    priority_class: Id | None = None
    """A class that they have besides; None: as the hall's rule for appointments says."""
    language: Language = "zh"


class Help(Message):
    """A person at the terminal asks for staff."""

    screen: Annotated[str, StringConstraints(max_length=40)]
    """The screen on which help was asked, by its id; never what stood on it."""


# --- device to server: journal (facts) -----------------------------------------------------------


class Withdraw(Message):
    """The citizen left, or got another number, before the answer to `request_id` came."""

    request_id: RequestId
    reason: Literal["left", "served_offline", "no_answer"]


class Slip(Message):
    """What became of the slip of a ticket: printed, shown on the screen instead, or unknown."""

    ticket: str
    outcome: Literal["printed", "shown", "unknown"]
    reprint: bool = False
    cause: Annotated[str, StringConstraints(max_length=40)] | None = None


class OfflineTicket(Message):
    """A number that the terminal gave while the hall was away. `number` is as printed: `prefix` and `serial`.

    `ticket` and `follow_token` are the terminal's own choice. `taken_at` is its best knowledge of the time, wrong by
    `uncertain_s` seconds at most; `lease` is None for a number of its own series.
    """

    ticket: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]
    follow_token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    service: Id
    queue: Id
    number: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    prefix: Prefix
    serial: Count
    lease: Annotated[str, StringConstraints(max_length=64)] | None = None
    business_date: date
    taken_at: Instant
    uncertain_s: Count
    priority_class: Id = "ordinary"
    person: PersonKey | None = None
    language: Language = "zh"


# --- server to device: answers -------------------------------------------------------------------


class Wait(Message):
    """A wait range in whole minutes, and when it was made."""

    low: Count
    high: Count
    made_at: Instant


class NumberLease(Message):
    """Numbers of a queue in this terminal's hand for one business date: `first` to `last`, padded to `digits`."""

    lease: str
    queue: Id
    prefix: Prefix
    first: Count
    last: Count
    digits: Count
    business_date: date


class BusinessDay(Message):
    """A business date and its end; it begins where the one before ends."""

    business_date: date
    ends_at: Instant


class OpenStretch(Message):
    """Numbers are given from `begins` on and before `ends`."""

    begins: Instant
    ends: Instant


class OfflineGrant(Message):
    """What a terminal needs to give numbers while the hall is away; it replaces what an earlier one said."""

    prefix: Prefix
    first: Count
    """Where its own series begins, if it has none yet."""
    last: Count
    """After this serial its own series begins again."""
    digits: Count
    leases: tuple[NumberLease, ...] = ()
    days: tuple[BusinessDay, ...]
    """The running business date and those that follow; after the last one it gives no numbers without the hall."""
    hours: dict[str, tuple[OpenStretch, ...]] = Field(default_factory=dict)
    """When numbers are given in those days, by calendar of the bundle."""
    one_live: bool = True
    """A person gets one number for a service, as far as the terminal knows."""
    follow_base: str
    """The address of a ticket's live page is this and its follow token."""


class HelloAnswer(Message):
    verdict: Literal["accepted", "pending", "refused"]
    server_time: Instant
    configuration_revision: Count
    code: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")] | None = None
    """Why the device is not accepted: `device_pending`, `device_refused`, `device_elsewhere`, `cloned_device` …"""
    offline: OfflineGrant | None = None
    """None: the hall cannot say now, and what the terminal holds stays as it is."""


class IssueAnswer(Message):
    """The ticket as it stands in the ledger."""

    ticket: str
    number: str
    service: Id
    queue: Id
    business_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    issued_at: Instant
    people_ahead: Count
    wait: Wait | None = None
    counters: tuple[str, ...] = ()
    """Numbers of the counters that serve this queue now."""
    follow_url: str
    """Address of this ticket's live page; holds a random token, nothing about the person."""
    may_close_at: Instant | None = None
    """Closing time before which the person may not be reached, as the wait range stands."""
    booked_for: Instant | None = None
    """When the slot of the appointment begins, where the number was given for one."""
    callable_from: Instant | None = None
    """Before this instant the number is not called: its holder came early."""


class HelpAnswer(Message):
    help: str


class FactAnswer(Message):
    """A journal fact is in the ledger (or was already)."""

    ticket: str | None = None
    cancelled: bool = False


class Refused(Message):
    """A named refusal; its text is made at the edge, by language."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")]
    params: dict[str, Any] = Field(default_factory=dict)
    retry_after: float | None = Field(default=None, ge=0)
    """Seconds after which the same request may be tried again; None: not at all."""


# --- retained truth ------------------------------------------------------------------------------


class Presence(Message):
    """State of a device; a death whose `conn_seq` is not that of the last birth is ignored."""

    boot_id: str
    conn_seq: Count
    state: Literal["init", "ready", "degraded", "offline"]


class PeripheralReport(Message):
    role: Id
    driver: str
    health: Health
    detail: str | None = None
    supplies: dict[str, Supply] = Field(default_factory=dict)


class Reported(Message):
    peripherals: tuple[PeripheralReport, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    configuration_revision: Count | None = None
    last_ticket_at: Instant | None = None
    backlog: Count = 0
    """Journal entries not yet answered."""
    set_aside: Count = 0
    """Facts that the hall refused for good, kept in the journal."""


class Desired(Message):
    """The bundle (hall, catalogue) that the device shall use."""

    revision: Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    url: str


class Order(Message):
    action: Literal["restart", "self_test", "maintenance_on", "maintenance_off"]


class ServiceNow(Message):
    """Live numbers of one service."""

    service: Id
    open: bool
    reason: str | None = None
    waiting: Count
    wait: Wait | None = None
    opens_at: Instant | None = None
    """From when numbers are given again, where that is known."""


class Services(Message):
    services: tuple[ServiceNow, ...]


class BoardCall(Message):
    """A call as a row of a board."""

    call_id: str
    number: str
    counter: str
    at: Instant
    recall: bool = False


class BoardQueue(Message):
    queue: Id
    name: dict[str, str]
    """Text by language: `zh`, `en`."""
    prefix: str | None = None
    """Letters with which the queue's numbers begin."""
    colour: str | None = None
    waiting: Count
    wait: Wait | None = None


class Board(Message):
    """Everything that a display of one zone shows."""

    zone: Id
    hall_name: dict[str, str]
    calls: tuple[BoardCall, ...]
    """Latest first."""
    queues: tuple[BoardQueue, ...]
    notice: dict[str, str] = Field(default_factory=dict)


class Call(Message):
    """One announcement."""

    call_id: str
    number: str
    counter: str
    recall: bool = False
    text: str
    audio: str | None = None
    """Address of the WAV."""


class ServerPresence(Message):
    state: Literal["online", "offline"]
    since: Instant
    leads: dict[str, Count] = Field(default_factory=dict)
    """Hall id to epoch."""
    conn_seq: Count = 0
    """Number of the connection; a death whose number is not that of the last birth is ignored."""


BODIES: dict[str, type[Message]] = {
    "hello": Hello,
    "issue": Issue,
    "check_in": CheckIn,
    "help": Help,
    "withdraw": Withdraw,
    "slip": Slip,
    "offline_ticket": OfflineTicket,
    "hello_answer": HelloAnswer,
    "issue_answer": IssueAnswer,
    "help_answer": HelpAnswer,
    "fact_answer": FactAnswer,
    "refused": Refused,
    "presence": Presence,
    "reported": Reported,
    "desired": Desired,
    "order": Order,
    "services": Services,
    "board": Board,
    "call": Call,
    "server_presence": ServerPresence,
}
REQUESTS = frozenset({"hello", "issue", "check_in", "help"})
FACTS = frozenset({"withdraw", "slip", "offline_ticket"})
_KINDS = {model: kind for kind, model in BODIES.items()}


def kind_of(body: Message) -> str:
    """The name of this kind of message on the wire."""
    return _KINDS[type(body)]
