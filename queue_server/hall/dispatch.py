"""The one dispatch: a command to its decision, an event to its effect."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from queue_server.hall import (
    appointments,
    appointments_check_in,
    appointments_missed,
    appointments_near,
    calling,
    configuring,
    counters,
    day,
    handling,
    help_requests,
    holding,
    limits,
    offline_granting,
    offline_joining,
    passing,
    ratings,
    refusals,
    serving,
    supervising,
    tickets,
    transferring,
    undoing,
)
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal
from queue_server.hall.hall import Hall
from queue_server.hall.store import Store

_SUBJECTS = (
    configuring,
    day,
    tickets,
    counters,
    calling,
    serving,
    handling,
    transferring,
    holding,
    passing,
    undoing,
    supervising,
    ratings,
    help_requests,
    limits,
    offline_granting,
    offline_joining,
    appointments,
    appointments_check_in,
    appointments_missed,
    appointments_near,
)
_DECIDE: dict[type[Any], Callable[[Hall, Any, datetime], Outcome]] = {}
_EVOLVE: dict[type[Any], Callable[[Store, Any], None]] = {}
for _subject in _SUBJECTS:
    _DECIDE |= _subject.DECIDE
    _EVOLVE |= _subject.EVOLVE

EVENT_TYPES: tuple[type[Event], ...] = tuple(_EVOLVE)
_BEGINS_DAY = (tickets.Issue, counters.OpenCounter, supervising.TakeOver, appointments_check_in.CheckIn)
"""Commands that cannot belong to a day that is over."""


def decide(hall: Hall, command: Command, now: datetime) -> Outcome:
    """The events that `command` causes at `now`, or a named refusal. Changes nothing.

    Raises `ValueError` for a `now` without time zone, which is a mistake of the program, not of the command.
    The first number or counter of a new business day closes the day before and opens the new one in front of its own
    events, if no `CloseDay` did it in time.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    now = now.astimezone(UTC)
    decision = _DECIDE.get(type(command))
    if decision is None:
        return refusals.CommandUnknown(command=type(command).__name__)
    if not hall.configured and not isinstance(command, configuring.Configure):
        return refusals.HallNotConfigured()
    if not _begins_day(hall, command, now):
        return decision(hall, command, now)
    first = day.begin_day(hall, now)
    if isinstance(first, Refusal):
        return first
    if not first:
        return decision(hall, command, now)
    hall = hall.copy()
    for event in first:
        evolve(hall, event)
    then = decision(hall, command, now)
    return then if isinstance(then, Refusal) else (*first, *then)


def _begins_day(hall: Hall, command: Command, now: datetime) -> bool:
    if isinstance(command, offline_joining.JoinOffline):
        return offline_joining.opens_day(hall, command, now)
    return isinstance(command, _BEGINS_DAY)


def evolve(hall: Hall, event: Event) -> None:
    """Applies one event; raises `CorruptHistory` where it cannot follow what came before."""
    effect = _EVOLVE.get(type(event))
    if effect is None:
        raise CorruptHistory(f"no effect for event {type(event).__name__}")
    effect(hall.store, event)
    hall.store.version += 1
    hall.store.updated_at = event.at
