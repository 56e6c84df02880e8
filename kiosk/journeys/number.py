"""From the request to the number on paper: waiting, ticket, refusal, reprint."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import check_in, events, intents
from kiosk.journeys.effects import GiveOffline, PrintSlip, RequestNumber, WithdrawRequest
from kiosk.journeys.out_of_service import cause, offline
from kiosk.journeys.state import Awaiting, Choosing, Holding, Refused, State, Step, Ticket, end_session, go_home
from kiosk.journeys.views import Power, SlipState


def request(state: State, service: str) -> Step:
    """Ask the hall for a number, once: from here on only its answer or giving up leads on."""
    if cause(state) is not None:
        return end_session(state)
    attempt, without_hall = state.last_attempt + 1, offline(state)
    state = replace(state, last_attempt=attempt, page=Awaiting(attempt, service, state.now, offline=without_hall))
    wanted = GiveOffline if without_hall else RequestNumber
    return state, (wanted(attempt, service, state.preferences.language, state.person is not None),)


def offers_way_out(state: State, page: Awaiting) -> bool:
    return not page.offline and state.now - page.since >= state.rules.way_out_after_s


def given(state: State, event: events.NumberGiven) -> Step:
    page = state.page
    if not isinstance(page, Awaiting) or page.attempt != event.attempt:
        return state, ()
    return _print(state, event.ticket, reprint=False)


def refused(state: State, event: events.NumberRefused) -> Step:
    page = state.page
    if not isinstance(page, Awaiting) or page.attempt != event.attempt:
        return state, ()
    retry_at = None if event.retry_after is None else state.now + event.retry_after
    return replace(state, page=Refused(event.code, event.params, page.service, retry_at, page.finding)), ()


def slip_done(state: State, event: events.SlipDone) -> Step:
    """Only the newest print may change what the screen says, and a settled one only from unknown to printed."""
    page = state.page
    if not isinstance(page, Holding) or page.job != event.job:
        return state, ()
    settled = page.slip is not SlipState.PRINTING
    if settled and (page.slip, event.slip) != (SlipState.UNKNOWN, SlipState.PRINTED):
        return state, ()
    return replace(state, page=replace(page, slip=event.slip, cause=event.cause)), ()


def reprint(state: State, _intent: intents.Reprint) -> Step:
    page = state.page
    if not isinstance(page, Holding) or page.slip not in (SlipState.NOT_PRINTED, SlipState.UNKNOWN):
        return state, ()
    return _print(state, page.ticket, reprint=True)


def retry(state: State, _intent: intents.Retry) -> Step:
    page = state.page
    if not isinstance(page, Refused) or not may_retry(state, page):
        return state, ()
    if page.finding is not None:
        return check_in.request(state, page.finding)
    if page.service is not None:
        return request(state, page.service)
    return state, ()


def may_retry(state: State, page: Refused) -> bool:
    return page.retry_at is not None and state.now >= page.retry_at


def give_up(state: State, _intent: intents.GiveUp) -> Step:
    page = state.page
    if not isinstance(page, Awaiting) or not offers_way_out(state, page):
        return state, ()
    after, effects = go_home(state)
    return after, (WithdrawRequest(page.attempt, "left"), *effects)


def take_another(state: State, _intent: intents.TakeAnother) -> Step:
    """The same person takes one more number; the card need not be laid again."""
    if not isinstance(state.page, Holding):
        return state, ()
    if state.surroundings.power is Power.LOW:
        return end_session(state)
    return replace(state, page=Choosing(), card_first=state.person is not None), ()


def finish(state: State, _intent: intents.Finish | intents.Home) -> Step:
    return end_session(state) if isinstance(state.page, Holding | Refused) else (state, ())


def time_passed(state: State) -> Step:
    """Where the hall is away, whoever waits gets a number of the terminal's own, or none where its journal hangs;
    a request without an answer is withdrawn; a print without an outcome is unknown."""
    page, rules = state.page, state.rules
    if isinstance(page, Awaiting) and page.service is None and offline(state):
        alone = Refused(check_in.ALONE, (), None, None, page.finding)
        return replace(state, page=alone), (WithdrawRequest(page.attempt, "no_answer"),)
    if isinstance(page, Awaiting) and page.service is not None and not page.offline and offline(state):
        language, identified = state.preferences.language, state.person is not None
        given_here = GiveOffline(page.attempt, page.service, language, identified)
        return replace(state, page=replace(page, offline=True, since=state.now)), (given_here,)
    if isinstance(page, Awaiting) and page.offline and state.now - page.since >= rules.journaling_limit_s:
        slow = Refused("journal_slow", (), page.service, None)
        return replace(state, page=slow), (WithdrawRequest(page.attempt, "no_answer"),)
    if isinstance(page, Awaiting) and not page.offline and state.now - page.since >= rules.give_up_after_s:
        gone = Refused("no_answer", (), page.service, state.now, page.finding)
        return replace(state, page=gone), (WithdrawRequest(page.attempt, "no_answer"),)
    if (
        isinstance(page, Holding)
        and page.slip is SlipState.PRINTING
        and state.now - page.since >= rules.printing_limit_s
    ):
        return replace(state, page=replace(page, slip=SlipState.UNKNOWN, cause="no_answer")), ()
    return state, ()


def _print(state: State, ticket: Ticket, *, reprint: bool) -> Step:
    job = state.last_attempt + 1
    name = state.person.masked_name if state.person is not None else None
    state = replace(state, last_attempt=job, page=Holding(ticket, job, state.now))
    return state, (PrintSlip(job, ticket, state.preferences.language, name, reprint),)


HANDLERS: dict[type, Any] = {
    events.NumberGiven: given,
    events.NumberRefused: refused,
    events.SlipDone: slip_done,
    intents.Reprint: reprint,
    intents.Retry: retry,
    intents.GiveUp: give_up,
    intents.TakeAnother: take_another,
    intents.Finish: finish,
}
