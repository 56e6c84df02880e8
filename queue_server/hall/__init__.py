"""The pure core of a hall: commands in, events or refusals out. No I/O, no clock, no randomness.

`decide(hall, command, now)` says what a command causes, `evolve(hall, event)` makes it so, and the same events always
make the same hall.
"""

from queue_server.hall import refusals
from queue_server.hall.appointment_book import Appointment, AppointmentState
from queue_server.hall.appointments import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    Book,
    CancelAppointment,
    ChangeAppointment,
    SlotNow,
    free_slots,
    other_slots,
)
from queue_server.hall.appointments_check_in import AppointmentCheckedIn, CheckIn, CheckInWindow, check_in_window
from queue_server.hall.appointments_missed import (
    AppointmentMissed,
    BookingBlockLifted,
    LiftBlock,
    RecordMissed,
    missed_due,
)
from queue_server.hall.appointments_near import TellNear, TurnNear, near_due
from queue_server.hall.base import Actor, ActorKind, Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.calling import CallNext, CallTicket, Recall, TicketCalled, TicketRecalled
from queue_server.hall.calls import Call
from queue_server.hall.choice import Choice, Considered, pick
from queue_server.hall.codec import (
    CORE_VERSION,
    BadEvent,
    BadSnapshot,
    OtherCoreVersion,
    UnknownEvent,
    dump,
    event_from_json,
    event_to_json,
    load,
)
from queue_server.hall.configuration import (
    Group,
    HallConfiguration,
    Materials,
    Queue,
    Service,
    Zone,
)
from queue_server.hall.configuring import (
    ConfigurationError,
    Configure,
    HallConfigured,
    Problem,
    configuration_from_json,
    configuration_to_json,
)
from queue_server.hall.counters import (
    CloseCounter,
    CounterClosed,
    CounterOpened,
    CounterSession,
    OpenCounter,
    SessionCommand,
    StepEvent,
)
from queue_server.hall.day import CALENDAR, CloseDay, DayClosed, DayOpened, OpenDay, TicketExpired
from queue_server.hall.dispatch import decide, evolve
from queue_server.hall.hall import Hall, NotConfigured, ServiceState
from queue_server.hall.handling import StepOpened, TicketCommand
from queue_server.hall.help_requests import (
    AcknowledgeHelp,
    AskForHelp,
    HelpAcknowledged,
    HelpAsked,
    HelpAskedAgain,
    HelpRequest,
)
from queue_server.hall.holding import Hold, Resume, TicketHeld, TicketResumed
from queue_server.hall.limits import RepetitionFlagged
from queue_server.hall.numbers import Shortage, shortages
from queue_server.hall.offline_granting import (
    GrantOffline,
    LeaseReturned,
    NumbersLeased,
    OfflineHoldersClashed,
    OfflineSeriesGranted,
)
from queue_server.hall.offline_joining import JoinOffline, OfflineTicketRefused
from queue_server.hall.passing import NoShow, NoShowRecorded, Reinstate
from queue_server.hall.ratings import Rated, RateItem, RateVisit, Rating
from queue_server.hall.rules import EvidenceKind, NoShowRule, PriorityClass, Rules
from queue_server.hall.serving import (
    AnotherService,
    Complete,
    ServiceCompleted,
    ServicePlanned,
    ServiceStarted,
    StartService,
)
from queue_server.hall.slots import AppointmentRules, ChannelQuota, Slot, SlotPlan, slots_on
from queue_server.hall.states import StepState
from queue_server.hall.supervising import (
    ChooseProfile,
    ContinueCounter,
    CounterContinued,
    CounterPaused,
    CounterTakenOver,
    PauseCounter,
    ProfileChosen,
    TakeOver,
)
from queue_server.hall.texts import Text
from queue_server.hall.tickets import (
    CancelTicket,
    Issue,
    TicketCancelled,
    TicketIssued,
    Withdraw,
)
from queue_server.hall.transferring import Reclassify, TicketReclassified, TicketTransferred, Transfer
from queue_server.hall.undoing import ActUndone, Undo
from queue_server.hall.visits import Addressee, Step, Ticket, Visit
from queue_server.hall.words import words
from queue_server.hall.workplaces import Counter, CounterClass, PauseReason, ProfileQueue, WorkProfile

