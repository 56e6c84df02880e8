"""Self-tests: verdicts from steps, and UNKNOWN that is never a pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import (
    CommandCancelled,
    DeadlinePassed,
    DeviceClosed,
    DeviceFault,
    DriverError,
    LineLost,
    LineStalled,
    NoAnswer,
)
from hardware.self_test import Request, SelfTestReport, Step, StepBegun, Steps
from hardware.vocabulary import Detail, DeviceStatus, Health, Outcome, Verdict

verdicts = st.sampled_from(list(Verdict))


@given(st.lists(verdicts, max_size=6))
def test_a_report_passes_only_when_something_passed_and_nothing_else_was_worse(found):
    report = SelfTestReport(tuple(Step(f"step_{n}", verdict) for n, verdict in enumerate(found)))
    tested = [verdict for verdict in found if verdict is not Verdict.NOT_SUPPORTED]
    assert (report.verdict is Verdict.PASS) == (bool(tested) and set(tested) == {Verdict.PASS})
    assert (report.verdict is Verdict.FAIL) == (Verdict.FAIL in found)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (LineLost("gone"), Verdict.FAIL),
        (DeviceFault(Detail.PAPER_OUT), Verdict.FAIL),
        (NoAnswer("silent"), Verdict.UNKNOWN),
        (LineStalled("stalled", 0), Verdict.UNKNOWN),
        (DeadlinePassed("late"), Verdict.UNKNOWN),
    ],
)
def test_an_error_ends_its_step_and_not_the_test(error, verdict):
    steps = Steps()
    with steps.step("first"):
        raise error
    with steps.step("second") as step:
        step.measured = "42"
    assert [(step.verdict, step.detail) for step in steps.report.steps] == [
        (verdict, error.detail),
        (Verdict.PASS, Detail.NONE),
    ]
    assert steps.failed


@pytest.mark.parametrize("error", [CommandCancelled("device"), DeviceClosed("device")])
def test_a_cancel_ends_the_test_and_its_step_is_unknown(error):
    steps = Steps()
    with pytest.raises(type(error)), steps.step("first"):
        raise error
    report = steps.end_with(error)
    assert [step.verdict for step in report.steps] == [Verdict.UNKNOWN]


def test_a_defect_ends_the_test_with_a_failed_step():
    steps = Steps()
    with pytest.raises(ZeroDivisionError), steps.step("first"):
        _ = 1 // 0
    (step,) = steps.end_with(DriverError("ZeroDivisionError")).steps
    assert (step.verdict, step.detail) == (Verdict.FAIL, Detail.DRIVER_ERROR)


def test_progress_tells_each_step_before_and_after_with_what_a_person_does():
    heard = []
    steps = Steps(heard.append)
    with steps.step("card_read", Request.LAY_ID_CARD) as step:
        step.unknown(Detail.NO_CARD)
    assert heard == [
        StepBegun("card_read", Request.LAY_ID_CARD),
        Step("card_read", Verdict.UNKNOWN, Detail.NO_CARD),
    ]


@pytest.mark.parametrize("health", list(Health))
def test_only_a_device_that_can_be_used_passes_its_status_step(health):
    steps = Steps()
    with steps.step("status") as step:
        step.judge(DeviceStatus(health))
    assert (steps.report.verdict is Verdict.PASS) == (health in {Health.OK, Health.DEGRADED})
    assert (steps.report.verdict is Verdict.FAIL) == (health in {Health.FAULT, Health.OFFLINE})


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_done_command_passes_its_step(outcome):
    steps = Steps()
    with steps.step("card_read") as step:
        step.result(outcome, Detail.NONE)
    assert (steps.report.verdict is Verdict.PASS) == (outcome is Outcome.DONE)
