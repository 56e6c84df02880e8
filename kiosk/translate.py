"""Between the wire's and the devices' words and those of the journeys."""

from hardware.print_jobs import JobState, PrintJob, PrintResult
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome
from kiosk.journeys.state import LiveService, Ticket, UnsettledJob, WaitRange
from kiosk.journeys.views import Peripheral, SlipState
from wire.messages import IssueAnswer, PeripheralReport, Refused, Services, Slip, Wait

_CLOSED = {"no_open_counter": "service_closed"}
"""The hall's reasons that have the same sentence as a refusal."""
_SLIP_STATES = {
    JobState.PRINTED: SlipState.PRINTED,
    JobState.TAKEN: SlipState.PRINTED,
    JobState.FAILED: SlipState.NOT_PRINTED,
}


def ticket_of(answer: IssueAnswer) -> Ticket:
    return Ticket(
        ticket=answer.ticket,
        number=answer.number,
        service=answer.service,
        people_ahead=answer.people_ahead,
        issued_at=answer.issued_at,
        follow_url=answer.follow_url,
        wait=_wait(answer.wait),
        counters=answer.counters,
        may_close_at=answer.may_close_at,
        booked_for=answer.booked_for,
        callable_from=answer.callable_from,
    )


def live_services(services: Services) -> tuple[LiveService, ...]:
    return tuple(
        LiveService(
            now.service, now.open, now.waiting, _wait(now.wait), _CLOSED.get(now.reason or "", now.reason), now.opens_at
        )
        for now in services.services
    )


def params_of(refused: Refused) -> tuple[tuple[str, str], ...]:
    """Parameters as text, for the sentence that a screen makes of the refusal."""
    return tuple(
        (name, str(value)) for name, value in sorted(refused.params.items()) if isinstance(value, str | int | float)
    )


def slip_state(result: PrintResult) -> tuple[SlipState, str | None]:
    """What became of the paper, and the cause where it is not simply printed."""
    fine = result.outcome is Outcome.DONE
    return paper_of(result.state), None if fine else cause_of(result.detail)


def paper_of(state: JobState) -> SlipState:
    """What the end of a print job says of the paper."""
    return _SLIP_STATES.get(state, SlipState.UNKNOWN)


def unsettled_job(job: PrintJob) -> UnsettledJob:
    """A kept job as the technician's screen lists it."""
    return UnsettledJob(job.job, job.device, job.label, job.made_at, job.detail.value)


def cause_of(detail: Detail) -> str:
    return Detail.NO_ANSWER.value if detail is Detail.NONE else detail.value


def slip_fact(ticket: str, slip: SlipState, cause: str | None, *, reprint: bool) -> Slip:
    """A slip that was not printed is a number shown on the screen instead."""
    match slip:
        case SlipState.PRINTED:
            return Slip(ticket=ticket, outcome="printed", reprint=reprint, cause=cause)
        case SlipState.NOT_PRINTED:
            return Slip(ticket=ticket, outcome="shown", reprint=reprint, cause=cause)
    return Slip(ticket=ticket, outcome="unknown", reprint=reprint, cause=cause)


def peripheral(role: str, status: DeviceStatus, note: str | None, driver: str, address: str) -> Peripheral:
    """A line of the technician's screen. A `note` is what a device that is well has to tell of its cabinet."""
    health, detail = status.health, None if status.detail is Detail.NONE else status.detail.value
    if note is not None and status.usable:
        health, detail = Health.DEGRADED, note
    supplies = tuple((name, supply.value) for name, supply in status.supplies.items())
    return Peripheral(role, driver, address, health.value, detail, supplies)


def peripheral_report(line: Peripheral) -> PeripheralReport:
    """The same line as the hall gets it; addresses stay in the terminal."""
    return PeripheralReport.model_validate(
        {
            "role": line.role.replace("_", "-"),
            "driver": line.driver,
            "health": line.health,
            "detail": line.detail,
            "supplies": dict(line.supplies),
        }
    )


def _wait(wait: Wait | None) -> WaitRange | None:
    return None if wait is None else WaitRange(wait.low, wait.high, wait.made_at)
