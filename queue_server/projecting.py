"""Making projections and boards from a hall. Pure; the cost is that of what is shown, not of all that waits."""

from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import cast

from queue_server.hall import CounterSession, Hall, HallConfiguration, StepState, Ticket, Why, words
from queue_server.hall.forecast import WaitRange, wait_range
from queue_server.hall.ratings import may_rate, rating_of
from queue_server.projection import (
    PASSED_SHOWN,
    WAITING_SHOWN,
    AlertNow,
    AsideTicket,
    ClassNow,
    CounterNow,
    DeviceNow,
    FollowedTicket,
    HallProjection,
    HelpNow,
    Named,
    NextTicket,
    QueueNow,
    ServiceNow,
    Text,
    TicketAtCounter,
    UndoNow,
    WaitingTicket,
    WayBack,
)
from queue_server.projection import StepState as StepStateName
from queue_server.translator import wait_of
from wire import messages as wire

CALLS_SHOWN = 12


def empty(hall: str, now: datetime) -> HallProjection:
    """The picture before the hall is loaded or configured."""
    nothing: Text = {"zh": "", "en": ""}
    return HallProjection(hall, 0, 0, now, None, 0, nothing, nothing, leading=False)


def project(
    hall: Hall,
    now: datetime,
    *,
    epoch: int,
    rev: int,
    alerts: tuple[AlertNow, ...] = (),
    devices: tuple[DeviceNow, ...] = (),
) -> HallProjection:
    """The whole hall as it is at `now`. A hall without configuration shows only alerts and devices."""
    if not hall.configured:
        nothing: Text = {"zh": "", "en": ""}
        return HallProjection(hall.id, epoch, rev, now, None, 0, nothing, nothing, alerts=alerts, devices=devices)
    configuration = hall.configuration
    waits = {queue.id: wait_range(hall, queue.id, now) for queue in configuration.queues}
    names = {device.device: device.name for device in devices}
    return HallProjection(
        hall=hall.id,
        epoch=epoch,
        rev=rev,
        made_at=now,
        business_date=hall.business_date(now),
        configuration_revision=configuration.revision,
        name=configuration.name.by_language(),
        notice=configuration.notice.by_language(),
        counters=_counters(hall, now),
        queues=_queues(hall, now, waits),
        services=_services(hall, now, waits),
        aside=tuple(_aside(configuration, ticket) for ticket in (*hall.held(), *hall.passed(PASSED_SHOWN))),
        classes=_classes(configuration),
        pause_reasons=tuple(Named(reason.id, reason.name.by_language()) for reason in configuration.pause_reasons),
        helps=tuple(
            HelpNow(help_.id, help_.device, names.get(help_.device, help_.device), help_.screen, help_.asked_at)
            for help_ in hall.open_helps()
        ),
        alerts=alerts,
        devices=devices,
    )


def _counters(hall: Hall, now: datetime) -> tuple[CounterNow, ...]:
    found = []
    for counter in hall.configuration.counters:
        session = hall.session_at(counter.id)
        found.append(
            CounterNow(
                counter=counter.id,
                number=counter.number,
                name=counter.name.by_language(),
                zone=counter.zone,
                queues=hall.queues_of(session) if session else hall.queues_at(counter),
                session=session.id if session else None,
                clerk=session.clerk if session else None,
                opened_at=session.opened_at if session else None,
                version=session.version if session else 0,
                counter_class=counter.counter_class,
                able=hall.configuration.class_queues(counter.id),
                profile=(session.profile if session else None) or counter.profile,
                profiles=_profiles(hall.configuration, counter.id),
                paused_since=session.paused_since if session else None,
                pause_reason=_pause_reason(hall.configuration, session),
                undo=_undo(hall, session, now),
                current=_current(hall, session),
                next=_next(hall, session, now),
            )
        )
    return tuple(found)


def _current(hall: Hall, session: CounterSession | None) -> TicketAtCounter | None:
    ticket = hall.ticket(session.ticket) if session and session.ticket else None
    if ticket is None:
        return None
    return TicketAtCounter(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        service_name=_service_name(hall.configuration, ticket.service),
        priority_class=ticket.priority_class,
        state=_state(ticket),
        since=_since(ticket),
        waiting_since=ticket.waits_from,
        recalls=max(0, ticket.step.calls - 1),
        version=ticket.version,
        companions=ticket.companions,
        appointment=ticket.appointment is not None,
        evidence=ticket.evidence,
        planned=tuple(_service_name(hall.configuration, service) for service in ticket.planned),
    )


