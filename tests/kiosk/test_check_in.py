"""Check-in at the terminal: by card, by code or by scanning it, and what a refusal leads to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk.journeys import check_in, effects, events, intents
from kiosk.journeys.state import Finding
from kiosk.journeys.views import (
    AppointmentCodeView,
    CardState,
    CardView,
    CatalogueView,
    HomeView,
    RefusedView,
    TicketView,
    WaitingView,
)
from queue_server.ids import new_code
from tests.kiosk.halls import CATALOGUE, INDEX, NOW, TICKET, Walk, serving

CODE = "7Q2KXM40AB"
BOOKED = replace(TICKET, booked_for=NOW + timedelta(minutes=28), callable_from=NOW + timedelta(minutes=18))


def booking() -> Walk:
    """A terminal of a hall that takes appointments."""
    return serving()


def card_read(walk: Walk) -> events.CardRead:
    return events.CardRead(walk.state.session, "张*", "3202**********1234")


def typing(text: str = CODE) -> Walk:
    walk = booking().on(intents.CheckIn(), intents.TypeAppointmentCode())
    return walk.on(*(intents.AppointmentKey(key) for key in text))


def asked(walk: Walk) -> effects.RequestCheckIn:
    (request,) = walk.caused(effects.RequestCheckIn)
    assert isinstance(request, effects.RequestCheckIn)
    return request


def refused(code: str, *params: tuple[str, str]) -> Walk:
    walk = typing().on(intents.ConfirmAppointmentCode())
    return walk.on(events.NumberRefused(asked(walk).attempt, code, params))


def test_a_hall_without_appointments_has_no_entry_to_check_in():
    walk = serving().on(events.CatalogueLoaded(replace(CATALOGUE, takes_appointments=False), INDEX), intents.CheckIn())
    assert isinstance(walk.view, HomeView)
    assert not walk.view.check_in
    assert booking().view.check_in


def test_the_card_finds_the_appointment_and_the_number_bears_its_time():
    walk = booking().on(intents.CheckIn())
    assert isinstance(walk.view, CardView)
    assert (walk.view.check_in, walk.view.may_skip) == (True, False)
    walk.on(card_read(walk))
    assert isinstance(walk.view, WaitingView)
    assert walk.view.check_in
    request = asked(walk)
    assert request == effects.RequestCheckIn(1, Finding("card"), "zh")
    walk.on(events.NumberGiven(request.attempt, BOOKED))
    assert isinstance(walk.view, TicketView)
    assert (walk.view.booked_for, walk.view.callable_from, walk.view.frame.steps) == (
        "11:00", "10:50", ("appointment", "ticket"),
    )  # fmt: skip
    (slip,) = walk.caused(effects.PrintSlip)
    assert slip.ticket.booked_for == BOOKED.booked_for


def test_the_code_is_typed_corrected_and_sent_once_it_is_whole():
    walk = typing("7Q2KXM40AZ").on(intents.AppointmentErase(), intents.ConfirmAppointmentCode())
    assert isinstance(walk.view, AppointmentCodeView)
    assert walk.view.typed == "7Q2KXM40A"
    walk.on(*(intents.AppointmentKey(key) for key in ("", "I", "o", "BB", "B", "C")))
    assert walk.view.typed == CODE
    walk.on(intents.ConfirmAppointmentCode(), intents.ConfirmAppointmentCode())
    assert asked(walk).finding == Finding("typed", CODE)


def test_clearing_starts_afresh_and_leaving_forgets_what_was_typed():
    assert typing().on(intents.AppointmentErase(whole=True)).view.typed == ""
    walk = typing().on(intents.Home())
    assert isinstance(walk.view, HomeView)
    assert CODE not in repr(walk.state)


def test_every_code_that_the_hall_makes_can_be_typed():
    codes = [new_code() for _ in range(200)]
    assert {len(code) for code in codes} == {check_in.CODE_LENGTH}
    assert set("".join(codes)) <= set(check_in.CODE_LETTERS)


def test_a_card_laid_while_the_code_is_typed_checks_in_too():
    walk = typing("7Q")
    walk.on(events.CardProgress(walk.state.session, CardState.READING), card_read(walk))
    assert asked(walk).finding == Finding("card")


@pytest.mark.parametrize("steps", [(intents.CheckIn(),), (intents.CheckIn(), intents.TypeAppointmentCode())])
def test_a_code_held_before_the_scanner_checks_in_and_only_here(steps):
    walk = booking().on(*steps)
    walk.on(events.CodeRead(walk.state.session - 1))
    assert walk.caused(effects.RequestCheckIn) == []
    walk.on(events.CodeRead(walk.state.session))
    assert asked(walk).finding == Finding("scanned")
    at_home = booking()
    at_home.on(events.CodeRead(at_home.state.session))
    assert at_home.caused(effects.RequestCheckIn) == []


def test_the_scanner_looks_while_a_code_is_awaited_and_is_dark_otherwise():
    walk = booking()
    assert walk.caused(effects.StartCodeScan) == []
    walk.on(intents.CheckIn(), intents.TypeAppointmentCode())
    assert walk.caused(effects.StartCodeScan) == [effects.StartCodeScan(walk.state.session)]
    walk.on(intents.Home())
    assert walk.caused(effects.StopCodeScan) == [effects.StopCodeScan()]


def test_without_a_card_reader_the_keypad_comes_at_once():
    walk = booking().on(events.DevicesChanged((), reader_ready=False), intents.CheckIn())
    assert isinstance(walk.view, AppointmentCodeView)
    assert isinstance(walk.on(intents.Back()).view, HomeView)


def test_who_laid_the_card_first_checks_in_with_one_touch():
    walk = booking()
    walk.on(events.CardProgress(walk.state.session, CardState.READING), card_read(walk))
    assert isinstance(walk.view, CatalogueView)
    assert walk.view.check_in
    walk.on(intents.CheckIn())
    assert asked(walk).finding == Finding("card")


def test_back_leads_from_the_keypad_to_the_card_and_from_there_home():
    walk = typing("7Q").on(intents.Back())
    assert isinstance(walk.view, CardView)
    assert isinstance(walk.on(intents.Back()).view, HomeView)


def test_too_early_names_the_booked_time_and_when_to_come():
    walk = refused(
        "check_in_too_early", ("starts_at", "2026-03-02T14:00+08:00"), ("opens_at", "2026-03-02T13:30+08:00")
    )
    assert isinstance(walk.view, RefusedView)
    assert walk.view.params["starts_on"] == "3 月 2 日 14:00"
    assert walk.view.params["opens_at"] == "13:30"
    assert (walk.view.may_take_number, walk.view.may_type_code) == (False, False)


def test_a_check_in_that_opens_on_the_day_before_bears_its_date():
    walk = refused(
        "check_in_too_early", ("starts_at", "2026-03-02T00:10+08:00"), ("opens_at", "2026-03-01T23:40+08:00")
    )
    assert walk.view.params["opens_at"] == "3 月 1 日 23:40"


@pytest.mark.parametrize(
    ("code", "params", "number", "type_code"),
    [
        ("appointment_unknown", (), True, True),
        ("check_in_too_late", (("starts_at", "2026-03-02T14:00+08:00"),), True, False),
        ("appointment_not_open", (("state", "missed"),), True, False),
        ("appointment_not_open", (("state", "checked_in"),), False, False),
        ("already_holding", (("number", "A012"),), False, False),
    ],
)
def test_a_refusal_offers_what_helps_and_nothing_else(code, params, number, type_code):
    walk = refused(code, *params)
    assert (walk.view.may_take_number, walk.view.may_type_code) == (number, type_code)
    assert isinstance(walk.on(intents.TakeNumber()).view, CatalogueView) == number
    other = refused(code, *params).on(intents.TypeAppointmentCode())
    assert isinstance(other.view, AppointmentCodeView) == type_code


def test_a_number_after_a_refusal_needs_no_second_card():
    walk = booking().on(intents.CheckIn())
    walk.on(card_read(walk))
    walk.on(events.NumberRefused(asked(walk).attempt, "appointment_unknown"), intents.TakeNumber())
    assert walk.view.greeting == "张*"
    walk.on(intents.ChooseService("pension"))
    assert walk.caused(effects.RequestNumber)[0].identified


def test_without_the_hall_nobody_is_checked_in_and_no_number_is_given_instead():
    walk = booking().on(events.OfflineReady(True), intents.CheckIn())
    walk.on(card_read(walk))
    request = asked(walk)
    walk.on(events.LinkChanged(up=False)).after(6)
    assert isinstance(walk.view, RefusedView)
    assert (walk.view.code, walk.view.may_take_number) == (check_in.ALONE, True)
    assert walk.caused(effects.GiveOffline) == []
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(request.attempt, "no_answer")]
    again = booking().on(events.OfflineReady(True), events.LinkChanged(up=False)).after(6).on(intents.CheckIn())
    assert again.view.code == check_in.ALONE


def test_a_check_in_without_an_answer_is_taken_back_and_can_be_tried_again():
    walk = typing().on(intents.ConfirmAppointmentCode())
    first = asked(walk)
    walk.after(61)
    assert (walk.view.code, walk.view.may_retry) == ("no_answer", True)
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(first.attempt, "no_answer")]
    walk.on(intents.Retry())
    second = asked(walk)
    assert (second.finding, second.attempt > first.attempt) == (first.finding, True)
