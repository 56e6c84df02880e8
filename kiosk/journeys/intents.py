"""Intents: what a person meant by a touch. Screens send them; journeys decide what they do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Touched:
    """Any touch, anywhere: the person is still there."""


@dataclass(frozen=True)
class TakeNumber:
    """Start: choose a service."""


@dataclass(frozen=True)
class ChooseGroup:
    group: str | None


@dataclass(frozen=True)
class ChooseService:
    service: str


@dataclass(frozen=True)
class OpenSearch:
    pass


@dataclass(frozen=True)
class Search:
    """The pinyin initials (or digits) typed so far."""

    text: str


@dataclass(frozen=True)
class CheckIn:
    """I have an appointment."""


@dataclass(frozen=True)
class TypeAppointmentCode:
    """Type the appointment's code instead of laying the card."""


@dataclass(frozen=True)
class AppointmentKey:
    key: str


@dataclass(frozen=True)
class AppointmentErase:
    """Erase the last key, or the `whole` code."""

    whole: bool = False


@dataclass(frozen=True)
class ConfirmAppointmentCode:
    pass


@dataclass(frozen=True)
class GoOnWithoutCard:
    pass


@dataclass(frozen=True)
class Retry:
    pass


@dataclass(frozen=True)
class GiveUp:
    """Leave while the answer is still awaited."""


@dataclass(frozen=True)
class Reprint:
    pass


@dataclass(frozen=True)
class TakeAnother:
    pass


@dataclass(frozen=True)
class Finish:
    pass


@dataclass(frozen=True)
class Back:
    pass


@dataclass(frozen=True)
class Home:
    pass


@dataclass(frozen=True)
class CallHelp:
    """Page staff."""


@dataclass(frozen=True)
class SetLanguage:
    language: str


@dataclass(frozen=True)
class SetLargeType:
    on: bool


@dataclass(frozen=True)
class SetHighContrast:
    on: bool


@dataclass(frozen=True)
class SetVoice:
    on: bool


@dataclass(frozen=True)
class HiddenCorner:
    """The technician's corner was held."""


@dataclass(frozen=True)
class CodeDigit:
    digit: str


@dataclass(frozen=True)
class CodeErase:
    pass


@dataclass(frozen=True)
class TestDevice:
    """Run the own test of the device of this role."""

    role: str


@dataclass(frozen=True)
class TestAllDevices:
    pass


@dataclass(frozen=True)
class StopTests:
    pass


@dataclass(frozen=True)
class OpenUnsettled:
    """Look through the print jobs of which nobody knows whether the paper came out."""


@dataclass(frozen=True)
class SettleJob:
    """Somebody looked: the paper of this job came out, or it did not. Has to be confirmed."""

    job: str
    printed: bool


@dataclass(frozen=True)
class ConfirmSettling:
    pass


@dataclass(frozen=True)
class CancelSettling:
    pass


@dataclass(frozen=True)
class LeaveTechnician:
    pass


Intent = (
    Touched
    | TakeNumber
    | ChooseGroup
    | ChooseService
    | OpenSearch
    | Search
    | CheckIn
    | TypeAppointmentCode
    | AppointmentKey
    | AppointmentErase
    | ConfirmAppointmentCode
    | GoOnWithoutCard
    | Retry
    | GiveUp
    | Reprint
    | TakeAnother
    | Finish
    | Back
    | Home
    | CallHelp
    | SetLanguage
    | SetLargeType
    | SetHighContrast
    | SetVoice
    | HiddenCorner
    | CodeDigit
    | CodeErase
    | TestDevice
    | TestAllDevices
    | StopTests
    | OpenUnsettled
    | SettleJob
    | ConfirmSettling
    | CancelSettling
    | LeaveTechnician
)
