"""Lay your ID card: before or after the service was chosen, skipped where the hall allows it."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import check_in, events, intents, number
from kiosk.journeys.out_of_service import cause
from kiosk.journeys.state import (
    AtHome,
    Choosing,
    Finding,
    LayingCard,
    Person,
    State,
    Step,
    TypingAppointment,
)
from kiosk.journeys.views import CardState

CODE_READERS = ("code_scanner", "code_camera")


def may_skip(state: State, service: str | None) -> bool:
    catalogue = state.hall.catalogue
    found = catalogue.service(service) if catalogue is not None and service is not None else None
    return found is not None and found.card == "optional"


def works(state: State, role: str) -> bool:
    """Whether the device of this role can be used now."""
    return any(line.role == role and line.health in ("ok", "degraded") for line in state.equipment.peripherals)


def scans(state: State) -> bool:
    """Whether a code can be scanned now, by whatever reads codes here."""
    return any(works(state, role) for role in CODE_READERS)


def wanted(state: State) -> int | None:
    """The session for which the readers shall be polled; None: they rest."""
    if (
        state.person is None
        and isinstance(state.page, AtHome | Choosing | LayingCard | TypingAppointment)
        and cause(state) is None
    ):
        return state.session
    return None


def turn_back(state: State, page: LayingCard) -> Step:
    return replace(state, page=page.came_from), ()


def progress(state: State, event: events.CardProgress) -> Step:
    """A card on the reader opens the prompt wherever a card may be laid; trouble shows only on the prompt."""
    if event.session != state.session or state.person is not None:
        return state, ()
    page = state.page
    if isinstance(page, AtHome | Choosing) and event.card is CardState.READING:
        return replace(state, page=LayingCard(None, page, event.card, state.now)), ()
    if isinstance(page, TypingAppointment) and event.card is CardState.READING:
        return replace(state, page=LayingCard(None, AtHome(), event.card, state.now, check_in=True)), ()
    if isinstance(page, LayingCard) and event.card is not CardState.DONE:
        return replace(state, page=replace(page, card=event.card, since=state.now)), ()
    return state, ()


def read(state: State, event: events.CardRead) -> Step:
    if event.session != state.session or state.person is not None:
        return state, ()
    page = state.page
    person = Person(event.masked_name, event.masked_number)
    if isinstance(page, TypingAppointment) or (isinstance(page, LayingCard) and page.check_in):
        return check_in.request(replace(state, person=person), Finding("card"))
    if isinstance(page, LayingCard) and page.service is not None:
        return number.request(replace(state, person=person), page.service)
    if isinstance(page, LayingCard):
        page = page.came_from
    if isinstance(page, AtHome):
        page = Choosing()
    if not isinstance(page, Choosing):
        return state, ()
    return replace(state, person=person, card_first=True, page=page), ()


def go_on_without(state: State, _intent: intents.GoOnWithoutCard) -> Step:
    page = state.page
    if isinstance(page, LayingCard) and page.service is not None and may_skip(state, page.service):
        return number.request(state, page.service)
    return state, ()


def time_passed(state: State) -> State:
    """A reading that never ends asks for another try."""
    page = state.page
    if (
        isinstance(page, LayingCard)
        and page.card is CardState.READING
        and state.now - page.since >= state.rules.reading_limit_s
    ):
        return replace(state, page=replace(page, card=CardState.LIFT_AND_LAY_AGAIN))
    return state


HANDLERS: dict[type, Any] = {
    events.CardProgress: progress,
    events.CardRead: read,
    intents.GoOnWithoutCard: go_on_without,
}
