"""What can go wrong between a driver and its device: each error names what happened and who acts."""

from hardware.vocabulary import WHO_ACTS, Detail, Health, Outcome, WhoActs


class HardwareError(Exception):
    """Base of all device errors. `outcome` is what the interrupted command reports."""

    detail: Detail = Detail.DRIVER_ERROR
    outcome: Outcome = Outcome.DEVICE_FAULT
    health: Health | None = None
    """Health that follows for the device; None when the error says nothing about it."""

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


class LineLost(HardwareError):
    """The line to the device is gone or cannot be opened (unplugged, refused, held by another program)."""

    detail = Detail.LINE_LOST
    health = Health.OFFLINE


class LineStalled(HardwareError):
    """The device stopped taking bytes. `written` of the bytes of this write had been taken."""

    detail = Detail.LINE_STALLED
    health = Health.UNKNOWN

    def __init__(self, message: str, written: int) -> None:
        super().__init__(message)
        self.written = written


class NoAnswer(HardwareError):
    """The line is there and the device stays silent, or sends nothing that can be understood."""

    detail = Detail.NO_ANSWER
    health = Health.UNKNOWN


class DeviceFault(HardwareError):
    """The device answers and says that it cannot work; `detail` names why."""

    health = Health.FAULT

    def __init__(self, detail: Detail) -> None:
        super().__init__(detail)
        self.detail = detail


class CommandCancelled(HardwareError):
    """The command was cancelled by its caller."""

    detail = Detail.CANCELLED
    outcome = Outcome.CANCELLED


class DeadlinePassed(HardwareError):
    """The command's deadline passed."""

    detail = Detail.DEADLINE_PASSED
    outcome = Outcome.TIMED_OUT


class DeviceClosed(HardwareError):
    """The driver was closed while the command waited or ran."""

    detail = Detail.CLOSED
    outcome = Outcome.CANCELLED


class DriverError(HardwareError):
    """A defect in a driver, caught by its worker so that the device stays usable; the log has the trace."""


class BadAddress(ValueError):
    """A line address that cannot be understood; the technician corrects the profile."""


class ServiceLost(LineLost):
    """The system's card service (pcscd) is not there or ended; with it, all its readers."""

    detail = Detail.CARD_SERVICE_LOST


class CardHeld(HardwareError):
    """Another program has the card for itself, and does not let go of it."""

    detail = Detail.CARD_HELD
    health = Health.FAULT


class CardPulled(HardwareError):
    """The card left the reader, or was reset by somebody else, while it was used."""

    detail = Detail.READ_FAILED
    outcome = Outcome.USER_ERROR


class CardUnreadable(HardwareError):
    """The card answers, and not with what a card of its kind has: put in badly, damaged, or blocked."""

    detail = Detail.READ_FAILED
    outcome = Outcome.USER_ERROR


class CardWiped(RuntimeError):
    """A field of an ID card was asked for after the card had been wiped."""


class PhotoNotDecoded(Exception):
    """The maker's library could not make a picture of a card's photo block; there is no picture then."""


class CodeWiped(RuntimeError):
    """The content of a scanned code was asked for after it had been wiped."""


class DocumentWiped(RuntimeError):
    """A picture of a document was asked for after it had been wiped."""


class BadDocument(HardwareError):
    """A print document that cannot be put on this printer's paper; the maker of the document corrects it."""

    detail = Detail.BAD_DOCUMENT
    outcome = Outcome.NOT_SUPPORTED
