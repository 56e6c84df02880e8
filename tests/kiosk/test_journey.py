"""The citizen's way from home to a number, step by step."""

from dataclasses import replace
from typing import get_args

import pytest

from kiosk.journeys import effects, events, intents
from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Holding,
    LayingCard,
    Page,
    Refused,
    Servicing,
    Settling,
    TypingAppointment,
    TypingCode,
)
from kiosk.journeys.views import (
    CardState,
    CardView,
    CatalogueView,
    HelpState,
    HomeView,
    OutOfServiceView,
    Peripheral,
    RefusedView,
    SlipState,
    TicketView,
    WaitingView,
)
from tests.kiosk.halls import TICKET, Walk, serving


def card_read(walk: Walk) -> events.CardRead:
    return events.CardRead(walk.state.session, "张*", "3202**********1234")


def awaiting(walk: Walk) -> int:
    """Walk to the wait for a number; the attempt that waits."""
    walk.on(intents.ChooseService("pension"), card_read(walk))
    return walk.caused(effects.RequestNumber)[-1].attempt


def holding() -> Walk:
    walk = serving()
    walk.on(events.NumberGiven(awaiting(walk), TICKET))
    return walk


def test_a_common_service_takes_one_touch_and_a_card():
    walk = serving()
    assert isinstance(walk.view, HomeView)
    assert [service.id for service in walk.view.common] == ["pension", "invoice"]
    walk.on(intents.ChooseService("pension"))
    assert isinstance(walk.view, CardView)
    assert walk.view.service == "养老待遇申领"
    assert not walk.view.may_skip
    walk.on(card_read(walk))
    assert isinstance(walk.view, WaitingView)
    assert walk.caused(effects.RequestNumber) == [effects.RequestNumber(1, "pension", "zh", True)]


def test_any_service_takes_three_touches_at_most():
    walk = serving().on(intents.TakeNumber(), intents.ChooseGroup("social"), intents.ChooseService("social-card"))
    walk.on(card_read(walk))
    assert isinstance(walk.view, WaitingView)


def test_the_card_may_come_first_and_greets_by_its_masked_name():
    walk = serving()
    walk.on(events.CardProgress(walk.state.session, CardState.READING))
    assert isinstance(walk.view, CardView)
    assert walk.view.frame.steps == ("card", "service", "ticket")
    walk.on(card_read(walk))
    assert isinstance(walk.view, CatalogueView)
    assert walk.view.greeting == "张*"
    walk.on(intents.ChooseService("pension"))
    assert isinstance(walk.view, WaitingView)


def test_a_card_can_be_laid_in_the_middle_of_choosing():
    walk = serving().on(intents.TakeNumber(), intents.ChooseGroup("tax"))
    walk.on(events.CardProgress(walk.state.session, CardState.READING), card_read(walk))
    assert isinstance(walk.view, CatalogueView)
    assert walk.view.group == "tax"
    assert walk.view.greeting == "张*"


