"""The technician's screen: hidden corner, one-time code, tests, and the idle rule that leaves it."""

from kiosk.journeys import effects, events, intents
from kiosk.journeys.views import Fact, HomeView, SlipState, TechnicianCodeView, TechnicianView
from tests.kiosk.halls import Walk, serving


def typed(walk: Walk, code: str) -> Walk:
    return walk.on(*[intents.CodeDigit(digit) for digit in code])


def inside() -> Walk:
    return typed(serving().on(intents.HiddenCorner()), "12345678").on(events.CodeChecked(accepted=True))


def test_eight_digits_are_checked_once():
    walk = typed(serving().on(intents.HiddenCorner()), "1234567")
    assert walk.caused(effects.CheckCode) == []
    assert isinstance(walk.view, TechnicianCodeView)
    assert walk.view.typed == 7
    typed(walk.on(intents.CodeErase()), "7890")
    assert walk.caused(effects.CheckCode) == [effects.CheckCode("12345678"[:6] + "78")]


def test_a_wrong_code_says_so_and_a_lock_takes_no_digits():
    walk = typed(serving().on(intents.HiddenCorner()), "12345678").on(events.CodeChecked(False, 60.0))
    assert isinstance(walk.view, TechnicianCodeView)
    assert (walk.view.wrong, walk.view.typed, walk.view.locked_seconds) == (True, 0, 60)
    typed(walk, "12345678")
    assert walk.view.typed == 0
    walk.on(intents.LeaveTechnician(), intents.HiddenCorner())
    assert walk.view.locked_seconds == 60, "leaving does not lift the lock"
    walk.after(60)
    assert typed(walk, "1").view.typed == 1


def test_only_digits_count():
    walk = serving().on(intents.HiddenCorner())
    assert typed(walk, "a٣²\n").view.typed == 0


def test_the_corner_does_nothing_in_the_middle_of_a_visit():
    walk = serving().on(intents.TakeNumber(), intents.HiddenCorner())
    assert not isinstance(walk.view, TechnicianCodeView)


def test_it_can_be_reached_while_out_of_service():
    walk = serving().on(events.OrderGiven("maintenance_on"), intents.HiddenCorner())
    assert isinstance(walk.view, TechnicianCodeView)


def test_a_test_slip_and_a_test_card_show_their_outcome():
    walk = inside().on(intents.TestSlip(), intents.TestSlip(), intents.TestCard())
    (slip,) = walk.caused(effects.PrintTestSlip)
    assert isinstance(walk.view, TechnicianView)
    assert walk.view.running == "test_slip"
    walk.on(events.SlipDone(slip.job, SlipState.NOT_PRINTED, "paper_out"), intents.TestCard())
    walk.caused(effects.StartCardRead)
    session = walk.state.session
    walk.on(events.TestCardRead(session, "read", "张* 3202**********1234"))
    assert walk.view.results == (
        Fact("test_slip", "not_printed: paper_out"),
        Fact("test_card", "read 张* 3202**********1234"),
    )
    assert walk.view.running is None
    assert walk.caused(effects.StopCardRead)


def test_a_test_without_a_card_ends_by_itself():
    walk = inside().on(intents.TestCard()).after(20)
    assert walk.view.results == (Fact("test_card", "no_card"),)


def test_idle_leaves_it():
    walk = inside().after(65)
    assert isinstance(walk.view, HomeView)
