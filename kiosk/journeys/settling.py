"""Print jobs of which nobody knows whether the paper came out: a technician looks, and says so with two taps."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, intents
from kiosk.journeys.effects import ListUnsettled, SettleJob
from kiosk.journeys.state import Servicing, Settling, State, Step, end_session


def look(state: State, _intent: intents.OpenUnsettled) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is not None:
        return state, ()
    return replace(state, page=Settling(page)), (ListUnsettled(),)


def listed(state: State, event: events.UnsettledJobs) -> Step:
    """A job that is settled meanwhile, by a late proof, is not asked about any more."""
    state = replace(state, equipment=replace(state.equipment, unsettled=event.jobs))
    page = state.page
    if not isinstance(page, Settling):
        return state, ()
    asked = page.asked if page.asked is not None and _listed(state, page.asked[0]) else None
    return replace(state, page=replace(page, asked=asked, busy=False)), ()


def said(state: State, intent: intents.SettleJob) -> Step:
    page = state.page
    if not isinstance(page, Settling) or page.busy or not _listed(state, intent.job):
        return state, ()
    return replace(state, page=replace(page, asked=(intent.job, intent.printed))), ()


def unsaid(state: State, _intent: intents.CancelSettling) -> Step:
    page = state.page
    return (replace(state, page=replace(page, asked=None)), ()) if isinstance(page, Settling) else (state, ())


def confirmed(state: State, _intent: intents.ConfirmSettling) -> Step:
    """A second tap finds nothing that is asked."""
    page = state.page
    if not isinstance(page, Settling) or page.asked is None or page.busy:
        return state, ()
    return replace(state, page=replace(page, asked=None, busy=True)), (SettleJob(*page.asked),)


def back(state: State, _intent: intents.Back) -> Step:
    return (replace(state, page=state.page.came_from), ()) if isinstance(state.page, Settling) else (state, ())


def leave(state: State, _intent: intents.Home) -> Step:
    return end_session(state) if isinstance(state.page, Settling) else (state, ())


def _listed(state: State, job: str) -> bool:
    return any(unsettled.job == job for unsettled in state.equipment.unsettled or ())


HANDLERS: dict[type, Any] = {
    intents.OpenUnsettled: look,
    events.UnsettledJobs: listed,
    intents.SettleJob: said,
    intents.CancelSettling: unsaid,
    intents.ConfirmSettling: confirmed,
}
