"""The hall as its readers see it: one business day of tickets, counters, calls and requests for help."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from queue_server.hall import limits, refusals
from queue_server.hall.appointment_book import Appointment
from queue_server.hall.calls import Call
from queue_server.hall.choice import Choice, count_ahead, deferred, pick, waiting
from queue_server.hall.configuration import HallConfiguration
from queue_server.hall.counters import CounterSession, Serving
from queue_server.hall.help_requests import HelpRequest
from queue_server.hall.numbers import next_serial
from queue_server.hall.opening import opens_next
from queue_server.hall.rules import PriorityClass
from queue_server.hall.states import StepState
from queue_server.hall.store import Facts, Store
from queue_server.hall.undoing import Undone, undoable
from queue_server.hall.visits import Step, Ticket, Visit
from queue_server.hall.workplaces import Counter


class NotConfigured(Exception):
    """The hall's configuration was asked for before there was one; look at `hall.configured` first."""


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """Whether a number for the service can be taken now; `reason` is the code of the refusal that `Issue` would get."""

    service: str
    open: bool
    reason: str | None
    """`service_closed`, `numbers_exhausted`, `day_already_closed`, `outside_hours`, `not_today`, `quota_reached`,
    `not_reachable_today`; None where open."""
    waiting: int
    counters: tuple[str, ...]
    """Numbers of the open counters that serve it."""
    opens_at: datetime | None = None
    """From when numbers are given again, where that is known."""


