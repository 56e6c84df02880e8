"""The transition table."""

import pytest

from queue_server.hall.states import AT_COUNTER, FINISHED, INITIAL, TRANSITIONS, Act, StepState, after


def test_every_state_has_its_row_and_can_be_reached():
    reached, todo = {INITIAL}, [INITIAL]
    while todo:
        for state in set(TRANSITIONS[todo.pop()].values()) - reached:
            reached.add(state)
            todo.append(state)
    assert reached == set(StepState) == set(TRANSITIONS)


def test_every_act_is_possible_somewhere():
    assert {act for acts in TRANSITIONS.values() for act in acts} == set(Act)


def test_out_of_a_finished_state_leads_nothing_but_an_undo():
    assert {s.value for s in FINISHED} == {"completed", "no_show", "cancelled", "expired"}
    assert {act for s in FINISHED for act in TRANSITIONS[s]} == {Act.UNDO_COMPLETE, Act.UNDO_MISS}


def test_a_transferred_step_is_over_and_its_ticket_is_not():
    assert not TRANSITIONS[StepState.TRANSFERRED]
    assert StepState.TRANSFERRED not in FINISHED


def test_every_unfinished_state_has_a_way_to_an_end():
    for state in set(StepState) - FINISHED - {StepState.TRANSFERRED}:
        seen, todo = {state}, [state]
        while todo:
            for follower in set(TRANSITIONS[todo.pop()].values()) - seen:
                seen.add(follower)
                todo.append(follower)
        assert seen & FINISHED


@pytest.mark.parametrize("state", StepState)
def test_only_a_waiting_or_held_ticket_can_be_called(state: StepState):
    assert (after(state, Act.CALL) is not None) == (state in (StepState.WAITING, StepState.HELD))


@pytest.mark.parametrize("state", StepState)
def test_service_is_never_cancelled_or_expired_under_a_clerk(state: StepState):
    if state is StepState.SERVING:
        assert after(state, Act.CANCEL) is None
        assert after(state, Act.EXPIRE) is None


def test_a_day_end_leaves_no_ticket_behind_but_those_in_service():
    served_or_gone = {StepState.SERVING, StepState.TRANSFERRED}
    assert {s for s in StepState if after(s, Act.EXPIRE)} == set(StepState) - FINISHED - served_or_gone
    assert {StepState.CALLED, StepState.SERVING} == AT_COUNTER
