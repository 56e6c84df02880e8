"""The technician's screen: hidden corner, one-time code, tests, and the idle rule that leaves it."""

import pytest

from kiosk.journeys import effects, events, intents
from kiosk.journeys.catalogue import Texts
from kiosk.journeys.views import DeviceTest, HomeView, Peripheral, SelfTestState, TechnicianCodeView, TechnicianView
from tests.kiosk.halls import Walk, serving

STATUS = Texts("状态", "status")


def typed(walk: Walk, code: str) -> Walk:
    return walk.on(*[intents.CodeDigit(digit) for digit in code])


def with_devices() -> Walk:
    lines = (
        Peripheral("id_card_reader", "sam-v-serial", "/dev/ttyS1", "ok", None, ()),
        Peripheral("ticket_printer", "escpos", "tcp:10.0.8.21:9100", "offline", "line_lost", ()),
    )
    return serving().on(events.DevicesChanged(lines, reader_ready=True))


def inside() -> Walk:
    return typed(with_devices().on(intents.HiddenCorner()), "12345678").on(events.CodeChecked(accepted=True))


def view(walk: Walk) -> TechnicianView:
    assert isinstance(walk.view, TechnicianView)
    return walk.view


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


def test_one_device_is_tested_and_a_second_tap_does_nothing():
    walk = inside().on(intents.TestDevice("ticket_printer"), intents.TestDevice("ticket_printer"))
    walk.on(intents.TestDevice("id_card_reader"), intents.TestAllDevices())
    (started,) = walk.caused(effects.StartSelfTest)
    assert (started.role, started.within_s) == ("ticket_printer", 60)
    assert view(walk).tests == {"ticket_printer": DeviceTest(SelfTestState.RUNNING)}
    walk.on(events.SelfTestDone(started.attempt, SelfTestState.FAILED, STATUS, Texts("缺纸：请装纸", "load paper")))
    assert view(walk).tests == {"ticket_printer": DeviceTest(SelfTestState.FAILED, "状态", "缺纸：请装纸")}
    assert not view(walk).testing
    walk.on(intents.SetLanguage("en"))
    assert view(walk).tests["ticket_printer"].told == "load paper"


def test_what_a_hand_is_needed_for_is_told_with_the_time_that_is_left():
    walk = inside().on(intents.TestDevice("id_card_reader"))
    (started,) = walk.caused(effects.StartSelfTest)
    walk.after(12).on(events.SelfTestStep(started.attempt, Texts("读卡"), Texts("请放置身份证")))
    assert view(walk).tests["id_card_reader"] == DeviceTest(SelfTestState.RUNNING, "读卡", "请放置身份证", 48)
    walk.on(events.SelfTestStep(started.attempt, STATUS))
    assert view(walk).tests["id_card_reader"] == DeviceTest(SelfTestState.RUNNING, "状态")


def test_all_devices_are_tested_one_after_the_other():
    walk = inside().on(intents.TestAllDevices())
    (first,) = walk.caused(effects.StartSelfTest)
    assert view(walk).tests["ticket_printer"].state is SelfTestState.WAITING
    walk.on(events.SelfTestDone(first.attempt, SelfTestState.PASSED, STATUS, Texts("")))
    walk.on(events.SelfTestDone(first.attempt, SelfTestState.FAILED, STATUS, Texts("")))
    (second,) = walk.caused(effects.StartSelfTest)
    assert [first.role, second.role] == ["id_card_reader", "ticket_printer"]
    walk.on(events.SelfTestDone(second.attempt, SelfTestState.UNKNOWN, STATUS, Texts("")))
    assert walk.caused(effects.StartSelfTest) == []
    assert {role: test.state for role, test in view(walk).tests.items()} == {
        "id_card_reader": SelfTestState.PASSED,
        "ticket_printer": SelfTestState.UNKNOWN,
    }


def test_stopping_ends_the_test_that_runs_and_those_to_come():
    walk = inside().on(intents.TestAllDevices())
    (first,) = walk.caused(effects.StartSelfTest)
    walk.on(intents.StopTests(), events.SelfTestDone(first.attempt, SelfTestState.PASSED, STATUS, Texts("")))
    assert walk.caused(effects.StopSelfTest)
    assert view(walk).tests == {"id_card_reader": DeviceTest(SelfTestState.STOPPED)}


@pytest.mark.parametrize("way_out", [intents.LeaveTechnician(), intents.Home(), intents.Back()])
def test_a_test_ends_when_the_technician_leaves(way_out):
    walk = inside().on(intents.TestAllDevices(), way_out)
    assert isinstance(walk.view, HomeView)
    assert walk.caused(effects.StopSelfTest) == [effects.StopSelfTest()]
    assert len(walk.caused(effects.StartSelfTest)) == 1


def test_a_device_that_never_ends_its_test_is_given_up_as_unknown():
    walk = inside().on(intents.TestDevice("ticket_printer")).after(69)
    assert view(walk).testing
    walk.after(1)
    assert view(walk).tests == {"ticket_printer": DeviceTest(SelfTestState.UNKNOWN)}
    assert walk.caused(effects.StopSelfTest)


def test_nothing_is_tested_but_from_the_technicians_screen_and_only_what_is_fitted():
    walk = with_devices().on(intents.TestDevice("ticket_printer"), intents.TestAllDevices(), intents.TakeNumber())
    walk.on(intents.TestDevice("ticket_printer"), intents.TestAllDevices())
    inside_walk = inside().on(intents.TestDevice("face_camera"))
    assert walk.caused(effects.StartSelfTest) == inside_walk.caused(effects.StartSelfTest) == []


def test_a_technician_who_steps_behind_the_cabinet_is_not_one_who_left():
    walk = inside().on(events.PresenceChanged(True), events.PresenceChanged(False)).after(40)
    assert isinstance(walk.view, TechnicianView)


def test_idle_leaves_it():
    walk = inside().after(65)
    assert isinstance(walk.view, HomeView)
