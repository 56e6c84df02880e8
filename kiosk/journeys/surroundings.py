"""What sensors say of the terminal's place: whether somebody stands there, and where its power comes from."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events, idle
from kiosk.journeys.state import State, Step


def presence_changed(state: State, event: events.PresenceChanged) -> Step:
    """Somebody who goes away in the middle of something is waited for a short while only."""
    if event.present is state.surroundings.present:
        return state, ()
    gone = event.present is False and state.surroundings.present is True and idle.in_use(state)
    left_at = state.now if gone else None
    return replace(state, surroundings=replace(state.surroundings, present=event.present, left_at=left_at)), ()


def somebody_acts(state: State) -> State:
    """A touch, a key or a card: whoever it was is there, whatever the sensor says (it may not see a wheelchair)."""
    if state.surroundings.left_at is None:
        return state
    return replace(state, surroundings=replace(state.surroundings, left_at=None))


def power_changed(state: State, event: events.PowerChanged) -> Step:
    return replace(state, surroundings=replace(state.surroundings, power=event.power)), ()


HANDLERS: dict[type, Any] = {
    events.PresenceChanged: presence_changed,
    events.PowerChanged: power_changed,
}
