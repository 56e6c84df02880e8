"""Every named refusal of the hall. The comment of each says what its reader may do."""

from dataclasses import dataclass
from typing import ClassVar

from queue_server.hall.base import Refusal


@dataclass(frozen=True, kw_only=True)
class HallNotConfigured(Refusal):
    """Nothing but `Configure` is possible yet; a technician loads the hall's configuration."""

    code: ClassVar[str] = "hall_not_configured"


@dataclass(frozen=True, kw_only=True)
class CommandUnknown(Refusal):
    """The dispatch knows no such command: two versions of the program meet."""

    code: ClassVar[str] = "command_unknown"
    command: str


@dataclass(frozen=True, kw_only=True)
class IdAlreadyUsed(Refusal):
    """The edge made an id that already names something; it asks again with a new one."""

    code: ClassVar[str] = "id_already_used"
    id: str


@dataclass(frozen=True, kw_only=True)
class StaleVersion(Refusal):
    """The thing changed after its viewer saw it: a double click, a second tab, a second person. Look again."""

    code: ClassVar[str] = "stale_version"
    seen: int
    now: int


@dataclass(frozen=True, kw_only=True)
class ConfigurationInvalid(Refusal):
    """The configuration breaks a rule; `problem` names the first one and `where` its place."""

    code: ClassVar[str] = "configuration_invalid"
    problem: str
    where: str


@dataclass(frozen=True, kw_only=True)
class ConfigurationNotNewer(Refusal):
    """The revision is not above the one in force, and the content differs."""

    code: ClassVar[str] = "configuration_not_newer"
    revision: int
    in_force: int


@dataclass(frozen=True, kw_only=True)
class StillInUse(Refusal):
    """The new configuration lacks something that a live ticket or an open counter needs."""

    code: ClassVar[str] = "still_in_use"
    what: str
    """`queue`, `service`, `priority_class` or `counter`."""
    id: str


@dataclass(frozen=True, kw_only=True)
class ServiceUnknown(Refusal):
    """The terminal's catalogue is older or newer than the hall's configuration; it fetches the bundle again."""

    code: ClassVar[str] = "service_unknown"
    service: str


@dataclass(frozen=True, kw_only=True)
class PriorityClassUnknown(Refusal):
    code: ClassVar[str] = "priority_class_unknown"
    priority_class: str


@dataclass(frozen=True, kw_only=True)
class PersonNotKeyed(Refusal):
    """`person` is not an HMAC-SHA256 in lower-case hex: it may be a plain ID number and must not be stored."""

    code: ClassVar[str] = "person_not_keyed"


@dataclass(frozen=True, kw_only=True)
class ServiceClosed(Refusal):
    """No counter that serves it is open, and the hall's rule is not to let people wait for none."""

    code: ClassVar[str] = "service_closed"
    service: str


@dataclass(frozen=True, kw_only=True)
class NumbersExhausted(Refusal):
    """The queue's last number of the day is given; a manager extends the range."""

    code: ClassVar[str] = "numbers_exhausted"
    queue: str
    last: int


@dataclass(frozen=True, kw_only=True)
class DayAlreadyClosed(Refusal):
    """The business day is closed; a manager may open it again while it lasts."""

    code: ClassVar[str] = "day_already_closed"
    business_date: str


@dataclass(frozen=True, kw_only=True)
class DayNotOpen(Refusal):
    """There is no such open business day."""

    code: ClassVar[str] = "day_not_open"
    business_date: str


@dataclass(frozen=True, kw_only=True)
class DayStillOpen(Refusal):
    """Another business day is open; close it first."""

    code: ClassVar[str] = "day_still_open"
    business_date: str


@dataclass(frozen=True, kw_only=True)
class NotThisDay(Refusal):
    """A day can be opened only while the hall's calendar shows that day."""

    code: ClassVar[str] = "not_this_day"
    business_date: str
    today: str


