"""No-shows: what the hall's rule makes of a number that is not answered, and how its holder comes back.

Who comes back is placed behind so many of those who wait in the queue, and never ahead of the place they had; where
the hall calls by ratio, of those of the same class.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, Outcome, Refusal, Why
from queue_server.hall.choice import rank, waiting
from queue_server.hall.counters import SessionCommand, StepEvent, at_counter
from queue_server.hall.handling import StepOpened, TicketCommand, handled, next_step_id
from queue_server.hall.placing import free_key, micros
from queue_server.hall.serving import ended
from queue_server.hall.states import Act, StepState
from queue_server.hall.visits import Ticket

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class NoShow(SessionCommand):
    """Called and not come."""


@dataclass(frozen=True, kw_only=True)
class Reinstate(TicketCommand):
    """The holder of an ended no-show is here after all: staff put it back, or the holder does so at a terminal."""


@dataclass(frozen=True, kw_only=True)
class NoShowRecorded(StepEvent):
    kind: ClassVar[str] = "no_show_recorded"


def no_show(hall: "Hall", command: NoShow, now: datetime) -> Outcome:
    found = at_counter(hall, command, Act.MISS)
    if isinstance(found, Refusal):
        return found
    session, ticket = found
    rule = hall.configuration.rules.no_show
    if ticket.step.calls - 1 < rule.recalls_first:
        return refusals.RecallFirst(number=ticket.number, recalls=rule.recalls_first)
    recorded = NoShowRecorded(
        at=now,
        by=command.by,
        why=Why("not_come", {"number": ticket.number, "calls": ticket.step.calls}),
        ticket=ticket.id,
        step=ticket.step.id,
        session=session.id,
        counter=session.counter,
    )
    times = sum(step.origin == "came_back" for step in ticket.steps) + 1
    if rule.then == "end" or times > rule.times or hall.store.open_day is None:
        return (recorded,)
    if rule.then == "reinsert":
        key, deferred = behind(hall, ticket, rule.behind, now), False
        why = Why("reinserted", {"number": ticket.number, "behind": rule.behind})
    else:
        wait_s = rule.back_off_s * 2 ** (times - 1)
        key, deferred = free_key(hall.store, micros(now + timedelta(seconds=wait_s))), True
        why = Why("backs_off", {"number": ticket.number, "minutes": -(-wait_s // 60)})
    return recorded, replace(
        _comes_back(ticket, command, now, why, key),
        origin="came_back",
        addressee=ticket.step.addressee,
        deferred=deferred,
    )


def reinstate(hall: "Hall", command: Reinstate, now: datetime) -> Outcome:
    ticket = handled(hall, command)
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.state is not StepState.NO_SHOW or ticket.business_date != hall.open_day:
        return refusals.TicketNotPassed(number=ticket.number, state=ticket.state.value)
    rule = hall.configuration.rules.no_show
    if command.by.kind in ("device", "citizen", "channel"):
        late = ticket.step.ended_at is None or now > ticket.step.ended_at + timedelta(seconds=rule.reinstate_within_s)
        if late or sum(step.origin == "reinstated" for step in ticket.steps) >= rule.reinstate_times:
            return refusals.ReinstateAtDesk(number=ticket.number)
    if hall.configuration.service(ticket.service) is None:
        return refusals.ServiceUnknown(service=ticket.service)
    why = Why("reinstated", {"number": ticket.number, "behind": rule.reinstate_behind})
    key = behind(hall, ticket, rule.reinstate_behind, now)
    return (_comes_back(ticket, command, now, why, key),)


def behind(hall: "Hall", ticket: Ticket, count: int, now: datetime) -> int:
    """The order key that places a ticket behind `count` of those who wait in its queue, as things stand at `now`."""
    line = waiting(hall, ticket.queue, now)
    if hall.configuration.rules.calling == "ratio":
        line = (other for other in line if other.priority_class == ticket.priority_class)
    ahead = list(islice(line, count))
    key, instant = ticket.step.order_key, micros(now)
    if ahead:
        rule, last = hall.class_of(ticket), ahead[-1]
        mark = rank(hall.class_of(last), 1, (last.step.order_key, last.id), instant)
        low, high = key, max(key, instant + 100 * 86_400 * 1_000_000)
        while low < high:  # rank rises with the key: the first key that stands behind the mark
            middle = (low + high) // 2
            if rank(rule, 1, (middle, ticket.id), instant) > mark:
                high = middle
            else:
                low = middle + 1
        key = low
    return key if key == ticket.step.order_key else free_key(hall.store, key)


def _comes_back(ticket: Ticket, command: Command, now: datetime, why: Why, order_key: int) -> StepOpened:
    return StepOpened(
        at=now,
        by=command.by,
        why=why,
        ticket=ticket.id,
        step=next_step_id(ticket),
        service=ticket.service,
        queue=ticket.queue,
        origin="reinstated",
        order_key=order_key,
        planned=ticket.planned,
    )


def missed(store: "Store", event: NoShowRecorded) -> None:
    ended(store, event, Act.MISS)


DECIDE: dict[type[Any], Callable[..., Outcome]] = {NoShow: no_show, Reinstate: reinstate}
EVOLVE = {NoShowRecorded: missed}
