"""Events from devices, wire, files and time; a person's touches are the intents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kiosk.journeys.intents import Intent
from kiosk.journeys.views import CardState, Fact, Peripheral, Power, SelfTestState, SlipState

if TYPE_CHECKING:
    from datetime import datetime

    from kiosk.journeys.catalogue import Catalogue, Texts
    from kiosk.journeys.search import Index
    from kiosk.journeys.state import LiveService, Ticket, UnsettledJob


@dataclass(frozen=True)
class Tick:
    """Time went on; sent a few times a second."""

    at: datetime | None = None
    """UTC, as far as the terminal knows it."""


@dataclass(frozen=True)
class Started:
    """Journal, devices and profile are there."""

    maintenance: bool = False
    """The order to stay in maintenance was given before this start."""
    voices: frozenset[str] = frozenset()
    """Prompts are rendered on this terminal."""
    versions: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Stopped:
    """The program's parts are being started again."""


# --- card reader ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class CardProgress:
    """The reader sees a card (`READING`), asks for another try, or met what is no ID card."""

    session: int
    card: CardState


@dataclass(frozen=True)
class CardRead:
    """A card was read; name and number stay with the kiosk session, here are their masked forms."""

    session: int
    masked_name: str
    masked_number: str


@dataclass(frozen=True)
class DevicesChanged:
    peripherals: tuple[Peripheral, ...]
    reader_ready: bool


@dataclass(frozen=True)
class SelfTestStep:
    """A step of a device's own test begins; `request` is what a person is to do for it, if anything."""

    attempt: int
    step: Texts
    request: Texts | None = None


@dataclass(frozen=True)
class SelfTestDone:
    """A device's own test has ended. `step` decided, `told` says what was measured, or what is wrong and what to do."""

    attempt: int
    state: SelfTestState
    step: Texts
    told: Texts


# --- sensors, keypad, power ----------------------------------------------------------------------


@dataclass(frozen=True)
class PresenceChanged:
    """Somebody stands before the terminal, nobody does, or (None) no sensor says so."""

    present: bool | None


@dataclass(frozen=True)
class PowerChanged:
    power: Power


@dataclass(frozen=True)
class KeyPressed:
    """A key of the keypad: a digit, `backspace`, `clear`, `cancel`, `enter` …"""

    key: str = field(repr=False)


# --- code scanner --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CodeRead:
    """A code was scanned for this session, which keeps its text (`KioskSession.code`)."""

    session: int


@dataclass(frozen=True)
class CodeUnusable:
    """A code was held before the scanner that is no text, too long or incomplete; the scanner goes on looking."""

    session: int


# --- printer -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SlipDone:
    """Outcome of a print: printed, not printed (`cause` says why) or unknown."""

    job: int
    slip: SlipState
    cause: str | None = None


@dataclass(frozen=True)
class UnsettledJobs:
    """The print jobs of which nobody knows whether the paper came out, oldest first; None: they cannot be read."""

    jobs: tuple[UnsettledJob, ...] | None


# --- hall ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkChanged:
    up: bool


@dataclass(frozen=True)
class ServerChanged:
    """The retained presence of the server that leads this hall."""

    online: bool


@dataclass(frozen=True)
class HallSilent:
    """A request passed its answer's deadline; it is still being sent again."""


@dataclass(frozen=True)
class HallHeard:
    """An answer came."""


@dataclass(frozen=True)
class Verdict:
    """Answer to our hello."""

    verdict: Literal["accepted", "pending", "refused", "cloned"]


@dataclass(frozen=True)
class CatalogueLoaded:
    catalogue: Catalogue
    index: Index


@dataclass(frozen=True)
class ServicesChanged:
    services: tuple[LiveService, ...]


@dataclass(frozen=True)
class OfflineReady:
    """Whether this terminal holds numbers that it may give while the hall is away."""

    ready: bool


@dataclass(frozen=True)
class NumberGiven:
    attempt: int
    ticket: Ticket


@dataclass(frozen=True)
class NumberRefused:
    """A named refusal of the hall, or of the terminal's own journal."""

    attempt: int
    code: str
    params: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None


@dataclass(frozen=True)
class HelpAnswered:
    attempt: int
    paged: bool


@dataclass(frozen=True)
class OrderGiven:
    action: Literal["restart", "maintenance_on", "maintenance_off"]


@dataclass(frozen=True)
class NetworkFacts:
    """Lines of the technician's screen: broker, connection, backlog."""

    facts: tuple[Fact, ...]


# --- the program itself --------------------------------------------------------------------------


@dataclass(frozen=True)
class JournalChanged:
    """Whether the journal can be written; without it no request may be made."""

    writable: bool


@dataclass(frozen=True)
class PartCrashed:
    """A part of the program failed; None: all parts run again."""

    part: str | None


@dataclass(frozen=True)
class CodeChecked:
    accepted: bool
    locked_for: float = 0.0
    """Seconds in which no further code is taken."""


Event = (
    Intent
    | Tick
    | Started
    | Stopped
    | CardProgress
    | CardRead
    | DevicesChanged
    | SelfTestStep
    | SelfTestDone
    | PresenceChanged
    | PowerChanged
    | KeyPressed
    | CodeRead
    | CodeUnusable
    | SlipDone
    | UnsettledJobs
    | LinkChanged
    | OfflineReady
    | ServerChanged
    | HallSilent
    | HallHeard
    | Verdict
    | CatalogueLoaded
    | ServicesChanged
    | NumberGiven
    | NumberRefused
    | HelpAnswered
    | OrderGiven
    | NetworkFacts
    | JournalChanged
    | PartCrashed
    | CodeChecked
)