class Hall:
    """A hall in memory. Only `evolve` changes it; every reading method is pure and answers with frozen values."""

    def __init__(self, hall_id: str, store: Store | None = None) -> None:
        self.id = hall_id
        self.store = store or Store(Facts(hall_id=hall_id))

    def copy(self) -> "Hall":
        """A twin for trying events out; the values are shared."""
        return Hall(self.id, self.store.copy())

    # --- the hall itself

    @property
    def version(self) -> int:
        """How many events made it."""
        return self.store.version

    @property
    def configured(self) -> bool:
        return self.store.configuration is not None

    @property
    def configuration(self) -> HallConfiguration:
        """The configuration in force; raises `NotConfigured` before the first one."""
        if self.store.configuration is None:
            raise NotConfigured(self.id)
        return self.store.configuration

    @property
    def open_day(self) -> date | None:
        """The open business day."""
        return self.store.open_day

    def business_date(self, now: datetime) -> date:
        """The business date at `now`: the open day's while it is open, also after the clock was set back."""
        day = self.store.open_day
        if day is not None and now < self.configuration.day_ends(day):
            return day
        return self.configuration.business_date(now)

    def day_due(self, now: datetime) -> date | None:
        """The open day, if its end has passed: time for `CloseDay`."""
        day = self.store.open_day
        return day if day is not None and self.configuration.day_ends(day) <= now else None

    # --- tickets

    def ticket(self, ticket: str) -> Ticket | None:
        return self.store.tickets.get(ticket)

    def ticket_by_token(self, follow_token: str) -> Ticket | None:
        ticket = self.store.ticket_by_token.get(follow_token)
        return self.store.tickets[ticket] if ticket is not None else None

    def tickets(self) -> Iterable[Ticket]:
        """All tickets of the open and the last closed day, in no order."""
        return self.store.tickets.values()

    def visit(self, visit: str) -> Visit | None:
        return self.store.visits.get(visit)

    def class_of(self, ticket: Ticket) -> PriorityClass:
        """The ticket's priority class; a configuration cannot drop one that a live ticket has."""
        found = self.configuration.priority_class(ticket.priority_class)
        if found is None:
            raise KeyError(ticket.priority_class)
        return found

    def waiting(self, where: str | CounterSession, now: datetime, limit: int | None = None) -> list[Ticket]:
        """Who waits in a queue (by id) or for a session, in call order at `now`: the order of repeated picks."""
        return list(islice(waiting(self, where, now), limit))

    def deferred(self, queue: str, now: datetime) -> list[Ticket]:
        """Who waits in a queue but is not called before a later instant: the one of their order key."""
        return deferred(self, queue, now)

    def held(self) -> list[Ticket]:
        """What is set aside, oldest first."""
        return [self.store.tickets[ticket] for ticket in self.store.held]

    def passed(self, limit: int) -> list[Ticket]:
        """The latest no-shows that can be put back today, newest first."""
        of_today = (self.store.tickets[ticket] for ticket in reversed(self.store.passed))
        return list(islice((ticket for ticket in of_today if ticket.business_date == self.open_day), limit))

    def undoable(self, session: CounterSession) -> tuple[Ticket, Step, Undone, datetime] | None:
        """What the session's last act was, if it is one that can be undone, and when it was done."""
        return undoable(self, session)

    def waiting_count(self, queue: str) -> int:
        return self.store.lines.count(queue)

    def people_ahead(self, ticket: Ticket, now: datetime) -> int:
        """How many waiting tickets of its queue are called before this one, as things stand; 0 if it waits no more."""
        return count_ahead(self, ticket, now) if ticket.state is StepState.WAITING else 0

    # --- counters and calls

    def session(self, session: str) -> CounterSession | None:
        """A counter session of today, open or closed."""
        return self.store.sessions.get(session)

    def sessions(self) -> list[CounterSession]:
        """The open counter sessions, in the order of the configuration's counters."""
        return [s for counter in self.configuration.counters if (s := self.store.session_at(counter.id))]

    def session_at(self, counter: str) -> CounterSession | None:
        return self.store.session_at(counter)

    def session_of(self, clerk: str) -> CounterSession | None:
        return self.store.session_of(clerk)

    def weights_of(self, session: CounterSession) -> Mapping[str, int]:
        """The queues from which a session calls, each with its weight: its work profile."""
        counter = self.configuration.counter(session.counter)
        profile = self.configuration.work_profile(session.profile or (counter.profile if counter else ""))
        return profile.weights if profile else {}

    def queues_at(self, counter: Counter) -> tuple[str, ...]:
        """The queues from which a counter calls as long as its clerk chooses no other work profile."""
        profile = self.configuration.work_profile(counter.profile)
        return tuple(profile.weights) if profile else ()

    def queues_of(self, session: CounterSession) -> tuple[str, ...]:
        """The queues from which a session calls."""
        return tuple(self.weights_of(session))

    def serving(self, queue: str) -> Serving:
        """Who serves a queue now."""
        known = self.store.serving.get(queue)
        if known is None:
            sessions = [session for session in self.sessions() if queue in self.weights_of(session)]
            known = self.store.serving[queue] = Serving.of(
                (session, self._number_of(session.counter), self.queues_of(session)) for session in sessions
            )
        return known

    def next_for(self, session: CounterSession, now: datetime) -> Choice | None:
        """Whom the session would call now, and why."""
        return pick(self, session, now)

    def counter_number(self, ticket: Ticket) -> str:
        """The number of the counter at which the ticket was called; empty before."""
        return self._number_of(ticket.step.counter)

    def _number_of(self, counter: str | None) -> str:
        found = self.configuration.counter(counter) if counter else None
        return found.number if found else ""

    def call(self, call: str) -> Call | None:
        """One of the latest calls, by its id."""
        return next((c for c in reversed(self.store.calls) if c.id == call), None)

    def last_calls(self, zone: str, limit: int) -> list[Call]:
        """The latest call of each ticket called to the zone, newest first; void and expired tickets are left out."""
        rows: dict[str, Call] = {}
        for call in reversed(self.store.calls):
            ticket = self.store.tickets.get(call.ticket)
            gone = ticket is None or ticket.state in (StepState.CANCELLED, StepState.EXPIRED)
            if call.zone == zone and not gone:
                rows.setdefault(call.ticket, call)
            if len(rows) == limit:
                break
        return list(rows.values())

    def counter_seconds(self, queue: str) -> tuple[int, ...]:
        """The latest times from call to end at a counter, observed today for this queue, in seconds."""
        return tuple(self.store.counter_seconds.get(queue, ()))

    # --- appointments

    def appointment(self, appointment: str) -> Appointment | None:
        """An appointment that is open, or of the last days."""
        return self.store.appointments.get(appointment)

    def appointment_by_code(self, code: str) -> Appointment | None:
        found = self.store.book.of_code(code)
        return self.store.appointments[found] if found is not None else None

    def open_appointments(self, person: str) -> list[Appointment]:
        """The open appointments of a person, the first ones first."""
        held = [self.store.appointments[appointment] for appointment in self.store.book.open_of(person)]
        return sorted(held, key=lambda appointment: (appointment.starts_at, appointment.id))

    # --- services and help

    def service_state(self, service: str, now: datetime) -> ServiceState | None:
        """Whether a number can be taken for the service; None where there is no such service."""
        found = self.configuration.service(service)
        queue = self.configuration.queue(found.queue) if found else None
        if found is None or queue is None:
            return None
        numbers = self.serving(queue.id).numbers
        reason = opens_at = None
        today = self.business_date(now)
        if self.store.open_day != today and self.store.is_past(today):
            reason = refusals.DayAlreadyClosed.code
        elif refused := limits.closed(self, found, queue, now):
            reason = refused.code
            opens_at = datetime.fromisoformat(text) if (text := str(refused.params().get("opens_at", ""))) else None
        elif self.configuration.rules.close_when_no_counter and not numbers:
            reason = refusals.ServiceClosed.code
            opens_at = opens_next(self.configuration, found, now)
        elif next_serial(self.store, queue, today) is None:
            reason = refusals.NumbersExhausted.code
        return ServiceState(
            service=service,
            open=reason is None,
            reason=reason,
            waiting=self.waiting_count(queue.id),
            counters=numbers,
            opens_at=opens_at,
        )

    def open_helps(self) -> list[HelpRequest]:
        """The requests that nobody has acknowledged, oldest first."""
        still_open = [self.store.helps[help_id] for help_id in self.store.open_help_of.values()]
        return sorted(still_open, key=lambda request: (request.asked_at, request.id))

    def help_request(self, help_id: str) -> HelpRequest | None:
        return self.store.helps.get(help_id)

    def open_help_of(self, device: str) -> HelpRequest | None:
        request = self.store.open_help_of.get(device)
        return self.store.helps[request] if request is not None else None