__all__ = [
    "CALENDAR",
    "CORE_VERSION",
    "AcknowledgeHelp",
    "ActUndone",
    "Actor",
    "ActorKind",
    "Addressee",
    "AnotherService",
    "Appointment",
    "AppointmentBooked",
    "AppointmentCancelled",
    "AppointmentChanged",
    "AppointmentCheckedIn",
    "AppointmentMissed",
    "AppointmentRules",
    "AppointmentState",
    "AskForHelp",
    "BadEvent",
    "BadSnapshot",
    "Book",
    "BookingBlockLifted",
    "Call",
    "CallNext",
    "CallTicket",
    "CancelAppointment",
    "CancelTicket",
    "ChangeAppointment",
    "ChannelQuota",
    "CheckIn",
    "CheckInWindow",
    "Choice",
    "ChooseProfile",
    "CloseCounter",
    "CloseDay",
    "Command",
    "Complete",
    "ConfigurationError",
    "Configure",
    "Considered",
    "ContinueCounter",
    "CorruptHistory",
    "Counter",
    "CounterClass",
    "CounterClosed",
    "CounterContinued",
    "CounterOpened",
    "CounterPaused",
    "CounterSession",
    "CounterTakenOver",
    "DayClosed",
    "DayOpened",
    "Event",
    "EvidenceKind",
    "GrantOffline",
    "Group",
    "Hall",
    "HallConfiguration",
    "HallConfigured",
    "HelpAcknowledged",
    "HelpAsked",
    "HelpAskedAgain",
    "HelpRequest",
    "Hold",
    "Issue",
    "JoinOffline",
    "LeaseReturned",
    "LiftBlock",
    "Materials",
    "NoShow",
    "NoShowRecorded",
    "NoShowRule",
    "NotConfigured",
    "NumbersLeased",
    "OfflineHoldersClashed",
    "OfflineSeriesGranted",
    "OfflineTicketRefused",
    "OpenCounter",
    "OpenDay",
    "OtherCoreVersion",
    "Outcome",
    "PauseCounter",
    "PauseReason",
    "PriorityClass",
    "Problem",
    "ProfileChosen",
    "ProfileQueue",
    "Queue",
    "RateItem",
    "RateVisit",
    "Rated",
    "Rating",
    "Recall",
    "Reclassify",
    "RecordMissed",
    "Refusal",
    "Reinstate",
    "RepetitionFlagged",
    "Resume",
    "Rules",
    "Service",
    "ServiceCompleted",
    "ServicePlanned",
    "ServiceStarted",
    "ServiceState",
    "SessionCommand",
    "Shortage",
    "Slot",
    "SlotNow",
    "SlotPlan",
    "StartService",
    "Step",
    "StepEvent",
    "StepOpened",
    "StepState",
    "TakeOver",
    "TellNear",
    "Text",
    "Ticket",
    "TicketCalled",
    "TicketCancelled",
    "TicketCommand",
    "TicketExpired",
    "TicketHeld",
    "TicketIssued",
    "TicketRecalled",
    "TicketReclassified",
    "TicketResumed",
    "TicketTransferred",
    "Transfer",
    "TurnNear",
    "Undo",
    "UnknownEvent",
    "Visit",
    "Why",
    "Withdraw",
    "WorkProfile",
    "Zone",
    "check_in_window",
    "configuration_from_json",
    "configuration_to_json",
    "decide",
    "dump",
    "event_from_json",
    "event_to_json",
    "evolve",
    "free_slots",
    "load",
    "missed_due",
    "near_due",
    "other_slots",
    "pick",
    "refusals",
    "shortages",
    "slots_on",
    "words",
]
