"""Every refusal has a sentence that can be shown as it is."""

from dataclasses import fields

import pytest

from queue_server.counters.outcomes import Refused
from queue_server.counters.words import sentence
from queue_server.hall import Refusal, refusals

ALL = [value for value in vars(refusals).values() if isinstance(value, type) and issubclass(value, Refusal)]
NAMED = [kind for kind in ALL if kind is not Refusal]
OF_CLERKS = {
    "stale_version", "counter_taken", "clerk_at_other_counter", "counter_unknown", "session_unknown", "session_closed",
    "session_of_other", "nobody_waiting", "ticket_unknown", "ticket_already_called", "ticket_not_waiting",
    "ticket_finished", "ticket_not_for_counter", "ticket_not_called", "ticket_not_served", "ticket_still_called",
    "ticket_still_served", "recall_too_soon", "recall_limit_reached", "help_unknown", "help_already_acknowledged",
    "hall_not_configured",
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.code)
def test_a_refusal_reads_as_a_sentence_without_holes(kind: type[Refusal], language: str) -> None:
    params = {field.name: "4" for field in fields(kind) if field.name != "retry_after"}
    named = {"clerk_name": "李敏", "counter_number": "4"}
    text = sentence(Refused(kind.code, params | named, retry_after=8.0), language)
    assert text
    assert "{" not in text
    if kind.code in OF_CLERKS:
        assert kind.code not in text


def test_every_refusal_that_a_clerk_can_meet_exists_in_the_hall() -> None:
    assert {kind.code for kind in NAMED} >= OF_CLERKS
