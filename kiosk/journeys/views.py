"""Frozen views: all that a screen needs to draw itself, and nothing personal that is not masked.

Every text in a view that comes from the hall (names of services, of the hall) is already in the session's language;
fixed words are the screens' own and come from the translations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Network(StrEnum):
    """Whether the hall answers, in the citizen's terms."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    OFFLINE = "offline"
    """The hall does not answer, and the terminal gives numbers of its own."""
    AWAY = "away"


class Power(StrEnum):
    """Where the terminal's power comes from."""

    MAINS = "mains"
    BATTERY = "battery"
    LOW = "low"
    """The battery will soon be empty."""


class HelpState(StrEnum):
    """The footer's help button."""

    IDLE = "idle"
    PAGING = "paging"
    PAGED = "paged"
    FAILED = "failed"


class CardState(StrEnum):
    """What the card reader is doing, as the prompt shows it."""

    WAITING = "waiting"
    READING = "reading"
    LIFT_AND_LAY_AGAIN = "lift_and_lay_again"
    NOT_THIS_CARD = "not_this_card"
    READER_AWAY = "reader_away"
    DONE = "done"


class SlipState(StrEnum):
    """What becomes of the paper."""

    PRINTING = "printing"
    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Idle:
    """The countdown before the session is wiped; any touch extends it."""

    seconds_left: int


@dataclass(frozen=True)
class Frame:
    """What header and footer of every screen show."""

    hall_name: str
    language: str
    """`zh` or `en`."""
    network: Network = Network.CONNECTING
    power: Power = Power.MAINS
    help: HelpState = HelpState.IDLE
    large_type: bool = False
    high_contrast: bool = False
    voice: bool = False
    """Prompts are rendered on this terminal: the voice button may be shown."""
    voice_on: bool = False
    can_go_back: bool = False
    can_go_home: bool = False
    steps: tuple[str, ...] = ()
    """Ids of the journey's steps: `card`, `service`, `ticket`; empty where there is no journey."""
    step: int = 0
    idle: Idle | None = None
    terminal: str = ""
    """Id of the terminal, in small print for staff."""
    time_zone: str = "Asia/Shanghai"
    """The hall's, by its IANA name: the header's clock shows the hall's time, whatever this machine is set to."""


@dataclass(frozen=True)
class Wait:
    """Wait range in minutes, and the hall's clock time `HH:MM` at which it was made."""

    low: int
    high: int
    made_at: str


@dataclass(frozen=True)
class Opening:
    """When numbers are given again, by the hall's clock: `HH:MM`, the same with its date in words, and the day."""

    at: str
    on: str
    day: Literal["today", "tomorrow", "later"]


@dataclass(frozen=True)
class Service:
    """A service as a tile; where it cannot be taken now, `closed_reason` names why (a code of the translations)."""

    id: str
    name: str
    group: str
    icon: str
    colour: str
    waiting: int | None
    wait: Wait | None
    closed_reason: str | None = None
    opens: Opening | None = None
    """Where it is closed and the hall knows until when."""


@dataclass(frozen=True)
class Group:
    """A group of services with the icon and colour it keeps on terminal, slip, display and phone."""

    id: str
    name: str
    icon: str
    colour: str


@dataclass(frozen=True)
class HomeView:
    """Start: take a number (with or without laying the card first), and the most wanted services."""

    frame: Frame
    common: tuple[Service, ...]
    reader_ready: bool
    check_in: bool = False
    """The hall takes appointments: whoever has one checks in here."""


@dataclass(frozen=True)
class CatalogueView:
    """Choose a service: groups, the chosen group's services, or what the search found."""

    frame: Frame
    groups: tuple[Group, ...]
    group: str | None
    services: tuple[Service, ...]
    search: str
    """Pinyin initials typed so far; empty when not searching."""
    searching: bool
    greeting: str | None
    """Masked name of the person whose card was read, as `张*`."""
    check_in: bool = False
    """This person may have an appointment in this hall."""


@dataclass(frozen=True)
class CardView:
    """Lay your ID card: where, and the live state of the reading."""

    frame: Frame
    state: CardState
    service: str | None
    """Name of the service already chosen."""
    may_skip: bool
    """The hall gives numbers for this service without a card."""
    masked_name: str | None = None
    masked_number: str | None = None
    lays: bool = True
    """An ID card can be laid on its reader now."""
    inserts: bool = False
    """A social security card can be inserted now."""
    check_in: bool = False
    """The card is to find an appointment; its code can be typed instead."""
    scans: bool = False
    """The code can be scanned, too."""


@dataclass(frozen=True)
class AppointmentCodeView:
    """Type the code of the appointment; the whole one can be confirmed."""

    frame: Frame
    typed: str
    length: int
    keys: str
    """Digits and letters that a code can have, in the order of the keypad."""
    scans: bool = False


