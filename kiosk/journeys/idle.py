"""Nobody touches the terminal: a countdown that one touch extends, then the session is wiped.

The time never runs while a card is read, paper comes out or an answer is awaited (WCAG 2.2.1: warn, at least 20 s).
"""

import math

from kiosk.journeys.state import AtHome, Awaiting, Holding, LayingCard, Preferences, Servicing, State
from kiosk.journeys.views import CardState, Idle, SlipState


def busy(state: State) -> bool:
    """The terminal works for the person, who can only wait."""
    match state.page:
        case Awaiting() | LayingCard(card=CardState.READING) | Holding(slip=SlipState.PRINTING):
            return True
        case Servicing(running=running):
            return running is not None
    return False


def runs(state: State) -> bool:
    """Whether there is something to wipe, and nobody has to be waited for."""
    untouched = isinstance(state.page, AtHome) and state.person is None and state.preferences == Preferences()
    return not untouched and not busy(state)


def countdown(state: State) -> Idle | None:
    """What is left of the countdown, None before it begins."""
    waited = state.now - state.touched_at
    if not runs(state) or waited < state.rules.idle_s:
        return None
    return Idle(max(0, math.ceil(state.rules.idle_s + state.rules.countdown_s - waited)))


def over(state: State) -> bool:
    return runs(state) and state.now - state.touched_at >= state.rules.idle_s + state.rules.countdown_s
