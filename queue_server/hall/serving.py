"""Serving: the called person comes and is served; further services of the same visit follow under the same number."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.admission import visit_refusal
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.counters import CounterSession, SessionCommand, StepEvent, at_counter
from queue_server.hall.handling import StepOpened, next_step_id
from queue_server.hall.states import Act
from queue_server.hall.visits import Ticket, act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class StartService(SessionCommand):
    """The person stands at the counter."""


@dataclass(frozen=True, kw_only=True)
class Complete(SessionCommand):
    """The service is done. Where the visit has further services, the next one waits in its line from the arrival."""


@dataclass(frozen=True, kw_only=True)
class AnotherService(SessionCommand):
    """The person being served asks for one more service: `here` and now, or after this one in its own line."""

    service: str
    here: bool


@dataclass(frozen=True, kw_only=True)
class ServiceStarted(StepEvent):
    kind: ClassVar[str] = "service_started"


@dataclass(frozen=True, kw_only=True)
class ServiceCompleted(StepEvent):
    kind: ClassVar[str] = "service_completed"


@dataclass(frozen=True, kw_only=True)
class ServicePlanned(Event):
    """A further service of the visit; `planned`: all that follow the current one now."""

    kind: ClassVar[str] = "service_planned"

    ticket: str
    step: str
    session: str
    planned: tuple[str, ...]


def start_service(hall: "Hall", command: StartService, now: datetime) -> Outcome:
    found = at_counter(hall, command, Act.START)
    if isinstance(found, Refusal):
        return found
    return (_at_counter(ServiceStarted, command, now, Why("requested"), found),)


def complete(hall: "Hall", command: Complete, now: datetime) -> Outcome:
    found = at_counter(hall, command, Act.COMPLETE)
    if isinstance(found, Refusal):
        return found
    _, ticket = found
    completed = _at_counter(ServiceCompleted, command, now, Why("requested"), found)
    following = hall.configuration.service(ticket.planned[0]) if ticket.planned else None
    if following is None or hall.open_day is None:
        return (completed,)
    opened = StepOpened(
        at=now,
        by=command.by,
        why=Why("next_service", {"number": ticket.number, "service": following.id}),
        ticket=ticket.id,
        step=next_step_id(ticket),
        service=following.id,
        queue=following.queue,
        origin="next_service",
        order_key=ticket.step.order_key,
        planned=ticket.planned[1:],
    )
    return completed, opened


def another_service(hall: "Hall", command: AnotherService, now: datetime) -> Outcome:
    found = at_counter(hall, command, Act.COMPLETE)
    if isinstance(found, Refusal):
        return found
    session, ticket = found
    service = hall.configuration.service(command.service)
    if service is None:
        return refusals.ServiceUnknown(service=command.service)
    why = Why("another_service", {"number": ticket.number, "service": service.id})
    if not command.here:
        planned = (*ticket.planned, service.id)
        return visit_refusal(hall.configuration, planned, ticket.companions) or (
            ServicePlanned(
                at=now,
                by=command.by,
                why=why,
                ticket=ticket.id,
                step=ticket.step.id,
                session=session.id,
                planned=planned,
            ),
        )
    if service.queue not in hall.configuration.class_queues(session.counter):
        return refusals.QueueNotOfCounter(queue=service.queue, counter=session.counter)
    still_planned = list(ticket.planned)
    if service.id in still_planned:
        still_planned.remove(service.id)
    opened = StepOpened(
        at=now,
        by=command.by,
        why=why,
        ticket=ticket.id,
        step=next_step_id(ticket),
        service=service.id,
        queue=service.queue,
        origin="next_service",
        order_key=ticket.step.order_key,
        planned=tuple(still_planned),
        session=session.id,
        counter=session.counter,
    )
    return _at_counter(ServiceCompleted, command, now, why, found), opened


def _at_counter(
    kind: type[StepEvent], command: Command, now: datetime, why: Why, found: tuple[CounterSession, Ticket]
) -> StepEvent:
    session, ticket = found
    return kind(
        at=now,
        by=command.by,
        why=why,
        ticket=ticket.id,
        step=ticket.step.id,
        session=session.id,
        counter=session.counter,
    )


def started(store: "Store", event: ServiceStarted) -> None:
    act(store, event.ticket, Act.START, started_at=event.at)
    store.touch_session(event.session)


def completed(store: "Store", event: ServiceCompleted) -> None:
    ended(store, event, Act.COMPLETE)


def planned(store: "Store", event: ServicePlanned) -> None:
    ticket = store.tickets.get(event.ticket)
    if ticket is None or ticket.at_session != event.session:
        raise CorruptHistory(f"session {event.session} plans for ticket {event.ticket}, which it does not have")
    store.put_ticket(replace(ticket, planned=event.planned, version=ticket.version + 1))
    store.touch_session(event.session)


def ended(store: "Store", event: StepEvent, what: Act) -> None:
    """A ticket leaves its counter for good; the time it took there counts for the forecast."""
    ticket = act(store, event.ticket, what, ended_at=event.at)
    store.free_session(event.session, event.at)
    if ticket.step.called_at is not None and event.at >= ticket.step.called_at:
        store.note_counter_time(ticket.queue, event.at - ticket.step.called_at)


DECIDE = {StartService: start_service, Complete: complete, AnotherService: another_service}
EVOLVE = {ServiceStarted: started, ServiceCompleted: completed, ServicePlanned: planned}