@dataclass(frozen=True)
class WaitingView:
    """The request is under way: what is being waited for, and whether a way out is offered."""

    frame: Frame
    service: str
    offers_way_out: bool
    check_in: bool = False


@dataclass(frozen=True)
class TicketView:
    """The number, and what becomes of its slip."""

    frame: Frame
    number: str
    service: str
    people_ahead: int | None
    wait: Wait | None
    counters: tuple[str, ...]
    slip: SlipState
    slip_cause: str | None
    """Code of the translations where the slip was not printed: `paper_out`, `cover_open`, `no_answer` …"""
    follow_url: str
    """Content of the QR code; opens the ticket's live page."""
    masked_name: str | None
    staff_code: str | None = None
    offline: bool = False
    """The terminal gave it while the hall was away: it joins the queue by the time it was taken."""
    taken_at: str = ""
    """The hall's clock time `HH:MM` at which it was taken."""
    may_close_at: str | None = None
    """Clock time of closing, `HH:MM`, where the person may not be reached before it."""
    booked_for: str | None = None
    """Clock time of the appointment."""
    callable_from: str | None = None
    """Clock time before which the number is not called, as its holder came early."""


@dataclass(frozen=True)
class RefusedView:
    """The hall refused, or did not answer in time (`no_answer`: the request was withdrawn): a sentence (by `code`,
    `params` and `opens`), what became of the number, the next step."""

    frame: Frame
    code: str
    params: dict[str, str]
    service: str | None
    staff_code: str
    may_retry: bool
    check_in: bool = False
    """It was a check-in that the hall refused."""
    may_type_code: bool = False
    may_take_number: bool = False
    opens: Opening | None = None


@dataclass(frozen=True)
class OutOfServiceView:
    """The terminal cannot serve now; it comes back by itself."""

    frame: Frame
    code: str
    """`starting`, `no_configuration`, `hall_away`, `maintenance`, `not_accepted`, `cloned`, `journal_fault`,
    `program_fault` (a part of the program failed and is being started again), `power_low`."""
    staff_code: str


@dataclass(frozen=True)
class TechnicianCodeView:
    """Behind the hidden corner: the one-time code."""

    frame: Frame
    typed: int
    """How many digits have been typed."""
    wrong: bool
    locked_seconds: int
    length: int = 8
    """Digits of the code."""


@dataclass(frozen=True)
class Peripheral:
    """A device line of the technician's screen; enumerations are those of the hardware vocabulary, as words."""

    role: str
    driver: str
    address: str
    health: str
    detail: str | None
    supplies: tuple[tuple[str, str], ...]


class SelfTestState(StrEnum):
    """Where the own test of a device is, or how it ended."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be found out: no pass."""
    NOT_SUPPORTED = "not_supported"
    """The device has nothing to test."""
    STOPPED = "stopped"


@dataclass(frozen=True)
class DeviceTest:
    """What the technician's screen shows of a device's test: its step, and what was found or is to be done."""

    state: SelfTestState
    step: str = ""
    told: str = ""
    seconds_left: int | None = None
    """For what the technician is to do, where there is something."""


@dataclass(frozen=True)
class Fact:
    """A line of the technician's screen: label id, value."""

    label: str
    value: str


@dataclass(frozen=True)
class TechnicianView:
    """Devices with health and their own tests, versions, network."""

    frame: Frame
    peripherals: tuple[Peripheral, ...]
    tests: Mapping[str, DeviceTest]
    """By role; a device that was not tested has none."""
    testing: bool
    """A test runs: no other can be begun."""
    unsettled: int | None
    """How many print jobs somebody has to look at; None: they cannot be read."""
    versions: tuple[Fact, ...]
    network: tuple[Fact, ...]


@dataclass(frozen=True)
class UnsettledSlip:
    """A paper of which nobody knows whether it came out. `number` is empty where it is no ticket's, `made_on` the
    hall's date and time `MM-DD HH:MM`, `device` the printer's role, `cause` a detail of the hardware vocabulary."""

    job: str
    number: str
    device: str
    made_on: str
    cause: str


@dataclass(frozen=True)
class UnsettledView:
    """Print jobs to settle, by somebody who looked; `slips` is None where they cannot be read."""

    frame: Frame
    slips: tuple[UnsettledSlip, ...] | None
    asked: tuple[str, bool] | None
    """A job, and whether its paper is said to have come out: a second tap confirms."""
    busy: bool


View = (
    HomeView
    | CatalogueView
    | CardView
    | AppointmentCodeView
    | WaitingView
    | TicketView
    | RefusedView
    | OutOfServiceView
    | TechnicianCodeView
    | TechnicianView
    | UnsettledView
)
