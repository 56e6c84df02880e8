"""What the terminal says aloud to those who switched the voice on: a rendered prompt for each thing that happens."""

from kiosk.journeys import idle
from kiosk.journeys.out_of_service import cause
from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Holding,
    LayingCard,
    Refused,
    State,
    TypingAppointment,
)
from kiosk.journeys.views import CardState, HelpState, SlipState

_CARD = {
    CardState.WAITING: "lay_id_card",
    CardState.READING: "keep_id_card",
    CardState.LIFT_AND_LAY_AGAIN: "card_unreadable",
    CardState.NOT_THIS_CARD: "card_unreadable",
    CardState.READER_AWAY: "press_for_help",
    CardState.DONE: "take_id_card",
}
_REFUSED = {
    "numbers_exhausted": "no_tickets_today",
    "service_closed": "closed_now",
    "day_already_closed": "closed_now",
    "appointment_unknown": "no_appointment_found",
    "check_in_too_early": "check_in_too_early",
    "check_in_too_late": "check_in_too_late",
}


def due(before: State, state: State) -> str | None:
    """Id of the prompt that this step calls for; None where nothing new is to be said, or nobody wants to hear it."""
    if not state.preferences.voice_on:
        return None
    if state.help is HelpState.PAGED and before.help is not HelpState.PAGED:
        return "help_is_coming"
    if idle.countdown(state) is not None:
        return "still_there" if idle.countdown(before) is None else None
    said = _of_page(state)
    return said if said != _of_page(before) or before.preferences != state.preferences else None


def _of_page(state: State) -> str | None:
    said: str | None = None
    match state.page:
        case AtHome():
            away = cause(state)
            said = "welcome" if away is None else _away(away)
        case Choosing():
            said = "choose_service"
        case TypingAppointment():
            said = "type_appointment_code"
        case LayingCard(card=card):
            said = _CARD[card]
        case Awaiting():
            said = "please_wait"
        case Holding(slip=slip, cause=why):
            said = _slip(slip, why)
        case Refused(code=code):
            said = _REFUSED.get(code, "press_for_help")
    return said


def _away(code: str) -> str:
    return "network_lost" if code == "hall_away" else "out_of_service"


def _slip(slip: SlipState, why: str | None) -> str:
    if slip is SlipState.PRINTING:
        return "please_wait"
    if slip is SlipState.PRINTED:
        return "ticket_issued"
    return "photograph_number" if why == "paper_out" else "wait_for_call"
