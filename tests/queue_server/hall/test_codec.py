"""Events and snapshots as text."""

import json
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall import (
    CORE_VERSION,
    BadEvent,
    BadSnapshot,
    CorruptHistory,
    Hall,
    OtherCoreVersion,
    UnknownEvent,
    dump,
    event_from_json,
    event_to_json,
    evolve,
    load,
)
from queue_server.hall.dispatch import EVENT_TYPES
from tests.queue_server.hall.scene import Scene


@given(st.data(), st.sampled_from([kind for kind in EVENT_TYPES if kind.kind != "hall_configured"]))
def test_every_event_comes_back_as_it_was(data: st.DataObject, kind: type):
    event = data.draw(st.builds(kind, at=st.datetimes(timezones=st.just(UTC))))
    text = event_to_json(event)
    again = event_from_json(text)
    assert again == event
    assert type(again) is kind
    assert event_to_json(again) == text


def test_kinds_in_the_ledger_are_fixed():
    assert {kind.kind for kind in EVENT_TYPES} == {
        "hall_configured", "day_opened", "day_closed", "ticket_issued", "ticket_cancelled", "ticket_expired",
        "counter_opened", "counter_closed", "ticket_called", "ticket_recalled", "service_started", "service_completed",
        "no_show_recorded", "help_asked", "help_asked_again", "help_acknowledged",
        "service_planned", "step_opened", "ticket_transferred", "ticket_reclassified", "ticket_held", "ticket_resumed",
        "act_undone", "counter_paused", "counter_continued", "profile_chosen", "counter_taken_over", "rated",
        "appointment_booked", "appointment_changed", "appointment_cancelled", "appointment_checked_in",
        "appointment_missed", "booking_block_lifted", "turn_near",
        "repetition_flagged", "offline_series_granted", "numbers_leased", "lease_returned", "offline_holders_clashed",
        "offline_ticket_refused",
    }  # fmt: skip


def test_an_event_has_one_text(scene: Scene):
    scene.issue()
    for event in scene.history:
        text = event_to_json(event)
        assert event_to_json(event_from_json(text)) == text
        assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_what_is_no_event_is_a_named_error(text: str | bytes):
    with pytest.raises((BadEvent, UnknownEvent)):
        event_from_json(text)


def test_an_unknown_kind_is_told_from_a_bad_event(scene: Scene):
    plain = json.loads(event_to_json(scene.history[0]))
    with pytest.raises(UnknownEvent, match="ticket_teleported"):
        event_from_json(json.dumps(plain | {"kind": "ticket_teleported"}))
    del plain["configuration"]
    with pytest.raises(BadEvent, match="hall_configured"):
        event_from_json(json.dumps(plain))


def test_an_event_that_cannot_follow_is_corrupt_history(scene: Scene):
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    for event in scene.history[1:]:
        with pytest.raises(CorruptHistory):
            evolve(scene.hall.copy(), event)


def test_a_number_given_twice_is_corrupt_history(scene: Scene):
    scene.issue()
    forged = replace(scene.history[-1], ticket="other", visit="other", step="other", follow_token="other")
    with pytest.raises(CorruptHistory, match="given twice"):
        evolve(scene.hall, forged)


def test_a_snapshot_of_another_core_version_is_not_used(scene: Scene):
    plain = json.loads(dump(scene.hall))
    with pytest.raises(OtherCoreVersion):
        load(json.dumps(plain | {"core_version": CORE_VERSION + 1}))


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_what_is_no_snapshot_is_a_named_error(text: str | bytes):
    with pytest.raises(BadSnapshot):
        load(text)


def test_a_snapshot_with_wrong_facts_is_a_named_error():
    with pytest.raises(BadSnapshot):
        load(json.dumps({"core_version": CORE_VERSION, "facts": {"hall_id": "x", "version": "many"}}))


def test_an_empty_hall_can_be_dumped():
    assert load(dump(Hall("x"))).id == "x"
