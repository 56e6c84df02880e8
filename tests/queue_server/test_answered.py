"""The memory of answered requests: never wrong, and silent towards the ledger for what is new."""

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from queue_server.answered import Answered
from queue_server.ledger import Answer, AnswerKey, AppendBatch, MemoryLedger

HALL = "h"


class Counting(MemoryLedger):
    """Counts its look-ups."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self.asked = 0
        self.epoch = self.acquire(HALL, "s", 1).epoch

    def answers(self, keys: Iterable[AnswerKey]) -> Mapping[AnswerKey, Answer]:
        self.asked += 1
        return super().answers(keys)

    def answered(self, device: str, boot: str) -> set[str]:
        self.asked += 1
        return super().answered(device, boot)

    def write(self, key: AnswerKey) -> Answer:
        answer = Answer(*key, body_hash="x", body=b"y", at="2026")
        self.append(AppendBatch(HALL, self.epoch, 0, (), (answer,)))
        return answer


keys = st.tuples(
    st.sampled_from(["k1", "k2", "staff:li"]),
    st.builds("{}-{}".format, st.sampled_from(["aa", "a", "b-a"]), st.integers(1, 5)),
)


@given(st.sets(keys), st.lists(keys, max_size=30))
def test_it_finds_exactly_what_the_ledger_holds(before: set[AnswerKey], asked: list[AnswerKey]) -> None:
    ledger = Counting()
    stored = {key: ledger.write(key) for key in before}
    memory = Answered(ledger)
    for key in asked:
        known = memory.known([key])
        found = memory.find([key])
        assert dict(found) == ({key: stored[key]} if key in stored else {})
        assert not (known and key in stored)
        if key not in stored:
            stored[key] = ledger.write(key)
            memory.note([stored[key]])


def test_new_requests_of_a_known_boot_ask_the_ledger_nothing() -> None:
    ledger = Counting()
    memory = Answered(ledger)
    memory.find([("k1", "aa-1")])
    asked = ledger.asked
    for n in range(2, 50):
        assert memory.known([("k1", f"aa-{n}")])
        assert not memory.find([("k1", f"aa-{n}")])
        memory.note([ledger.write(("k1", f"aa-{n}"))])
    assert ledger.asked == asked
    assert memory.find([("k1", "aa-7")])
