"""Serving: the called person comes and is served, or does not come."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall.base import Outcome, Refusal, Why
from queue_server.hall.counters import SessionCommand, StepEvent, at_counter
from queue_server.hall.states import Act
from queue_server.hall.visits import act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class StartService(SessionCommand):
    """The person stands at the counter."""


@dataclass(frozen=True, kw_only=True)
class Complete(SessionCommand):
    """The service is done."""


@dataclass(frozen=True, kw_only=True)
class NoShow(SessionCommand):
    """Called and not come."""


@dataclass(frozen=True, kw_only=True)
class ServiceStarted(StepEvent):
    kind: ClassVar[str] = "service_started"


@dataclass(frozen=True, kw_only=True)
class ServiceCompleted(StepEvent):
    kind: ClassVar[str] = "service_completed"


@dataclass(frozen=True, kw_only=True)
class NoShowRecorded(StepEvent):
    kind: ClassVar[str] = "no_show_recorded"


def start_service(hall: "Hall", command: StartService, now: datetime) -> Outcome:
    return _step_event(hall, command, now, Act.START, ServiceStarted)


def complete(hall: "Hall", command: Complete, now: datetime) -> Outcome:
    return _step_event(hall, command, now, Act.COMPLETE, ServiceCompleted)


def no_show(hall: "Hall", command: NoShow, now: datetime) -> Outcome:
    return _step_event(hall, command, now, Act.MISS, NoShowRecorded)


def _step_event(hall: "Hall", command: SessionCommand, now: datetime, what: Act, kind: type[StepEvent]) -> Outcome:
    found = at_counter(hall, command, what)
    if isinstance(found, Refusal):
        return found
    session, ticket = found
    return (
        kind(
            at=now,
            by=command.by,
            why=Why("requested"),
            ticket=ticket.id,
            step=ticket.step.id,
            session=session.id,
            counter=session.counter,
        ),
    )


def started(store: "Store", event: ServiceStarted) -> None:
    act(store, event.ticket, Act.START, started_at=event.at)
    store.touch_session(event.session)


def completed(store: "Store", event: ServiceCompleted) -> None:
    _ended(store, event, Act.COMPLETE)


def missed(store: "Store", event: NoShowRecorded) -> None:
    _ended(store, event, Act.MISS)


def _ended(store: "Store", event: StepEvent, what: Act) -> None:
    ticket = act(store, event.ticket, what, ended_at=event.at)
    store.free_session(event.session, event.at)
    if ticket.step.called_at is not None and event.at >= ticket.step.called_at:
        store.note_counter_time(ticket.queue, event.at - ticket.step.called_at)


DECIDE = {StartService: start_service, Complete: complete, NoShow: no_show}
EVOLVE = {ServiceStarted: started, ServiceCompleted: completed, NoShowRecorded: missed}
