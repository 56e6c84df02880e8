"""Opening hours: weekly hours, holidays and working weekends as data, on the hall's wall clock.

Wall times become instants in the hall's time zone; one that a clock change repeats means the first of the two, one that
it leaps over means the same distance from midnight by the clock before the change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from queue_server.hall.texts import NO_TEXT, Text

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration, Service

_STRICT = ConfigDict(extra="forbid")
_HOURS = re.compile(r"(?P<begins>([01][0-9]|2[0-3]):[0-5][0-9])-(?P<ends>([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
DAYS_SEARCHED = 60
"""How far the next opening is looked for: longer than any holiday."""


@dataclass(frozen=True, kw_only=True)
class SpecialDay:
    """A date that does not keep the weekly hours: a holiday (`hours` empty), or a weekend day that is worked."""

    __pydantic_config__ = _STRICT

    date: date
    hours: tuple[str, ...] = ()
    name: Text = NO_TEXT


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When numbers are given: `week` holds the hours of Monday to Sunday, each day as `HH:MM-HH:MM`.

    Hours may end at `24:00`; hours that end before they begin end on the next day. Hours that touch are one stretch.
    """

    __pydantic_config__ = _STRICT

    id: str
    week: tuple[tuple[str, ...], ...]
    special_days: tuple[SpecialDay, ...] = ()

    @cached_property
    def _special(self) -> dict[date, tuple[str, ...]]:
        return {special.date: special.hours for special in self.special_days}

    def hours_of(self, day: date) -> tuple[str, ...]:
        return self._special.get(day, self.week[day.weekday()])


@dataclass(frozen=True, order=True)
class Stretch:
    """From `begins` on, and before `ends`; both UTC."""

    begins: datetime
    ends: datetime


def stretches(calendar: Calendar, zone: ZoneInfo, now: datetime, days: int) -> list[Stretch]:
    """The open stretches that end after `now`, for hours that begin up to `days` calendar days later, in order."""
    today = now.astimezone(zone).date()
    found: list[Stretch] = []
    for offset in range(-1, days + 1):
        day = today + timedelta(days=offset)
        for stretch in sorted(_stretch(hours, day, zone) for hours in calendar.hours_of(day)):
            if found and stretch.begins <= found[-1].ends:
                found[-1] = Stretch(found[-1].begins, max(found[-1].ends, stretch.ends))
            else:
                found.append(stretch)
    return [stretch for stretch in found if now < stretch.ends]


def _stretch(hours: str, day: date, zone: ZoneInfo) -> Stretch:
    begins, ends = hours.split("-")
    until = day + timedelta(days=1) if ends == "24:00" or ends <= begins else day
    return Stretch(_instant(day, begins, zone), _instant(until, "00:00" if ends == "24:00" else ends, zone))


def _instant(day: date, wall: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(wall), zone).astimezone(UTC)


def calendar_of(configuration: "HallConfiguration", service: "Service") -> Calendar | None:
    """The service's own calendar or the hall's; None: open at any hour."""
    return configuration.calendar(service.hours or configuration.hours or "")


class Standing(NamedTuple):
    """`closes_at`: where it is open, the stretch's end (None: not within a week); `opens_at`: where it is closed."""

    open: bool
    closes_at: datetime | None = None
    opens_at: datetime | None = None
    later_today: bool = False
    """Closed now, and it opens again before the hall's calendar day is over."""


def standing(configuration: "HallConfiguration", service: "Service", now: datetime) -> Standing:
    """Whether numbers are given for the service at `now` by the calendar alone."""
    calendar = calendar_of(configuration, service)
    if calendar is None:
        return Standing(open=True)
    known = configuration.open_stretches.get(calendar.id)
    if known is not None and known.begins <= now < known.ends:
        return Standing(open=True, closes_at=known.ends)
    zone = ZoneInfo(configuration.time_zone)
    week = stretches(calendar, zone, now, 7)
    if week and week[0].begins <= now:
        if week[0].ends > now + timedelta(days=7):
            return Standing(open=True)
        configuration.open_stretches[calendar.id] = week[0]
        return Standing(open=True, closes_at=week[0].ends)
    ahead = week or stretches(calendar, zone, now, DAYS_SEARCHED)
    opens_at = ahead[0].begins if ahead else None
    same_day = opens_at is not None and opens_at.astimezone(zone).date() == now.astimezone(zone).date()
    return Standing(open=False, opens_at=opens_at, later_today=same_day)


def opens_next(configuration: "HallConfiguration", service: "Service", now: datetime) -> datetime | None:
    """When the service opens next by its calendar, apart from the stretch that is open now; None: nothing says so."""
    found = standing(configuration, service, now)
    if found.open:
        found = (
            standing(configuration, service, found.closes_at) if found.closes_at is not None else Standing(open=True)
        )
    return found.opens_at


def check_calendars(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that the calendars break: code and place."""
    known = [calendar.id for calendar in c.calendars]
    for id_ in sorted({id_ for id_ in known if known.count(id_) > 1}):
        yield "id_twice", f"calendars[{id_}]"
    if c.hours is not None and c.hours not in known:
        yield "calendar_unknown", "hours"
    for service in c.services:
        if service.hours is not None and service.hours not in known:
            yield "calendar_unknown", f"services[{service.id}].hours"
    for calendar in c.calendars:
        where = f"calendars[{calendar.id}]"
        if len(calendar.week) != 7:
            yield "not_a_week", f"{where}.week"
        dates = [special.date for special in calendar.special_days]
        if len(set(dates)) < len(dates):
            yield "date_twice", f"{where}.special_days"
        for hours in (*calendar.week, *(special.hours for special in calendar.special_days)):
            if not all(_HOURS.fullmatch(part) for part in hours):
                yield "not_hours", where
