"""The words every device speaks: health, supplies, outcome of a command, and who must act.

The meanings follow the status and completion model of XFS4IoT (device state, supply per source, completion code,
error action). ``UNKNOWN`` is a value of its own everywhere: never OK, never a fault, never "not supported".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Health(StrEnum):
    """How a device is, as far as its last answer tells."""

    OK = "ok"
    DEGRADED = "degraded"  # works, and will need a person soon (paper near its end)
    FAULT = "fault"  # answers, and says that it cannot work
    OFFLINE = "offline"  # its line is not there
    NOT_SUPPORTED = "not_supported"  # this cabinet has no such device
    UNKNOWN = "unknown"  # the line is there, the device does not answer (or has not been asked)


class Supply(StrEnum):
    """The state of one thing that a device uses up."""

    OK = "ok"
    LOW = "low"
    OUT = "out"
    JAMMED = "jammed"
    UNKNOWN = "unknown"
    NOT_SUPPORTED = "not_supported"


class Outcome(StrEnum):
    """How a command ended. A cancelled command is not one that timed out."""

    DONE = "done"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    DEVICE_FAULT = "device_fault"
    USER_ERROR = "user_error"
    NOT_SUPPORTED = "not_supported"
    UNKNOWN = "unknown"  # it may have happened: never repeat it without a person's decision


class WhoActs(StrEnum):
    """Who can put a thing right."""

    NOBODY = "nobody"
    CITIZEN = "citizen"
    CLERK = "clerk"  # anybody of the hall's staff: load paper, close a cover
    TECHNICIAN = "technician"


class Detail(StrEnum):
    """The one named cause beside a health or an outcome."""

    NONE = "none"
    # any device
    NOT_ASKED = "not_asked"
    NO_ANSWER = "no_answer"
    LINE_LOST = "line_lost"
    LINE_STALLED = "line_stalled"
    CANCELLED = "cancelled"
    DEADLINE_PASSED = "deadline_passed"
    CLOSED = "closed"
    DRIVER_ERROR = "driver_error"
    # ticket printer
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER_ERROR = "cutter_error"
    HEAD_TOO_HOT = "head_too_hot"
    PRINTER_ERROR = "printer_error"
    PRINTER_OFFLINE = "printer_offline"
    BAD_DOCUMENT = "bad_document"
    # ID card reader
    NO_CARD = "no_card"
    READ_FAILED = "read_failed"
    SEVERAL_CARDS = "several_cards"
    CARD_NOT_LIFTED = "card_not_lifted"
    WRONG_CARD = "wrong_card"
    UNSUPPORTED_CARD_LAYOUT = "unsupported_card_layout"
    SELF_TEST_FAILED = "self_test_failed"
    SAM_NOT_AUTHORISED = "sam_not_authorised"
    UNKNOWN_ANSWER = "unknown_answer"


WHO_ACTS: Final[Mapping[Detail, WhoActs]] = MappingProxyType(
    {
        Detail.NONE: WhoActs.NOBODY,
        Detail.NOT_ASKED: WhoActs.NOBODY,
        Detail.NO_ANSWER: WhoActs.TECHNICIAN,
        Detail.LINE_LOST: WhoActs.TECHNICIAN,
        Detail.LINE_STALLED: WhoActs.TECHNICIAN,
        Detail.CANCELLED: WhoActs.NOBODY,
        Detail.DEADLINE_PASSED: WhoActs.NOBODY,
        Detail.CLOSED: WhoActs.NOBODY,
        Detail.DRIVER_ERROR: WhoActs.TECHNICIAN,
        Detail.PAPER_LOW: WhoActs.CLERK,
        Detail.PAPER_OUT: WhoActs.CLERK,
        Detail.COVER_OPEN: WhoActs.CLERK,
        Detail.CUTTER_ERROR: WhoActs.TECHNICIAN,
        Detail.HEAD_TOO_HOT: WhoActs.NOBODY,  # cools down by itself
        Detail.PRINTER_ERROR: WhoActs.TECHNICIAN,
        Detail.PRINTER_OFFLINE: WhoActs.CLERK,
        Detail.BAD_DOCUMENT: WhoActs.TECHNICIAN,
        Detail.NO_CARD: WhoActs.CITIZEN,
        Detail.READ_FAILED: WhoActs.CITIZEN,
        Detail.SEVERAL_CARDS: WhoActs.CITIZEN,
        Detail.CARD_NOT_LIFTED: WhoActs.CITIZEN,
        Detail.WRONG_CARD: WhoActs.CITIZEN,
        Detail.UNSUPPORTED_CARD_LAYOUT: WhoActs.CLERK,
        Detail.SELF_TEST_FAILED: WhoActs.TECHNICIAN,
        Detail.SAM_NOT_AUTHORISED: WhoActs.TECHNICIAN,
        Detail.UNKNOWN_ANSWER: WhoActs.TECHNICIAN,
    }
)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What is known of one device, from its last answer or the lack of one."""

    device: str
    """Name of the role, such as ``id_card_reader`` or ``ticket_printer``."""
    health: Health
    detail: Detail = Detail.NONE
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    """State of each supply by its name (``paper``); empty for a device that uses nothing up."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "supplies", MappingProxyType(dict(self.supplies)))

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]

    @property
    def usable(self) -> bool:
        """Whether a command is worth trying: only OK and DEGRADED are."""
        return self.health in {Health.OK, Health.DEGRADED}
