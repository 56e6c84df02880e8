"""The idle countdown: when it runs, what extends it, what it ends."""

from kiosk.journeys import effects, events, intents
from kiosk.journeys.views import CardState, CatalogueView, HomeView, SlipState, TicketView, WaitingView
from tests.kiosk.halls import TICKET, Walk, serving


def left(walk: Walk) -> int | None:
    idle = walk.view.frame.idle
    return None if idle is None else idle.seconds_left


def identified() -> Walk:
    walk = serving().on(intents.TakeNumber())
    return walk.on(events.CardRead(walk.state.session, "张*", "3202**********1234"))


def test_45_quiet_seconds_then_a_countdown_of_20_then_the_session_is_wiped():
    walk = identified().after(44)
    assert left(walk) is None
    walk.after(1)
    assert left(walk) == 20
    walk.after(19)
    assert left(walk) == 1
    assert walk.caused(effects.WipeSession) == []
    walk.after(1)
    assert walk.caused(effects.WipeSession)
    assert isinstance(walk.view, HomeView)
    assert walk.state.person is None


def test_any_touch_extends_as_often_as_a_person_needs():
    walk = identified()
    for _ in range(12):
        walk.after(60)
        assert left(walk) == 5
        walk.on(intents.Touched())
        assert left(walk) is None
    assert isinstance(walk.view, CatalogueView)


def test_it_never_runs_on_an_untouched_home():
    walk = serving().after(600)
    assert left(walk) is None
    assert walk.caused(effects.WipeSession) == []


def test_it_never_runs_while_an_answer_is_awaited():
    walk = serving().on(intents.ChooseService("invoice"), intents.GoOnWithoutCard()).after(59)
    assert isinstance(walk.view, WaitingView)
    assert left(walk) is None


def test_it_never_runs_while_paper_comes_out_and_starts_anew_afterwards():
    walk = serving().on(intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    walk.on(events.NumberGiven(walk.caused(effects.RequestNumber)[0].attempt, TICKET)).after(80)
    assert isinstance(walk.view, TicketView)
    assert left(walk) is None
    walk.on(events.SlipDone(walk.caused(effects.PrintSlip)[0].job, SlipState.PRINTED)).after(44)
    assert left(walk) is None
    walk.after(1)
    assert left(walk) == 20


def test_it_never_runs_while_a_card_is_read():
    walk = serving().on(intents.ChooseService("pension")).after(40)
    walk.on(events.CardProgress(walk.state.session, CardState.READING)).after(19)
    assert left(walk) is None
    walk.on(events.CardProgress(walk.state.session, CardState.LIFT_AND_LAY_AGAIN)).after(44)
    assert left(walk) is None
    walk.after(1)
    assert left(walk) == 20