def test_only_an_optional_card_may_be_skipped():
    required = serving().on(intents.ChooseService("pension"), intents.GoOnWithoutCard())
    assert required.caused(effects.RequestNumber) == []
    optional = serving().on(intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    assert optional.caused(effects.RequestNumber) == [effects.RequestNumber(1, "invoice", "zh", False)]


def test_double_taps_issue_one_request():
    walk = serving()
    walk.on(events.CardProgress(walk.state.session, CardState.READING), card_read(walk))
    walk.on(*[intents.ChooseService("pension")] * 5, intents.Back(), intents.Home(), intents.Finish())
    assert len(walk.caused(effects.RequestNumber)) == 1
    assert isinstance(walk.view, WaitingView)


def test_the_answer_prints_the_slip_once_however_often_it_comes():
    walk = serving()
    attempt = awaiting(walk)
    walk.on(*[events.NumberGiven(attempt, TICKET)] * 3)
    (slip,) = walk.caused(effects.PrintSlip)
    assert not slip.reprint
    assert slip.masked_name == "张*"
    assert isinstance(walk.view, TicketView)
    assert (walk.view.number, walk.view.slip) == ("A036", SlipState.PRINTING)
    assert walk.view.wait is not None
    assert walk.view.wait.made_at == "10:32"


def test_a_failed_print_leaves_number_and_code_and_prints_nothing_by_itself():
    walk = holding()
    (slip,) = walk.caused(effects.PrintSlip)
    walk.on(events.SlipDone(slip.job, SlipState.NOT_PRINTED, "paper_out")).after(30)
    assert isinstance(walk.view, TicketView)
    assert (walk.view.slip, walk.view.slip_cause) == (SlipState.NOT_PRINTED, "paper_out")
    assert walk.view.number == "A036"
    assert walk.view.follow_url == TICKET.follow_url
    assert walk.view.staff_code is not None
    assert walk.caused(effects.PrintSlip) == []


@pytest.mark.parametrize("outcome", [SlipState.NOT_PRINTED, SlipState.UNKNOWN])
def test_a_reprint_is_an_explicit_act_and_marked(outcome):
    walk = holding()
    (first,) = walk.caused(effects.PrintSlip)
    walk.on(intents.Reprint())
    assert walk.caused(effects.PrintSlip) == [], "nothing is printed while the first slip may still come"
    walk.on(events.SlipDone(first.job, outcome, "no_answer"), intents.Reprint(), intents.Reprint())
    (again,) = walk.caused(effects.PrintSlip)
    assert again.reprint
    walk.on(events.SlipDone(first.job, SlipState.PRINTED))
    assert walk.view.slip is SlipState.PRINTING, "a late word about the first slip says nothing about the second"


def test_a_printed_slip_cannot_be_reprinted():
    walk = holding()
    (first,) = walk.caused(effects.PrintSlip)
    walk.on(events.SlipDone(first.job, SlipState.PRINTED), intents.Reprint())
    assert walk.caused(effects.PrintSlip) == []


def test_an_unknown_slip_may_turn_out_printed():
    walk = holding()
    (first,) = walk.caused(effects.PrintSlip)
    walk.on(events.SlipDone(first.job, SlipState.UNKNOWN, "no_answer"), events.SlipDone(first.job, SlipState.PRINTED))
    assert walk.view.slip is SlipState.PRINTED


def test_take_another_keeps_the_person_and_finish_forgets_them():
    walk = holding().on(intents.TakeAnother())
    assert isinstance(walk.view, CatalogueView)
    assert walk.view.greeting == "张*"
    walk.on(intents.ChooseService("social-card"))
    (second,) = walk.caused(effects.RequestNumber)
    assert second.identified
    walk.on(events.NumberGiven(second.attempt, TICKET), intents.Finish())
    assert walk.caused(effects.WipeSession)
    assert walk.state.person is None
    assert isinstance(walk.view, HomeView)


def test_a_wait_offers_a_way_out_after_ten_seconds_and_withdraws():
    walk = serving()
    attempt = awaiting(walk)
    walk.after(9).on(intents.GiveUp())
    assert isinstance(walk.view, WaitingView)
    assert not walk.view.offers_way_out
    walk.after(1)
    assert walk.view.offers_way_out
    walk.on(intents.GiveUp())
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(attempt, "left")]
    assert isinstance(walk.view, HomeView)
    walk.on(events.NumberGiven(attempt, TICKET))
    assert isinstance(walk.view, HomeView), "an answer that nobody waits for shows no ticket"
    assert walk.caused(effects.PrintSlip) == []


def test_a_request_that_nobody_gives_up_is_withdrawn_after_a_minute():
    walk = serving()
    attempt = awaiting(walk)
    walk.after(60)
    assert isinstance(walk.view, RefusedView)
    assert (walk.view.code, walk.view.may_retry) == ("no_answer", True)
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(attempt, "no_answer")]


def test_a_refusal_says_why_and_whether_to_try_again():
    walk = serving()
    walk.on(events.NumberRefused(awaiting(walk), "not_leading", (("hall", "h1"),), 3.0))
    assert isinstance(walk.view, RefusedView)
    assert (walk.view.code, walk.view.params, walk.view.may_retry) == ("not_leading", {"hall": "h1"}, False)
    assert walk.view.staff_code
    walk.on(intents.Retry())
    assert walk.caused(effects.RequestNumber) == []
    walk.after(3)
    assert walk.view.may_retry
    walk.on(intents.Retry())
    (again,) = walk.caused(effects.RequestNumber)
    assert again.service == "pension"


def test_a_final_refusal_cannot_be_retried():
    walk = serving()
    walk.on(events.NumberRefused(awaiting(walk), "numbers_exhausted"), intents.Retry())
    assert isinstance(walk.view, RefusedView)
    assert not walk.view.may_retry
    walk.on(intents.Back())
    assert isinstance(walk.view, CatalogueView)


def test_a_closed_service_is_refused_without_asking_the_hall():
    from kiosk.journeys.state import LiveService

    walk = serving().on(events.ServicesChanged((LiveService("pension", False, 0, reason="service_closed"),)))
    walk.on(intents.ChooseService("pension"))
    assert isinstance(walk.view, RefusedView)
    assert walk.view.code == "service_closed"
    assert walk.caused(effects.RequestNumber) == []


