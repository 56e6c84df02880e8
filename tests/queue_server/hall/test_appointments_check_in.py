"""Check-in: the window with its early and late rules, the place of the ticket, and what a missed one costs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queue_server.hall import (
    Actor,
    Appointment,
    AppointmentCancelled,
    AppointmentCheckedIn,
    AppointmentMissed,
    AppointmentRules,
    AppointmentState,
    CheckIn,
    CloseDay,
    Complete,
    LiftBlock,
    RecordMissed,
    Refusal,
    StartService,
    TellNear,
    Ticket,
    TurnNear,
    Withdraw,
    check_in_window,
    missed_due,
    near_due,
    refusals,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, sample
from tests.queue_server.hall.test_appointments import PLAN, TEN, Desk, hall_with, person

CALENDAR = Actor("system", "calendar")
RULES = AppointmentRules(early_minutes=30, late_minutes=15, grace_minutes=10)


class Door(Desk):
    """A scene with a terminal at which people check in."""

    def checking_in(self, appointment: Appointment | None = None, **fields: Any) -> CheckIn:
        ids = {name: self.id(name) for name in ("visit", "ticket", "step", "follow_token")}
        code = {"code": appointment.code} if appointment else {}
        return CheckIn(**{"by": KIOSK, "device": "kiosk-1", **ids, **code, **fields})

    def check_in(self, appointment: Appointment, **fields: Any) -> Ticket:
        events = self.do(self.checking_in(appointment, **fields))
        assert isinstance(events[-1], AppointmentCheckedIn)
        return self.ticket(events[-1].ticket)

    def record_missed(self) -> tuple[Any, ...]:
        return self.do(RecordMissed(by=CALENDAR))


@pytest.fixture
def door() -> Door:
    return Door(hall_with(rules=RULES))


def at(minutes: float) -> datetime:
    """So many minutes after ten."""
    return TEN + timedelta(minutes=minutes)


def test_appointment_client_and_person_stay_linked_on_the_ticket(door: Door):
    mine = door.book(1, client="u-1")
    door.now = at(0)
    ticket = door.check_in(mine)
    assert (ticket.appointment, ticket.client, ticket.person, ticket.device) == (mine.id, "u-1", person(1), "kiosk-1")
    kept = door.appointment(mine)
    assert (kept.state, kept.ticket) == (AppointmentState.CHECKED_IN, ticket.id)
    assert ticket.number.startswith("H")


@pytest.mark.parametrize(
    ("comes", "accrues_from", "deferred", "waits_from"),
    [
        (-30, -10, True, 0),
        (-11, -10, True, 0),
        (-10, -10, False, 0),
        (-5, -5, False, 0),
        (0, 0, False, 0),
        (15, 15, False, 15),
        (16, 16, False, 16),
        (400, 400, False, 400),
    ],
)
def test_a_ticket_accrues_from_its_check_in_but_not_before_the_grace_and_waits_from_the_booked_time(
    door: Door, comes: float, accrues_from: float, deferred: bool, waits_from: float
):
    mine = door.book(1)
    door.now = at(comes)
    ticket = door.check_in(mine)
    assert ticket.step.order_key == at(accrues_from).timestamp() * 1_000_000
    assert (ticket.step.deferred, ticket.waits_from, ticket.arrived_at) == (deferred, at(waits_from), at(comes))


def test_who_comes_early_is_not_called_before_the_grace_and_keeps_nobody_back(door: Door):
    mine, session = door.book(1), door.open("counter-4")
    door.now = at(-30)
    early = door.check_in(mine)
    walk_in = door.issue("id-card")
    assert door.hall.waiting("household", door.now)[0].id == walk_in.id
    assert door.call_next(session).id == walk_in.id
    door.do(door.at(StartService, session))
    door.do(door.at(Complete, session))
    assert door.hall.next_for(door.session(session), door.now) is None
    door.now = at(-10)
    assert door.call_next(session).id == early.id


def test_check_in_opens_when_the_rule_says_and_tells_when_that_is(door: Door):
    mine = door.book(1)
    door.now = at(-30) - timedelta(seconds=1)
    early = door.refused(door.checking_in(mine))
    assert early == refusals.CheckInTooEarly(
        starts_at="2026-03-02T10:00+08:00", opens_at="2026-03-02T09:30+08:00", retry_after=1.0
    )
    assert door.appointment(mine).open
    door.now = at(-30)
    door.check_in(mine)


def test_who_is_late_joins_as_a_walk_in_without_the_class_of_appointments():
    door = Door(hall_with(rules=replace(RULES, priority_class="elderly"), priority_classes=_plain_classes()))
    on_time, late = door.book(1), door.book(2)
    door.now = at(15)
    assert door.check_in(on_time).priority_class == "elderly"
    door.now = at(15) + timedelta(seconds=1)
    ticket = door.check_in(late)
    assert (ticket.priority_class, ticket.step.order_key) == ("ordinary", door.now.timestamp() * 1_000_000)
    event = door.history[-1]
    assert isinstance(event, AppointmentCheckedIn)
    assert event.late


def _plain_classes() -> tuple[Any, ...]:
    """Classes that need no evidence and that anybody grants."""
    return tuple(replace(c, evidence=(), granted_by=()) for c in sample().priority_classes)


def test_where_the_hall_refuses_who_is_late_the_place_is_missed_and_numbers_are_given_as_ever():
    door = Door(hall_with(rules=replace(RULES, late="refuse")))
    mine = door.book(1)
    door.now = at(15)
    refused = door.refused(door.checking_in(mine))
    assert refused == refusals.CheckInTooLate(starts_at="2026-03-02T10:00+08:00")
    assert door.issue("id-card", person=person(1))


def test_the_days_difference_counts_and_not_the_time_of_day(door: Door):
    tomorrow = door.book(1, TEN + timedelta(days=1))
    door.now = at(5)
    assert isinstance(door.refused(door.checking_in(tomorrow)), refusals.CheckInTooEarly)
    door.now = at(5) + timedelta(days=2)
    assert isinstance(door.refused(door.checking_in(tomorrow)), refusals.CheckInTooLate)


def test_a_person_is_found_without_a_code_and_the_appointment_of_now_comes_first(door: Door):
    door.book(1, at(60), service="residence-permit")
    now = door.book(1)
    door.now = at(0)
    events = door.do(door.checking_in(person=person(1)))
    assert isinstance(events[-1], AppointmentCheckedIn)
    assert events[-1].appointment == now.id
    assert isinstance(door.refused(door.checking_in(person=person(1))), Refusal)
    for nobody in (person(2), "", "no person"):
        assert door.refused(door.checking_in(person=nobody)) == refusals.AppointmentUnknown()


def test_a_code_that_is_none_finds_nothing_and_a_used_one_gives_no_second_number(door: Door):
    mine = door.book(1)
    door.now = at(0)
    for code in ("", "NOSUCHCODE", "' OR 1=1 --", mine.id):
        assert door.refused(door.checking_in(code=code)) == refusals.AppointmentUnknown()
    door.check_in(mine)
    assert door.refused(door.checking_in(mine)) == refusals.AppointmentNotOpen(state="checked_in")


def test_check_in_is_refused_beside_a_live_number_for_the_same_service(door: Door):
    mine = door.book(1)
    door.now = at(0)
    walk_in = door.issue("id-card", person=person(1))
    assert door.refused(door.checking_in(mine)) == refusals.AlreadyHolding(number=walk_in.number, service="id-card")
    assert door.appointment(mine).open


def test_a_check_in_whose_answer_was_lost_can_be_made_again_and_is_never_missed(door: Door):
    mine = door.book(1)
    door.now = at(0)
    ticket = door.check_in(mine)
    door.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert door.appointment(mine).open
    again = door.check_in(mine)
    assert again.number != ticket.number
    door.do(Withdraw(by=KIOSK, ticket=again.id))
    door.now = at(0) + timedelta(days=1)
    (event,) = door.record_missed()
    assert isinstance(event, AppointmentCancelled)
    assert door.hall.store.missed == {}


def test_who_leaves_after_booking_another_for_the_service_keeps_the_later_one_and_frees_the_earlier(door: Door):
    mine = door.book(1)
    door.now = at(0)
    ticket = door.check_in(mine)
    other_service = door.book(1, at(60), service="residence-permit")
    later = door.book(1, TEN + timedelta(days=1))
    events = door.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert [event.kind for event in events] == ["ticket_cancelled", "appointment_cancelled"]
    assert [one.id for one in door.hall.open_appointments(person(1))] == [other_service.id, later.id]
    assert door.refused(door.checking_in(mine)) == refusals.AppointmentNotOpen(state="cancelled")
    door.now = at(0) + timedelta(hours=20)
    assert [event.appointment for event in door.record_missed()] == [other_service.id]


def test_check_in_opens_the_day_as_a_number_does(door: Door):
    mine = door.book(1)
    assert door.hall.open_day is None
    door.now = at(0)
    events = door.do(door.checking_in(mine))
    assert [event.kind for event in events] == ["day_opened", "ticket_issued", "appointment_checked_in"]


def test_who_never_comes_is_recorded_once_when_the_day_is_over(door: Door):
    mine, other = door.book(1), door.book(2)
    door.now = at(0)
    door.check_in(other)
    ends = door.hall.configuration.day_ends(door.hall.configuration.business_date(TEN))
    door.now = ends - timedelta(seconds=1)
    assert not missed_due(door.hall, door.now)
    assert door.record_missed() == ()
    door.now = ends
    assert missed_due(door.hall, door.now)
    (event,) = door.record_missed()
    assert isinstance(event, AppointmentMissed)
    assert (event.appointment, event.blocked_until) == (mine.id, None)
    assert (door.record_missed(), missed_due(door.hall, door.now)) == ((), False)
    assert door.refused(door.checking_in(mine)) == refusals.AppointmentNotOpen(state="missed")


def missed_on(door: Door, who: int, days: int) -> Any:
    """Books for ten o'clock, so many days on, and does not come."""
    door.now = MORNING + timedelta(days=days)
    door.book(who, TEN + timedelta(days=days))
    door.now = TEN + timedelta(days=days, hours=20)
    return door.record_missed()[-1]


