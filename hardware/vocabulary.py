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


class Verdict(StrEnum):
    """What a self-test says of a device, or of one of its steps."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"  # it could not be found out: never a pass
    NOT_SUPPORTED = "not_supported"  # this device has nothing of the kind to test


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
    SLIP_NOT_TAKEN = "slip_not_taken"
    # any printer: its jobs
    JOB_REPEATED = "job_repeated"
    JOB_NOT_KEPT = "job_not_kept"
    INTERRUPTED = "interrupted"
    SEEN_BY_STAFF = "seen_by_staff"
    # document printer
    PAPER_JAM = "paper_jam"
    TONER_LOW = "toner_low"
    TONER_OUT = "toner_out"
    PRINTER_STOPPED = "printer_stopped"
    JOB_STUCK = "job_stuck"
    JOB_LOST = "job_lost"
    PAGES_MISSING = "pages_missing"
    ASLEEP = "asleep"
    # ID card reader
    NO_CARD = "no_card"
    READ_FAILED = "read_failed"
    SEVERAL_CARDS = "several_cards"
    CARD_NOT_LIFTED = "card_not_lifted"
    WRONG_CARD = "wrong_card"
    SELF_TEST_FAILED = "self_test_failed"
    SAM_NOT_AUTHORISED = "sam_not_authorised"
    CARD_SERVICE_LOST = "card_service_lost"
    CARD_HELD = "card_held"
    UNKNOWN_ANSWER = "unknown_answer"
    # code scanner, code camera
    CANNOT_BE_ASKED = "cannot_be_asked"
    NO_CODE = "no_code"
    BAD_CODE = "bad_code"
    # any camera
    NO_FRAMES = "no_frames"
    FROZEN_PICTURE = "frozen_picture"
    # document camera
    NO_PAGE = "no_page"
    PAGE_CUT_OFF = "page_cut_off"
    PAGE_TOO_SMALL = "page_too_small"
    BLURRED = "blurred"
    GLARE = "glare"
    # face camera
    NO_CONSENT = "no_consent"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_TURNED = "face_turned"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    CHALLENGE_NOT_MET = "challenge_not_met"
    NOT_THE_SAME_FACE = "not_the_same_face"
    BAD_CARD_PHOTO = "bad_card_photo"
    # presence sensor
    NOBODY_SEEN = "nobody_seen"
    # keypad, caller, evaluator
    KEY_STUCK = "key_stuck"
    NO_KEY = "no_key"
    # guide lights, door and tamper switch
    MODULE_REFUSED = "module_refused"
    OUTPUT_STUCK = "output_stuck"
    DOOR_NOT_MOVED = "door_not_moved"
    # UPS
    ON_BATTERY = "on_battery"
    BATTERY_LOW = "battery_low"
    BATTERY_WORN = "battery_worn"
    UPS_OVERLOADED = "ups_overloaded"
    UPS_BYPASSED = "ups_bypassed"
    UPS_OFF = "ups_off"
    UPS_LOST = "ups_lost"
    NO_SUCH_UPS = "no_such_ups"
    # speaker
    NO_SOUND_CARD = "no_sound_card"
    SOUND_REFUSED = "sound_refused"
    BAD_SOUND = "bad_sound"
    # window display, caller
    BAD_TEXT = "bad_text"
    COUNTER_SILENT = "counter_silent"


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
        Detail.SLIP_NOT_TAKEN: WhoActs.CITIZEN,
        Detail.JOB_REPEATED: WhoActs.NOBODY,
        Detail.JOB_NOT_KEPT: WhoActs.TECHNICIAN,
        Detail.INTERRUPTED: WhoActs.CLERK,
        Detail.SEEN_BY_STAFF: WhoActs.NOBODY,
        Detail.PAPER_JAM: WhoActs.CLERK,
        Detail.TONER_LOW: WhoActs.CLERK,
        Detail.TONER_OUT: WhoActs.CLERK,
        Detail.PRINTER_STOPPED: WhoActs.TECHNICIAN,
        Detail.JOB_STUCK: WhoActs.CLERK,
        Detail.JOB_LOST: WhoActs.CLERK,
        Detail.PAGES_MISSING: WhoActs.CLERK,
        Detail.ASLEEP: WhoActs.NOBODY,
        Detail.NOBODY_SEEN: WhoActs.TECHNICIAN,
        Detail.KEY_STUCK: WhoActs.TECHNICIAN,
        Detail.NO_KEY: WhoActs.CITIZEN,
        Detail.MODULE_REFUSED: WhoActs.TECHNICIAN,
        Detail.OUTPUT_STUCK: WhoActs.TECHNICIAN,
        Detail.DOOR_NOT_MOVED: WhoActs.TECHNICIAN,
        Detail.ON_BATTERY: WhoActs.CLERK,
        Detail.BATTERY_LOW: WhoActs.CLERK,
        Detail.BATTERY_WORN: WhoActs.TECHNICIAN,
        Detail.UPS_OVERLOADED: WhoActs.TECHNICIAN,
        Detail.UPS_BYPASSED: WhoActs.TECHNICIAN,
        Detail.UPS_OFF: WhoActs.TECHNICIAN,
        Detail.UPS_LOST: WhoActs.TECHNICIAN,
        Detail.NO_SUCH_UPS: WhoActs.TECHNICIAN,
        Detail.NO_SOUND_CARD: WhoActs.TECHNICIAN,
        Detail.SOUND_REFUSED: WhoActs.TECHNICIAN,
        Detail.BAD_SOUND: WhoActs.TECHNICIAN,
        Detail.BAD_TEXT: WhoActs.TECHNICIAN,
        Detail.COUNTER_SILENT: WhoActs.TECHNICIAN,
        Detail.NO_CARD: WhoActs.CITIZEN,
        Detail.READ_FAILED: WhoActs.CITIZEN,
        Detail.SEVERAL_CARDS: WhoActs.CITIZEN,
        Detail.CARD_NOT_LIFTED: WhoActs.CITIZEN,
        Detail.WRONG_CARD: WhoActs.CITIZEN,
        Detail.SELF_TEST_FAILED: WhoActs.TECHNICIAN,
        Detail.SAM_NOT_AUTHORISED: WhoActs.TECHNICIAN,
        Detail.CARD_SERVICE_LOST: WhoActs.TECHNICIAN,
        Detail.CARD_HELD: WhoActs.TECHNICIAN,
        Detail.UNKNOWN_ANSWER: WhoActs.TECHNICIAN,
        Detail.CANNOT_BE_ASKED: WhoActs.NOBODY,  # some models answer no question; the first code shows that they work
        Detail.NO_CODE: WhoActs.CITIZEN,
        Detail.BAD_CODE: WhoActs.CITIZEN,
        Detail.NO_FRAMES: WhoActs.TECHNICIAN,
        Detail.FROZEN_PICTURE: WhoActs.TECHNICIAN,
        Detail.NO_PAGE: WhoActs.CITIZEN,
        Detail.PAGE_CUT_OFF: WhoActs.CITIZEN,
        Detail.PAGE_TOO_SMALL: WhoActs.CITIZEN,
        Detail.BLURRED: WhoActs.CITIZEN,
        Detail.GLARE: WhoActs.CITIZEN,
        Detail.NO_CONSENT: WhoActs.CITIZEN,
        Detail.NO_FACE: WhoActs.CITIZEN,
        Detail.SEVERAL_FACES: WhoActs.CITIZEN,
        Detail.FACE_TOO_SMALL: WhoActs.CITIZEN,
        Detail.FACE_TURNED: WhoActs.CITIZEN,
        Detail.TOO_DARK: WhoActs.CITIZEN,
        Detail.TOO_BRIGHT: WhoActs.CITIZEN,
        Detail.CHALLENGE_NOT_MET: WhoActs.CITIZEN,
        Detail.NOT_THE_SAME_FACE: WhoActs.CLERK,  # a person compares: a face is never the only proof
        Detail.BAD_CARD_PHOTO: WhoActs.CLERK,
    }
)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What is known of a device, from its last answer or the lack of one."""

    health: Health
    detail: Detail = Detail.NONE
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    """State of each supply by its name (``paper``); empty for a device that uses nothing up."""
    levels: Mapping[str, int] = field(default_factory=dict)
    """How much is left where that is known, by name: ``slips`` (about so many), ``toner_black`` (percent)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "supplies", MappingProxyType(dict(self.supplies)))
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]

    @property
    def usable(self) -> bool:
        """Whether a command is worth trying: only OK and DEGRADED are."""
        return self.health in {Health.OK, Health.DEGRADED}
