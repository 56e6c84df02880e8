"""The runner of a hall: a step machine without I/O that turns what people and devices ask into one append at a time.

A turn goes `decide → committed | failed`. Somebody else does the I/O: the look-up of stored answers before `decide`,
the append after it. Nothing is answered or announced before `committed`; after `failed` the hall in memory is worth
nothing and must be loaded again. A simulation may stop the machine between any two steps.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from queue_server.clock import instant_text
from queue_server.hall import (
    Actor,
    Command,
    DayClosed,
    Event,
    Hall,
    Outcome,
    Refusal,
    TicketIssued,
    Why,
    Withdraw,
    decide,
    event_to_json,
    evolve,
)
from queue_server.hall.canonical import canonical
from queue_server.hall_port import Done, NotDone, RequestKey
from queue_server.ledger.port import VOID, Answer, AnswerKey, AppendBatch, Appended, AuditNote, Head, NewEvent, Notice
from queue_server.notices import notice_of

RETRY_AFTER_S = 5.0


class Decided(NamedTuple):
    """A decision, with the hall as it is right after it."""

    hall: Hall
    outcome: Outcome
    now: datetime
    epoch: int


@dataclass(slots=True)
class Ask:
    """A command for the hall. `compose` makes the answer's bytes once it is decided.

    With a `key` the answer is stored; without `compose` only success is, as an empty answer.
    """

    command: Command
    key: RequestKey | None = None
    compose: "Callable[[Decided], bytes] | None" = None
    token: Any = None
    """Whatever the asker needs to find itself again; the runner only hands it back."""


@dataclass(slots=True)
class AskWithdraw:
    """Undo the request `target` of the same device, whether it was decided, will come later, or never comes.

    `compose` gets the ticket (None if there is none) and whether it is cancelled now; `void` is what the request is
    answered if it comes later.
    """

    target: AnswerKey
    by: Actor
    key: RequestKey
    compose: Callable[[str | None, bool], bytes]
    void: bytes
    token: Any = None


@dataclass(slots=True)
class AskNote:
    """Keep a fact that changes nothing in the hall."""

    note: AuditNote
    key: RequestKey
    answer: bytes
    token: Any = None


Item = Ask | AskWithdraw | AskNote


class Reply(NamedTuple):
    """To be given to the asker now: everything behind it is committed."""

    item: Item
    outcome: Done | Refusal | NotDone
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The append failed: a device is told nothing and asks again; somebody who waits here is told `reason`."""

    item: Item
    reason: NotDone


@dataclass(frozen=True, slots=True)
class Reused:
    """A request id came again with another body: a fault of the device, or somebody who plays it."""

    key: RequestKey


@dataclass(frozen=True, slots=True)
class Broke:
    """The core failed on this item: a fault of the program, found without harm to the ledger."""

    item: Item
    error: Exception


Output = Reply | Unanswered | Reused | Broke


@dataclass(slots=True)
class Turn:
    """What one batch came to; `append` is None when nothing needs to be written."""

    append: AppendBatch | None
    replies: list[tuple[Item, Done | Refusal | NotDone, bytes | None]]
    events: list[Event]
    extra: list[Output] = field(default_factory=list)


class Runner:
    """One hall under one epoch. Not thread-safe: one thread turns it."""

    def __init__(self, hall: Hall, head: Head, epoch: int) -> None:
        self.hall = hall
        self.head = head
        self.epoch = epoch

    def decide(self, batch: Iterable[Item], stored: Mapping[AnswerKey, Answer], now: datetime) -> Turn:
        """Decide each item in turn; the hall moves on as if all were committed.

        `stored` holds the ledger's answers for `keys_of(batch)`. Raises whatever the core raises when its own history
        does not fit (the hall must then be loaded again).
        """
        return _Decision(self, stored, now).run(batch)

    def committed(self, turn: Turn, appended: Appended | None) -> list[Output]:
        """The append succeeded, or there was nothing to append: what may be said now."""
        if appended is not None:
            self.head = appended.head
        replies: list[Output] = []
        for item, outcome, answer in turn.replies:
            if isinstance(outcome, Done):
                outcome = Done(outcome.events, self.head.seq, outcome.answer, outcome.repeated)  # noqa: PLW2901 - the seq is known only now
            replies.append(Reply(item, outcome, answer))
        return [*turn.extra, *replies]


def failed(batch: Iterable[Item], code: str) -> list[Output]:
    """The append failed: nobody is answered."""
    return [Unanswered(item, NotDone(code, RETRY_AFTER_S)) for item in batch]


def keys_of(batch: Iterable[Item]) -> list[AnswerKey]:
    """The keys whose stored answers `decide` must know."""
    keys: dict[AnswerKey, None] = {}
    for item in batch:
        if item.key is not None:
            keys[item.key.device, item.key.request_id] = None
        if isinstance(item, AskWithdraw):
            keys[item.target] = None
    return list(keys)


