"""What the counters' service answers: a state, or a named refusal with what its sentence needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from queue_server.projection import AsideTicket, CounterNow, HelpNow, QueueNow
from queue_server.staff import Staff


@dataclass(frozen=True, slots=True)
class Refused:
    """A "no" of the hall, of the machine or of the sign-in; `params` are plain JSON, `retry_after` is seconds."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is shown once and stored nowhere in plain."""

    staff: Staff
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CounterState:
    """A counter as its clerk sees it; `clerk_name` is None while nobody holds it."""

    counter: CounterNow
    clerk_name: str | None
    queues: tuple[QueueNow, ...]
    """The queues that this counter calls from."""
    helps: tuple[HelpNow, ...]
    aside: tuple[AsideTicket, ...] = ()
    """What is held, or was missed, and this counter may take up."""