def test_after_so_many_missed_ones_nothing_can_be_booked_for_a_while_but_numbers_are_given():
    door = Door(hall_with(rules=replace(RULES, missed_limit=3, missed_days=90, block_days=30)))
    assert [missed_on(door, 1, day).blocked_until for day in (0, 1)] == [None, None]
    blocked_until = missed_on(door, 1, 2).blocked_until
    assert blocked_until == door.now + timedelta(days=30)
    door.now = blocked_until - timedelta(hours=30)
    start = _next_ten(door.now)
    refused = door.refused(door.booking(1, start))
    assert isinstance(refused, refusals.BookingBlocked)
    assert refused.retry_after == 30 * 3600
    assert door.issue("id-card", person=person(1))
    door.book(2, start)
    door.now = blocked_until
    door.book(1, _next_ten(door.now))


def _next_ten(now: datetime) -> datetime:
    """Ten o'clock of the next working day but one."""
    day = now.astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=10, minute=0, second=0, microsecond=0)
    day += timedelta(days=2)
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return day.astimezone(UTC)


def test_old_missed_ones_are_forgotten():
    door = Door(hall_with(rules=replace(RULES, missed_limit=2, missed_days=5)))
    assert missed_on(door, 1, 0).blocked_until is None
    assert missed_on(door, 1, 7).blocked_until is None
    assert missed_on(door, 1, 8).blocked_until is not None


