"""What a hall remembers: the values that events made, and the indexes over them. Only evolve writes here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from queue_server.hall.appointment_book import Appointment, AppointmentBook
from queue_server.hall.base import CorruptHistory
from queue_server.hall.calls import Call
from queue_server.hall.configuration import HallConfiguration
from queue_server.hall.counters import CounterSession, Serving
from queue_server.hall.help_requests import HelpRequest
from queue_server.hall.limits import Tally
from queue_server.hall.lines import Lines
from queue_server.hall.offline_numbers import OfflineFacts
from queue_server.hall.ratings import Rating
from queue_server.hall.states import StepState
from queue_server.hall.visits import Addressee, Step, Ticket, Visit

CALLS_KEPT = 200
OBSERVATIONS_KEPT = 60
DAYS_KEPT = 32


@dataclass(kw_only=True)
class Facts:
    """All that a snapshot holds. The indexes of `Store` follow from it."""

    hall_id: str
    version: int = 0
    updated_at: datetime | None = None
    configuration: HallConfiguration | None = None
    open_day: date | None = None
    series: dict[date, dict[str, int]] = field(default_factory=dict)
    """Last serial given, by business date (opened ones, the newest `DAYS_KEPT`) and prefix."""
    forgotten_to: date | None = None
    """Newest business date whose series is no longer kept."""
    tally: Tally = field(default_factory=Tally)
    offline: OfflineFacts = field(default_factory=OfflineFacts)
    order_key: int = 0
    """Highest order key given to somebody who came, since the day opened."""
    visits: dict[str, Visit] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    sessions: dict[str, CounterSession] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    turns: dict[str, int] = field(default_factory=dict)
    """Credit of the priority classes, where the hall calls by ratio."""
    counter_seconds: dict[str, list[int]] = field(default_factory=dict)
    """Latest times from call to end at a counter today, by queue."""
    ratings: dict[str, Rating] = field(default_factory=dict)
    """The rating that counts, by `visit:<id>` or `item:<id>`."""
    helps: dict[str, HelpRequest] = field(default_factory=dict)
    appointments: dict[str, Appointment] = field(default_factory=dict)
    missed: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    """When a person missed appointments, by person; as long as the rules look back."""
    blocked: dict[str, datetime] = field(default_factory=dict)
    """Until when a person can book nothing, by person."""
    told_near: dict[str, int] = field(default_factory=dict)
    """Tickets whose booking channel was told that their turn is near, with the people ahead then."""


class Store(Facts):
    """The facts, and the indexes that make every look-up short."""

    def __init__(self, facts: Facts) -> None:
        self.__dict__.update(facts.__dict__)
        self.lines = Lines()
        self.order_keys: set[int] = set()
        self.held: dict[str, None] = {}
        self.passed: dict[str, None] = {}
        self.addressed: dict[Addressee, dict[str, None]] = {}
        self.book = AppointmentBook(self.appointments.values())
        self.ticket_by_token: dict[str, str] = {}
        self.live_numbers: dict[tuple[str, int], str] = {}
        self.live_of_person: dict[str, dict[str, None]] = {}
        self.open_help_of: dict[str, str] = {}
        self.serving: dict[str, Serving] = {}
        """Who serves a queue, once looked up, until a session or the configuration changes."""
        self._open_at: dict[str, str] = {}
        self._open_of: dict[str, str] = {}
        for ticket in self.tickets.values():
            self._index_ticket(None, ticket)
            self.order_keys.update(step.order_key for step in ticket.steps)
        for session in self.sessions.values():
            self._index_session(session)
        for request in self.helps.values():
            self._index_help(request)

    def facts(self) -> Facts:
        return Facts(**{name: self.__dict__[name] for name in Facts.__dataclass_fields__})

    def copy(self) -> "Store":
        """A twin that may be changed; the values, being frozen, are shared."""
        facts = self.facts()
        return Store(
            replace(
                facts,
                series={day: serials.copy() for day, serials in facts.series.items()},
                tally=facts.tally.copy(),
                offline=facts.offline.copy(),
                visits=facts.visits.copy(),
                tickets=facts.tickets.copy(),
                sessions=facts.sessions.copy(),
                calls=facts.calls.copy(),
                turns=facts.turns.copy(),
                counter_seconds={queue: seconds.copy() for queue, seconds in facts.counter_seconds.items()},
                ratings=facts.ratings.copy(),
                helps=facts.helps.copy(),
                appointments=facts.appointments.copy(),
                missed=facts.missed.copy(),
                blocked=facts.blocked.copy(),
                told_near=facts.told_near.copy(),
            )
        )

    @property
    def shares(self) -> Mapping[str, int]:
        """The shares of the priority classes, where the hall calls by ratio."""
        return self.configuration.shares if self.configuration is not None else {}

    # --- tickets

    def put_ticket(self, ticket: Ticket) -> None:
        self._index_ticket(self.tickets.get(ticket.id), ticket)
        self.tickets[ticket.id] = ticket

    def drop_ticket(self, ticket: Ticket) -> None:
        """Forgets a finished ticket and its visit."""
        del self.tickets[ticket.id]
        del self.ticket_by_token[ticket.follow_token]
        self.passed.pop(ticket.id, None)
        self.visits.pop(ticket.visit, None)
        self.ratings.pop(f"visit:{ticket.visit}", None)
        self.told_near.pop(ticket.id, None)
        self.order_keys.difference_update(step.order_key for step in ticket.steps)

    def note_serial(self, business_date: date, prefix: str, serial: int) -> None:
        if serial <= self.series.setdefault(business_date, {}).get(prefix, serial - 1):
            raise CorruptHistory(f"number {prefix}{serial} of {business_date} given twice")
        self.series[business_date][prefix] = serial

    def note_offline(self, ticket: Ticket, lease: str | None) -> None:
        """A number given by a terminal has joined."""
        joined = self.offline.joined.setdefault(ticket.business_date, {})
        if ticket.number in joined:
            raise CorruptHistory(f"number {ticket.number} of {ticket.business_date} joined twice")
        joined[ticket.number] = ticket.id
        last = self.configuration.offline.last if self.configuration else ticket.serial
        self.offline.note_used(ticket.prefix, ticket.serial, lease, last)

    def is_past(self, day: date) -> bool:
        """The day was opened before (and is closed, if it is not the open one)."""
        return day in self.series or self.is_forgotten(day)

    def is_forgotten(self, day: date) -> bool:
        """The day is so old that its series is no longer kept: giving a number could give it twice."""
        return self.forgotten_to is not None and day <= self.forgotten_to

    def forget_old_series(self) -> None:
        """Keeps the newest `DAYS_KEPT` dates; an older date is never opened again."""
        for old in sorted(self.series)[:-DAYS_KEPT]:
            del self.series[old]
            self.forgotten_to = max(old, self.forgotten_to or old)
            self.offline.forget_to(old)

    def begin_afresh(self, closed: date) -> None:
        """After `closed` has ended: keeps what lives, and that day's tickets for looking up."""
        for ticket in list(self.tickets.values()):
            if ticket.finished and ticket.business_date != closed and not self._ended_on(ticket, closed):
                self.drop_ticket(ticket)
        self.sessions = {session.id: session for session in self.sessions.values() if session.closed_at is None}
        self.helps = {request.id: request for request in self.helps.values() if request.clerk is None}
        self.calls = [call for call in self.calls if not self._is_over(call.ticket)]
        self.turns = {}
        kept_from = closed - timedelta(days=DAYS_KEPT)
        self.ratings = {subject: rating for subject, rating in self.ratings.items() if rating.at.date() >= kept_from}
        self.counter_seconds = {}
        waiting = (t.step for t in self.tickets.values() if t.state is StepState.WAITING and not t.step.deferred)
        self.order_key = max((step.order_key for step in waiting), default=0)
        self.tally.begin_afresh(self.series)

    def _ended_on(self, ticket: Ticket, day: date) -> bool:
        """Whether a ticket of an earlier day, carried over or joined late, ended on `day` or with it."""
        ended_at = ticket.step.ended_at
        return (
            ended_at is not None
            and self.configuration is not None
            and (self.configuration.business_date(ended_at) >= day)
        )

    def _is_over(self, ticket_id: str) -> bool:
        ticket = self.tickets.get(ticket_id)
        return ticket is None or ticket.finished

    def _index_ticket(self, before: Ticket | None, ticket: Ticket) -> None:
        step = ticket.steps[-1]
        self.order_keys.add(step.order_key)
        if before is not None:
            self._leave_place(before)
        if step.state is StepState.WAITING:
            self.lines.add(ticket)
        elif step.state is StepState.HELD:
            self.held[ticket.id] = None
        elif step.state is StepState.NO_SHOW:
            self.passed[ticket.id] = None
        if addressee := _belongs_to(step):
            self.addressed.setdefault(addressee, {})[ticket.id] = None
        number = (ticket.prefix, ticket.serial)
        if not ticket.finished:
            self.live_numbers[number] = ticket.id
        elif self.live_numbers.get(number) == ticket.id:
            del self.live_numbers[number]
        if ticket.person is not None:
            self._index_person(ticket.person, ticket)
        self.ticket_by_token[ticket.follow_token] = ticket.id

    def live_tickets_of(self, person: str) -> list[Ticket]:
        """The live tickets of a person, oldest first."""
        live = [self.tickets[ticket] for ticket in self.live_of_person.get(person, ())]
        return sorted(live, key=lambda ticket: (ticket.arrived_at, ticket.id))

    def _index_person(self, person: str, ticket: Ticket) -> None:
        if not ticket.finished:
            self.live_of_person.setdefault(person, {})[ticket.id] = None
        elif (live := self.live_of_person.get(person)) is not None:
            live.pop(ticket.id, None)
            if not live:
                del self.live_of_person[person]

    def _leave_place(self, ticket: Ticket) -> None:
        step = ticket.steps[-1]
        if step.state is StepState.WAITING:
            self.lines.remove(ticket)
        elif step.state is StepState.HELD:
            del self.held[ticket.id]
        elif step.state is StepState.NO_SHOW:
            del self.passed[ticket.id]
        if addressee := _belongs_to(step):
            del self.addressed[addressee][ticket.id]

    # --- appointments

    def put_appointment(self, appointment: Appointment) -> None:
        self.book.put(self.appointments.get(appointment.id), appointment)
        self.appointments[appointment.id] = appointment

    def drop_appointment(self, appointment: Appointment) -> None:
        """Forgets an appointment of the past."""
        self.book.put(appointment, None)
        del self.appointments[appointment.id]

    def drop_last_step(self, ticket: Ticket) -> Ticket:
        """Takes back the step that followed the one before; the ticket as it is then."""
        *rest, last = ticket.steps
        planned = (last.service, *ticket.planned) if last.origin == "next_service" else ticket.planned
        before = replace(ticket, steps=tuple(rest), planned=planned)
        self.put_ticket(before)
        if all(step.order_key != last.order_key for step in rest):
            self.order_keys.discard(last.order_key)
        return before

    # --- counter sessions

    def session_at(self, counter: str) -> CounterSession | None:
        """The open session at a counter."""
        session = self._open_at.get(counter)
        return self.sessions[session] if session is not None else None

    def session_of(self, clerk: str) -> CounterSession | None:
        """The open session of a clerk."""
        session = self._open_of.get(clerk)
        return self.sessions[session] if session is not None else None

    def open_session(self, session_id: str) -> CounterSession:
        session = self.sessions.get(session_id)
        if session is None or session.closed_at is not None:
            raise CorruptHistory(f"counter session {session_id} is not open")
        return session

    def open_sessions(self) -> list[CounterSession]:
        return [self.sessions[session_id] for session_id in self._open_at.values()]

    def put_session(self, session: CounterSession) -> None:
        self.sessions[session.id] = session
        self._index_session(session)

    def touch_session(self, session_id: str) -> None:
        """Something happened at the counter that its clerk must have seen."""
        session = self.open_session(session_id)
        self.put_session(replace(session, version=session.version + 1))

    def occupy_session(self, session_id: str, ticket: str) -> None:
        """Gives a ticket to a free session."""
        session = self.open_session(session_id)
        if session.ticket is not None:
            raise CorruptHistory(f"counter session {session_id} takes {ticket} over {session.ticket}")
        self.put_session(replace(session, ticket=ticket, free_since=None, version=session.version + 1))

    def free_session(self, session_id: str, at: datetime) -> None:
        """Takes the ticket from a session."""
        session = self.open_session(session_id)
        self.put_session(
            replace(session, ticket=None, last_ticket=session.ticket, free_since=at, version=session.version + 1)
        )

    def _index_session(self, session: CounterSession) -> None:
        self.serving.clear()
        if session.closed_at is None:
            self._open_at[session.counter] = session.id
            self._open_of[session.clerk] = session.id
        elif self._open_at.get(session.counter) == session.id:
            del self._open_at[session.counter]
            del self._open_of[session.clerk]

    def release_addressed(self, addressee: Addressee) -> None:
        """Leaves to the hall what waits for a counter or clerk, or is held there."""
        for ticket_id in list(self.addressed.get(addressee, ())):
            ticket = self.tickets[ticket_id]
            step = replace(ticket.step, addressee=None, pool=None)
            self.put_ticket(replace(ticket, steps=(*ticket.steps[:-1], step), version=ticket.version + 1))

    # --- calls

    def note_call(self, call: Call) -> None:
        self.calls.append(call)
        del self.calls[:-CALLS_KEPT]

    def forget_calls(self, ticket: str, count: int) -> None:
        """Takes the latest `count` calls of a ticket back."""
        gone = set([i for i, call in enumerate(self.calls) if call.ticket == ticket][-count:])
        self.calls = [call for i, call in enumerate(self.calls) if i not in gone]

    def note_counter_time(self, queue: str, spent: timedelta) -> None:
        """Adds the time from call to end of one ticket to what was observed today."""
        observed = self.counter_seconds.setdefault(queue, [])
        observed.append(round(spent.total_seconds()))
        del observed[:-OBSERVATIONS_KEPT]

    def forget_counter_time(self, queue: str, spent: timedelta) -> None:
        """Takes one observed time back."""
        observed = self.counter_seconds.get(queue, [])
        if (seconds := round(spent.total_seconds())) in observed:
            del observed[len(observed) - 1 - observed[::-1].index(seconds)]

    # --- help

    def put_help(self, request: HelpRequest) -> None:
        self.helps[request.id] = request
        self._index_help(request)

    def _index_help(self, request: HelpRequest) -> None:
        if request.clerk is None:
            self.open_help_of[request.device] = request.id
        elif self.open_help_of.get(request.device) == request.id:
            del self.open_help_of[request.device]


def _belongs_to(step: Step) -> Addressee | None:
    """The counter or clerk for whom a step waits or is held."""
    if step.state is StepState.WAITING:
        return step.addressee
    return step.pool if step.state is StepState.HELD else None
