"""The terminal and what is around it: somebody there or gone, lights, keys, the battery. All pure."""

from dataclasses import replace

import pytest

from kiosk import reporting
from kiosk.journeys import effects, events, intents
from kiosk.journeys.views import (
    CardState,
    CatalogueView,
    HomeView,
    OutOfServiceView,
    Peripheral,
    Power,
    SlipState,
    TechnicianCodeView,
    TicketView,
    WaitingView,
)
from tests.kiosk.halls import CATALOGUE, INDEX, TICKET, Walk, serving

FITTED = ("id_card_reader", "social_card_reader", "ticket_printer", "guide_lights", "presence_sensor")


def equipped(*roles: str, health: str = "ok") -> events.DevicesChanged:
    return events.DevicesChanged(tuple(Peripheral(role, "d", "a", health, None, ()) for role in roles), True)


def somebody_before() -> Walk:
    return serving().on(equipped(*FITTED), events.PresenceChanged(True))


def left(walk: Walk) -> int | None:
    idle = walk.view.frame.idle
    return None if idle is None else idle.seconds_left


def lights(walk: Walk) -> set[str]:
    """What is lit after the last change."""
    return set(walk.caused(effects.ShowLights)[-1].lit)


def holding(walk: Walk) -> int:
    """Take a number; the job that prints it."""
    walk.on(intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    walk.on(events.NumberGiven(walk.caused(effects.RequestNumber)[-1].attempt, TICKET))
    return walk.caused(effects.PrintSlip)[-1].job


# --- somebody is there ---------------------------------------------------------------------------


def test_who_was_seen_to_leave_is_waited_for_a_short_while_then_the_session_is_wiped():
    walk = somebody_before().on(intents.TakeNumber()).after(5)
    walk.on(events.PresenceChanged(False)).after(2)
    assert left(walk) is None
    walk.after(1)
    assert left(walk) == 10
    walk.after(9)
    assert walk.caused(effects.WipeSession) == []
    walk.after(1)
    assert walk.caused(effects.WipeSession)
    assert isinstance(walk.view, HomeView)


def test_who_comes_back_in_time_goes_on_where_he_was():
    walk = somebody_before().on(intents.TakeNumber(), events.PresenceChanged(False)).after(8)
    assert left(walk) is not None
    walk.on(events.PresenceChanged(True))
    assert left(walk) is None
    assert isinstance(walk.after(60).view, CatalogueView)
    assert walk.caused(effects.WipeSession) == []


def test_who_reads_and_is_seen_has_twice_the_time_and_any_touch_extends_it():
    walk = somebody_before().on(intents.TakeNumber()).after(89)
    assert left(walk) is None
    assert left(walk.after(1)) == 20
    walk.on(intents.Touched())
    assert left(walk.after(89)) is None


def test_the_next_in_line_does_not_keep_the_slip_of_the_one_before_on_the_screen():
    walk = somebody_before()
    walk.on(events.SlipDone(holding(walk), SlipState.PRINTED)).after(45)
    assert isinstance(walk.view, TicketView)
    assert left(walk) == 20


def test_who_the_sensor_does_not_see_has_the_plain_times_once_he_touches():
    walk = somebody_before().on(intents.TakeNumber(), events.PresenceChanged(False)).after(5)
    walk.on(intents.Touched()).after(44)
    assert left(walk) is None
    assert left(walk.after(1)) == 20


def test_whoever_left_before_this_session_began_does_not_shorten_it():
    walk = somebody_before().on(events.PresenceChanged(False)).after(1).on(intents.TakeNumber()).after(44)
    assert left(walk) is None
    assert left(walk.after(1)) == 20


@pytest.mark.parametrize("said", [None, False])
def test_a_sensor_that_is_lost_or_sees_nobody_leaves_the_plain_times(said):
    walk = serving().on(equipped(*FITTED), events.PresenceChanged(said), intents.TakeNumber()).after(44)
    assert left(walk) is None
    assert left(walk.after(1)) == 20


def test_a_sensor_that_is_lost_wipes_nobody_early():
    walk = somebody_before().on(intents.TakeNumber(), events.PresenceChanged(None)).after(44)
    assert left(walk) is None


def test_a_paper_that_comes_out_is_waited_for_also_when_its_person_has_left():
    walk = somebody_before()
    job = holding(walk)
    walk.on(events.PresenceChanged(False)).after(60)
    assert left(walk) is None
    walk.on(events.SlipDone(job, SlipState.PRINTED)).after(3)
    assert left(walk) == 10


# --- guide lights --------------------------------------------------------------------------------


def test_the_readers_light_up_when_somebody_comes_and_go_dark_when_nobody_is_there():
    walk = somebody_before()
    assert lights(walk) == {"id_card_reader", "social_card_reader"}
    walk.on(events.PresenceChanged(False))
    assert lights(walk) == set()


def test_the_light_is_where_the_journey_waits_for_the_person_and_off_else():
    walk = serving().on(equipped(*FITTED), intents.ChooseService("invoice"))
    assert lights(walk) == {"id_card_reader", "social_card_reader"}
    walk.on(intents.GoOnWithoutCard())
    assert lights(walk) == set()
    walk.on(events.NumberGiven(walk.caused(effects.RequestNumber)[-1].attempt, TICKET))
    assert lights(walk) == {"ticket_printer"}
    walk.on(events.SlipDone(walk.caused(effects.PrintSlip)[-1].job, SlipState.NOT_PRINTED, "paper_out"))
    assert lights(walk) == set()


def test_a_light_changes_only_when_what_is_lit_changes():
    walk = serving().on(equipped(*FITTED), intents.ChooseService("invoice"))
    walk.on(events.CardProgress(walk.state.session, CardState.READING)).after(5)
    assert len(walk.caused(effects.ShowLights)) == 1


def test_no_light_shines_beside_a_device_that_does_not_work():
    walk = serving().on(equipped(*FITTED), intents.ChooseService("invoice"))
    assert lights(walk.on(equipped("social_card_reader"))) == {"social_card_reader"}


def test_no_light_invites_anybody_while_the_terminal_cannot_serve():
    walk = somebody_before().on(events.OrderGiven("maintenance_on"))
    assert lights(walk) == set()


def checking_in() -> Walk:
    """The page that waits for an appointment's card or code."""
    walk = serving().on(events.CatalogueLoaded(replace(CATALOGUE, takes_appointments=True), INDEX))
    return walk.on(equipped(*FITTED, "code_scanner", "code_camera"), intents.CheckIn())


def test_at_the_check_in_reader_and_scanner_are_lit_and_the_scanner_looks_for_a_code():
    walk = checking_in()
    assert lights(walk) == {"id_card_reader", "social_card_reader", "code_scanner", "code_camera"}
    assert walk.caused(effects.StartCodeScan) == [effects.StartCodeScan(walk.state.session)]


def test_a_scanned_code_asks_for_the_appointment_and_the_scanner_goes_dark():
    walk = checking_in().on(events.CodeRead(1))
    assert isinstance(walk.view, WaitingView)
    assert [effect.finding.by for effect in walk.caused(effects.RequestCheckIn)] == ["scanned"]
    assert walk.caused(effects.StopCodeScan)
    assert lights(walk) == set()


def test_a_code_of_an_ended_session_or_at_another_time_does_nothing():
    walk = checking_in()
    shown = walk.view
    assert walk.on(events.CodeRead(walk.state.session + 1)).view == shown
    walk.on(intents.Home())
    assert walk.caused(effects.StopCodeScan)
    shown = walk.view
    assert walk.on(events.CodeRead(walk.state.session)).view == shown
    assert walk.caused(effects.RequestCheckIn) == []


# --- keypad --------------------------------------------------------------------------------------


def test_keys_type_the_technicians_code_as_touches_do():
    walk = serving().on(intents.HiddenCorner(), *map(events.KeyPressed, "1234"), events.KeyPressed("backspace"))
    assert isinstance(walk.view, TechnicianCodeView)
    assert walk.view.typed == 3
    walk.on(*map(events.KeyPressed, "45678"))
    assert walk.caused(effects.CheckCode) == [effects.CheckCode("12345678")]


def test_keys_type_into_the_search_that_is_open():
    walk = serving().on(intents.TakeNumber(), intents.OpenSearch(), *map(events.KeyPressed, "1236"))
    assert walk.view.search == "1236"
    assert walk.on(events.KeyPressed("backspace")).view.search == "123"
    assert walk.on(events.KeyPressed("clear")).view.search == ""
    assert not walk.on(events.KeyPressed("cancel")).view.searching


def test_keys_type_the_code_of_an_appointment():
    walk = checking_in().on(intents.TypeAppointmentCode(), *map(events.KeyPressed, "7319"), events.KeyPressed("5"))
    assert walk.on(events.KeyPressed("backspace")).view.typed == "7319"
    walk.on(events.KeyPressed("clear"), *map(events.KeyPressed, "0123456789"), events.KeyPressed("enter"))
    assert [effect.finding.code for effect in walk.caused(effects.RequestCheckIn)] == ["0123456789"]


def test_a_key_where_no_keypad_is_shown_only_says_that_somebody_is_there():
    walk = serving().on(intents.TakeNumber()).after(44)
    shown = walk.view
    assert walk.on(events.KeyPressed("7")).view == shown
    assert left(walk.after(44)) is None


def test_a_key_ends_the_countdown_and_does_nothing_else():
    walk = serving().on(intents.HiddenCorner()).after(50)
    assert left(walk) is not None
    walk.on(events.KeyPressed("7"))
    assert left(walk) is None
    assert walk.view.typed == 0


def test_a_key_is_not_in_the_repr_of_its_event():
    assert "7" not in repr(events.KeyPressed("7"))


# --- power ---------------------------------------------------------------------------------------


def test_on_battery_the_citizen_is_told_and_served():
    walk = serving().on(events.PowerChanged(Power.BATTERY))
    assert walk.view.frame.power is Power.BATTERY
    holding(walk)
    assert isinstance(walk.view, TicketView)


def test_on_a_low_battery_nobody_begins_until_the_mains_are_back():
    walk = serving().on(events.PowerChanged(Power.LOW))
    for touch in (intents.TakeNumber(), intents.ChooseService("invoice"), intents.ChooseGroup("tax")):
        assert isinstance(walk.on(touch).view, OutOfServiceView)
        assert walk.view.code == "power_low"
    walk.on(events.CardProgress(walk.state.session, CardState.READING))
    assert isinstance(walk.view, OutOfServiceView)
    assert isinstance(walk.on(events.PowerChanged(Power.MAINS)).view, HomeView)


def test_whoever_is_at_it_when_the_battery_gets_low_finishes_and_is_wiped():
    walk = serving().on(intents.TakeNumber(), events.PowerChanged(Power.LOW))
    assert isinstance(walk.view, CatalogueView)
    job = holding(walk)
    walk.on(events.SlipDone(job, SlipState.PRINTED), intents.TakeAnother())
    assert isinstance(walk.view, OutOfServiceView)
    assert walk.caused(effects.WipeSession)


# --- what the hall is told -----------------------------------------------------------------------


@pytest.mark.parametrize(("detail", "presence"), [("cannot_be_asked", "ready"), ("no_answer", "degraded")])
def test_a_scanner_that_answers_no_question_leaves_the_terminal_ready(detail, presence):
    scanner = Peripheral("code_scanner", "code-keyboard", "a", "unknown", detail, ())
    assert reporting.presence(serving().on(events.DevicesChanged((scanner,), True)).state) == presence
