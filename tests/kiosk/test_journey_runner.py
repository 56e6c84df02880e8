"""The running journey: a rule or a screen that fails never freezes the terminal, and tells no log what it failed on."""

import json

import structlog

from kiosk.journey import Journey
from kiosk.journeys import events, intents
from kiosk.journeys.effects import RequestHelp, RequestNumber, WithdrawRequest
from kiosk.journeys.views import HomeView, OutOfServiceView
from tests.kiosk.halls import serving


def test_a_failing_step_ends_the_session_and_is_shown_until_it_is_mended():
    crashes = []

    def perform(effect):
        if isinstance(effect, RequestHelp):
            raise RuntimeError("张三丰")

    journey = Journey(serving().state, perform, lambda: 1.0, lambda: crashes.append(1))
    journey.handle(intents.TakeNumber())
    journey.handle(events.CardRead(journey.state.session, "张*", "3202**********1234"))
    with structlog.testing.capture_logs() as logs:
        journey.handle(intents.CallHelp())
    assert isinstance(journey.view, OutOfServiceView)
    assert journey.view.code == "program_fault"
    assert journey.state.person is None
    assert crashes == [1]
    assert "张三丰" not in json.dumps(logs, ensure_ascii=False)
    assert logs[0]["error"] == "RuntimeError"
    journey.handle(events.PartCrashed(None))
    assert isinstance(journey.view, HomeView)


def test_a_number_that_was_asked_for_before_a_failing_step_is_withdrawn():
    asked, withdrawn = [], []

    def perform(effect):
        if isinstance(effect, RequestHelp):
            raise RuntimeError
        if isinstance(effect, RequestNumber):
            asked.append(effect.attempt)
        if isinstance(effect, WithdrawRequest):
            withdrawn.append(effect.attempt)

    journey = Journey(serving().state, perform, lambda: 1.0, lambda: None)
    journey.handle(intents.ChooseService("invoice"))
    journey.handle(intents.GoOnWithoutCard())
    journey.handle(intents.CallHelp())
    assert withdrawn == asked != []


def test_a_failing_screen_does_not_stop_the_journey_or_the_other_screens():
    seen = []
    journey = Journey(serving().state, lambda _: None, lambda: 1.0, lambda: None)
    journey.on_view(lambda view: None if isinstance(view, HomeView) else 1 / 0)
    journey.on_view(seen.append)
    journey.handle(intents.TakeNumber())
    journey.handle(intents.Home())
    assert len(seen) == 3


def test_events_that_effects_cause_are_taken_after_the_step_that_caused_them():
    order = []

    def perform(effect):
        if isinstance(effect, RequestHelp):
            journey.handle(events.HelpAnswered(effect.attempt, paged=True))
            order.append(journey.state.help)

    journey = Journey(serving().state, perform, lambda: 1.0, lambda: None)
    journey.handle(intents.CallHelp())
    assert [order[0], journey.state.help] == ["paging", "paged"]


def test_a_view_is_told_only_when_it_differs():
    seen = []
    journey = Journey(serving().state, lambda _: None, lambda: 1.0, lambda: None)
    journey.on_view(seen.append)
    for _ in range(5):
        journey.handle(events.Tick())
    assert len(seen) == 1
