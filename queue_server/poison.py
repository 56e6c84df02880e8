"""Items on which the core breaks: found among those that came with them, tried a few times, then set aside for good.

A device repeats a request until it is answered, so one that always breaks the hall would hold up everybody for ever.
Where a whole turn broke, its items are decided one by one from then on; an item that breaks alone has had a try. After
the last one it is not decided any more: its refusal is kept like any answer, and staff are told.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from queue_server.clock import instant_text
from queue_server.hall.canonical import canonical
from queue_server.hall_port import NotDone
from queue_server.ledger.port import AnswerKey, AuditNote
from queue_server.runner import AskNote, Item
from queue_server.translator import refused

TRIES = 3
QUARANTINED = "request_quarantined"
_KEPT = 10_000


@dataclass
class Poison:
    """What is known of items that break the core; of devices' requests only, since nobody else repeats for ever."""

    _suspects: set[AnswerKey] = field(default_factory=set)
    _tries: Counter[AnswerKey] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether anything broke yet."""
        return bool(self._suspects)

    def parts(self, batch: list[Item]) -> list[list[Item]]:
        """What is decided together: suspects go alone, after the others."""
        if not self._suspects:
            return [batch]
        alone = [item for item in batch if _key(item) in self._suspects]
        rest = [item for item in batch if _key(item) not in self._suspects]
        return [*([rest] if rest else []), *([item] for item in alone)]

    def broke(self, batch: Iterable[Item]) -> None:
        """A turn of these items broke."""
        items = list(batch)
        keys = [key for item in items if (key := _key(item)) is not None]
        if len(items) == 1:
            self._tries.update(keys)
        if len(self._suspects) < _KEPT:
            self._suspects.update(keys)

    def fine(self, batch: Iterable[Item]) -> None:
        """A turn of these items went well."""
        if self._suspects:
            self._suspects.difference_update(key for item in batch if (key := _key(item)) not in self._tries)

    def over(self, item: Item, now: Callable[[], datetime]) -> AskNote | None:
        """What is kept instead of deciding the item once more; None while it may be tried."""
        key = item.key
        if key is None or self._tries[key.device, key.request_id] < TRIES:
            return None
        when = now()
        at, by = instant_text(when), canonical({"id": "poison", "kind": "system"})
        note = AuditNote(at, by, QUARANTINED, key.request_id, canonical({"device": key.device}))
        return AskNote(note, key, refused(NotDone(QUARANTINED, None), key.request_id, when), item.token)


def _key(item: Item) -> AnswerKey | None:
    """Of a device's request; clients of the HTTP API (`staff:…`, `channel:…`) have their own answers."""
    key = item.key
    return None if key is None or ":" in key.device else (key.device, key.request_id)
