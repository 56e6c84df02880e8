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
class EvidenceMissing(Refusal):
    """The class is given on evidence only; show it at the desk or take an ordinary number."""

    code: ClassVar[str] = "evidence_missing"
    priority_class: str


@dataclass(frozen=True, kw_only=True)
class ClassNotGranted(Refusal):
    """Somebody else grants this class; ask the guide desk."""

    code: ClassVar[str] = "class_not_granted"
    priority_class: str


@dataclass(frozen=True, kw_only=True)
class TooManyServices(Refusal):
    """More services than one visit can have; take a second number later."""

    code: ClassVar[str] = "too_many_services"
    services: int
    most: int


@dataclass(frozen=True, kw_only=True)
class CompanionsOutOfRange(Refusal):
    """A group that large needs an arrangement of its own; ask at the counter."""

    code: ClassVar[str] = "companions_out_of_range"
    companions: int
    most: int


@dataclass(frozen=True, kw_only=True)
class PersonNotKeyed(Refusal):
    """`person` is not an HMAC-SHA256 in lower-case hex: it may be a plain ID number and must not be stored."""

    code: ClassVar[str] = "person_not_keyed"


@dataclass(frozen=True, kw_only=True)
class ServiceClosed(Refusal):
    """No counter that serves it is open, and the hall's rule is not to let people wait for none.

    `opens_at`: when the service's calendar opens next (RFC 3339 in UTC); empty where no calendar says so.
    """

    code: ClassVar[str] = "service_closed"
    service: str
    opens_at: str = ""


@dataclass(frozen=True, kw_only=True)
class OutsideHours(Refusal):
    """No numbers at this hour; they are given again today, from `opens_at` on (RFC 3339, UTC)."""

    code: ClassVar[str] = "outside_hours"
    service: str
    opens_at: str


@dataclass(frozen=True, kw_only=True)
class NotToday(Refusal):
    """No more numbers today; they are given again from `opens_at` on (RFC 3339, UTC; empty: not within two months)."""

    code: ClassVar[str] = "not_today"
    service: str
    opens_at: str


@dataclass(frozen=True, kw_only=True)
class QuotaReached(Refusal):
    """All numbers of the service for this half of the day (`morning`, `afternoon`) are given."""

    code: ClassVar[str] = "quota_reached"
    service: str
    half: str
    limit: int


@dataclass(frozen=True, kw_only=True)
class AlreadyHolding(Refusal):
    """The person has a live number within the hall's scope: they wait with that one, or give it up first."""

    code: ClassVar[str] = "already_holding"
    number: str
    service: str


@dataclass(frozen=True, kw_only=True)
class TooManyNumbers(Refusal):
    """The person took as many numbers today as the hall allows; staff can give one more."""

    code: ClassVar[str] = "too_many_numbers"
    limit: int


@dataclass(frozen=True, kw_only=True)
class NotReachableToday(Refusal):
    """As things stand the person's turn would come after `closes_at` (RFC 3339, UTC)."""

    code: ClassVar[str] = "not_reachable_today"
    service: str
    closes_at: str


@dataclass(frozen=True, kw_only=True)
class NumbersExhausted(Refusal):
    """The queue's last number of the day is given; a manager extends the range."""

    code: ClassVar[str] = "numbers_exhausted"
    queue: str
    last: int


@dataclass(frozen=True, kw_only=True)
class OfflinePrefixesExhausted(Refusal):
    """No prefix is left for another terminal's own numbers; the configuration needs another letter for them."""

    code: ClassVar[str] = "offline_prefixes_exhausted"
    device: str


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
class NotOnDuty(Refusal):
    """The clerk holds no counter; take one first, or choose somebody who is there."""

    code: ClassVar[str] = "not_on_duty"
    clerk: str


@dataclass(frozen=True, kw_only=True)
class CounterNotOpen(Refusal):
    """Nobody is at that counter; send the holder to the line instead."""

    code: ClassVar[str] = "counter_not_open"
    counter: str


@dataclass(frozen=True, kw_only=True)
class QueueNotOfCounter(Refusal):
    """The counter's class is not able to serve this; choose another counter."""

    code: ClassVar[str] = "queue_not_of_counter"
    queue: str
    counter: str


@dataclass(frozen=True, kw_only=True)
class TicketAtOtherCounter(Refusal):
    """Another counter has called or serves it; ask there."""

    code: ClassVar[str] = "ticket_at_other_counter"
    number: str
    counter: str


@dataclass(frozen=True, kw_only=True)
class TicketNotHoldable(Refusal):
    """Only a ticket that waits, is called or served can be held."""

    code: ClassVar[str] = "ticket_not_holdable"
    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TicketNotHeld(Refusal):
    code: ClassVar[str] = "ticket_not_held"
    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TicketNotPassed(Refusal):
    """Only a no-show of today can be put back; after that, take a new number."""

    code: ClassVar[str] = "ticket_not_passed"
    number: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ReinstateAtDesk(Refusal):
    """Too late, or done before: staff can still put the number back."""

    code: ClassVar[str] = "reinstate_at_desk"
    number: str


