"""From state to view: what the screen shows, in the session's language, with nothing personal that is not masked."""

import math
from datetime import datetime, timedelta
from typing import Literal

from kiosk.journeys import card, check_in, idle, number, out_of_service, views
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.catalogue import Service as CatalogueService
from kiosk.journeys.search import found
from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Holding,
    LayingCard,
    Refused,
    SelfTest,
    Servicing,
    Settling,
    State,
    TypingAppointment,
    TypingCode,
    WaitRange,
)

COMMON_LIMIT = 6
_SERVICE_FIRST = ("service", "card", "ticket")
_CARD_FIRST = ("card", "service", "ticket")
_CHECK_IN = ("appointment", "ticket")
_STAFF_CODES = {
    "starting": "T01",
    "no_configuration": "T02",
    "hall_away": "T03",
    "maintenance": "T04",
    "not_accepted": "T05",
    "cloned": "T06",
    "journal_fault": "T07",
    "program_fault": "T08",
    "no_answer": "T09",
    "power_low": "T10",
}


def view(state: State) -> views.View:
    """Every page as it is to be drawn; pages that need the hall give way to out-of-service while it is not there."""
    page = state.page
    if not isinstance(page, AtHome | Choosing | LayingCard | TypingAppointment):
        return _standing(state, page)
    cause, catalogue = out_of_service.cause(state), state.hall.catalogue
    if cause is not None or catalogue is None:
        code = cause or "no_configuration"
        return views.OutOfServiceView(_frame(state), code, staff_code(code))
    if isinstance(page, Choosing):
        return _catalogue(state, catalogue, page)
    if isinstance(page, LayingCard):
        return _card(state, page)
    if isinstance(page, TypingAppointment):
        frame = _frame(state, back=True, home=True, steps=_CHECK_IN)
        length, keys = check_in.CODE_LENGTH, check_in.CODE_LETTERS
        return views.AppointmentCodeView(frame, page.typed, length, keys, card.scans(state))
    common = tuple(_service(state, catalogue, service) for service in catalogue.services if service.common)
    return views.HomeView(_frame(state), common[:COMMON_LIMIT], state.equipment.reader_ready, check_in.offered(state))


def _standing(state: State, page: Awaiting | Holding | Refused | TypingCode | Servicing | Settling) -> views.View:
    """Pages that stay while the hall is away."""
    match page:
        case Awaiting():
            shown: views.View = _waiting(state, page)
        case Holding():
            shown = _ticket(state, page)
        case Refused():
            shown = _refused(state, page)
        case TypingCode():
            locked = max(0, math.ceil(state.code_locked_until - state.now))
            shown = views.TechnicianCodeView(_frame(state, home=True), len(page.typed), page.wrong, locked)
        case Servicing():
            shown = _technician(state, page)
        case Settling():
            shown = _unsettled(state, page)
    return shown


def staff_code(code: str) -> str:
    """Small print for staff: short for the terminal's own codes, the hall's code itself for a refusal."""
    return _STAFF_CODES.get(code) or f"R-{code.replace('_', '-')}"


def _frame(
    state: State,
    *,
    back: bool = False,
    home: bool = False,
    steps: tuple[str, ...] = (),
    step: int = 0,
) -> views.Frame:
    catalogue, preferences = state.hall.catalogue, state.preferences
    return views.Frame(
        hall_name=catalogue.hall_name.of(preferences.language) if catalogue is not None else "",
        language=preferences.language,
        network=out_of_service.network(state),
        power=state.surroundings.power,
        help=state.help,
        large_type=preferences.large_type,
        high_contrast=preferences.high_contrast,
        voice=preferences.language in state.equipment.voices,
        voice_on=preferences.voice_on,
        can_go_back=back,
        can_go_home=home,
        steps=steps,
        step=step,
        idle=idle.countdown(state),
        terminal=state.terminal,
        time_zone=str(catalogue.zone) if catalogue is not None else "Asia/Shanghai",
    )


def _steps(state: State) -> tuple[str, ...]:
    return _CARD_FIRST if state.card_first else _SERVICE_FIRST


