"""Booking, changing and cancelling appointments: slots, quotas, and who gets the last place."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queue_server.hall import (
    Actor,
    Appointment,
    AppointmentBooked,
    AppointmentRules,
    AppointmentState,
    Book,
    CancelAppointment,
    ChangeAppointment,
    ChannelQuota,
    Configure,
    HallConfiguration,
    SlotPlan,
    free_slots,
    other_slots,
    refusals,
    slots_on,
)
from queue_server.hall.opening import Calendar, SpecialDay
from tests.queue_server.hall.scene import MANAGER, MORNING, Scene, sample

APP = Actor("channel", "app")
SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)
MONDAYS_TO_FRIDAYS = (1, 2, 3, 4, 5)
PLAN = SlotPlan(
    id="mornings",
    services=("id-card", "residence-permit"),
    weekdays=MONDAYS_TO_FRIDAYS,
    begins="09:00",
    ends="12:00",
    minutes=30,
    places=10,
    walk_in_percent=30,
    channels=(ChannelQuota(channel="hotline", places=2),),
)


def hall_with(plan: SlotPlan = PLAN, *, rules: AppointmentRules | None = None, **changes: Any) -> HallConfiguration:
    return sample(slot_plans=(plan,), appointments=rules or AppointmentRules(), **changes)


def person(n: int) -> str:
    return f"{n:064x}"


class Desk(Scene):
    """A scene with people who book."""

    def booking(self, who: int, starts_at: datetime = TEN, **fields: Any) -> Book:
        id_ = self.id("appointment")
        return Book(
            **{
                "by": APP,
                "appointment": id_,
                "code": f"CODE-{id_}",
                "person": person(who),
                "channel": "app",
                "service": "id-card",
                "starts_at": starts_at,
                **fields,
            }
        )

    def book(self, who: int, starts_at: datetime = TEN, **fields: Any) -> Appointment:
        (event,) = self.do(self.booking(who, starts_at, **fields))
        assert isinstance(event, AppointmentBooked)
        return self.appointment(event.appointment)

    def appointment(self, appointment: Appointment | str) -> Appointment:
        found = self.hall.appointment(appointment if isinstance(appointment, str) else appointment.id)
        assert found is not None
        return found

    def changing(self, appointment: Appointment, starts_at: datetime, **fields: Any) -> ChangeAppointment:
        seen = self.appointment(appointment).version
        return ChangeAppointment(
            **{"by": APP, "appointment": appointment.id, "seen": seen, "starts_at": starts_at, **fields}
        )

    def cancelling(self, appointment: Appointment, **fields: Any) -> CancelAppointment:  # type: ignore[override]  # an appointment, not a ticket
        seen = self.appointment(appointment).version
        return CancelAppointment(**{"by": APP, "appointment": appointment.id, "seen": seen, **fields})

    def left(self, starts_at: datetime = TEN, channel: str = "app") -> int:
        day = starts_at.astimezone(SHANGHAI).date()
        slots = free_slots(self.hall, "id-card", day, channel, self.now)
        return next(slot.left for slot in slots if slot.starts_at == starts_at)


@pytest.fixture
def desk() -> Desk:
    return Desk(hall_with())


def test_a_place_is_booked_and_counted(desk: Desk):
    booked = desk.book(1, client="u-1")
    assert (booked.state, booked.starts_at, booked.ends_at) == (
        AppointmentState.BOOKED,
        TEN,
        TEN + timedelta(minutes=30),
    )
    assert (booked.person, booked.channel, booked.client) == (person(1), "app", "u-1")
    assert desk.left() == 6


def test_q27_the_last_place_goes_to_exactly_one_of_two_and_the_other_is_offered_near_slots(desk: Desk):
    for who in range(6):
        desk.book(who)
    first, second = desk.booking(6), desk.booking(7)
    assert len(desk.do(first)) == 1
    assert desk.refused(second) == refusals.SlotFull(starts_at="2026-03-02T10:00+08:00")
    assert desk.hall.appointment(second.appointment) is None
    assert desk.hall.open_appointments(person(7)) == []
    offered = other_slots(desk.hall, "id-card", TEN, "app", desk.now)
    assert [slot.starts_at - TEN for slot in offered] == [timedelta(minutes=m) for m in (-30, 30, 60)]
    assert len(desk.do(replace(second, starts_at=offered[1].starts_at))) == 1


def test_the_share_of_walk_ins_is_never_booked(desk: Desk):
    assert PLAN.bookable == 7
    for who in range(7):
        desk.book(who)
    for channel in ("app", "hotline", "new-channel"):
        assert isinstance(desk.refused(desk.booking(9, channel=channel)), refusals.SlotFull)
    assert replace(PLAN, places=1).bookable == 0
    assert replace(PLAN, places=3, walk_in_percent=0).bookable == 3


def test_a_channel_books_no_more_than_its_quota_and_leaves_the_rest_to_others(desk: Desk):
    for who in range(2):
        desk.book(who, channel="hotline")
    refused = desk.refused(desk.booking(3, channel="hotline"))
    assert refused == refusals.ChannelQuotaReached(channel="hotline", starts_at="2026-03-02T10:00+08:00")
    assert (desk.left(channel="hotline"), desk.left()) == (0, 5)
    desk.book(3)


def test_services_of_one_plan_share_its_places(desk: Desk):
    for who in range(7):
        desk.book(who, service=("id-card", "residence-permit")[who % 2])
    assert isinstance(desk.refused(desk.booking(8, service="residence-permit")), refusals.SlotFull)


def test_a_cancelled_place_is_free_at_once(desk: Desk):
    held = [desk.book(who) for who in range(7)]
    desk.do(desk.cancelling(held[0]))
    assert desk.appointment(held[0]).state is AppointmentState.CANCELLED
    desk.book(8)
    assert desk.refused(desk.cancelling(held[0])) == refusals.AppointmentNotOpen(state="cancelled")


def test_a_change_takes_the_new_place_and_frees_the_old_one_or_does_nothing(desk: Desk):
    half_past = TEN + timedelta(minutes=30)
    mine = desk.book(0)
    for who in range(1, 8):
        desk.book(who, half_past)
    assert isinstance(desk.refused(desk.changing(mine, half_past)), refusals.SlotFull)
    assert desk.appointment(mine).starts_at == TEN
    desk.do(desk.changing(mine, TEN - timedelta(minutes=30)))
    assert (desk.appointment(mine).starts_at, desk.left()) == (TEN - timedelta(minutes=30), 7)
    assert desk.do(desk.changing(mine, TEN - timedelta(minutes=30))) == ()


def test_a_change_that_comes_too_late_is_refused(desk: Desk):
    mine = desk.book(0)
    desk.now = TEN - timedelta(minutes=29)
    assert desk.refused(desk.changing(mine, TEN + timedelta(minutes=30))) == refusals.ChangeTooLate(minutes_before=30)


def test_cancelling_is_possible_until_the_slot_begins_and_for_staff_after_that(desk: Desk):
    mine = desk.book(0)
    desk.now = TEN - timedelta(seconds=1)
    assert desk.ask(desk.cancelling(desk.book(1, TEN + timedelta(hours=1))))
    desk.now = TEN
    assert isinstance(desk.refused(desk.cancelling(mine)), refusals.AppointmentBegun)
    desk.do(desk.cancelling(mine, by=MANAGER))


def test_a_double_click_is_refused_and_a_second_look_is_asked_for(desk: Desk):
    mine = desk.book(0)
    change = desk.changing(mine, TEN + timedelta(minutes=30))
    desk.do(change)
    assert desk.refused(replace(change, starts_at=TEN)) == refusals.StaleVersion(seen=1, now=2)


def test_a_channel_cannot_tell_anothers_appointment_from_none(desk: Desk):
    mine = desk.book(0)
    foreign = desk.refused(desk.cancelling(mine, of_channel="hotline"))
    unknown = desk.refused(replace(desk.cancelling(mine), appointment="no-such"))
    assert foreign == unknown == refusals.AppointmentUnknown()
    desk.do(desk.cancelling(mine, of_channel="app"))


def test_a_person_has_one_open_appointment_for_a_service_and_not_too_many():
    plan = replace(PLAN, services=("id-card", "residence-permit", "social-card"))
    desk = Desk(hall_with(plan, rules=AppointmentRules(per_person=2)))
    desk.book(0)
    again = desk.refused(desk.booking(0, TEN + timedelta(hours=1)))
    assert again == refusals.AlreadyBooked(service="id-card")
    desk.book(0, service="residence-permit")
    assert desk.refused(desk.booking(0, service="social-card")) == refusals.TooManyAppointments(limit=2)


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        (TEN + timedelta(minutes=1), "slot_unknown"),
        (TEN + timedelta(days=5), "slot_unknown"),  # a Saturday
        (MORNING, "slot_past"),
        (MORNING - timedelta(days=3), "slot_past"),
        (TEN + timedelta(days=8), "slot_too_far"),
    ],
)
def test_only_slots_of_the_plan_within_the_horizon_can_be_booked(desk: Desk, starts_at: datetime, code: str):
    assert desk.refused(desk.booking(0, starts_at)).code == code


def test_what_is_no_keyed_person_is_never_stored(desk: Desk):
    for number in ("11010519491231002X", "13800138000", "A" * 64, ""):
        assert desk.refused(desk.booking(0, person=number)) == refusals.PersonNotKeyed()
    assert desk.history[-1].kind == "hall_configured"


def test_an_id_or_a_code_that_is_in_use_is_refused(desk: Desk):
    mine = desk.book(0)
    assert isinstance(desk.refused(desk.booking(1, appointment=mine.id)), refusals.IdAlreadyUsed)
    assert isinstance(desk.refused(desk.booking(1, code=mine.code)), refusals.IdAlreadyUsed)


def test_there_are_no_slots_on_holidays_and_outside_hours():
    week = (("09:00-11:00",),) * 5 + ((), ())
    holiday = SpecialDay(date=date(2026, 3, 3), hours=())
    calendar = Calendar(id="office", week=week, special_days=(holiday,))
    configuration = hall_with(calendars=(calendar,), hours="office")
    by_day = [list(slots_on(configuration, "id-card", date(2026, 3, day))) for day in (2, 3, 4)]
    assert [len(slots) for slots in by_day] == [4, 0, 4]
    assert by_day[0][-1].ends_at == datetime(2026, 3, 2, 11, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 29), ["01:00", "01:30", "03:00", "03:30"]),  # Berlin: 02:00 does not exist
        (date(2026, 10, 25), ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]),  # 02:00 comes twice
    ],
)
def test_q15_slots_of_a_clock_change_keep_their_wall_time_and_their_length(day: date, expected: list[str]):
    berlin = ZoneInfo("Europe/Berlin")
    plan = replace(PLAN, weekdays=(1, 2, 3, 4, 5, 6, 7), begins="01:00", ends="04:00")
    slots = list(slots_on(hall_with(plan, time_zone="Europe/Berlin"), "id-card", day))
    assert [slot.starts_at.astimezone(berlin).strftime("%H:%M") for slot in slots] == expected
    assert {slot.ends_at - slot.starts_at for slot in slots} == {timedelta(minutes=30)}
    starts = [slot.starts_at for slot in slots]
    assert starts == sorted(set(starts))
    assert all(slot.starts_at.astimezone(berlin).date() == day for slot in slots)


def test_an_appointment_keeps_its_service_in_the_hall(desk: Desk):
    desk.book(0)
    now = desk.hall.configuration
    fewer = tuple(service for service in now.services if service.id != "id-card")
    plans = (replace(PLAN, services=("residence-permit",)),)
    new = replace(now, revision=now.revision + 1, services=fewer, slot_plans=plans)
    assert desk.refused(Configure(by=MANAGER, configuration=new)) == refusals.StillInUse(what="service", id="id-card")


def test_a_smaller_plan_takes_nothing_away_but_gives_nothing_more(desk: Desk):
    held = [desk.book(who) for who in range(6)]
    now = desk.hall.configuration
    fewer = replace(now, revision=now.revision + 1, slot_plans=(replace(PLAN, places=4),))
    desk.do(Configure(by=MANAGER, configuration=fewer))
    assert isinstance(desk.refused(desk.booking(9)), refusals.SlotFull)
    assert all(desk.appointment(appointment).open for appointment in held)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"services": ()}, "empty"),
        ({"services": ("no-such",)}, "service_unknown"),
        ({"weekdays": (0,)}, "weekday_out_of_range"),
        ({"weekdays": ()}, "weekday_out_of_range"),
        ({"places": 0}, "places_out_of_range"),
        ({"walk_in_percent": 101}, "percent_out_of_range"),
        ({"minutes": 0}, "slots_empty"),
        ({"begins": "12:00"}, "slots_empty"),
        ({"begins": "9:00"}, "not_a_wall_time"),
        ({"channels": (ChannelQuota(channel="App!", places=1),)}, "channel_quota_invalid"),
        ({"channels": (ChannelQuota(channel="app", places=-1),)}, "channel_quota_invalid"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused_with_its_place(desk: Desk, changes: dict[str, Any], code: str):
    new = replace(hall_with(replace(PLAN, **changes)), revision=1000)
    refused = desk.refused(Configure(by=MANAGER, configuration=new))
    assert isinstance(refused, refusals.ConfigurationInvalid)
    assert refused.problem == code
    assert refused.where.startswith("slot_plans[mornings]")


def test_two_plans_never_count_one_service_at_the_same_time(desk: Desk):
    other = replace(PLAN, id="other", begins="11:30", ends="13:00")
    for plans, accepted in (((PLAN, other), False), ((PLAN, replace(other, begins="12:00")), True)):
        new = replace(hall_with(), revision=1000, slot_plans=plans)
        outcome = desk.ask(Configure(by=MANAGER, configuration=new))
        assert isinstance(outcome, tuple) is accepted


@pytest.mark.parametrize(
    "changes", [{"days_ahead": -1}, {"per_person": 0}, {"missed_limit": 0}, {"priority_class": "no-such"}]
)
def test_rules_of_appointments_are_checked(desk: Desk, changes: dict[str, Any]):
    new = replace(hall_with(rules=AppointmentRules(**changes)), revision=1000)
    refused = desk.refused(Configure(by=MANAGER, configuration=new))
    assert isinstance(refused, refusals.ConfigurationInvalid)
    assert refused.where == f"appointments.{next(iter(changes))}"
