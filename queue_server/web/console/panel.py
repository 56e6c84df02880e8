"""The panel beside a clerk's work: sending on, correcting, adding a service, pause and work profile."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from queue_server.counters.outcomes import CounterState
from queue_server.hall import Addressee
from queue_server.projection import CounterNow, HallProjection, ServiceNow, TicketAtCounter, WaitingTicket
from queue_server.web.console.words import Language

PanelKind = Literal["transfer", "reclassify", "another", "duty"]
KINDS: frozenset[str] = frozenset({"transfer", "reclassify", "another", "duty"})
COMPANIONS = range(7)


@dataclass(frozen=True, slots=True)
class Panel:
    """What is open: for a ticket (None: the one at the counter), and to whom it would be sent."""

    kind: PanelKind
    ticket: str | None = None
    to: str = ""
    """Empty: to the hall; else `counter:<id>` or `clerk:<id>`."""

    def addressee(self) -> Addressee | None:
        kind, _, id_ = self.to.partition(":")
        if kind == "counter":
            return Addressee("counter", id_)
        return Addressee("clerk", id_) if kind == "clerk" else None


def panel_context(
    panel: Panel, state: CounterState, projection: HallProjection, others: Iterable[CounterState], language: Language
) -> dict[str, Any] | None:
    """What the panel's template draws; None where its ticket is no longer there."""
    if panel.kind == "duty":
        return _duty(state.counter, projection, language)
    ticket = _ticket(panel, state)
    if ticket is None:
        return None
    context = {
        "kind": panel.kind,
        "ticket": ticket.ticket,
        "version": ticket.version,
        "number": ticket.number,
        "waits": panel.ticket is not None,
    }
    if panel.kind == "reclassify":
        return context | _reclassify(ticket, state.counter, projection, language, at_counter=panel.ticket is None)
    if panel.kind == "another":
        here = [s for s in projection.services if s.queue in state.counter.able]
        later = [s for s in projection.services if s.queue not in state.counter.able]
        return context | {"here": _named(here, language), "later": _grouped(later, projection, language)}
    there = [other for other in others if other.counter.session is not None]
    services = _able_to_serve(panel.to, there, projection)
    return context | {
        "to": panel.to,
        "counters": [(f"counter:{o.counter.counter}", o.counter.number) for o in there],
        "clerks": [(f"clerk:{o.counter.clerk}", o.clerk_name or "") for o in there],
        "mine": (f"counter:{state.counter.counter}", f"clerk:{state.counter.clerk}"),
        "groups": _grouped(services, projection, language),
        "service": ticket.service,
    }


def _ticket(panel: Panel, state: CounterState) -> TicketAtCounter | WaitingTicket | None:
    if panel.ticket is None:
        return state.counter.current
    waiting = (ticket for queue in state.queues for ticket in queue.waiting)
    return next((ticket for ticket in waiting if ticket.ticket == panel.ticket), None)


def _duty(counter: CounterNow, projection: HallProjection, language: Language) -> dict[str, Any]:
    return {
        "kind": "duty",
        "number": "",
        "free": counter.current is None and counter.paused_since is None,
        "reasons": [(reason.id, reason.name[language]) for reason in projection.pause_reasons],
        "profiles": [(profile.id, profile.name[language]) for profile in counter.profiles],
        "profile": counter.profile,
    }


def _reclassify(
    ticket: TicketAtCounter | WaitingTicket,
    counter: CounterNow,
    projection: HallProjection,
    language: Language,
    *,
    at_counter: bool,
) -> dict[str, Any]:
    services = [s for s in projection.services if not at_counter or s.queue in counter.able]
    classes = []
    for each in projection.classes:
        name = each.name[language]
        shown = [(each.id, kind.id, f"{name} · {kind.name[language]}") for kind in each.evidence]
        classes += shown or [(each.id, "", name)]
    return {
        "services": _named(services, language),
        "classes": classes,
        "service": ticket.service,
        "priority_class": ticket.priority_class,
        "companions": ticket.companions,
        "choices": COMPANIONS,
    }


def _able_to_serve(to: str, there: Iterable[CounterState], projection: HallProjection) -> list[ServiceNow]:
    """The services for which a ticket can be sent to somebody."""
    able = None
    for other in there:
        if to in (f"counter:{other.counter.counter}", f"clerk:{other.counter.clerk}"):
            able = other.counter.able
    return [service for service in projection.services if able is None or service.queue in able]


def _named(services: Iterable[ServiceNow], language: Language) -> list[tuple[str, str]]:
    return [(service.service, service.name[language]) for service in services]


def _grouped(
    services: Iterable[ServiceNow], projection: HallProjection, language: Language
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Services under the names of their queues."""
    queues = {queue.queue: queue.name[language] for queue in projection.queues}
    found: dict[str, list[tuple[str, str]]] = {}
    for service in services:
        found.setdefault(queues.get(service.queue, ""), []).append((service.service, service.name[language]))
    return list(found.items())
