"""Which requests were answered: a memory in front of the ledger, so that a new request needs no look-up.

A request id is `<boot>-<n>`. The first request of a boot asks the ledger for all answered ids of that boot; from then
on the memory is exact, since this server alone writes the hall. It is thrown away with the hall it belongs to.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from queue_server.ledger import Answer, AnswerKey, Ledger

BOOTS_KEPT = 4096


class Answered:
    """Used by one turn at a time. `find` may ask the ledger, and so may `note` for a boot that was not asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._boots: OrderedDict[tuple[str, str], set[str]] = OrderedDict()

    def known(self, keys: Iterable[AnswerKey]) -> bool:
        """True if memory alone can say that none of `keys` has an answer."""
        for key in keys:
            ids = self._boots.get(_place(key))
            if ids is None or key[1] in ids:
                return False
        return True

    def find(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        """The stored answers of those `keys` that have one. Raises `LedgerUnavailable`."""
        repeated = [key for key in keys if key[1] in self._ids(key)]
        return self._ledger.answers(repeated) if repeated else {}

    def note(self, answers: Iterable[Answer]) -> None:
        """These were committed."""
        for answer in answers:
            self._ids((answer.device, answer.request_id)).add(answer.request_id)

    def _ids(self, key: AnswerKey) -> set[str]:
        place = _place(key)
        ids = self._boots.get(place)
        if ids is None:
            ids = self._boots[place] = self._ledger.answered(*place)
            if len(self._boots) > BOOTS_KEPT:
                self._boots.popitem(last=False)
        else:
            self._boots.move_to_end(place)
        return ids


def _place(key: AnswerKey) -> tuple[str, str]:
    device, request_id = key
    return device, request_id.rpartition("-")[0]
