"""What a clerk does: sign in, hold a counter, call, serve, finish; answer requests for help.

Every act names the version that its maker saw, so that a double click or a second tab changes nothing twice. Answers
come after the hall has committed and show the hall as it stands then.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from queue_server.counters.outcomes import CounterState, Refused, SignedIn
from queue_server.counters.tokens import Tokens
from queue_server.counters.watch import ProjectionWatch
from queue_server.hall import (
    AcknowledgeHelp,
    Actor,
    CallNext,
    CallTicket,
    CancelTicket,
    CloseCounter,
    Command,
    Complete,
    NoShow,
    OpenCounter,
    Recall,
    Refusal,
    StartService,
)
from queue_server.hall_port import HallPort, NotDone, RequestKey
from queue_server.ids import new_id
from queue_server.projection import CounterNow, HallProjection, HelpNow, QueueNow
from queue_server.rate_limit import RateLimit
from queue_server.staff import SignInRefused, Staff, StaffPort

_SHOWN_WITHIN_S = 5.0
"""How long an answer waits for a projection that shows what was done."""
_PASSWORDS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Once:
    """A client's own id for an act, so that sending it again after a lost answer does nothing twice."""

    id: str


class CounterService:
    """The counters of one hall."""

    def __init__(
        self, port: HallPort, staff: StaffPort, *, token_lifetime: timedelta, now: Callable[[], datetime]
    ) -> None:
        self.port = port
        self.watch = ProjectionWatch(port)
        self._staff = staff
        self._tokens = Tokens(token_lifetime, now)
        self._attempts = RateLimit(20, 60.0)
        self._passwords = asyncio.Semaphore(_PASSWORDS_AT_ONCE)

    # --- people

    async def sign_in(self, login: str, password: str, *, source: str, address: str) -> SignedIn | Refused:
        """Check a password; refusals: `wrong_credentials`, `locked`, `no_role`, `too_many_attempts` (by address)."""
        if (seconds := self._attempts.wait(address)) > 0:
            return Refused("too_many_attempts", {}, seconds)
        async with self._passwords:
            staff = await asyncio.to_thread(self._staff.verify, login, password, source=source)
        if isinstance(staff, SignInRefused):
            return Refused(staff.code, retry_after=staff.retry_after)
        if not staff.roles:
            return Refused("no_role")
        token, expires_at = self._tokens.give(staff.id)
        return SignedIn(staff, token, expires_at)

    def who(self, token: str) -> Staff | None:
        """The person who holds the token, with the roles of now; None if signed out, expired or disabled."""
        holder = self._tokens.holder(token)
        return None if holder is None else self._staff.find(holder)

    async def sign_out(self, token: str) -> None:
        """The token is worth nothing from now on. A counter stays held: its queue would otherwise lose its caller."""
        staff = self.who(token)
        self._tokens.take_back(token)
        if staff is not None:
            await self.note(staff, "signed_out", "")

    async def note(self, staff: Staff, act: str, subject: str) -> None:
        """Write an act that is no event of the hall to the audit."""
        await asyncio.to_thread(self._staff.audit, staff.id, act, subject)

    def name_of(self, staff_id: str) -> str:
        """The person's name for screens; the id where the register does not know it any more."""
        found = self._staff.find(staff_id)
        return found.name if found is not None else staff_id

    # --- what there is to see

    def counters(self) -> tuple[CounterState, ...]:
        """All counters of the hall, with who holds them."""
        projection = self.port.projection()
        return tuple(self._state(projection, counter) for counter in projection.counters)

    def counter(self, counter: str) -> CounterState | Refused:
        """One counter by its id."""
        projection = self.port.projection()
        found = projection.counter(counter)
        return Refused("counter_unknown", {"counter": counter}) if found is None else self._state(projection, found)

    def state(self, session: str) -> CounterState | Refused:
        """The counter that a session holds."""
        projection = self.port.projection()
        found = projection.counter_of_session(session)
        return Refused("session_closed", {"session": session}) if found is None else self._state(projection, found)

    def held_by(self, staff: Staff) -> CounterState | None:
        """The counter that the person holds."""
        projection = self.port.projection()
        found = next((counter for counter in projection.counters if counter.clerk == staff.id), None)
        return None if found is None else self._state(projection, found)

    def queues(self) -> tuple[QueueNow, ...]:
        return self.port.projection().queues

    def helps(self) -> tuple[HelpNow, ...]:
        return self.port.projection().helps

    # --- holding a counter

    async def open_counter(self, staff: Staff, counter: str, once: Once | None = None) -> CounterState | Refused:
        """Take a counter; refusals: `counter_taken`, `clerk_at_other_counter`, `counter_unknown`."""
        command = OpenCounter(by=_clerk(staff), session=new_id(), counter=counter, clerk=staff.id)
        refused = await self._do(staff, command, once)
        if refused is not None:
            return refused
        projection = await self.watch.until(lambda p: _held(p, counter) == staff.id, _SHOWN_WITHIN_S)
        found = projection.counter(counter)
        return Refused("counter_unknown", {"counter": counter}) if found is None else self._state(projection, found)

    async def close_counter(self, staff: Staff, session: str, once: Once | None = None) -> CounterState | Refused:
        """Leave a counter that serves nobody. A manager may close another person's."""
        held = self.port.projection().counter_of_session(session)
        refused = await self._do(staff, CloseCounter(by=self._actor(staff, session), session=session), once)
        if refused is not None:
            return refused
        projection = await self.watch.until(lambda p: p.counter_of_session(session) is None, _SHOWN_WITHIN_S)
        found = projection.counter(held.counter) if held is not None else None
        return Refused("session_unknown", {"session": session}) if found is None else self._state(projection, found)

    # --- calling and serving; `seen` is the session's version as the clerk saw it

    async def next(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """Call whom the hall's rule chooses."""
        by = self._actor(staff, session)
        return await self._act(staff, CallNext(by=by, session=session, call=new_id(), seen=seen), once)

    async def call_ticket(
        self, staff: Staff, session: str, ticket: str, seen: int, once: Once | None = None
    ) -> CounterState | Refused:
        """Call this one, out of order; the trail keeps who chose it."""
        by = self._actor(staff, session)
        command = CallTicket(by=by, session=session, ticket=ticket, call=new_id(), seen=seen)
        return await self._act(staff, command, once)

    async def recall(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """Announce the called ticket once more."""
        by = self._actor(staff, session)
        return await self._act(staff, Recall(by=by, session=session, call=new_id(), seen=seen), once)

    async def start(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """The called person stands at the counter."""
        return await self._act(staff, StartService(by=self._actor(staff, session), session=session, seen=seen), once)

    async def complete(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """The service is done."""
        return await self._act(staff, Complete(by=self._actor(staff, session), session=session, seen=seen), once)

    async def no_show(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """Called and not come."""
        return await self._act(staff, NoShow(by=self._actor(staff, session), session=session, seen=seen), once)

    async def finish_and_next(
        self, staff: Staff, session: str, seen: int, once: Once | None = None
    ) -> CounterState | Refused:
        """Complete, then call the next; where nobody waits, the counter is free and that is the answer."""
        done = await self.complete(staff, session, seen, _part(once, "complete"))
        if isinstance(done, Refused):
            return done
        called = await self.next(staff, session, seen + 1, _part(once, "next"))
        return done if isinstance(called, Refused) and called.code == "nobody_waiting" else called

    async def cancel(self, staff: Staff, ticket: str, seen: int, once: Once | None = None) -> Refused | None:
        """Void a ticket; `seen` is the ticket's version."""
        refused = await self._do(staff, CancelTicket(by=_clerk(staff), ticket=ticket, seen=seen), once)
        if refused is None:
            await self.watch.until(lambda p: _waiting(p, ticket) is None, _SHOWN_WITHIN_S)
        return refused

    async def acknowledge_help(self, staff: Staff, help_id: str, once: Once | None = None) -> Refused | None:
        """This person goes to the terminal."""
        refused = await self._do(staff, AcknowledgeHelp(by=_clerk(staff), help=help_id, clerk=staff.id), once)
        if refused is None:
            await self.watch.until(lambda p: not _asks(p, help_id), _SHOWN_WITHIN_S)
        return refused

    # --- inside

    async def _act(
        self,
        staff: Staff,
        command: CallNext | CallTicket | Recall | StartService | Complete | NoShow,
        once: Once | None,
    ) -> CounterState | Refused:
        refused = await self._do(staff, command, once)
        if refused is not None:
            return refused
        await self.watch.until(lambda p: _version(p, command.session) > command.seen, _SHOWN_WITHIN_S)
        return self.state(command.session)

    async def _do(self, staff: Staff, command: Command, once: Once | None) -> Refused | None:
        if not staff.may("clerk", "manager"):
            return Refused("not_allowed")
        key = None
        if once is not None:
            key = RequestKey(f"staff:{staff.login}", once.id, hashlib.sha256(_meaning(command)).hexdigest())
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
        return Actor("manager", staff.id) if staff.may("manager") and not own else _clerk(staff)

    def _state(self, projection: HallProjection, counter: CounterNow) -> CounterState:
        return CounterState(
            counter=counter,
            clerk_name=None if counter.clerk is None else self.name_of(counter.clerk),
            queues=tuple(queue for queue in projection.queues if queue.queue in counter.queues),
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


def _clerk(staff: Staff) -> Actor:
    return Actor("clerk", staff.id)


def _part(once: Once | None, part: str) -> Once | None:
    return None if once is None else Once(f"{once.id}.{part}")


def _meaning(command: Command) -> bytes:
    """What a command asks, without the ids that this server makes for it."""
    made_here = {"call"} | ({"session"} if isinstance(command, OpenCounter) else set())
    asked = {name: value for name, value in vars(command).items() if name not in made_here}
    return repr((type(command).__name__, sorted(asked.items()))).encode()


def _held(projection: HallProjection, counter: str) -> str | None:
    found = projection.counter(counter)
    return None if found is None else found.clerk


def _version(projection: HallProjection, session: str) -> int:
    found = projection.counter_of_session(session)
    return 0 if found is None else found.version


def _waiting(projection: HallProjection, ticket: str) -> str | None:
    return next((w.ticket for queue in projection.queues for w in queue.waiting if w.ticket == ticket), None)


def _asks(projection: HallProjection, help_id: str) -> bool:
    return any(help_.help == help_id and help_.acknowledged_by is None for help_ in projection.helps)
