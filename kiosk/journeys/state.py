"""Frozen states of the terminal: what stands on the screen, what the hall said, and how the devices are.

Personal data never stands here: of a person only masked forms, and the number of the kiosk session that owns the rest.
Times are seconds of the monotonic clock unless a name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal

from kiosk.journeys.catalogue import Catalogue, Texts
from kiosk.journeys.effects import Effect, WipeSession
from kiosk.journeys.search import Index
from kiosk.journeys.views import CardState, Fact, HelpState, Peripheral, Power, SelfTestState, SlipState


@dataclass(frozen=True)
class Rules:
    """Times of the journey in seconds; the profile may change the first three."""

    idle_s: float = 45
    countdown_s: float = 20
    reading_idle_s: float = 90
    """Instead of `idle_s` where that is shorter, for somebody who is seen to stand there in the middle of a journey."""
    left_idle_s: float = 3
    left_countdown_s: float = 10
    """Instead of `idle_s` and `countdown_s` once the person was seen to go away; the sensor itself waits first."""
    way_out_after_s: float = 10
    """A wait for the hall offers a way out from here on."""
    give_up_after_s: float = 60
    """A request that nobody gives up is withdrawn here."""
    journaling_limit_s: float = 15
    """Within this time the terminal has kept a number of its own, or it gives none."""
    hall_grace_s: float = 5
    """A hall that is lost for a shorter time is only shown as connecting."""
    reading_limit_s: float = 20
    printing_limit_s: float = 90
    testing_limit_s: float = 60
    """For the own test of one device, a person's hand included."""
    help_answer_s: float = 15
    help_shown_s: float = 120
    """How long "staff has been called" stays, and no second call is made."""


@dataclass(frozen=True)
class WaitRange:
    """Minutes, and the UTC instant at which the hall made them."""

    low: int
    high: int
    made_at: datetime


@dataclass(frozen=True)
class LiveService:
    """What the hall says of a service now; where it is closed, `reason` is a code of the translations, and `opens_at`
    the UTC instant from which numbers are given again."""

    service: str
    open: bool
    waiting: int
    wait: WaitRange | None = None
    reason: str | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket as the hall answered it, or as this terminal gave it while the hall was away (`offline`).

    `people_ahead` is None where nobody knows. `may_close_at`: closing time before which the person may not be reached.
    """

    ticket: str
    number: str
    service: str
    people_ahead: int | None
    issued_at: datetime
    follow_url: str
    wait: WaitRange | None = None
    counters: tuple[str, ...] = ()
    offline: bool = False
    may_close_at: datetime | None = None
    booked_for: datetime | None = None
    """When the slot of its appointment begins."""
    callable_from: datetime | None = None
    """Its holder came early: before this instant it is not called."""


@dataclass(frozen=True)
class Finding:
    """By what the hall is to find an appointment: the person of the session, a code that was typed, or the one that the
    session has from the scanner."""

    by: Literal["card", "typed", "scanned"]
    code: str = ""


@dataclass(frozen=True)
class Person:
    """Masked forms of the person whose card was read in this session."""

    masked_name: str
    masked_number: str


@dataclass(frozen=True)
class Preferences:
    """Switches of the person at the terminal; gone with the session."""

    language: str = "zh"
    large_type: bool = False
    high_contrast: bool = False
    voice_on: bool = False


# --- pages: one for each thing that can stand on the screen ---------------------------------------
# `screen` is the page's id, told to the staff who are called for help.


@dataclass(frozen=True)
class AtHome:
    screen: ClassVar[str] = "home"


@dataclass(frozen=True)
class Choosing:
    screen: ClassVar[str] = "catalogue"
    group: str | None = None
    searching: bool = False
    typed: str = ""


@dataclass(frozen=True)
class LayingCard:
    """`service` is None where the card came first; `came_from` is where Back leads."""

    screen: ClassVar[str] = "card"
    service: str | None
    came_from: AtHome | Choosing
    card: CardState = CardState.WAITING
    since: float = 0.0
    check_in: bool = False
    """The card is to find its holder's appointment."""


@dataclass(frozen=True)
class TypingAppointment:
    """The code of an appointment, as far as it is typed."""

    screen: ClassVar[str] = "appointment"
    typed: str = ""


@dataclass(frozen=True)
class Awaiting:
    """The request for a number is under way; `attempt` names it until the journal gave it an id.

    For a check-in `service` is None, and `finding` says of which appointment.
    """

    screen: ClassVar[str] = "waiting"
    attempt: int
    service: str | None
    since: float
    offline: bool = False
    """The terminal gives the number itself: its journal is writing."""
    finding: Finding | None = None


@dataclass(frozen=True)
class Holding:
    """The number is there; `job` is the print that is under way or came last."""

    screen: ClassVar[str] = "ticket"
    ticket: Ticket
    job: int
    since: float
    slip: SlipState = SlipState.PRINTING
    cause: str | None = None


@dataclass(frozen=True)
class Refused:
    screen: ClassVar[str] = "refused"
    code: str
    params: tuple[tuple[str, str], ...]
    service: str | None
    retry_at: float | None
    """From when the same request may be tried again; None: not at all."""
    finding: Finding | None = None
    """Of a check-in; `service` is None then."""


