"""The one door through which the web part, the wire and the consoles reach a hall.

Safe to use from any thread's event loop. A command is answered only after its events are committed.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from queue_server.bundle import Bundle
from queue_server.hall import Command, Event, Hall, Refusal
from queue_server.projection import FollowedTicket, HallProjection
from wire.messages import Board, Call

if TYPE_CHECKING:
    from queue_server.runner import Decided

Found = TypeVar("Found")


class RequestKey(NamedTuple):
    """Makes a command happen once: a repeat under the same key gets the first outcome.

    `device` is the terminal, `staff:<login>` for a person's client, `channel:<id>` for a booking
    channel; `body_hash` is SHA-256 in hex of what was asked.
    """

    device: str
    request_id: str
    body_hash: str

    @classmethod
    def of_client(cls, client: str, once: str, meaning: bytes) -> "RequestKey":
        """For a client of the HTTP API, whose own id of the act is `once`.

        The memory of answered requests keeps ids as `<boot>-<n>`: each act of a client is a boot of its own.
        """
        return cls(client, f"{once}-0", sha256(meaning).hexdigest())


class Done(NamedTuple):
    """Committed. `events` is empty when the outcome comes from an earlier request with the same key."""

    events: tuple[Event, ...]
    seq: int
    """Ledger position of the last event of the hall after this command."""
    answer: bytes | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class NotDone:
    """Not decided, nothing stored: the same request may come again after `retry_after` seconds.

    Codes: `ledger_full`, `ledger_unavailable`, `not_leading` (another server leads the hall, or none yet),
    `request_id_reused` (then `retry_after` is None).
    """

    code: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """A zone's board; only the newest of each zone is kept for a slow reader."""

    board: Board
    epoch: int
    rev: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Called:
    """One announcement; never merged, never dropped."""

    call: Call
    zone: str
    epoch: int
    rev: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ProjectionChanged:
    """`HallPort.projection()` is newer than before."""

    epoch: int
    rev: int


FeedItem = BoardChanged | Called | ProjectionChanged


class HallPort(Protocol):
    """A hall as the other parts of the server see it."""

    @property
    def hall_id(self) -> str: ...

    async def execute(self, command: Command, request: RequestKey | None = None) -> Done | Refusal | NotDone:
        """Decide `command` at the server's time and commit its events.

        Returns the hall's `Refusal`, or `NotDone` when the machine could not decide or keep it. Never raises for
        a bad command.
        """
        ...

    async def answer(
        self, command: Command, request: RequestKey, compose: "Callable[[Decided], bytes]"
    ) -> bytes | NotDone:
        """What `compose` makes of the decision, accepted or refused; the same bytes for every repeat of `request`.

        The bytes are kept in the transaction of the events. `NotDone`: nothing was decided or kept.
        """
        ...

    async def look(self, question: "Callable[[Hall, datetime], Found]") -> "Found | None":
        """What `question` finds in the hall as it stands between two turns; None while this server does not lead."""
        ...

    def projection(self) -> HallProjection:
        """The newest projection; at most 0.25 s behind the ledger plus the time it takes to make one."""
        ...

    def boards(self) -> tuple[BoardChanged, ...]:
        """The newest board of every zone: what a display shows when it joins."""
        ...

    def feed(self) -> AsyncIterator[FeedItem]:
        """Changes from now on, after every zone's newest board. Boards and projections are merged, calls never."""
        ...

    async def follow(self, token: str) -> FollowedTicket | None:
        """The ticket of a follow token, as it is now; None if there is none today."""
        ...

    def bundle(self) -> Bundle | None:
        """What terminals load of the hall; None until the hall is configured."""
        ...
