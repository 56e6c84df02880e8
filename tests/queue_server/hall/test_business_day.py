"""The business day: when it ends, how it closes, and what lives on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall import (
    Actor,
    CallNext,
    CloseDay,
    Complete,
    DayClosed,
    DayOpened,
    OpenDay,
    StartService,
    StepState,
    TicketIssued,
    refusals,
)
from queue_server.hall.store import DAYS_KEPT
from tests.queue_server.hall.scene import MANAGER, Scene, sample

ZONES = ("Asia/Shanghai", "America/Los_Angeles", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "UTC")
ENDS = ("00:00", "01:30", "02:00", "04:00", "11:59", "12:00", "17:30", "23:30")
DAY = date(2026, 3, 2)


def closing(day: date) -> CloseDay:
    return CloseDay(by=MANAGER, business_date=day)


@pytest.mark.parametrize(
    ("end", "local", "business_date"),
    [
        ("00:00", "2026-03-02T23:59:59", "2026-03-02"),
        ("00:00", "2026-03-03T00:00:00", "2026-03-03"),
        ("04:00", "2026-03-03T03:59:59", "2026-03-02"),
        ("04:00", "2026-03-03T04:00:00", "2026-03-03"),
        ("12:00", "2026-03-02T11:59:59", "2026-03-02"),
        ("12:00", "2026-03-02T12:00:00", "2026-03-03"),
        ("17:30", "2026-03-02T17:29:59", "2026-03-02"),
        ("17:30", "2026-03-02T17:30:00", "2026-03-03"),
    ],
)
def test_a_day_ends_at_the_halls_own_time(end: str, local: str, business_date: str):
    hall = sample(day_ends_at=end)
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert str(hall.business_date(now)) == business_date


@given(
    st.sampled_from(ZONES),
    st.sampled_from(ENDS),
    st.timedeltas(timedelta(0), timedelta(days=16 * 365)).map(
        lambda passed: datetime(2011, 12, 25, tzinfo=UTC) + passed
    ),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_the_business_date_never_goes_back_while_time_goes_on(zone: str, end: str, now: datetime, passed: timedelta):
    hall = sample(time_zone=zone, day_ends_at=end)
    before, after = hall.business_date(now), hall.business_date(now + passed)
    assert before <= after <= before + passed + timedelta(days=2)
    assert hall.day_ends(before - timedelta(days=1)) <= now < hall.day_ends(before)


@pytest.mark.parametrize(
    ("zone", "change"), [("America/Los_Angeles", date(2026, 3, 8)), ("Europe/Berlin", date(2026, 10, 25))]
)
def test_on_clock_change_days_each_date_comes_once(zone: str, change: date):
    hall = sample(time_zone=zone, day_ends_at="02:00")
    start = datetime.combine(change - timedelta(days=1), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    dates = [hall.business_date(start + timedelta(minutes=minutes)) for minutes in range(0, 72 * 60, 5)]
    assert dates == sorted(dates)
    assert {change - timedelta(days=1), change, change + timedelta(days=1)} <= set(dates)


def test_q13_the_series_goes_on_until_the_halls_day_end_and_never_splits_at_utc_midnight():
    zone = ZoneInfo("Etc/GMT+8")  # UTC-8 all the year
    scene = Scene(sample(time_zone="Etc/GMT+8", day_ends_at="00:00"), datetime(2026, 3, 2, 15, 30, tzinfo=zone))
    numbers = []
    while scene.now < datetime(2026, 3, 3, 1, 0, tzinfo=zone):
        ticket = scene.issue("invoice")
        numbers.append((ticket.number, str(ticket.business_date)))
        scene.later(minutes=30)
    assert numbers[:17] == [(f"L{n:03d}", "2026-03-02") for n in range(1, 18)]
    assert numbers[17:] == [("L001", "2026-03-03"), ("L002", "2026-03-03")]


def test_the_first_number_of_a_new_day_closes_the_day_before_by_events():
    scene = Scene()
    left = scene.issue()
    scene.later(days=1)
    assert scene.hall.day_due(scene.now) == DAY
    assert scene.ticket(left).state is StepState.WAITING
    events = scene.do(scene.issuing())
    assert [event.kind for event in events] == ["ticket_expired", "day_closed", "day_opened", "ticket_issued"]
    assert {event.by for event in events[:3]} == {Actor("system", "calendar")}
    assert isinstance(events[-1], TicketIssued)
    assert (events[-1].number, events[-1].business_date) == ("H001", DAY + timedelta(days=1))
    assert scene.ticket(left).state is StepState.EXPIRED
    assert scene.hall.day_due(scene.now) is None


def test_a_refused_command_of_a_new_day_closes_nothing():
    scene = Scene()
    scene.issue()
    scene.later(days=1)
    assert scene.refused(scene.issuing("no-such")).code == "service_unknown"
    assert scene.hall.open_day == DAY


def test_calling_goes_on_over_the_day_end_until_the_day_is_closed():
    scene = Scene()
    scene.issue()
    session = scene.open()
    scene.later(days=1)
    assert scene.call_next(session).business_date == DAY


def test_closing_expires_what_waits_and_leaves_service_to_its_clerk(scene: Scene):
    for service in ("id-card", "id-card", "social-card"):
        scene.issue(service)
    serving, called = scene.open("counter-4", "clerk-1"), scene.open("counter-2", "clerk-2")
    idle = scene.open("counter-5", "clerk-3")
    served = scene.call_next(serving)
    scene.do(scene.at(StartService, serving))
    missed = scene.call_next(called)
    (*_, closed) = scene.do(closing(DAY))
    assert isinstance(closed, DayClosed)
    assert closed.last_serials == {"A": 1, "H": 2}
    assert scene.ticket(served).state is StepState.SERVING
    assert scene.ticket(missed).state is StepState.EXPIRED
    assert [session.id for session in scene.hall.sessions()] == [serving.id]
    assert scene.hall.session(idle.id) is None
    assert [call.number for call in scene.hall.last_calls("east", 9)] == ["H001"]
    scene.later(days=1)
    scene.do(scene.at(Complete, serving))
    assert scene.ticket(served).business_date == DAY


def test_a_hall_open_round_the_clock_keeps_its_counters():
    scene = Scene(sample(rules=replace(sample().rules, day_end_closes_counters=False)))
    scene.issue()
    session = scene.open()
    scene.call_next(session)
    scene.do(closing(DAY))
    assert scene.session(session).ticket is None
    assert scene.session(session).closed_at is None
    scene.later(days=1)
    scene.issue()
    assert scene.call_next(session).number == "H001"


def test_a_number_that_still_lives_is_passed_over_on_the_next_day(scene: Scene):
    scene.issue()
    session = scene.open()
    old = scene.call_next(session)
    scene.do(scene.at(StartService, session))
    scene.later(days=1)
    event = scene.do(scene.issuing())[-1]
    assert isinstance(event, TicketIssued)
    assert (event.number, event.skipped) == ("H002", (1,))
    scene.do(scene.at(Complete, session))
    assert scene.ticket(old).state is StepState.COMPLETED
    assert scene.issue().number == "H003"


def test_a_closed_day_gives_no_numbers_and_opens_no_counter_until_it_is_opened_again(scene: Scene):
    scene.issue()
    assert scene.do(closing(DAY))[-1].why.code == "closed_by_staff"
    assert scene.refused(scene.issuing()) == refusals.DayAlreadyClosed(business_date=str(DAY))
    assert scene.refused(scene.opening("counter-1", "clerk-1")).code == "day_already_closed"
    assert scene.refused(closing(DAY)).code == "day_already_closed"
    state = scene.hall.service_state("id-card", scene.now)
    assert state is not None
    assert state.reason == "day_already_closed"
    (opened,) = scene.do(OpenDay(by=MANAGER, business_date=DAY))
    assert isinstance(opened, DayOpened)
    assert scene.issue().number == "H002"
    assert scene.do(OpenDay(by=MANAGER, business_date=DAY)) == ()


def test_a_day_is_opened_by_hand_only_while_it_lasts(scene: Scene):
    tomorrow = DAY + timedelta(days=1)
    command = OpenDay(by=MANAGER, business_date=tomorrow)
    assert scene.refused(command) == refusals.NotThisDay(business_date=str(tomorrow), today=str(DAY))
    scene.issue()
    assert scene.refused(command) == refusals.DayStillOpen(business_date=str(DAY))
    assert scene.refused(closing(tomorrow)) == refusals.DayNotOpen(business_date=str(tomorrow))


def test_a_due_day_is_closed_for_that_reason(scene: Scene):
    scene.issue()
    scene.later(hours=20)
    due = scene.hall.day_due(scene.now)
    assert due == DAY
    assert scene.do(closing(due))[-1].why.code == "day_ended"


def test_a_clock_set_back_goes_on_in_the_open_day(scene: Scene):
    scene.issue()
    scene.later(days=-400)
    assert scene.hall.business_date(scene.now) == DAY
    ticket = scene.issue()
    assert (ticket.number, ticket.business_date) == ("H002", DAY)


def test_after_a_clock_that_ran_ahead_the_right_day_opens_again_without_a_repeated_number(scene: Scene):
    scene.issue()
    scene.later(days=500)
    ahead = scene.issue()
    scene.later(days=-500, hours=1)
    assert scene.issue().business_date == ahead.business_date
    scene.do(closing(ahead.business_date))
    assert scene.refused(scene.issuing()).code == "day_already_closed"
    scene.do(OpenDay(by=MANAGER, business_date=DAY))
    ticket = scene.issue()
    assert ticket.number == "H002"
    assert ticket.step.order_key == scene.now.timestamp() * 1_000_000
    scene.later(days=1)
    assert scene.issue().business_date == DAY + timedelta(days=1)


def test_numbering_does_not_depend_on_idle_time(scene: Scene):
    scene.issue()
    scene.later(days=20)
    scene.issue()
    scene.later(minutes=1)
    assert scene.issue().number == "H002"


def test_a_day_too_old_to_know_its_numbers_is_not_opened_again(scene: Scene):
    for _ in range(DAYS_KEPT + 1):
        scene.issue()
        scene.later(days=1)
    scene.do(closing(scene.hall.open_day or DAY))
    scene.later(days=-DAYS_KEPT - 1)
    assert scene.refused(scene.issuing()).code == "day_already_closed"
    assert scene.refused(OpenDay(by=MANAGER, business_date=DAY)).code == "day_already_closed"


def test_tickets_can_be_looked_up_until_the_next_day_closes(scene: Scene):
    ticket = scene.issue()
    scene.do(closing(DAY))
    assert scene.hall.ticket_by_token(ticket.follow_token) is not None
    scene.later(days=1)
    scene.issue()
    assert scene.hall.ticket_by_token(ticket.follow_token) is not None
    scene.do(closing(DAY + timedelta(days=1)))
    assert scene.hall.ticket_by_token(ticket.follow_token) is None
    assert scene.hall.ticket(ticket.id) is None
    assert scene.hall.visit(ticket.visit) is None


def test_yesterdays_forgotten_counter_is_free_in_the_morning(scene: Scene):
    scene.open("counter-1", "clerk-1")
    scene.later(days=1)
    assert scene.refused(scene.opening("counter-99", "clerk-2")).code == "counter_unknown"
    scene.open("counter-1", "clerk-2")
    assert [session.clerk for session in scene.hall.sessions()] == ["clerk-2"]


def test_a_call_after_closing_finds_no_session(scene: Scene):
    session = scene.open()
    scene.do(closing(DAY))
    command = CallNext(by=MANAGER, session=session.id, seen=1, call="c")
    assert scene.refused(command) == refusals.SessionUnknown(session=session.id)


def test_a_ticket_that_was_carried_over_can_be_looked_up_after_its_end_and_is_forgotten_then():
    rules = replace(sample().rules, day_end_tickets="carry_over", carry_over_days=1)
    scene = Scene(sample(rules=rules))
    ticket = scene.issue()
    for _ in range(2):
        scene.later(days=1)
        scene.issue("household-move")
    assert scene.ticket(ticket).state == "expired"
    for _ in range(2):
        scene.later(days=1)
        scene.issue("household-move")
    assert scene.hall.ticket(ticket.id) is None
