"""The terminal's state machine: `step(state, event, now)`. Every event goes to its subject; then the rules of time,
of the hall and of the devices are applied, whatever the event was."""

import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kiosk.journeys import (
    card,
    check_in,
    choosing,
    events,
    help,  # noqa: A004 -- the subject's name; the builtin is for consoles
    idle,
    intents,
    keys,
    lights,
    number,
    out_of_service,
    preferences,
    prompting,
    scanning,
    settling,
    surroundings,
    technician,
)
from kiosk.journeys.effects import (
    Effect,
    ShowLights,
    Speak,
    StartCardRead,
    StartCodeScan,
    StartSelfTest,
    StopCardRead,
    StopCodeScan,
    StopSelfTest,
)
from kiosk.journeys.state import State, Step, end_session

_Handler = Callable[[State, Any], Step]
_INTENTS: tuple[type, ...] = typing.get_args(intents.Intent)

_HANDLERS: dict[type, tuple[_Handler, ...]] = {}
for _subject in (
    choosing,
    card,
    check_in,
    number,
    help,
    technician,
    settling,
    preferences,
    out_of_service,
    surroundings,
):
    for _kind, _handler in _subject.HANDLERS.items():
        _HANDLERS[_kind] = (*_HANDLERS.get(_kind, ()), _handler)
_HANDLERS[intents.Home] = (check_in.home, choosing.home, number.finish, technician.leave, settling.leave)
_HANDLERS[intents.Back] = (check_in.back, choosing.back, technician.leave, settling.back)


def step(state: State, event: events.Event, now: float) -> Step:
    """The state after `event` at `now` (seconds of the monotonic clock, never falling), and what is to be done.

    Never raises for an event that does not fit the state: a touch that came too late changes nothing.
    """
    before = state
    state = replace(state, now=max(now, state.now))
    if isinstance(event, events.Tick) and event.at is not None:
        state = replace(state, utc=event.at)
    if isinstance(event, events.KeyPressed):
        event = keys.meant(state, event.key)
    if isinstance(event, _INTENTS):
        state = replace(state, touched_at=state.now)
    if isinstance(event, (*_INTENTS, events.CardProgress, events.CardRead, events.CodeRead)):
        state = surroundings.somebody_acts(state)
    done: tuple[Effect, ...] = ()
    for handler in _HANDLERS.get(type(event), ()):
        after, effects = handler(state, event)
        done += effects
        if after is not state:
            state = after
            break
    state, effects = _settled(before, state)
    return state, done + effects


def _settled(before: State, state: State) -> Step:
    done: tuple[Effect, ...] = ()
    state = technician.time_passed(card.time_passed(state))
    for rule in (number.time_passed, help.time_passed):
        state, effects = rule(state)
        done += effects
    if idle.busy(before) or idle.busy(state):
        state = replace(state, touched_at=state.now)
    if idle.over(state):
        state, effects = end_session(state)
        done += effects
    state, effects = out_of_service.settle(before, state)
    done += effects
    return state, (
        *done,
        *_reader(before, state),
        *_scanner(before, state),
        *_lights(before, state),
        *_self_test(before, state),
        *_prompt(before, state),
    )


def _reader(before: State, state: State) -> tuple[Effect, ...]:
    was, wanted = card.wanted(before), card.wanted(state)
    if was == wanted:
        return ()
    stop: tuple[Effect, ...] = (StopCardRead(),) if was is not None else ()
    start: tuple[Effect, ...] = (StartCardRead(wanted),) if wanted is not None else ()
    return stop + start


def _scanner(before: State, state: State) -> tuple[Effect, ...]:
    was, wanted = scanning.wanted(before), scanning.wanted(state)
    if was == wanted:
        return ()
    stop: tuple[Effect, ...] = (StopCodeScan(),) if was is not None else ()
    start: tuple[Effect, ...] = (StartCodeScan(wanted),) if wanted is not None else ()
    return stop + start


def _lights(before: State, state: State) -> tuple[Effect, ...]:
    lit = lights.lit(state)
    return () if lit == lights.lit(before) else (ShowLights(lit),)


def _self_test(before: State, state: State) -> tuple[Effect, ...]:
    was, wanted = technician.wanted(before), technician.wanted(state)
    if was == wanted:
        return ()
    stop: tuple[Effect, ...] = (StopSelfTest(),) if was is not None else ()
    within_s = state.rules.testing_limit_s
    start: tuple[Effect, ...] = (StartSelfTest(*wanted, within_s),) if wanted is not None else ()
    return stop + start


def _prompt(before: State, state: State) -> tuple[Effect, ...]:
    said = prompting.due(before, state)
    return () if said is None else (Speak(said, state.preferences.language),)
