"""Nobody touches the terminal: a countdown that one touch extends, then the session is wiped.

The time never runs while a card is read, paper comes out or an answer is awaited (WCAG 2.2.1: warn, at least 20 s).
Where a sensor sees persons it begins later for who reads and soon for who has left; without one, or when it is silent,
the plain times hold. Who is not seen (a child, a wheelchair) and touches has the plain times as well.
"""

import math

from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Holding,
    LayingCard,
    Preferences,
    Servicing,
    State,
    TypingAppointment,
)
from kiosk.journeys.views import CardState, Idle, SlipState


def busy(state: State) -> bool:
    """The terminal works for the person, who can only wait."""
    match state.page:
        case Awaiting() | LayingCard(card=CardState.READING) | Holding(slip=SlipState.PRINTING):
            return True
        case Servicing(running=running):
            return running is not None
    return False


def in_use(state: State) -> bool:
    """Whether there is something to wipe."""
    untouched = isinstance(state.page, AtHome) and state.person is None and state.preferences == Preferences()
    return not untouched


def runs(state: State) -> bool:
    """Whether there is something to wipe, and nobody has to be waited for."""
    return in_use(state) and not busy(state)


def countdown(state: State) -> Idle | None:
    """What is left of the countdown, None before it begins."""
    since, idle_s, countdown_s = _times(state)
    waited = state.now - since
    if not runs(state) or waited < idle_s:
        return None
    return Idle(max(0, math.ceil(idle_s + countdown_s - waited)))


def over(state: State) -> bool:
    since, idle_s, countdown_s = _times(state)
    return runs(state) and state.now - since >= idle_s + countdown_s


def _times(state: State) -> tuple[float, float, float]:
    """Since when nothing has happened, seconds until the countdown, and its length."""
    rules, around, since = state.rules, state.surroundings, state.touched_at
    if around.left_at is not None and not isinstance(state.page, Servicing):  # a technician walks about
        return max(since, around.left_at), rules.left_idle_s, rules.left_countdown_s
    if around.present and isinstance(state.page, Choosing | LayingCard | TypingAppointment):
        return since, max(rules.idle_s, rules.reading_idle_s), rules.countdown_s
    return since, rules.idle_s, rules.countdown_s
