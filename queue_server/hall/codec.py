"""Events and snapshots as canonical JSON text."""

from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from queue_server.hall.base import Event
from queue_server.hall.canonical import canonical
from queue_server.hall.dispatch import EVENT_TYPES
from queue_server.hall.hall import Hall
from queue_server.hall.store import Facts, Store

CORE_VERSION = 4
"""Raised whenever the same events would make another hall; snapshots of other versions are not used."""

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.kind: TypeAdapter(kind) for kind in EVENT_TYPES}
_FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)


class UnknownEvent(Exception):
    """The ledger holds a kind of event that this program does not know: a newer program wrote it."""


class BadEvent(Exception):
    """The text is no event: not JSON, or fields are missing or of a wrong type."""


class BadSnapshot(Exception):
    """The text is no snapshot."""


class OtherCoreVersion(Exception):
    """The snapshot was made by another version of the core; the day is replayed from its start."""


def event_to_json(event: Event) -> str:
    """One line of JSON: `kind`, which names the event, then its fields in the order of their definition."""
    fields = _ADAPTERS[event.kind].dump_json(event).decode()
    return f'{{"kind":"{event.kind}",{fields[1:]}'


def event_from_json(text: str | bytes) -> Event:
    """The event of `event_to_json`; raises `UnknownEvent` or `BadEvent`."""
    try:
        plain = from_json(text)
        kind = plain.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadEvent(str(error)) from None
    adapter = _ADAPTERS.get(kind) if isinstance(kind, str) else None
    if adapter is None:
        raise UnknownEvent(str(kind))
    try:
        event: Event = adapter.validate_python(plain)
    except ValidationError as error:
        raise BadEvent(f"{kind}: {error.error_count()} fields are wrong") from None
    return event


def dump(hall: Hall) -> str:
    """The snapshot of a hall as canonical JSON: two halls are alike if their dumps are equal."""
    return canonical({"core_version": CORE_VERSION, "facts": _FACTS.dump_python(hall.store.facts(), mode="json")})


def load(text: str | bytes) -> Hall:
    """The hall of a snapshot; raises `OtherCoreVersion` or `BadSnapshot`."""
    try:
        plain = from_json(text)
        version, facts = plain["core_version"], plain["facts"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadSnapshot(str(error)) from None
    if version != CORE_VERSION:
        raise OtherCoreVersion(str(version))
    try:
        found = _FACTS.validate_python(facts)
    except ValidationError as error:
        raise BadSnapshot(f"{error.error_count()} fields are wrong") from None
    return Hall(found.hall_id, Store(found))
