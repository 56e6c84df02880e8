"""Print jobs of which nobody knows: listed for the technician, settled with two taps, never twice."""

import pytest

from kiosk.journeys import effects, events, intents
from kiosk.journeys.state import UnsettledJob
from kiosk.journeys.views import HomeView, TechnicianView, UnsettledSlip, UnsettledView
from tests.kiosk.halls import NOW, Walk
from tests.kiosk.test_technician import inside

FIRST = UnsettledJob("ticket:1", "ticket_printer", "A036", NOW, "paper_out")
SECOND = UnsettledJob("ticket:2", "ticket_printer", "A037", None, "no_answer")


def looking(*jobs: UnsettledJob) -> Walk:
    walk = inside().on(intents.OpenUnsettled())
    walk.caused(effects.ListUnsettled)
    return walk.on(events.UnsettledJobs(jobs))


def view(walk: Walk) -> UnsettledView:
    assert isinstance(walk.view, UnsettledView)
    return walk.view


def test_the_technicians_screen_counts_them_from_the_start():
    walk = inside()
    assert walk.caused(effects.ListUnsettled)
    walk.on(events.UnsettledJobs((FIRST, SECOND)))
    assert isinstance(walk.view, TechnicianView)
    assert walk.view.unsettled == 2


def test_they_are_listed_with_number_the_halls_time_and_device_and_nothing_else():
    assert view(looking(FIRST, SECOND)).slips == (
        UnsettledSlip("ticket:1", "A036", "ticket_printer", "03-02 10:32", "paper_out"),
        UnsettledSlip("ticket:2", "A037", "ticket_printer", "", "no_answer"),
    )


def test_one_tap_asks_and_the_second_settles_once():
    walk = looking(FIRST, SECOND).on(intents.SettleJob("ticket:2", printed=True))
    assert view(walk).asked == ("ticket:2", True)
    assert walk.caused(effects.SettleJob) == []
    walk.on(intents.ConfirmSettling(), intents.ConfirmSettling(), intents.SettleJob("ticket:1", printed=True))
    assert walk.caused(effects.SettleJob) == [effects.SettleJob("ticket:2", printed=True)]
    assert view(walk).busy
    walk.on(events.UnsettledJobs((FIRST,)))
    assert not view(walk).busy
    assert [slip.job for slip in view(walk).slips] == ["ticket:1"]


def test_an_answer_can_be_taken_back_or_changed_before_it_is_confirmed():
    walk = looking(FIRST).on(intents.SettleJob("ticket:1", printed=True), intents.CancelSettling())
    walk.on(intents.ConfirmSettling())
    assert walk.caused(effects.SettleJob) == []
    walk.on(intents.SettleJob("ticket:1", printed=True), intents.SettleJob("ticket:1", printed=False))
    walk.on(intents.ConfirmSettling())
    assert walk.caused(effects.SettleJob) == [effects.SettleJob("ticket:1", printed=False)]


def test_a_job_that_a_late_proof_settled_meanwhile_is_not_asked_about_any_more():
    walk = looking(FIRST, SECOND).on(intents.SettleJob("ticket:1", printed=False), events.UnsettledJobs((SECOND,)))
    assert view(walk).asked is None
    walk.on(intents.ConfirmSettling(), intents.SettleJob("ticket:1", printed=False), intents.ConfirmSettling())
    assert walk.caused(effects.SettleJob) == []


def test_jobs_that_cannot_be_read_are_not_called_none():
    walk = looking().on(events.UnsettledJobs(None))
    assert view(walk).slips is None
    walk.on(intents.Back())
    assert isinstance(walk.view, TechnicianView)
    assert walk.view.unsettled is None


def test_back_leads_to_the_devices_and_home_ends_it():
    assert isinstance(looking(FIRST).on(intents.Back()).view, TechnicianView)
    assert isinstance(looking(FIRST).on(intents.Home()).view, HomeView)
    assert isinstance(looking(FIRST).after(65).view, HomeView)


@pytest.mark.parametrize("busy_with", [intents.TestDevice("ticket_printer"), intents.LeaveTechnician()])
def test_the_list_opens_from_the_technicians_screen_alone_and_not_while_a_test_runs(busy_with):
    walk = inside().on(busy_with, intents.OpenUnsettled())
    assert not isinstance(walk.view, UnsettledView)