@dataclass(frozen=True)
class TypingCode:
    screen: ClassVar[str] = "technician"
    typed: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class SelfTest:
    """The own test of a device, under way; `request` is what the technician is to do for its present `step`."""

    attempt: int
    role: str
    since: float
    step: Texts | None = None
    request: Texts | None = None


@dataclass(frozen=True)
class SelfTestResult:
    """How the last test of a device ended; the step that decided, and what was measured or is to be done."""

    state: SelfTestState
    step: Texts
    told: Texts


@dataclass(frozen=True)
class UnsettledJob:
    """A print job of which nobody knows whether the paper came out. `label` is its ticket's number, empty for a test;
    `detail` the likely cause."""

    job: str
    device: str
    label: str
    made_at: datetime | None
    detail: str


@dataclass(frozen=True)
class Servicing:
    """The technician's screen: one test runs at a time, those of the other roles `queued` wait for it."""

    screen: ClassVar[str] = "technician"
    running: SelfTest | None = None
    queued: tuple[str, ...] = ()
    results: Mapping[str, SelfTestResult] = field(default_factory=dict)
    """By role."""


@dataclass(frozen=True)
class Settling:
    """The technician looks through unsettled print jobs; Back leads to the page before."""

    screen: ClassVar[str] = "technician"
    came_from: Servicing
    asked: tuple[str, bool] | None = None
    """A job, and whether its paper is said to have come out: to be confirmed."""
    busy: bool = True
    """The list is being read, or a job settled."""


Page = (
    AtHome
    | Choosing
    | LayingCard
    | TypingAppointment
    | Awaiting
    | Holding
    | Refused
    | TypingCode
    | Servicing
    | Settling
)


@dataclass(frozen=True)
class Hall:
    """What is known of the hall and of our standing with it."""

    catalogue: Catalogue | None = None
    index: Index = field(default_factory=Index)
    live: Mapping[str, LiveService] = field(default_factory=dict)
    link_up: bool = False
    server_online: bool = True
    """The server's retained presence; taken as online until it says otherwise."""
    silent: bool = False
    """A request passed its answer's deadline."""
    verdict: str | None = None
    """Answer to our hello on any connection of this run: `accepted`, `pending`, `refused`."""
    offline_ready: bool = False
    """The terminal holds numbers that it may give while the hall is away."""
    lost_at: float | None = None
    """Since when the hall does not answer."""


@dataclass(frozen=True)
class Condition:
    """Why the terminal may not serve, apart from the hall."""

    started: bool = False
    maintenance: bool = False
    cloned: bool = False
    journal_fault: bool = False
    crashed: str | None = None
    """The part of the program that failed and is being started again."""


@dataclass(frozen=True)
class Equipment:
    """Devices and facts for the technician."""

    reader_ready: bool = False
    peripherals: tuple[Peripheral, ...] = ()
    unsettled: tuple[UnsettledJob, ...] | None = ()
    """Print jobs; None: they cannot be read."""
    versions: tuple[Fact, ...] = ()
    network: tuple[Fact, ...] = ()
    voices: frozenset[str] = frozenset()
    """Languages in which there are prompts to hear."""


@dataclass(frozen=True)
class Surroundings:
    """What sensors say of the terminal's place."""

    present: bool | None = None
    """Somebody stands there; None where no sensor says so."""
    left_at: float | None = None
    """When the person of this session was seen to go away; None again once somebody acts."""
    power: Power = Power.MAINS


@dataclass(frozen=True)
class State:
    terminal: str
    rules: Rules = Rules()
    page: Page = AtHome()
    session: int = 1
    """Grows when a session ends; what comes late from an older session is dropped."""
    person: Person | None = None
    card_first: bool = False
    preferences: Preferences = Preferences()
    help: HelpState = HelpState.IDLE
    help_since: float = 0.0
    help_attempt: int = 0
    hall: Hall = Hall()
    condition: Condition = Condition()
    equipment: Equipment = Equipment()
    surroundings: Surroundings = Surroundings()
    code_locked_until: float = 0.0
    restart_wanted: bool = False
    last_attempt: int = 0
    """Counts requests and prints, so that each has a name of its own within this run."""
    touched_at: float = 0.0
    now: float = 0.0
    utc: datetime | None = None
    """The instant of `now`, to tell today from tomorrow; None where no clock said so yet."""


Step = tuple[State, tuple[Effect, ...]]


def go_home(state: State) -> Step:
    """Leave the journey: the session's personal data goes, the switches stay (the person may still be there)."""
    effects = (WipeSession(state.session),)
    surroundings = replace(state.surroundings, left_at=None)
    return replace(
        state, page=AtHome(), session=state.session + 1, person=None, card_first=False, surroundings=surroundings
    ), effects


def end_session(state: State) -> Step:
    """The person is gone: as `go_home`, and the switches go back to the hall's own."""
    state, effects = go_home(state)
    return replace(state, preferences=Preferences()), effects
