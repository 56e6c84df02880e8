"""Home and catalogue: what a person may choose, by group, by the common ones, or by search."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import card, check_in, intents, number
from kiosk.journeys.out_of_service import offline
from kiosk.journeys.search import LONGEST_SEARCH
from kiosk.journeys.state import AtHome, Choosing, LayingCard, Refused, State, Step, go_home


def take_number(state: State, _intent: intents.TakeNumber) -> Step:
    """From home, and from a check-in that came to nothing, where a card that was read need not be laid again."""
    page = state.page
    if isinstance(page, AtHome) or (isinstance(page, Refused) and check_in.may_take_number(page)):
        return replace(state, page=Choosing(), card_first=state.person is not None), ()
    return state, ()


def choose_group(state: State, intent: intents.ChooseGroup) -> Step:
    catalogue = state.hall.catalogue
    if not isinstance(state.page, Choosing | AtHome) or catalogue is None:
        return state, ()
    if intent.group is not None and catalogue.group(intent.group) is None:
        return state, ()
    return replace(state, page=Choosing(group=intent.group)), ()


def open_search(state: State, _intent: intents.OpenSearch) -> Step:
    if not isinstance(state.page, Choosing | AtHome):
        return state, ()
    return replace(state, page=Choosing(searching=True)), ()


def search(state: State, intent: intents.Search) -> Step:
    if not isinstance(state.page, Choosing):
        return state, ()
    return replace(state, page=Choosing(searching=True, typed=intent.text[:LONGEST_SEARCH])), ()


def choose_service(state: State, intent: intents.ChooseService) -> Step:
    """A closed service is refused here and now, with the hall's reason; an unknown one is a stale touch."""
    catalogue = state.hall.catalogue
    page = state.page
    if not isinstance(page, AtHome | Choosing) or catalogue is None or catalogue.service(intent.service) is None:
        return state, ()
    live = state.hall.live.get(intent.service)
    if live is not None and not live.open and not offline(state):
        params = () if live.opens_at is None else (("opens_at", live.opens_at.isoformat()),)
        return replace(state, page=Refused(live.reason or "service_closed", params, intent.service, None)), ()
    if state.person is None:
        return replace(state, page=LayingCard(intent.service, page)), ()
    return number.request(state, intent.service)


def back(state: State, _intent: intents.Back) -> Step:
    """One step back; from the first step of the journey it is home."""
    match state.page:
        case Choosing(group=None, searching=False) | AtHome():
            return go_home(state) if isinstance(state.page, Choosing) else (state, ())
        case Choosing():
            return replace(state, page=Choosing()), ()
        case LayingCard():
            return card.turn_back(state, state.page)
        case Refused():
            return replace(state, page=Choosing()), ()
    return state, ()


def home(state: State, _intent: intents.Home) -> Step:
    if isinstance(state.page, Choosing | LayingCard | Refused):
        return go_home(state)
    return state, ()


HANDLERS: dict[type, Any] = {
    intents.TakeNumber: take_number,
    intents.ChooseGroup: choose_group,
    intents.OpenSearch: open_search,
    intents.Search: search,
    intents.ChooseService: choose_service,
    intents.Back: back,
    intents.Home: home,
}
