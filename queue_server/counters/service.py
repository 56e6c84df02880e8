"""What a clerk does: sign in, hold a counter, call, serve, finish; answer requests for help.

Every act names the version that its maker saw, so that a double click or a second tab changes nothing twice. Answers
come after the hall has committed and show the hall as it stands then.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from queue_server.counters.acting import SHOWN_WITHIN_S, Acting, Once, clerk
from queue_server.counters.outcomes import CounterState, Refused, SignedIn
from queue_server.counters.tokens import Tokens
from queue_server.hall import (
    AcknowledgeHelp,
    Addressee,
    AnotherService,
    CallNext,
    CallTicket,
    CancelTicket,
    ChooseProfile,
    CloseCounter,
    Command,
    Complete,
    ContinueCounter,
    Hold,
    NoShow,
    OpenCounter,
    PauseCounter,
    Recall,
    Reclassify,
    Reinstate,
    Resume,
    StartService,
    TakeOver,
    Transfer,
    Undo,
)
from queue_server.hall_port import HallPort
from queue_server.ids import new_id
from queue_server.projection import HallProjection, HelpNow, QueueNow
from queue_server.rate_limit import RateLimit
from queue_server.staff import SignInRefused, Staff, StaffPort

_PASSWORDS_AT_ONCE = 2


class CounterService(Acting):
    """The counters of one hall."""

    def __init__(
        self, port: HallPort, staff: StaffPort, *, token_lifetime: timedelta, now: Callable[[], datetime]
    ) -> None:
        super().__init__(port, staff)
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

    async def open_counter(
        self, staff: Staff, counter: str, once: Once | None = None, *, profile: str | None = None
    ) -> CounterState | Refused:
        """Take a counter; refusals: `counter_taken`, `clerk_at_other_counter`, `counter_unknown`."""
        command = OpenCounter(by=clerk(staff), session=new_id(), counter=counter, clerk=staff.id, profile=profile)
        return await self._hold_counter(staff, counter, command, once)

    async def take_over(self, staff: Staff, counter: str, once: Once | None = None) -> CounterState | Refused:
        """A manager takes over a counter, with whoever is called or served there."""
        command = TakeOver(by=self._supervisor(staff), session=new_id(), counter=counter)
        return await self._hold_counter(staff, counter, command, once)

    async def _hold_counter(
        self, staff: Staff, counter: str, command: Command, once: Once | None
    ) -> CounterState | Refused:
        refused = await self._do(staff, command, once)
        if refused is not None:
            return refused
        projection = await self.watch.until(lambda p: _held(p, counter) == staff.id, SHOWN_WITHIN_S)
        found = projection.counter(counter)
        return Refused("counter_unknown", {"counter": counter}) if found is None else self._state(projection, found)

    async def close_counter(self, staff: Staff, session: str, once: Once | None = None) -> CounterState | Refused:
        """Leave a counter that serves nobody. A manager may close another person's."""
        held = self.port.projection().counter_of_session(session)
        refused = await self._do(staff, CloseCounter(by=self._actor(staff, session), session=session), once)
        if refused is not None:
            return refused
        projection = await self.watch.until(lambda p: p.counter_of_session(session) is None, SHOWN_WITHIN_S)
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

    async def another_service(
        self, staff: Staff, session: str, service: str, seen: int, once: Once | None = None, *, here: bool
    ) -> CounterState | Refused:
        """One more service of the same visit: here and now, or after this one in its own line."""
        by = self._actor(staff, session)
        return await self._act(
            staff, AnotherService(by=by, session=session, service=service, here=here, seen=seen), once
        )

    async def undo(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """Take back the last call, completion or no-show of the counter."""
        return await self._act(staff, Undo(by=self._actor(staff, session), session=session, seen=seen), once)

    async def pause(
        self, staff: Staff, session: str, reason: str, seen: int, once: Once | None = None
    ) -> CounterState | Refused:
        """Stop calling for a while, for one of the hall's reasons."""
        by = self._actor(staff, session)
        return await self._act(staff, PauseCounter(by=by, session=session, reason=reason, seen=seen), once)

    async def go_on(self, staff: Staff, session: str, seen: int, once: Once | None = None) -> CounterState | Refused:
        """Call again after a pause."""
        return await self._act(staff, ContinueCounter(by=self._actor(staff, session), session=session, seen=seen), once)

    async def choose_profile(
        self, staff: Staff, session: str, profile: str | None, seen: int, once: Once | None = None
    ) -> CounterState | Refused:
        """Work by another profile of the counter's class; None: the counter's own."""
        by = self._actor(staff, session)
        return await self._act(staff, ChooseProfile(by=by, session=session, profile=profile, seen=seen), once)

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

    # --- handling tickets; `seen` is the ticket's version as its handler saw it

    async def transfer(
        self,
        staff: Staff,
        ticket: str,
        seen: int,
        once: Once | None = None,
        *,
        service: str | None = None,
        to: Addressee | None = None,
    ) -> Refused | None:
        """Send the holder on: to another service, counter or clerk; number and arrival stay."""
        by = self._supervisor(staff)
        return await self._handle(staff, Transfer(by=by, ticket=ticket, seen=seen, service=service, addressee=to), once)

    async def hold(
        self, staff: Staff, ticket: str, seen: int, once: Once | None = None, *, pool: Addressee | None = None
    ) -> Refused | None:
        """Set a ticket aside: with the hall, or parked with a counter or clerk."""
        return await self._handle(staff, Hold(by=self._supervisor(staff), ticket=ticket, seen=seen, pool=pool), once)

    async def resume(self, staff: Staff, ticket: str, seen: int, once: Once | None = None) -> Refused | None:
        """Put a held ticket back into its line, at the place that it had."""
        return await self._handle(staff, Resume(by=self._supervisor(staff), ticket=ticket, seen=seen), once)

    async def reinstate(self, staff: Staff, ticket: str, seen: int, once: Once | None = None) -> Refused | None:
        """Put a no-show back, where the hall's rule says."""
        return await self._handle(staff, Reinstate(by=self._supervisor(staff), ticket=ticket, seen=seen), once)

    async def reclassify(
        self,
        staff: Staff,
        ticket: str,
        seen: int,
        once: Once | None = None,
        *,
        service: str | None = None,
        priority_class: str | None = None,
        evidence: str | None = None,
        companions: int | None = None,
    ) -> Refused | None:
        """Correct what a ticket is for; None: as it is."""
        command = Reclassify(
            by=self._supervisor(staff),
            ticket=ticket,
            seen=seen,
            service=service,
            priority_class=priority_class,
            evidence=evidence,
            companions=companions,
        )
        return await self._handle(staff, command, once)

    async def cancel(self, staff: Staff, ticket: str, seen: int, once: Once | None = None) -> Refused | None:
        """Void a ticket."""
        return await self._handle(staff, CancelTicket(by=clerk(staff), ticket=ticket, seen=seen), once)

    async def acknowledge_help(self, staff: Staff, help_id: str, once: Once | None = None) -> Refused | None:
        """This person goes to the terminal."""
        refused = await self._do(staff, AcknowledgeHelp(by=clerk(staff), help=help_id, clerk=staff.id), once)
        if refused is None:
            await self.watch.until(lambda p: not _asks(p, help_id), SHOWN_WITHIN_S)
        return refused


def _part(once: Once | None, part: str) -> Once | None:
    return None if once is None else Once(f"{once.id}.{part}")


def _held(projection: HallProjection, counter: str) -> str | None:
    found = projection.counter(counter)
    return None if found is None else found.clerk


def _asks(projection: HallProjection, help_id: str) -> bool:
    return any(help_.help == help_id and help_.acknowledged_by is None for help_ in projection.helps)
