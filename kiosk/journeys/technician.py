"""Behind the hidden corner: a one-time code, then devices with health, tests, versions and network."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, intents
from kiosk.journeys.effects import CheckCode, PrintTestSlip
from kiosk.journeys.state import AtHome, Servicing, State, Step, TypingCode, end_session
from kiosk.journeys.views import Fact, SlipState

CODE_LENGTH = 8


def hidden_corner(state: State, _intent: intents.HiddenCorner) -> Step:
    """Only where no citizen is in the middle of something."""
    if not isinstance(state.page, AtHome):
        return state, ()
    state, effects = end_session(state)
    return replace(state, page=TypingCode()), effects


def digit(state: State, intent: intents.CodeDigit) -> Step:
    page = state.page
    if not isinstance(page, TypingCode) or len(page.typed) >= CODE_LENGTH or state.now < state.code_locked_until:
        return state, ()
    if len(intent.digit) != 1 or intent.digit not in "0123456789":
        return state, ()
    typed = page.typed + intent.digit
    effects = (CheckCode(typed),) if len(typed) == CODE_LENGTH else ()
    return replace(state, page=TypingCode(typed)), effects


def erase(state: State, _intent: intents.CodeErase) -> Step:
    page = state.page
    if not isinstance(page, TypingCode) or len(page.typed) >= CODE_LENGTH:
        return state, ()
    return replace(state, page=TypingCode(page.typed[:-1])), ()


def checked(state: State, event: events.CodeChecked) -> Step:
    state = replace(state, code_locked_until=state.now + event.locked_for)
    if not isinstance(state.page, TypingCode):
        return state, ()
    return replace(state, page=Servicing() if event.accepted else TypingCode(wrong=True)), ()


def try_printer(state: State, _intent: intents.TestSlip) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is not None:
        return state, ()
    job = state.last_attempt + 1
    page = replace(page, running="test_slip", job=job, since=state.now)
    return replace(state, last_attempt=job, page=page), (PrintTestSlip(job),)


def try_reader(state: State, _intent: intents.TestCard) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is not None:
        return state, ()
    return replace(state, page=replace(page, running="test_card", since=state.now)), ()


def slip_done(state: State, event: events.SlipDone) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running != "test_slip" or page.job != event.job:
        return state, ()
    outcome = event.slip.value if event.cause is None else f"{event.slip.value}: {event.cause}"
    return replace(state, page=_result(page, outcome)), ()


def card_read(state: State, event: events.TestCardRead) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running != "test_card" or event.session != state.session:
        return state, ()
    return replace(state, page=_result(page, f"{event.outcome} {event.masked}".strip())), ()


def leave(state: State, _intent: object) -> Step:
    return end_session(state) if isinstance(state.page, TypingCode | Servicing) else (state, ())


def time_passed(state: State) -> State:
    """A test that nobody answers ends as what it is: unknown for paper, no card for the reader."""
    page, rules = state.page, state.rules
    if not isinstance(page, Servicing) or page.running is None:
        return state
    limit = rules.printing_limit_s if page.running == "test_slip" else rules.reading_limit_s
    if state.now - page.since < limit:
        return state
    return replace(state, page=_result(page, SlipState.UNKNOWN.value if page.running == "test_slip" else "no_card"))


def _result(page: Servicing, outcome: str) -> Servicing:
    label = page.running or ""
    others = tuple(fact for fact in page.results if fact.label != label)
    return replace(page, running=None, results=(*others, Fact(label, outcome)))


HANDLERS: dict[type, Any] = {
    intents.HiddenCorner: hidden_corner,
    intents.CodeDigit: digit,
    intents.CodeErase: erase,
    events.CodeChecked: checked,
    intents.TestSlip: try_printer,
    intents.TestCard: try_reader,
    events.TestCardRead: card_read,
    intents.LeaveTechnician: leave,
}
