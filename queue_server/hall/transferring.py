"""Transfer: to another service, counter or clerk, under the same number and, by the hall's rule, from the same arrival.

A consult ticket goes the same way: what it was called for ends, and the next step waits in the right line. Also
reclassifying: the person came for something else, or belongs to another priority class.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from queue_server.hall import refusals
from queue_server.hall.admission import class_refusal, visit_refusal
from queue_server.hall.base import CorruptHistory, Event, Outcome, Refusal, Why
from queue_server.hall.handling import StepOpened, TicketCommand, addressee_refusal, handled, next_step_id
from queue_server.hall.placing import key_now
from queue_server.hall.states import Act, after
from queue_server.hall.visits import Addressee, Ticket, act

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class Transfer(TicketCommand):
    """Send the holder on. `service` None: the same one; `addressee` None: whoever serves it."""

    service: str | None = None
    addressee: Addressee | None = None


@dataclass(frozen=True, kw_only=True)
class Reclassify(TicketCommand):
    """Correct what the ticket is for, while it waits or is at a counter. What is None stays as it is."""

    service: str | None = None
    priority_class: str | None = None
    evidence: str | None = None
    companions: int | None = None


@dataclass(frozen=True, kw_only=True)
class TicketTransferred(Event):
    """A step ends because its ticket is sent on; `StepOpened` says where to. The counter that had it is free."""

    kind: ClassVar[str] = "ticket_transferred"

    ticket: str
    step: str
    session: str | None


@dataclass(frozen=True, kw_only=True)
class TicketReclassified(Event):
    """The ticket's service, class, evidence and companions as they are from now on; its place stays."""

    kind: ClassVar[str] = "ticket_reclassified"

    ticket: str
    step: str
    session: str | None
    service: str
    queue: str
    priority_class: str
    evidence: str | None
    companions: int


def transfer(hall: "Hall", command: Transfer, now: datetime) -> Outcome:
    ticket = handled(hall, command)
    if isinstance(ticket, Refusal):
        return ticket
    if after(ticket.state, Act.TRANSFER) is None:
        return refusals.TicketFinished(number=ticket.number, state=ticket.state.value)
    if hall.open_day is None:
        return refusals.DayNotOpen(business_date=str(hall.business_date(now)))
    service = hall.configuration.service(command.service or ticket.service)
    if service is None:
        return refusals.ServiceUnknown(service=command.service or ticket.service)
    if refused := addressee_refusal(hall, command.addressee, service.queue):
        return refused
    keeps = hall.configuration.rules.transfer_keeps_place
    to = command.addressee
    params: dict[str, str | int] = {"number": ticket.number, "service": service.id}
    why = Why("transferred", params if to is None else params | {f"to_{to.kind}": to.id})
    return (
        TicketTransferred(
            at=now, by=command.by, why=why, ticket=ticket.id, step=ticket.step.id, session=ticket.at_session
        ),
        StepOpened(
            at=now,
            by=command.by,
            why=why,
            ticket=ticket.id,
            step=next_step_id(ticket),
            service=service.id,
            queue=service.queue,
            origin="transferred",
            order_key=ticket.step.order_key if keeps else key_now(hall.store, now),
            addressee=command.addressee,
            deferred=keeps and ticket.step.deferred,
            planned=ticket.planned,
        ),
    )


def reclassify(hall: "Hall", command: Reclassify, now: datetime) -> Outcome:
    ticket = handled(hall, command)
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.finished:
        return refusals.TicketFinished(number=ticket.number, state=ticket.state.value)
    service = hall.configuration.service(command.service or ticket.service)
    if service is None:
        return refusals.ServiceUnknown(service=command.service or ticket.service)
    companions = ticket.companions if command.companions is None else command.companions
    granted, evidence = ticket.priority_class, ticket.evidence
    refused = _not_here(hall, ticket, service.queue) or visit_refusal(hall.configuration, (), companions)
    if command.priority_class is not None:
        granted, evidence = command.priority_class, command.evidence
        refused = refused or class_refusal(hall.configuration, command.by, granted, evidence)
    if refused:
        return refused
    asked = (service.id, granted, evidence, companions)
    if asked == (ticket.service, ticket.priority_class, ticket.evidence, ticket.companions):
        return ()
    return (
        TicketReclassified(
            at=now,
            by=command.by,
            why=Why("reclassified", {"number": ticket.number, "service": service.id, "priority_class": granted}),
            ticket=ticket.id,
            step=ticket.step.id,
            session=ticket.at_session,
            service=service.id,
            queue=service.queue,
            priority_class=granted,
            evidence=evidence,
            companions=companions,
        ),
    )


def _not_here(hall: "Hall", ticket: Ticket, queue: str) -> Refusal | None:
    session = hall.session(ticket.at_session) if ticket.at_session else None
    if session is None or queue in hall.configuration.class_queues(session.counter):
        return None
    return refusals.QueueNotOfCounter(queue=queue, counter=session.counter)


def transferred(store: "Store", event: TicketTransferred) -> None:
    act(store, event.ticket, Act.TRANSFER, ended_at=event.at)
    if event.session is not None:
        store.free_session(event.session, event.at)


def reclassified(store: "Store", event: TicketReclassified) -> None:
    ticket = store.tickets.get(event.ticket)
    if ticket is None or ticket.finished:
        raise CorruptHistory(f"ticket {event.ticket} reclassified after its end")
    step = replace(ticket.step, service=event.service, queue=event.queue)
    store.put_ticket(
        replace(
            ticket,
            steps=(*ticket.steps[:-1], step),
            priority_class=event.priority_class,
            evidence=event.evidence,
            companions=event.companions,
            version=ticket.version + 1,
        )
    )
    if event.session is not None:
        store.touch_session(event.session)


DECIDE = {Transfer: transfer, Reclassify: reclassify}
EVOLVE = {TicketTransferred: transferred, TicketReclassified: reclassified}
