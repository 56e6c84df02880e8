"""What every command, event and refusal is: who asks or did it, when, and why."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import ClassVar, Literal

ActorKind = Literal["device", "clerk", "manager", "technician", "system", "citizen", "channel"]


@dataclass(frozen=True)
class Actor:
    """Who asks: a kind and the id that the kind's register knows. Never a citizen's name or ID number."""

    kind: ActorKind
    id: str


@dataclass(frozen=True)
class Why:
    """A reason as code and parameters; `why.words` makes the sentence in a language."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A wish. Ids of what it creates are made by the edge; `seen` is the version of the thing that its maker saw."""

    by: Actor


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact of the hall. `kind` is its name in the ledger and never changes; `at` is UTC."""

    kind: ClassVar[str]

    at: datetime
    by: Actor
    why: Why


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A named "no". `code` and `params()` travel; the sentence is made at the edge, by language."""

    code: ClassVar[str]

    retry_after: float | None = None
    """Seconds after which the same command may succeed; None: waiting alone does not help."""

    def params(self) -> dict[str, str | int]:
        """The refusal's own fields, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "retry_after"}


class CorruptHistory(Exception):
    """An event that cannot follow the events before it: the ledger was edited or read in a wrong order."""


Outcome = tuple[Event, ...] | Refusal
"""What a decision gives: the events to append (none: accepted, nothing changes), or a refusal."""