class _Decision:
    """The work of one `Runner.decide`."""

    def __init__(self, runner: Runner, stored: Mapping[AnswerKey, Answer], now: datetime) -> None:
        self._runner = runner
        self._hall = runner.hall
        self._known = dict(stored)
        self._now = now
        self._at = instant_text(now)
        self._events: list[Event] = []
        self._answers: list[Answer] = []
        self._notes: list[AuditNote] = []
        self._notices: list[Notice] = []
        self._turn = Turn(None, [], self._events)

    def run(self, batch: Iterable[Item]) -> Turn:
        for item in batch:
            if item.key is None or not self._repeated(item, item.key):
                self._one(item)
        if self._events or self._answers or self._notes:
            self._turn.append = AppendBatch(
                self._hall.id,
                self._runner.epoch,
                self._runner.head.seq,
                tuple(record(event) for event in self._events),
                tuple(self._answers),
                tuple(self._notes),
                tuple(self._notices),
            )
        return self._turn

    def _repeated(self, item: Item, key: RequestKey) -> bool:
        """Answer a request that was answered before, or is answered in this batch."""
        known = self._known.get((key.device, key.request_id))
        if known is None:
            return False
        if known.body_hash in (key.body_hash, VOID):
            self._reply(item, Done((), 0, known.body, repeated=True), known.body)
        else:
            self._turn.extra.append(Reused(key))
            self._reply(item, NotDone("request_id_reused", None), None)
        return True

    def _one(self, item: Item) -> None:
        match item:
            case Ask():
                self._ask(item)
            case AskWithdraw():
                self._withdraw(item)
            case AskNote():
                self._notes.append(item.note)
                self._keep(item.key, item.answer, None)
                self._reply(item, Done((), 0, item.answer), item.answer)

    def _ask(self, item: Ask) -> None:
        try:
            outcome = decide(self._hall, item.command, self._now)
        except Exception as error:  # noqa: BLE001 - deciding changes nothing, so a fault in it harms one asker only
            self._turn.extra.append(Broke(item, error))
            self._reply(item, NotDone("internal_error", RETRY_AFTER_S), None)
            return
        if not isinstance(outcome, Refusal):
            self._follow(outcome)
        answer = None
        if item.compose is not None:
            answer = item.compose(Decided(self._hall, outcome, self._now, self._runner.epoch))
        if item.key is not None and (item.compose is not None or not isinstance(outcome, Refusal)):
            ticket = None if isinstance(outcome, Refusal) else _ticket_of(outcome)
            self._keep(item.key, answer or b"", ticket)
        self._reply(item, outcome if isinstance(outcome, Refusal) else Done(outcome, 0, answer), answer)

    def _withdraw(self, item: AskWithdraw) -> None:
        known = self._known.get(item.target)
        ticket, cancelled = None, False
        if item.target == (item.key.device, item.key.request_id):
            # a fact cannot take itself back; it is kept and does nothing
            pass
        elif known is None:
            void = RequestKey(*item.target, VOID)
            self._keep(void, item.void, None)
            self._notes.append(AuditNote(self._at, _by(item.by), "request_voided", item.target[1]))
        elif known.ticket is not None:
            ticket = known.ticket
            outcome = decide(self._hall, Withdraw(by=item.by, ticket=ticket), self._now)
            if not isinstance(outcome, Refusal):
                self._follow(outcome)
                cancelled = bool(outcome)
        answer = item.compose(ticket, cancelled)
        self._keep(item.key, answer, None)
        self._reply(item, Done((), 0, answer), answer)

    def _follow(self, events: tuple[Event, ...]) -> None:
        for event in events:
            evolve(self._hall, event)
            self._events.append(event)
            notice = notice_of(self._hall, event, self._runner.head.seq + len(self._events))
            if notice is not None:
                self._notices.append(notice)

    def _keep(self, key: RequestKey, answer: bytes, ticket: str | None) -> None:
        stored = Answer(key.device, key.request_id, key.body_hash, answer, self._at, ticket)
        self._known[key.device, key.request_id] = stored
        self._answers.append(stored)

    def _reply(self, item: Item, outcome: Done | Refusal | NotDone, answer: bytes | None) -> None:
        self._turn.replies.append((item, outcome, answer))


def record(event: Event) -> NewEvent:
    """The event as the ledger keeps it."""
    closes = event.business_date.isoformat() if isinstance(event, DayClosed) else None
    return NewEvent(instant_text(event.at), _by(event.by), _why(event.why), event.kind, event_to_json(event), closes)


@lru_cache(maxsize=1024)
def _by(actor: Actor) -> str:
    return canonical({"id": actor.id, "kind": actor.kind})


def _why(why: Why) -> str:
    return canonical({"code": why.code, "params": dict(why.params)}) if why.params else _bare(why.code)


@lru_cache(maxsize=256)
def _bare(code: str) -> str:
    return canonical({"code": code, "params": {}})


def _ticket_of(events: tuple[Event, ...]) -> str | None:
    return next((event.ticket for event in events if isinstance(event, TicketIssued)), None)