def _profiles(configuration: HallConfiguration, counter: str) -> tuple[Named, ...]:
    able = set(configuration.class_queues(counter))
    return tuple(
        Named(profile.id, profile.name.by_language())
        for profile in configuration.work_profiles
        if able.issuperset(profile.weights)
    )


def _pause_reason(configuration: HallConfiguration, session: CounterSession | None) -> Text | None:
    reason = configuration.pause_reason(session.pause_reason) if session and session.pause_reason else None
    return reason.name.by_language() if reason else None


def _undo(hall: Hall, session: CounterSession | None, now: datetime) -> UndoNow | None:
    found = hall.undoable(session) if session else None
    if found is None:
        return None
    ticket, _, what, at = found
    until = at + timedelta(seconds=hall.configuration.rules.undo_s)
    return UndoNow(what, ticket.number, until) if now <= until else None


def _classes(configuration: HallConfiguration) -> tuple[ClassNow, ...]:
    kinds = {kind.id: Named(kind.id, kind.name.by_language()) for kind in configuration.evidence_kinds}
    return tuple(
        ClassNow(each.id, each.name.by_language(), tuple(kinds[kind] for kind in each.evidence))
        for each in configuration.priority_classes
    )


def _aside(configuration: HallConfiguration, ticket: Ticket) -> AsideTicket:
    pool = ticket.step.pool
    return AsideTicket(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        service_name=_service_name(configuration, ticket.service),
        queue=ticket.queue,
        priority_class=ticket.priority_class,
        state=_state(ticket),
        since=ticket.since,
        version=ticket.version,
        pool_counter=pool.id if pool and pool.kind == "counter" else None,
        pool_clerk=pool.id if pool and pool.kind == "clerk" else None,
    )


def _state(ticket: Ticket) -> StepStateName:
    return cast("StepStateName", ticket.state.value)  # a ticket goes on with the next step where one is transferred


def _next(hall: Hall, session: CounterSession | None, now: datetime) -> NextTicket | None:
    choice = hall.next_for(session, now) if session else None
    if choice is None:
        return None
    ticket = choice.ticket
    return NextTicket(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        service_name=_service_name(hall.configuration, ticket.service),
        priority_class=ticket.priority_class,
        waiting_since=ticket.waits_from,
        why=_sentence(choice.why, hall.configuration),
    )


def _sentence(why: Why, configuration: HallConfiguration) -> Text:
    return {language: words(why, language, configuration) for language in ("zh", "en")}


def _queues(hall: Hall, now: datetime, waits: dict[str, WaitRange | None]) -> tuple[QueueNow, ...]:
    configuration = hall.configuration
    colours = _colours(configuration)
    return tuple(
        QueueNow(
            queue=queue.id,
            name=queue.name.by_language(),
            colour=colours.get(queue.id),
            zone=queue.zone,
            waiting_count=hall.waiting_count(queue.id),
            waiting=tuple(
                _waiting(configuration, ticket)
                for ticket in islice(
                    chain(hall.waiting(queue.id, now, WAITING_SHOWN), hall.deferred(queue.id, now)), WAITING_SHOWN
                )
            ),
            open_counters=hall.serving(queue.id).numbers,
            wait=waits[queue.id],
        )
        for queue in configuration.queues
    )


def _waiting(configuration: HallConfiguration, ticket: Ticket) -> WaitingTicket:
    step = ticket.step
    addressee = step.addressee
    return WaitingTicket(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        service_name=_service_name(configuration, ticket.service),
        priority_class=ticket.priority_class,
        waiting_since=ticket.waits_from,
        version=ticket.version,
        companions=ticket.companions,
        appointment=ticket.appointment is not None,
        called_from=datetime.fromtimestamp(step.order_key / 1_000_000, UTC) if step.deferred else None,
        for_counter=addressee.id if addressee and addressee.kind == "counter" else None,
        for_clerk=addressee.id if addressee and addressee.kind == "clerk" else None,
    )


