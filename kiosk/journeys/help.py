"""The footer's help button: it pages staff, and says honestly whether that worked."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, intents
from kiosk.journeys.effects import RequestHelp, WithdrawRequest
from kiosk.journeys.out_of_service import cause, network
from kiosk.journeys.state import AtHome, State, Step
from kiosk.journeys.views import HelpState, Network


def screen(state: State) -> str:
    """Id of what stands on the screen."""
    away = isinstance(state.page, AtHome) and cause(state) is not None
    return "out_of_service" if away else state.page.screen


def call(state: State, _intent: intents.CallHelp) -> Step:
    if state.help in (HelpState.PAGING, HelpState.PAGED):
        return state, ()
    if network(state) is not Network.CONNECTED or state.condition.journal_fault:
        return replace(state, help=HelpState.FAILED, help_since=state.now), ()
    attempt = state.last_attempt + 1
    state = replace(state, last_attempt=attempt, help=HelpState.PAGING, help_attempt=attempt, help_since=state.now)
    return state, (RequestHelp(attempt, screen(state)),)


def answered(state: State, event: events.HelpAnswered) -> Step:
    if state.help is not HelpState.PAGING or event.attempt != state.help_attempt:
        return state, ()
    return replace(state, help=HelpState.PAGED if event.paged else HelpState.FAILED, help_since=state.now), ()


def time_passed(state: State) -> Step:
    """No answer: said, and withdrawn, so that no clerk runs for somebody long gone."""
    waited = state.now - state.help_since
    if state.help is HelpState.PAGING and waited >= state.rules.help_answer_s:
        failed = replace(state, help=HelpState.FAILED, help_since=state.now)
        return failed, (WithdrawRequest(state.help_attempt, "no_answer"),)
    if state.help in (HelpState.PAGED, HelpState.FAILED) and waited >= state.rules.help_shown_s:
        return replace(state, help=HelpState.IDLE), ()
    return state, ()


HANDLERS: dict[type, Any] = {intents.CallHelp: call, events.HelpAnswered: answered}
