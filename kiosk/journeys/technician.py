"""Behind the hidden corner: a one-time code, then devices with health, their own tests, versions and network.

One test runs at a time, so that a technician always knows what to do; it ends with the page.
"""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, intents
from kiosk.journeys.catalogue import Texts
from kiosk.journeys.effects import CheckCode, ListUnsettled
from kiosk.journeys.state import AtHome, SelfTest, SelfTestResult, Servicing, State, Step, TypingCode, end_session
from kiosk.journeys.views import SelfTestState

CODE_LENGTH = 8
GIVEN_UP_AFTER_S = 10.0
"""Behind the time of a test, within which its device should have ended it by itself."""
NOTHING = Texts("")


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
    if not event.accepted:
        return replace(state, page=TypingCode(wrong=True)), ()
    return replace(state, page=Servicing()), (ListUnsettled(),)


def try_one(state: State, intent: intents.TestDevice) -> Step:
    """A second tap while a test runs does nothing."""
    return _begin(state, (intent.role,))


def try_all(state: State, _intent: intents.TestAllDevices) -> Step:
    return _begin(state, tuple(line.role for line in state.equipment.peripherals))


def stop(state: State, _intent: intents.StopTests) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is None:
        return state, ()
    return replace(
        state, page=_ended(replace(page, queued=()), SelfTestResult(SelfTestState.STOPPED, NOTHING, NOTHING))
    ), ()


def wanted(state: State) -> tuple[int, str] | None:
    """The test that shall run: its attempt, and the role of its device."""
    running = state.page.running if isinstance(state.page, Servicing) else None
    return None if running is None else (running.attempt, running.role)


def test_step(state: State, event: events.SelfTestStep) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is None or page.running.attempt != event.attempt:
        return state, ()
    running = replace(page.running, step=event.step, request=event.request)
    return replace(state, page=replace(page, running=running)), ()


def test_done(state: State, event: events.SelfTestDone) -> Step:
    page = state.page
    if not isinstance(page, Servicing) or page.running is None or page.running.attempt != event.attempt:
        return state, ()
    page = _ended(page, SelfTestResult(event.state, event.step, event.told))
    return _next(replace(state, page=page)), ()


def leave(state: State, _intent: object) -> Step:
    return end_session(state) if isinstance(state.page, TypingCode | Servicing) else (state, ())


def time_passed(state: State) -> State:
    """A test whose device does not even end it in time is given up: nothing is known, and the next one begins."""
    page = state.page
    if not isinstance(page, Servicing) or page.running is None:
        return state
    if state.now - page.running.since < state.rules.testing_limit_s + GIVEN_UP_AFTER_S:
        return state
    return _next(replace(state, page=_ended(page, SelfTestResult(SelfTestState.UNKNOWN, NOTHING, NOTHING))))


def _begin(state: State, roles: tuple[str, ...]) -> Step:
    page, fitted = state.page, {line.role for line in state.equipment.peripherals}
    if not isinstance(page, Servicing) or page.running is not None or not fitted.issuperset(roles):
        return state, ()
    results = {role: result for role, result in page.results.items() if role not in roles}
    return _next(replace(state, page=replace(page, queued=roles, results=results))), ()


def _next(state: State) -> State:
    """The first of the queued tests begins."""
    page = state.page
    if not isinstance(page, Servicing) or not page.queued:
        return state
    role, *queued = page.queued
    attempt = state.last_attempt + 1
    page = replace(page, running=SelfTest(attempt, role, state.now), queued=tuple(queued))
    return replace(state, last_attempt=attempt, page=page)


def _ended(page: Servicing, result: SelfTestResult) -> Servicing:
    role = page.running.role if page.running is not None else ""
    return replace(page, running=None, results={**page.results, role: result})


HANDLERS: dict[type, Any] = {
    intents.HiddenCorner: hidden_corner,
    intents.CodeDigit: digit,
    intents.CodeErase: erase,
    events.CodeChecked: checked,
    intents.TestDevice: try_one,
    intents.TestAllDevices: try_all,
    intents.StopTests: stop,
    events.SelfTestStep: test_step,
    events.SelfTestDone: test_done,
    intents.LeaveTechnician: leave,
}