def _name(state: State, service: str | None) -> str:
    catalogue = state.hall.catalogue
    found_service = catalogue.service(service) if catalogue is not None and service is not None else None
    return found_service.name.of(state.preferences.language) if found_service is not None else ""


def _clock(state: State, instant: datetime) -> str:
    """The hall's clock time."""
    zone = state.hall.catalogue.zone if state.hall.catalogue is not None else None
    return f"{instant.astimezone(zone):%H:%M}"


def _local(state: State, params: dict[str, str]) -> dict[str, str]:
    """Instants among the parameters of a refusal as people read them: as times, under `…_on` with the date.

    Where check-in opens on another day than that of the appointment, `opens_at` bears its date, too.
    """
    zone = state.hall.catalogue.zone if state.hall.catalogue is not None else None
    for name in ("opens_at", "closes_at", "starts_at"):
        if text := params.get(name):
            local = datetime.fromisoformat(text).astimezone(zone)
            params[name] = f"{local:%H:%M}"
            params[name.replace("_at", "_on")] = _date(local, state.preferences.language)
    starts_on, opens_on = params.get("starts_on", ""), params.get("opens_on", "")
    if starts_on and opens_on and starts_on[: -len("HH:MM")] != opens_on[: -len("HH:MM")]:
        params["opens_at"] = opens_on
    return params


def _opening(state: State, instant: datetime | None) -> views.Opening | None:
    if instant is None or state.hall.catalogue is None:
        return None
    zone = state.hall.catalogue.zone
    local = instant.astimezone(zone)
    today = state.utc.astimezone(zone).date() if state.utc is not None else None
    day: Literal["today", "tomorrow", "later"] = "later"
    if local.date() == today:
        day = "today"
    elif today is not None and local.date() == today + timedelta(days=1):
        day = "tomorrow"
    return views.Opening(f"{local:%H:%M}", _date(local, state.preferences.language), day)


def _date(local: datetime, language: str) -> str:
    if language == "en":
        return f"{local.day} {local:%B}, {local:%H:%M}"
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def _wait(state: State, wait: WaitRange | None) -> views.Wait | None:
    if wait is None or state.hall.catalogue is None:
        return None
    made_at = wait.made_at.astimezone(state.hall.catalogue.zone)
    return views.Wait(wait.low, wait.high, f"{made_at:%H:%M}")


def _service(state: State, catalogue: Catalogue, service: CatalogueService) -> views.Service:
    live = None if out_of_service.offline(state) else state.hall.live.get(service.id)
    group = catalogue.group(service.group)
    return views.Service(
        id=service.id,
        name=service.name.of(state.preferences.language),
        group=service.group,
        icon=group.icon if group is not None else "",
        colour=group.colour if group is not None else "",
        waiting=live.waiting if live is not None else None,
        wait=_wait(state, live.wait) if live is not None else None,
        closed_reason=(live.reason or "service_closed") if live is not None and not live.open else None,
        opens=_opening(state, live.opens_at) if live is not None and not live.open else None,
    )


def _catalogue(state: State, catalogue: Catalogue, page: Choosing) -> views.CatalogueView:
    language = state.preferences.language
    if page.searching:
        matches = (catalogue.service(service) for service in found(state.hall.index, page.typed))
        shown = [service for service in matches if service is not None]
    else:
        shown = [service for service in catalogue.services if service.group == page.group]
    return views.CatalogueView(
        frame=_frame(state, back=True, home=True, steps=_steps(state), step=1 if state.card_first else 0),
        groups=tuple(views.Group(g.id, g.name.of(language), g.icon, g.colour) for g in catalogue.groups),
        group=page.group,
        services=tuple(_service(state, catalogue, service) for service in shown),
        search=page.typed,
        searching=page.searching,
        greeting=state.person.masked_name if state.person is not None else None,
        check_in=state.person is not None and check_in.offered(state),
    )


def _waiting(state: State, page: Awaiting) -> views.WaitingView:
    checks_in = page.service is None
    frame = _frame(state, steps=_CHECK_IN if checks_in else _steps(state), step=1 if checks_in else 2)
    return views.WaitingView(frame, _name(state, page.service), number.offers_way_out(state, page), checks_in)


