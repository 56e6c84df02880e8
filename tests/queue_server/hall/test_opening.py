"""Opening hours: what a calendar says at an instant, on the hall's wall clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall.opening import Calendar, SpecialDay, standing, stretches
from tests.queue_server.hall.scene import sample

WORKDAY = ("09:00-12:00", "13:30-17:00")
OFFICE = Calendar(
    id="office",
    week=(WORKDAY,) * 5 + ((), ()),
    special_days=(
        SpecialDay(date=date(2026, 10, 1)),
        SpecialDay(date=date(2026, 10, 2)),
        SpecialDay(date=date(2026, 10, 10), hours=("09:00-12:00",)),
    ),
)
ALWAYS = Calendar(id="always", week=(("00:00-24:00",),) * 7)
NIGHT = Calendar(id="night", week=(("22:00-02:00",),) * 7)


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local(instant: datetime | None, zone: str = "Asia/Shanghai") -> str:
    return "" if instant is None else f"{instant.astimezone(ZoneInfo(zone)):%m-%d %H:%M}"


def stands(calendar: Calendar, when: str, zone: str = "Asia/Shanghai"):
    hall = sample(calendars=(calendar,), hours=calendar.id, time_zone=zone)
    return standing(hall, hall.services[0], at(when, zone))


@pytest.mark.parametrize(
    ("when", "opens_at", "today"),
    [
        ("2026-09-30T08:59:59", "09-30 09:00", True),
        ("2026-09-30T12:00", "09-30 13:30", True),
        ("2026-09-30T17:00", "10-05 09:00", False),  # the holiday and the weekend in between
        ("2026-10-01T10:00", "10-05 09:00", False),
        ("2026-10-09T18:00", "10-10 09:00", False),  # a Saturday that is worked
    ],
)
def test_a_closed_hall_says_when_it_opens(when: str, opens_at: str, today: bool):
    found = stands(OFFICE, when)
    assert (found.open, local(found.opens_at), found.later_today) == (False, opens_at, today)


def test_an_open_hall_says_when_it_closes():
    assert local(stands(OFFICE, "2026-09-30T09:00").closes_at) == "09-30 12:00"
    assert local(stands(OFFICE, "2026-10-10T11:59").closes_at) == "10-10 12:00"


def test_a_hall_that_never_closes_has_no_closing_time():
    assert stands(ALWAYS, "2026-09-30T23:59").closes_at is None
    assert stands(ALWAYS, "2026-09-30T23:59").open


def test_hours_over_midnight_belong_to_the_evening_they_begin_on():
    assert local(stands(NIGHT, "2026-09-30T01:59").closes_at) == "09-30 02:00"
    assert not stands(NIGHT, "2026-09-30T02:00").open
    assert local(stands(NIGHT, "2026-09-30T22:00").closes_at) == "10-01 02:00"


def test_a_service_may_have_hours_of_its_own():
    hall = sample(calendars=(OFFICE, ALWAYS), hours="office")
    own = hall.services[0].__class__(**{**hall.services[0].__dict__, "hours": "always"})
    assert standing(hall, own, at("2026-10-01T03:00")).open
    assert not standing(hall, hall.services[1], at("2026-10-01T03:00")).open


def test_a_hall_without_a_calendar_is_open_at_any_hour():
    hall = sample()
    assert standing(hall, hall.services[0], at("2026-10-01T03:00")).open


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_on_clock_change_days_a_whole_day_is_as_long_as_it_really_is(day: str, hours: int):
    one = Calendar(
        id="one",
        week=((),) * 7,
        special_days=(SpecialDay(date=date.fromisoformat(day), hours=("00:00-24:00",)),),
    )
    (found,) = stretches(one, ZoneInfo("Europe/Berlin"), at(f"{day}T00:00", "Europe/Berlin"), 2)
    assert found.ends - found.begins == timedelta(hours=hours)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_q15_opening_keeps_its_wall_time_on_both_clock_change_days(day: str):
    morning = Calendar(id="m", week=(("09:00-17:00",),) * 7)
    found = stands(morning, f"{day}T00:30", "America/Los_Angeles")
    assert local(found.opens_at, "America/Los_Angeles").endswith("09:00")
    closes = stands(morning, f"{day}T12:00", "America/Los_Angeles").closes_at
    assert local(closes, "America/Los_Angeles").endswith("17:00")


@given(
    st.sampled_from([OFFICE, ALWAYS, NIGHT]),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]),
    st.integers(0, 330 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
)
def test_what_a_standing_promises_comes_true(calendar: Calendar, zone: str, now: datetime):
    hall = sample(calendars=(calendar,), hours=calendar.id, time_zone=zone)
    found = standing(hall, hall.services[0], now)
    moment = timedelta(microseconds=1)
    if found.open and found.closes_at is not None:
        assert standing(hall, hall.services[0], found.closes_at - moment).open
        assert not standing(hall, hall.services[0], found.closes_at).open
    elif not found.open and found.opens_at is not None:
        assert not standing(hall, hall.services[0], found.opens_at - moment).open
        assert standing(hall, hall.services[0], found.opens_at).open
