"""The journey without the hall: numbers go on, the person is told what they hold, and nobody gets two."""

from dataclasses import replace

import pytest

from kiosk.journeys import effects, events, intents
from kiosk.journeys.state import LiveService
from kiosk.journeys.views import (
    CatalogueView,
    HomeView,
    Network,
    OutOfServiceView,
    RefusedView,
    TicketView,
    WaitingView,
)
from tests.kiosk.halls import CATALOGUE, INDEX, NOW, TICKET, Walk, serving

OFFLINE_TICKET = replace(TICKET, number="XA001", people_ahead=None, wait=None, counters=(), offline=True)


def lost(walk: Walk) -> Walk:
    """The link is gone, and longer than a moment."""
    return walk.on(events.LinkChanged(up=False)).after(6)


def away() -> Walk:
    return lost(serving().on(events.OfflineReady(ready=True)))


def asking(walk: Walk) -> Walk:
    return walk.on(intents.ChooseService("invoice"), intents.GoOnWithoutCard())


def test_a_terminal_that_holds_numbers_goes_on_without_the_hall():
    walk = away()
    assert isinstance(walk.view, HomeView)
    assert walk.view.frame.network is Network.OFFLINE
    (wanted,) = asking(walk).caused(effects.GiveOffline)
    assert (wanted.service, wanted.identified) == ("invoice", False)
    assert walk.caused(effects.RequestNumber) == []
    walk.on(events.NumberGiven(wanted.attempt, OFFLINE_TICKET))
    assert isinstance(walk.view, TicketView)
    assert (walk.view.number, walk.view.offline, walk.view.taken_at) == ("XA001", True, "10:32")
    assert walk.view.people_ahead is None
    assert [job.ticket.number for job in walk.caused(effects.PrintSlip)] == ["XA001"]


def test_a_terminal_that_holds_none_is_out_of_service_as_soon_as_its_leave_ends():
    walk = away().on(intents.TakeNumber())
    assert isinstance(walk.view, CatalogueView)
    walk.on(events.OfflineReady(ready=False))
    assert isinstance(walk.view, OutOfServiceView)
    assert walk.view.code == "hall_away"


def test_the_person_who_waits_when_the_hall_goes_gets_an_offline_number_and_waits_no_minute():
    walk = asking(serving().on(events.OfflineReady(ready=True)))
    (asked,) = walk.caused(effects.RequestNumber)
    lost(walk)
    (given_here,) = walk.caused(effects.GiveOffline)
    assert given_here.attempt == asked.attempt
    assert isinstance(walk.view, WaitingView)
    assert not walk.view.offers_way_out
    walk.after(walk.state.rules.journaling_limit_s - 2)
    assert walk.caused(effects.GiveOffline) == []
    assert walk.caused(effects.WithdrawRequest) == [], "the number's own fact withdraws the request"
    walk.on(events.NumberGiven(asked.attempt, OFFLINE_TICKET))
    assert isinstance(walk.view, TicketView)


@pytest.mark.parametrize("mid_wait", [False, True])
def test_a_number_that_the_terminal_cannot_keep_in_time_is_told_with_the_next_step_and_taken_back(mid_wait: bool):
    walk = asking(serving().on(events.OfflineReady(ready=True))).after(50) if mid_wait else asking(away())
    if mid_wait:
        lost(walk)
    (wanted,) = walk.caused(effects.GiveOffline)
    walk.after(walk.state.rules.journaling_limit_s - 2)
    assert isinstance(walk.view, WaitingView)
    walk.after(2)
    assert isinstance(walk.view, RefusedView)
    assert (walk.view.code, walk.view.may_retry) == ("journal_slow", False)
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(wanted.attempt, "no_answer")]
    walk.on(events.NumberGiven(wanted.attempt, OFFLINE_TICKET))
    assert isinstance(walk.view, RefusedView), "the number came too late for its person"
    assert walk.caused(effects.PrintSlip) == []


def test_an_answer_that_comes_first_is_the_number():
    walk = asking(serving().on(events.OfflineReady(ready=True)))
    (asked,) = walk.caused(effects.RequestNumber)
    lost(walk).on(events.NumberGiven(asked.attempt, TICKET))
    assert isinstance(walk.view, TicketView)
    assert (walk.view.number, walk.view.offline) == ("A036", False)


def test_a_terminal_started_without_the_hall_serves_from_what_it_kept():
    walk = Walk().on(events.Started(), events.CatalogueLoaded(CATALOGUE, INDEX), events.OfflineReady(ready=True))
    walk.after(6)
    assert isinstance(walk.view, HomeView)
    assert asking(walk).caused(effects.GiveOffline)


@pytest.mark.parametrize("verdict", ["cloned", "refused", "pending"])
def test_a_machine_that_the_hall_turned_away_gives_no_numbers_offline(verdict: str):
    walk = lost(serving().on(events.OfflineReady(ready=True), events.Verdict(verdict)))  # type: ignore[arg-type]
    assert isinstance(walk.view, OutOfServiceView)
    assert asking(walk).caused(effects.GiveOffline) == []


def test_what_the_hall_said_of_its_services_before_it_went_is_not_shown_as_true():
    walk = serving().on(
        events.OfflineReady(ready=True),
        events.ServicesChanged((LiveService("invoice", open=False, waiting=9, reason="service_closed"),)),
    )
    shown = {service.id: service for service in lost(walk).view.common}  # type: ignore[union-attr]
    assert (shown["invoice"].waiting, shown["invoice"].closed_reason) == (None, None)
    assert asking(walk).caused(effects.GiveOffline)


def test_when_the_hall_is_back_numbers_come_from_it_again():
    walk = away().on(events.LinkChanged(up=True))
    assert walk.view.frame.network is Network.CONNECTED
    assert asking(walk).caused(effects.RequestNumber)
    assert walk.caused(effects.GiveOffline) == []


@pytest.mark.parametrize(
    ("code", "params", "shown"),
    [
        ("outside_hours", (("opens_at", NOW.isoformat()),), {"opens_at": "10:32", "opens_on": "3 月 2 日 10:32"}),
        ("already_holding", (("number", "A012"),), {"number": "A012"}),
    ],
)
def test_a_refusal_speaks_the_halls_clock(code: str, params: tuple[tuple[str, str], ...], shown: dict[str, str]):
    walk = asking(away())
    (wanted,) = walk.caused(effects.GiveOffline)
    walk.on(events.NumberRefused(wanted.attempt, code, params))
    assert isinstance(walk.view, RefusedView)
    assert walk.view.params == shown


def test_a_number_that_may_not_be_reached_says_until_when():
    walk = asking(serving())
    (asked,) = walk.caused(effects.RequestNumber)
    walk.on(events.NumberGiven(asked.attempt, replace(TICKET, may_close_at=NOW)))
    assert walk.view.may_close_at == "10:32"  # type: ignore[union-attr]