@dataclass(frozen=True, kw_only=True)
class RecallFirst(Refusal):
    """The hall's rule asks for so many recalls before a no-show."""

    code: ClassVar[str] = "recall_first"
    number: str
    recalls: int


@dataclass(frozen=True, kw_only=True)
class NothingToUndo(Refusal):
    """There is no call, completion or no-show of this counter that can still be undone."""

    code: ClassVar[str] = "nothing_to_undo"


@dataclass(frozen=True, kw_only=True)
class UndoTooLate(Refusal):
    """`within` seconds are over; a completed visitor takes a new number, a no-show can be put back."""

    code: ClassVar[str] = "undo_too_late"
    number: str
    within: int


@dataclass(frozen=True, kw_only=True)
class CounterPaused(Refusal):
    """The counter pauses; continue first."""

    code: ClassVar[str] = "counter_paused"
    counter: str


@dataclass(frozen=True, kw_only=True)
class CounterNotPaused(Refusal):
    code: ClassVar[str] = "counter_not_paused"
    counter: str


@dataclass(frozen=True, kw_only=True)
class PauseReasonUnknown(Refusal):
    """The hall's list of reasons has changed; choose again."""

    code: ClassVar[str] = "pause_reason_unknown"
    reason: str


@dataclass(frozen=True, kw_only=True)
class ProfileUnknown(Refusal):
    code: ClassVar[str] = "profile_unknown"
    profile: str


@dataclass(frozen=True, kw_only=True)
class ProfileBeyondClass(Refusal):
    """The profile holds a queue that the counter's class is not able to serve."""

    code: ClassVar[str] = "profile_beyond_class"
    profile: str
    counter: str


@dataclass(frozen=True, kw_only=True)
class TakeOverNotAllowed(Refusal):
    """Only a manager takes over somebody's counter."""

    code: ClassVar[str] = "take_over_not_allowed"
    counter: str


@dataclass(frozen=True, kw_only=True)
class VisitNotServed(Refusal):
    """A visit is rated after a service was done."""

    code: ClassVar[str] = "visit_not_served"
    number: str


@dataclass(frozen=True, kw_only=True)
class RatingOutOfRange(Refusal):
    code: ClassVar[str] = "rating_out_of_range"
    level: int


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


@dataclass(frozen=True, kw_only=True)
class SlotUnknown(Refusal):
    """The service has no slot that begins then; the channel asks for the slots again."""

    code: ClassVar[str] = "slot_unknown"
    service: str
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class SlotPast(Refusal):
    """The slot has begun, or begins too soon to be booked."""

    code: ClassVar[str] = "slot_past"
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class SlotTooFar(Refusal):
    """Slots can be booked `days` days ahead."""

    code: ClassVar[str] = "slot_too_far"
    starts_at: str
    days: int


@dataclass(frozen=True, kw_only=True)
class SlotFull(Refusal):
    """Every place that can be booked is taken; what is left is kept for people without an appointment."""

    code: ClassVar[str] = "slot_full"
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class ChannelQuotaReached(Refusal):
    """The channel's share of the slot is booked; other channels may have places."""

    code: ClassVar[str] = "channel_quota_reached"
    channel: str
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class AlreadyBooked(Refusal):
    """The person has an open appointment for the service: change or cancel it first."""

    code: ClassVar[str] = "already_booked"
    service: str


@dataclass(frozen=True, kw_only=True)
class TooManyAppointments(Refusal):
    """The person has as many open appointments as the hall allows."""

    code: ClassVar[str] = "too_many_appointments"
    limit: int


@dataclass(frozen=True, kw_only=True)
class BookingBlocked(Refusal):
    """The person missed too many appointments; numbers at the hall are given as ever. Staff may lift the block."""

    code: ClassVar[str] = "booking_blocked"
    until: str


@dataclass(frozen=True, kw_only=True)
class AppointmentUnknown(Refusal):
    """There is no such appointment, or it belongs to another channel."""

    code: ClassVar[str] = "appointment_unknown"


@dataclass(frozen=True, kw_only=True)
class AppointmentNotOpen(Refusal):
    """The appointment is `checked_in`, `cancelled` or `missed`."""

    code: ClassVar[str] = "appointment_not_open"
    state: str


@dataclass(frozen=True, kw_only=True)
class AppointmentBegun(Refusal):
    """The slot has begun: the appointment can be kept or missed, not cancelled."""

    code: ClassVar[str] = "appointment_begun"
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class ChangeTooLate(Refusal):
    """An appointment can be changed until so many minutes before it begins."""

    code: ClassVar[str] = "change_too_late"
    minutes_before: int


@dataclass(frozen=True, kw_only=True)
class CheckInTooEarly(Refusal):
    """Check-in opens at `opens_at`."""

    code: ClassVar[str] = "check_in_too_early"
    starts_at: str
    opens_at: str


@dataclass(frozen=True, kw_only=True)
class CheckInTooLate(Refusal):
    """The time for check-in is over; a number can be taken as without an appointment."""

    code: ClassVar[str] = "check_in_too_late"
    starts_at: str


@dataclass(frozen=True, kw_only=True)
class NotBlocked(Refusal):
    """The person is not blocked: there is nothing to lift."""

    code: ClassVar[str] = "not_blocked"