def test_help_pages_staff_once_and_says_when_nobody_answers():
    walk = serving().on(intents.TakeNumber(), intents.CallHelp(), intents.CallHelp())
    (page,) = walk.caused(effects.RequestHelp)
    assert page.screen == "catalogue"
    assert walk.view.frame.help is HelpState.PAGING
    walk.on(events.HelpAnswered(page.attempt, paged=True), intents.CallHelp())
    assert walk.view.frame.help is HelpState.PAGED
    assert walk.caused(effects.RequestHelp) == []

    walk = serving().on(intents.CallHelp())
    (page,) = walk.caused(effects.RequestHelp)
    walk.after(15)
    assert walk.view.frame.help is HelpState.FAILED
    assert walk.caused(effects.WithdrawRequest) == [effects.WithdrawRequest(page.attempt, "no_answer")]


PAGES = {
    "home": AtHome(),
    "catalogue": Choosing(),
    "card": LayingCard(None, AtHome()),
    "appointment": TypingAppointment(),
    "waiting": Awaiting(1, "pension", 0.0),
    "ticket": Holding(TICKET, 1, 0.0),
    "refused": Refused("numbers_exhausted", (), "pension", None),
}


@pytest.mark.parametrize("screen", PAGES)
def test_help_can_be_called_from_every_page_of_a_citizen(screen):
    walk = serving()
    walk.state = replace(walk.state, page=PAGES[screen])
    walk.on(intents.CallHelp())
    (page,) = walk.caused(effects.RequestHelp)
    assert page.screen == screen


def test_no_page_but_the_technicians_is_left_out_of_the_pages_above():
    assert set(get_args(Page)) == {*map(type, PAGES.values()), TypingCode, Servicing, Settling}


def test_switches_hold_until_the_session_ends():
    walk = serving().on(intents.SetLanguage("en"), intents.SetLargeType(True), intents.SetHighContrast(True))
    walk.on(intents.SetVoice(True), intents.SetLanguage("fr"))
    frame = walk.view.frame
    assert (frame.language, frame.large_type, frame.high_contrast) == ("en", True, True)
    assert not frame.voice_on, "there is nothing to hear on this terminal"
    assert frame.hall_name == "Sample Service Centre"
    walk.on(intents.TakeNumber(), intents.Home())
    assert walk.view.frame.language == "en", "going home does not change the language of a person who is still there"
    walk.after(65)
    frame = walk.view.frame
    assert (frame.language, frame.large_type, frame.high_contrast) == ("zh", False, False)


def test_the_reader_is_asked_only_where_a_card_may_be_laid():
    walk = serving()
    assert walk.caused(effects.StartCardRead) == [effects.StartCardRead(walk.state.session)]
    walk.on(intents.ChooseService("pension"), card_read(walk))
    assert walk.caused(effects.StopCardRead)
    assert walk.caused(effects.StartCardRead) == []


def test_a_card_of_an_ended_session_is_dropped():
    walk = serving()
    old = card_read(walk)
    walk.on(intents.TakeNumber(), intents.Home(), old)
    assert walk.state.person is None
    assert isinstance(walk.view, HomeView)


def test_trouble_with_the_card_says_what_to_do():
    walk = serving().on(intents.ChooseService("pension"))
    session = walk.state.session
    walk.on(events.CardProgress(session, CardState.READING))
    assert walk.view.state is CardState.READING
    walk.on(events.CardProgress(session, CardState.LIFT_AND_LAY_AGAIN))
    assert walk.view.state is CardState.LIFT_AND_LAY_AGAIN
    walk.on(events.CardProgress(session, CardState.NOT_THIS_CARD))
    assert walk.view.state is CardState.NOT_THIS_CARD
    walk.on(events.CardProgress(session, CardState.WAITING), events.DevicesChanged((), reader_ready=False))
    assert walk.view.state is CardState.READER_AWAY


@pytest.mark.parametrize(
    ("id_card", "social_card", "lays", "inserts"),
    [
        ("ok", None, True, False),
        ("ok", "ok", True, True),
        ("offline", "ok", False, True),
        ("ok", "offline", True, False),
    ],
)
def test_the_prompt_says_which_cards_can_be_used(id_card, social_card, lays, inserts):
    walk = serving()
    found = {"id_card_reader": id_card, "social_card_reader": social_card}
    lines = tuple(Peripheral(role, "", "", health, None, ()) for role, health in found.items() if health is not None)
    walk.on(events.DevicesChanged(lines, reader_ready=True))
    walk.on(events.CardProgress(walk.state.session, CardState.READING))
    assert isinstance(walk.view, CardView)
    assert (walk.view.lays, walk.view.inserts) == (lays, inserts)


def test_a_reading_that_never_ends_asks_for_another_try():
    walk = serving()
    walk.on(events.CardProgress(walk.state.session, CardState.READING)).after(20)
    assert isinstance(walk.view, CardView)
    assert walk.view.state is CardState.LIFT_AND_LAY_AGAIN


def test_a_terminal_without_any_answer_is_out_of_service_and_says_so():
    walk = Walk()
    assert isinstance(walk.view, OutOfServiceView)
    assert walk.view.code == "starting"
