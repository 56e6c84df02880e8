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
    "hall_not_configured", "recall_first", "not_on_duty", "counter_not_open", "queue_not_of_counter",
    "ticket_at_other_counter", "ticket_not_holdable", "ticket_not_held", "ticket_not_passed", "nothing_to_undo",
    "undo_too_late", "counter_paused", "counter_not_paused", "pause_reason_unknown", "profile_unknown",
    "profile_beyond_class", "take_over_not_allowed", "service_unknown", "priority_class_unknown", "evidence_missing",
    "class_not_granted", "companions_out_of_range", "too_many_services", "day_not_open",
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
