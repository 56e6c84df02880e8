"""Sending a person's act to the hall, and waiting until the projection shows what came of it."""

from dataclasses import dataclass

from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.watch import ProjectionWatch
from queue_server.hall import Actor, Command, OpenCounter, Refusal, SessionCommand, TakeOver, TicketCommand
from queue_server.hall_port import HallPort, NotDone, RequestKey
from queue_server.projection import AsideTicket, CounterNow, HallProjection, QueueNow
from queue_server.staff import Staff, StaffPort

SHOWN_WITHIN_S = 5.0
"""How long an answer waits for a projection that shows what was done."""


@dataclass(frozen=True, slots=True)
class Once:
    """A client's own id for an act, so that sending it again after a lost answer does nothing twice."""

    id: str


class Acting:
    """What every act of a person at a counter goes through."""

    def __init__(self, port: HallPort, staff: StaffPort) -> None:
        self.port = port
        self.watch = ProjectionWatch(port)
        self._staff = staff

    def name_of(self, staff_id: str) -> str:
        """The person's name for screens; the id where the register does not know it any more."""
        found = self._staff.find(staff_id)
        return found.name if found is not None else staff_id

    def state(self, session: str) -> CounterState | Refused:
        """The counter that a session holds."""
        projection = self.port.projection()
        found = projection.counter_of_session(session)
        return Refused("session_closed", {"session": session}) if found is None else self._state(projection, found)

    async def _handle(self, staff: Staff, command: TicketCommand, once: Once | None) -> Refused | None:
        refused = await self._do(staff, command, once)
        if refused is None:
            await self.watch.until(lambda p: _ticket_version(p, command.ticket) != command.seen, SHOWN_WITHIN_S)
        return refused

    async def _act(self, staff: Staff, command: SessionCommand, once: Once | None) -> CounterState | Refused:
        refused = await self._do(staff, command, once)
        if refused is not None:
            return refused
        await self.watch.until(lambda p: _version(p, command.session) > command.seen, SHOWN_WITHIN_S)
        return self.state(command.session)

    async def _do(self, staff: Staff, command: Command, once: Once | None) -> Refused | None:
        if not staff.may("clerk", "manager"):
            return Refused("not_allowed")
        key = None
        if once is not None:
            key = RequestKey.of_client(f"staff:{staff.login}", once.id, _meaning(command))
        outcome = await self.port.execute(command, key)
        if isinstance(outcome, Refusal):
            return Refused(outcome.code, self._named(outcome.params()), outcome.retry_after)
        if isinstance(outcome, NotDone):
            return Refused(outcome.code, {}, outcome.retry_after)
        return None

    def _actor(self, staff: Staff, session: str) -> Actor:
        """A person acts as the clerk in their own session; a manager may act in another's."""
        held = self.port.projection().counter_of_session(session)
        own = held is not None and held.clerk == staff.id
        return Actor("manager", staff.id) if staff.may("manager") and not own else clerk(staff)

    def _supervisor(self, staff: Staff) -> Actor:
        """Who handles tickets and counters of others, where they may."""
        return Actor("manager", staff.id) if staff.may("manager") else clerk(staff)

    def _state(self, projection: HallProjection, counter: CounterNow) -> CounterState:
        return CounterState(
            counter=counter,
            clerk_name=None if counter.clerk is None else self.name_of(counter.clerk),
            queues=tuple(queue for queue in projection.queues if _shown_at(counter, queue)),
            aside=tuple(ticket for ticket in projection.aside if _within_reach(counter, ticket)),
            helps=projection.helps,
        )

    def _named(self, params: dict[str, str | int]) -> dict[str, str | int]:
        """Adds the names that a sentence shows beside the ids that a refusal carries."""
        named = dict(params)
        if isinstance(clerk := params.get("clerk"), str):
            named["clerk_name"] = self.name_of(clerk)
        if isinstance(counter := params.get("counter"), str):
            found = self.port.projection().counter(counter)
            named["counter_number"] = found.number if found is not None else counter
        return named


def clerk(staff: Staff) -> Actor:
    return Actor("clerk", staff.id)


def _meaning(command: Command) -> bytes:
    """What a command asks, without the ids that this server makes for it."""
    made_here = {"call"} | ({"session"} if isinstance(command, OpenCounter | TakeOver) else set())
    asked = {name: value for name, value in vars(command).items() if name not in made_here}
    return repr((type(command).__name__, sorted(asked.items()))).encode()


def _version(projection: HallProjection, session: str) -> int:
    found = projection.counter_of_session(session)
    return 0 if found is None else found.version


def _ticket_version(projection: HallProjection, ticket: str) -> int | None:
    """The version of a ticket that the projection shows somewhere."""
    shown: list[tuple[str, int]] = [(w.ticket, w.version) for queue in projection.queues for w in queue.waiting]
    shown += [(aside.ticket, aside.version) for aside in projection.aside]
    shown += [(c.current.ticket, c.current.version) for c in projection.counters if c.current is not None]
    return next((version for id_, version in shown if id_ == ticket), None)


def _shown_at(counter: CounterNow, queue: QueueNow) -> bool:
    """Whether a counter calls from a queue, or somebody waits there for this counter or its clerk alone."""
    return queue.queue in counter.queues or any(
        (counter.session is not None and ticket.for_counter == counter.counter)
        or (counter.clerk is not None and ticket.for_clerk == counter.clerk)
        for ticket in queue.waiting
    )


def _within_reach(counter: CounterNow, ticket: AsideTicket) -> bool:
    """Whether a counter may take up what is set aside."""
    elsewhere = ticket.pool_counter not in (None, counter.counter) or ticket.pool_clerk not in (None, counter.clerk)
    return ticket.queue in counter.able and not elsewhere
