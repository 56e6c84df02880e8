"""Effects: what the program is to do after a step. None holds personal data that is not masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kiosk.journeys.state import Finding, Ticket


@dataclass(frozen=True)
class RequestNumber:
    """Journal and send an issue request; with `identified` the program adds the session's person key."""

    attempt: int
    service: str
    language: str
    identified: bool


@dataclass(frozen=True)
class RequestCheckIn:
    """Journal and send a check-in; the program adds the session's person key or the code that was scanned."""

    attempt: int
    finding: Finding
    language: str


@dataclass(frozen=True)
class GiveOffline:
    """Give a number of this terminal's own; the request of the same attempt, if there is one, is withdrawn with it."""

    attempt: int
    service: str
    language: str
    identified: bool


@dataclass(frozen=True)
class RequestHelp:
    """Page staff; `screen` is the id of the screen, never what stood on it."""

    attempt: int
    screen: str


@dataclass(frozen=True)
class WithdrawRequest:
    """Nobody waits for this answer any more: the hall is to undo what it may have done."""

    attempt: int
    reason: Literal["left", "no_answer"]


@dataclass(frozen=True)
class StartCardRead:
    """Poll the readers for this session until told to stop."""

    session: int


@dataclass(frozen=True)
class StopCardRead:
    pass


@dataclass(frozen=True)
class StartCodeScan:
    """Wait for one code to be held before the scanner; it belongs to this session."""

    session: int


@dataclass(frozen=True)
class StopCodeScan:
    pass


@dataclass(frozen=True)
class ShowLights:
    """Light the guide lights beside the devices of these roles, and put the others out."""

    lit: frozenset[str]


@dataclass(frozen=True)
class PrintSlip:
    job: int
    ticket: Ticket
    language: str
    masked_name: str | None
    reprint: bool


@dataclass(frozen=True)
class StartSelfTest:
    """Run the own test of the device of this role; what it finds comes as `SelfTestStep` and `SelfTestDone`."""

    attempt: int
    role: str
    within_s: float


@dataclass(frozen=True)
class StopSelfTest:
    """End the self-test that may still run."""


@dataclass(frozen=True)
class ListUnsettled:
    """Find the print jobs that nobody settled; they come as `UnsettledJobs`."""


@dataclass(frozen=True)
class SettleJob:
    """Keep what somebody saw of a print job's paper, and tell the hall; `UnsettledJobs` comes after it."""

    job: str
    printed: bool


@dataclass(frozen=True)
class CheckCode:
    """Compare the technician's one-time code; the answer comes as `CodeChecked`."""

    code: str


@dataclass(frozen=True)
class Speak:
    """Say a rendered prompt, by its id."""

    prompt: str
    language: str


@dataclass(frozen=True)
class WipeSession:
    """Forget the person of this session, everywhere."""

    session: int


@dataclass(frozen=True)
class Restart:
    """End the program; its supervisor starts it again."""


Effect = (
    RequestNumber
    | RequestCheckIn
    | GiveOffline
    | RequestHelp
    | WithdrawRequest
    | StartCardRead
    | StopCardRead
    | StartCodeScan
    | StopCodeScan
    | ShowLights
    | PrintSlip
    | StartSelfTest
    | StopSelfTest
    | ListUnsettled
    | SettleJob
    | CheckCode
    | Speak
    | WipeSession
    | Restart
)