def _services(hall: Hall, now: datetime, waits: dict[str, WaitRange | None]) -> tuple[ServiceNow, ...]:
    found = []
    for service in hall.configuration.services:
        state = hall.service_state(service.id, now)
        if state is not None:
            name = service.name.by_language()
            wait = waits[service.queue]
            found.append(
                ServiceNow(
                    service.id,
                    name,
                    service.group,
                    service.queue,
                    open=state.open,
                    reason=state.reason,
                    waiting=state.waiting,
                    wait=wait,
                    opens_at=state.opens_at,
                )
            )
    return tuple(found)


def follow(hall: Hall, token: str, now: datetime) -> FollowedTicket | None:
    """The ticket of a follow token as its holder may see it."""
    ticket = hall.ticket_by_token(token)
    if ticket is None:
        return None
    configuration = hall.configuration
    counter = configuration.counter(ticket.step.counter) if ticket.step.counter else None
    queue = configuration.queue(ticket.queue)
    waits = ticket.state is StepState.WAITING
    rating = rating_of(hall, ticket)
    return FollowedTicket(
        number=ticket.number,
        service=ticket.service,
        service_name=_service_name(configuration, ticket.service),
        queue=ticket.queue,
        state=_state(ticket),
        since=_since(ticket),
        issued_at=ticket.arrived_at,
        people_ahead=hall.people_ahead(ticket, now) if waits else None,
        wait=wait_range(hall, ticket, now),
        counter=counter.number if counter else None,
        zone=counter.zone if counter else (queue.zone if queue else None),
        business_date=ticket.business_date,
        made_at=now,
        ticket=ticket.id,
        visit=ticket.visit,
        may_rate=may_rate(ticket),
        rating=rating.level if rating is not None else None,
        way_back=_way_back(hall, ticket),
    )


def _way_back(hall: Hall, ticket: Ticket) -> WayBack | None:
    passed_at = ticket.step.ended_at if ticket.state is StepState.NO_SHOW else None
    if passed_at is None or ticket.business_date != hall.open_day:
        return None
    rule = hall.configuration.rules.no_show
    return WayBack(passed_at + timedelta(seconds=rule.reinstate_within_s), rule.reinstate_behind)


def boards(hall: Hall, projection: HallProjection) -> tuple[wire.Board, ...]:
    """What the displays of each zone show: calls to its counters, the queues that wait in it."""
    if not hall.configured:
        return ()
    prefixes = {queue.id: queue.prefix for queue in hall.configuration.queues}
    return tuple(
        wire.Board(
            zone=zone.id,
            hall_name=dict(projection.name),
            calls=tuple(
                wire.BoardCall(
                    call_id=call.id, number=call.number, counter=call.counter_number, at=call.at, recall=call.recall
                )
                for call in hall.last_calls(zone.id, CALLS_SHOWN)
            ),
            queues=tuple(
                wire.BoardQueue(
                    queue=queue.queue,
                    name=dict(queue.name),
                    prefix=prefixes.get(queue.queue),
                    colour=queue.colour,
                    waiting=queue.waiting_count,
                    wait=wait_of(queue.wait),
                )
                for queue in projection.queues
                if queue.zone == zone.id
            ),
            notice=dict(projection.notice),
        )
        for zone in hall.configuration.zones
    )


def services(projection: HallProjection) -> wire.Services:
    """The live numbers of all services, as terminals read them."""
    return wire.Services(
        services=tuple(
            wire.ServiceNow(
                service=service.service,
                open=service.open,
                reason=service.reason,
                waiting=service.waiting,
                wait=wait_of(service.wait),
                opens_at=service.opens_at,
            )
            for service in projection.services
        )
    )


def _since(ticket: Ticket) -> datetime:
    step = ticket.step
    return step.ended_at or step.started_at or step.called_at or ticket.arrived_at


def _service_name(configuration: HallConfiguration, service: str) -> Text:
    found = configuration.service(service)
    return found.name.by_language() if found else {"zh": service, "en": service}


def _colours(configuration: HallConfiguration) -> dict[str, str]:
    """A queue has the colour of the group of its first service."""
    groups = {group.id: group.colour for group in configuration.groups}
    found: dict[str, str] = {}
    for service in configuration.services:
        found.setdefault(service.queue, groups[service.group])
    return found