def test_staff_lift_a_block_and_the_record_is_clean():
    door = Door(hall_with(rules=replace(RULES, missed_limit=1)))
    missed_on(door, 1, 0)
    door.now = MORNING + timedelta(days=1)
    assert isinstance(door.refused(door.booking(1, TEN + timedelta(days=1))), refusals.BookingBlocked)
    door.do(LiftBlock(by=MANAGER, person=person(1)))
    assert door.refused(LiftBlock(by=MANAGER, person=person(1))) == refusals.NotBlocked()
    door.book(1, TEN + timedelta(days=1))
    assert door.hall.store.missed == {}


def test_a_block_outlasts_a_day_that_is_closed_before_it_ends():
    door = Door(hall_with(rules=replace(RULES, missed_limit=1, block_days=1)))
    blocked_until = missed_on(door, 1, 0).blocked_until
    door.now = blocked_until - timedelta(hours=2)
    door.issue("id-card")
    business_date = door.hall.open_day
    assert business_date is not None
    assert door.hall.configuration.day_ends(business_date) > blocked_until
    door.do(CloseDay(by=CALENDAR, business_date=business_date))
    assert isinstance(door.refused(door.booking(1, _next_ten(door.now))), refusals.BookingBlocked)


def test_the_close_of_a_day_forgets_what_is_over_and_keeps_what_is_to_come(door: Door):
    past, to_come = door.book(1), door.book(1, at(60) + timedelta(days=3), service="residence-permit")
    for day in (0, 1):
        door.now = at(0) + timedelta(days=day)
        door.issue("id-card")
        door.now += timedelta(hours=20)
        door.record_missed()
        door.do(CloseDay(by=CALENDAR, business_date=door.hall.open_day or door.now.date()))
    assert door.hall.appointment(past.id) is None
    assert door.hall.appointment_by_code(past.code) is None
    assert door.appointment(to_come).open


def test_the_channel_is_told_once_that_a_turn_is_near():
    door = Door(hall_with(rules=replace(RULES, tell_ahead=1)))
    mine, session = door.book(1), door.open("counter-4")
    door.now = at(0)
    for _ in range(2):
        door.issue("id-card")
    ticket = door.check_in(mine)
    assert not near_due(door.hall, door.now)
    door.call_next(session)
    assert near_due(door.hall, door.now)
    (event,) = door.do(TellNear(by=CALENDAR))
    assert isinstance(event, TurnNear)
    assert (event.ticket, event.ahead) == (ticket.id, 1)
    assert (door.do(TellNear(by=CALENDAR)), near_due(door.hall, door.now)) == ((), False)


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_q15_on_both_days_of_a_clock_change_window_and_wait_are_counted_in_real_time(day: datetime):
    berlin = ZoneInfo("Europe/Berlin")
    nine = day.replace(hour=9, tzinfo=berlin).astimezone(UTC)
    plan = replace(PLAN, weekdays=(7,), begins="03:00", ends="12:00")
    before = (day - timedelta(days=1)).replace(hour=12)
    door = Door(hall_with(plan, rules=replace(RULES, early_minutes=480), time_zone="Europe/Berlin"), now=before)
    mine = door.book(1, nine)
    window = check_in_window(door.hall.configuration, door.appointment(mine))
    assert window.opens_at == nine - timedelta(hours=8)
    door.now = nine - timedelta(hours=8)
    ticket = door.check_in(mine)
    assert ticket.waits_from == nine
    assert ticket.waits_from.astimezone(berlin).strftime("%H:%M") == "09:00"
    assert ticket.step.order_key == (nine - timedelta(minutes=10)).timestamp() * 1_000_000