def _card(state: State, page: LayingCard) -> views.CardView:
    first = page.service is None
    steps = _CHECK_IN if page.check_in else _CARD_FIRST if first else _SERVICE_FIRST
    frame = _frame(state, back=True, home=True, steps=steps, step=0 if first else 1)
    shown = page.card
    if not state.equipment.reader_ready and shown is views.CardState.WAITING:
        shown = views.CardState.READER_AWAY
    inserts = card.works(state, "social_card_reader")
    return views.CardView(
        frame,
        shown,
        _name(state, page.service) or None,
        card.may_skip(state, page.service),
        state.person.masked_name if state.person is not None else None,
        state.person.masked_number if state.person is not None else None,
        lays=not inserts or card.works(state, "id_card_reader"),
        inserts=inserts,
        check_in=page.check_in,
        scans=card.scans(state),
    )


def _ticket(state: State, page: Holding) -> views.TicketView:
    ticket, booked = page.ticket, page.ticket.booked_for is not None
    return views.TicketView(
        booked_for=_clock(state, ticket.booked_for) if ticket.booked_for is not None else None,
        callable_from=_clock(state, ticket.callable_from) if ticket.callable_from is not None else None,
        offline=ticket.offline,
        taken_at=_clock(state, ticket.issued_at),
        may_close_at=_clock(state, ticket.may_close_at) if ticket.may_close_at is not None else None,
        frame=_frame(state, home=True, steps=_CHECK_IN if booked else _steps(state), step=1 if booked else 2),
        number=ticket.number,
        service=_name(state, ticket.service),
        people_ahead=ticket.people_ahead,
        wait=_wait(state, ticket.wait),
        counters=ticket.counters,
        slip=page.slip,
        slip_cause=page.cause,
        follow_url=ticket.follow_url,
        masked_name=state.person.masked_name if state.person is not None else None,
        staff_code=f"P-{page.cause.replace('_', '-')}" if page.cause is not None else None,
    )


def _refused(state: State, page: Refused) -> views.RefusedView:
    opens_at = dict(page.params).get("opens_at")
    return views.RefusedView(
        frame=_frame(state, back=True, home=True),
        code=page.code,
        params=_local(state, dict(page.params)),
        service=_name(state, page.service) or None,
        staff_code=staff_code(page.code),
        may_retry=number.may_retry(state, page),
        check_in=page.finding is not None,
        may_type_code=check_in.may_type_code(page),
        may_take_number=check_in.may_take_number(page),
        opens=_opening(state, datetime.fromisoformat(opens_at)) if opens_at else None,
    )


def _technician(state: State, page: Servicing) -> views.TechnicianView:
    equipment, language = state.equipment, state.preferences.language
    tests = {role: views.DeviceTest(views.SelfTestState.WAITING) for role in page.queued}
    for role, result in page.results.items():
        tests[role] = views.DeviceTest(result.state, result.step.of(language), result.told.of(language))
    if page.running is not None:
        tests[page.running.role] = _running(state, page.running)
    return views.TechnicianView(
        _frame(state, home=True),
        equipment.peripherals,
        tests,
        page.running is not None,
        None if equipment.unsettled is None else len(equipment.unsettled),
        equipment.versions,
        equipment.network,
    )


def _running(state: State, test: SelfTest) -> views.DeviceTest:
    language = state.preferences.language
    step = test.step.of(language) if test.step is not None else ""
    if test.request is None:
        return views.DeviceTest(views.SelfTestState.RUNNING, step)
    left = max(0, math.ceil(test.since + state.rules.testing_limit_s - state.now))
    return views.DeviceTest(views.SelfTestState.RUNNING, step, test.request.of(language), left)


def _unsettled(state: State, page: Settling) -> views.UnsettledView:
    zone = state.hall.catalogue.zone if state.hall.catalogue is not None else None
    slips = tuple(
        views.UnsettledSlip(
            job.job,
            job.label,
            job.device,
            f"{job.made_at.astimezone(zone):%m-%d %H:%M}" if job.made_at is not None else "",
            job.detail,
        )
        for job in state.equipment.unsettled or ()
    )
    frame = _frame(state, back=True, home=True)
    return views.UnsettledView(frame, None if state.equipment.unsettled is None else slips, page.asked, page.busy)
