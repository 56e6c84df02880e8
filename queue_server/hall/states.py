"""The transition table: which act may follow in which state of a step, and the state that it leads to.

A ticket's state is its current step's. Decisions ask `after` before they speak and evolve asks it again, so that a
step can never be in a state that this table does not lead to.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class StepState(StrEnum):
    """等候 已叫号 办理中 挂起 办结 过号 作废 过期; 转出 is a step's alone, since its ticket goes on with the next."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    TRANSFERRED = "transferred"


class Act(StrEnum):
    """What can happen to a step."""

    CALL = "call"
    RECALL = "recall"
    START = "start"
    COMPLETE = "complete"
    MISS = "miss"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    EXPIRE = "expire"
    UNDO_CALL = "undo_call"
    UNDO_COMPLETE = "undo_complete"
    UNDO_MISS = "undo_miss"


TRANSITIONS: Mapping[StepState, Mapping[Act, StepState]] = MappingProxyType(
    {
        StepState.WAITING: {
            Act.CALL: StepState.CALLED,
            Act.HOLD: StepState.HELD,
            Act.TRANSFER: StepState.TRANSFERRED,
            Act.CANCEL: StepState.CANCELLED,
            Act.EXPIRE: StepState.EXPIRED,
        },
        StepState.CALLED: {
            Act.RECALL: StepState.CALLED,
            Act.START: StepState.SERVING,
            Act.MISS: StepState.NO_SHOW,
            Act.HOLD: StepState.HELD,
            Act.TRANSFER: StepState.TRANSFERRED,
            Act.UNDO_CALL: StepState.WAITING,
            Act.CANCEL: StepState.CANCELLED,
            Act.EXPIRE: StepState.EXPIRED,
        },
        StepState.SERVING: {
            Act.COMPLETE: StepState.COMPLETED,
            Act.HOLD: StepState.HELD,
            Act.TRANSFER: StepState.TRANSFERRED,
        },
        StepState.HELD: {
            Act.CALL: StepState.CALLED,
            Act.RESUME: StepState.WAITING,
            Act.TRANSFER: StepState.TRANSFERRED,
            Act.CANCEL: StepState.CANCELLED,
            Act.EXPIRE: StepState.EXPIRED,
        },
        StepState.COMPLETED: {Act.UNDO_COMPLETE: StepState.SERVING},
        StepState.NO_SHOW: {Act.UNDO_MISS: StepState.CALLED},
        StepState.CANCELLED: {},
        StepState.EXPIRED: {},
        StepState.TRANSFERRED: {},
    }
)

INITIAL = StepState.WAITING
FINISHED = frozenset({StepState.COMPLETED, StepState.NO_SHOW, StepState.CANCELLED, StepState.EXPIRED})
"""States in which a ticket has ended, unless an act is undone or a no-show comes back within its rules."""
AT_COUNTER = frozenset({StepState.CALLED, StepState.SERVING})
"""States in which a step occupies a counter session."""


def after(state: StepState, act: Act) -> StepState | None:
    """The state to which `act` leads, or None where the act is not allowed."""
    return TRANSITIONS[state].get(act)
