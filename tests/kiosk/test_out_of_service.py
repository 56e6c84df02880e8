"""Out of service: why, what becomes of a citizen in the middle, and coming back without a touch."""

import pytest

from kiosk.journeys import effects, events, intents
from kiosk.journeys.views import HomeView, Network, OutOfServiceView, TicketView, WaitingView
from tests.kiosk.halls import CATALOGUE, INDEX, TICKET, Walk, serving


def code(walk: Walk) -> str | None:
    return walk.view.code if isinstance(walk.view, OutOfServiceView) else None


@pytest.mark.parametrize(
    ("broken", "mended", "expected"),
    [
        (events.JournalChanged(writable=False), events.JournalChanged(writable=True), "journal_fault"),
        (events.Verdict("cloned"), events.Verdict("accepted"), "cloned"),
        (events.Verdict("pending"), events.Verdict("accepted"), "not_accepted"),
        (events.Verdict("refused"), events.Verdict("accepted"), "not_accepted"),
        (events.OrderGiven("maintenance_on"), events.OrderGiven("maintenance_off"), "maintenance"),
        (events.PartCrashed("link"), events.PartCrashed(None), "program_fault"),
        (events.Stopped(), events.Started(), "starting"),
    ],
)
def test_each_cause_is_named_and_its_end_brings_the_terminal_back(broken, mended, expected):
    walk = serving().on(broken)
    assert code(walk) == expected
    assert walk.view.staff_code
    walk.on(mended)
    assert isinstance(walk.view, HomeView)


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        (events.LinkChanged(up=False), events.LinkChanged(up=True)),
        (events.ServerChanged(online=False), events.ServerChanged(online=True)),
        (events.HallSilent(), events.HallHeard()),
    ],
)
def test_a_short_loss_is_only_shown_and_a_long_one_stops_service(lost, found):
    walk = serving().on(lost).after(4)
    assert isinstance(walk.view, HomeView)
    assert walk.view.frame.network is Network.CONNECTING
    walk.after(1)
    assert code(walk) == "hall_away"
    assert walk.view.frame.network is Network.AWAY
    walk.on(found)
    assert isinstance(walk.view, HomeView)
    assert walk.view.frame.network is Network.CONNECTED


def test_a_new_connection_forgets_an_earlier_silence():
    walk = serving().on(events.HallSilent(), events.LinkChanged(up=False), events.LinkChanged(up=True)).after(10)
    assert isinstance(walk.view, HomeView)


def test_without_a_catalogue_there_is_no_configuration():
    walk = Walk().on(events.Started(), events.LinkChanged(up=True), events.Verdict("accepted"))
    assert code(walk) == "no_configuration"
    walk.on(events.CatalogueLoaded(CATALOGUE, INDEX))
    assert isinstance(walk.view, HomeView)


def test_a_session_that_cannot_go_on_is_wiped():
    walk = serving().on(intents.TakeNumber())
    walk.on(events.CardRead(walk.state.session, "张*", "3202**********1234"), events.LinkChanged(up=False)).after(5)
    assert walk.caused(effects.WipeSession)
    assert walk.state.person is None


def test_a_ticket_in_hand_and_a_request_under_way_stay_on_the_screen():
    walk = serving().on(intents.ChooseService("invoice"), intents.GoOnWithoutCard(), events.LinkChanged(up=False))
    walk.after(6)
    assert isinstance(walk.view, WaitingView)
    walk.on(events.NumberGiven(walk.caused(effects.RequestNumber)[0].attempt, TICKET))
    assert isinstance(walk.view, TicketView)
    walk.on(intents.TakeAnother())
    assert code(walk) == "hall_away"


def test_the_gravest_cause_is_shown():
    walk = serving().on(events.OrderGiven("maintenance_on"), events.JournalChanged(writable=False))
    assert code(walk) == "journal_fault"


def test_a_restart_waits_until_nobody_is_in_the_middle():
    walk = serving().on(intents.TakeNumber(), events.OrderGiven("restart"))
    assert walk.caused(effects.Restart) == []
    walk.on(intents.Home())
    assert walk.caused(effects.Restart) == [effects.Restart()]
    walk.after(2)
    assert walk.caused(effects.Restart) == []


def test_no_card_is_looked_for_while_out_of_service():
    walk = serving().on(events.OrderGiven("maintenance_on"))
    assert walk.caused(effects.StopCardRead)
    walk.on(events.OrderGiven("maintenance_off"))
    assert walk.caused(effects.StartCardRead)[-1].session == walk.state.session