@dataclass(frozen=True, kw_only=True)
class TicketUnknown(Refusal):
    code: ClassVar[str] = "ticket_unknown"
    ticket: str


@dataclass(frozen=True, kw_only=True)
class TicketAlreadyCalled(Refusal):
    """Another counter was faster."""

    code: ClassVar[str] = "ticket_already_called"
    number: str
    counter: str


@dataclass(frozen=True, kw_only=True)
class TicketNotWaiting(Refusal):
    """Only a waiting ticket can be called; `state` says what became of this one."""

    code: ClassVar[str] = "ticket_not_waiting"
    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TicketFinished(Refusal):
    """The ticket has ended; `state` says how."""

    code: ClassVar[str] = "ticket_finished"
    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TicketNotForCounter(Refusal):
    """The counter does not serve the ticket's queue."""

    code: ClassVar[str] = "ticket_not_for_counter"
    number: str
    queue: str


@dataclass(frozen=True, kw_only=True)
class TicketNotCalled(Refusal):
    """The counter has no called ticket (nothing to recall, start or mark as a no-show)."""

    code: ClassVar[str] = "ticket_not_called"


@dataclass(frozen=True, kw_only=True)
class TicketNotServed(Refusal):
    """The counter serves no ticket: there is nothing to complete."""

    code: ClassVar[str] = "ticket_not_served"


@dataclass(frozen=True, kw_only=True)
class TicketStillCalled(Refusal):
    """The counter's called ticket comes first: start, recall, or mark the no-show."""

    code: ClassVar[str] = "ticket_still_called"
    number: str


@dataclass(frozen=True, kw_only=True)
class TicketStillServed(Refusal):
    """A ticket in service must be completed first."""

    code: ClassVar[str] = "ticket_still_served"
    number: str


@dataclass(frozen=True, kw_only=True)
class NobodyWaiting(Refusal):
    code: ClassVar[str] = "nobody_waiting"


@dataclass(frozen=True, kw_only=True)
class RecallTooSoon(Refusal):
    """`retry_after` seconds are left of the hall's recall interval."""

    code: ClassVar[str] = "recall_too_soon"
    number: str


@dataclass(frozen=True, kw_only=True)
class RecallLimitReached(Refusal):
    """Called as often as the hall's rule allows; start or mark the no-show."""

    code: ClassVar[str] = "recall_limit_reached"
    number: str
    limit: int


@dataclass(frozen=True, kw_only=True)
class CounterUnknown(Refusal):
    code: ClassVar[str] = "counter_unknown"
    counter: str


@dataclass(frozen=True, kw_only=True)
class CounterTaken(Refusal):
    """A counter session is open there, perhaps the asker's own (`clerk`)."""

    code: ClassVar[str] = "counter_taken"
    counter: str
    clerk: str
    session: str


@dataclass(frozen=True, kw_only=True)
class ClerkAtOtherCounter(Refusal):
    """The clerk must close the other counter first."""

    code: ClassVar[str] = "clerk_at_other_counter"
    counter: str
    session: str


@dataclass(frozen=True, kw_only=True)
class SessionUnknown(Refusal):
    code: ClassVar[str] = "session_unknown"
    session: str


@dataclass(frozen=True, kw_only=True)
class SessionClosed(Refusal):
    """The counter session has ended; open the counter again."""

    code: ClassVar[str] = "session_closed"
    session: str


@dataclass(frozen=True, kw_only=True)
class SessionOfOther(Refusal):
    """A clerk acts in their own counter session only."""

    code: ClassVar[str] = "session_of_other"
    session: str


@dataclass(frozen=True, kw_only=True)
class HelpUnknown(Refusal):
    code: ClassVar[str] = "help_unknown"
    help: str


@dataclass(frozen=True, kw_only=True)
class HelpAlreadyAcknowledged(Refusal):
    """Somebody else is on the way."""

    code: ClassVar[str] = "help_already_acknowledged"
    help: str
    clerk: str
