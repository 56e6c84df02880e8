"""Check-in (签到): whoever booked finds their appointment by card, by its code or by scanning it, and gets its number.

Only the hall knows appointments: without it nobody is checked in, and the appointment stays as it was.
"""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, intents
from kiosk.journeys.effects import RequestCheckIn
from kiosk.journeys.out_of_service import cause, offline
from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Finding,
    LayingCard,
    Refused,
    State,
    Step,
    TypingAppointment,
    end_session,
    go_home,
)

CODE_LENGTH = 10
CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32 (crockford.com/base32.html), in which the hall makes its codes: no I, L, O, U."""
ALONE = "check_in_offline"
"""Refusal: the hall is away, and with it its appointments."""
_NOT_FOUND = "appointment_unknown"
_OVER = frozenset({_NOT_FOUND, "appointment_not_open", "check_in_too_late", ALONE})
"""Refusals after which a number without the appointment is the next step."""


def offered(state: State) -> bool:
    """The hall takes appointments."""
    return state.hall.catalogue is not None and state.hall.catalogue.takes_appointments


def waits_for_code(state: State) -> bool:
    """Whether a code may be held before the scanner now."""
    page = state.page
    return isinstance(page, TypingAppointment) or (isinstance(page, LayingCard) and page.check_in)


def may_type_code(page: Refused) -> bool:
    return page.finding is not None and page.code == _NOT_FOUND


def may_take_number(page: Refused) -> bool:
    checked_in = ("state", "checked_in") in page.params
    return page.finding is not None and page.code in _OVER and not checked_in


def start(state: State, _intent: intents.CheckIn) -> Step:
    """By the card that was read already; else by the reader, and on the keypad where there is none."""
    if not isinstance(state.page, AtHome | Choosing) or not offered(state):
        return state, ()
    if offline(state) or state.person is not None:
        return request(state, Finding("card"))
    if state.equipment.reader_ready:
        return replace(state, page=LayingCard(None, state.page, since=state.now, check_in=True)), ()
    return replace(state, page=TypingAppointment()), ()


def type_code(state: State, _intent: intents.TypeAppointmentCode) -> Step:
    page = state.page
    if (isinstance(page, LayingCard) and page.check_in) or (isinstance(page, Refused) and may_type_code(page)):
        return replace(state, page=TypingAppointment()), ()
    return state, ()


def key(state: State, intent: intents.AppointmentKey) -> Step:
    page = state.page
    if not isinstance(page, TypingAppointment) or len(page.typed) >= CODE_LENGTH:
        return state, ()
    if len(intent.key) != 1 or intent.key not in CODE_LETTERS:
        return state, ()
    return replace(state, page=TypingAppointment(page.typed + intent.key)), ()


def erase(state: State, intent: intents.AppointmentErase) -> Step:
    page = state.page
    if not isinstance(page, TypingAppointment) or not page.typed:
        return state, ()
    return replace(state, page=TypingAppointment("" if intent.whole else page.typed[:-1])), ()


def confirm(state: State, _intent: intents.ConfirmAppointmentCode) -> Step:
    page = state.page
    if not isinstance(page, TypingAppointment) or len(page.typed) < CODE_LENGTH:
        return state, ()
    return request(state, Finding("typed", page.typed))


def scanned(state: State, event: events.CodeRead) -> Step:
    """The text stays with the session; the hall says whether it is a code."""
    if event.session != state.session or not waits_for_code(state):
        return state, ()
    return request(state, Finding("scanned"))


def request(state: State, finding: Finding) -> Step:
    """Ask the hall, once: from here on only its answer or giving up leads on."""
    if cause(state) is not None:
        return end_session(state)
    if offline(state):
        return replace(state, page=Refused(ALONE, (), None, None, finding)), ()
    attempt = state.last_attempt + 1
    state = replace(state, last_attempt=attempt, page=Awaiting(attempt, None, state.now, finding=finding))
    return state, (RequestCheckIn(attempt, finding, state.preferences.language),)


def back(state: State, _intent: intents.Back) -> Step:
    """From the keypad and from a refusal to the start of the check-in, from there (`choosing.back`) home."""
    match state.page:
        case Refused(finding=Finding(by="typed")):
            return replace(state, page=TypingAppointment()), ()
        case TypingAppointment() if state.person is None and state.equipment.reader_ready:
            return replace(state, page=LayingCard(None, AtHome(), since=state.now, check_in=True)), ()
        case TypingAppointment() | Refused(finding=Finding()):
            return go_home(state)
    return state, ()


def home(state: State, _intent: intents.Home) -> Step:
    return go_home(state) if isinstance(state.page, TypingAppointment) else (state, ())


HANDLERS: dict[type, Any] = {
    intents.CheckIn: start,
    intents.TypeAppointmentCode: type_code,
    intents.AppointmentKey: key,
    intents.AppointmentErase: erase,
    intents.ConfirmAppointmentCode: confirm,
    events.CodeRead: scanned,
}
