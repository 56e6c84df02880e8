"""Slots: when a service can be booked and for how many people, on the hall's wall clock.

A slot is a stretch of real time. One whose wall time does not exist (the clock is put forward over it) is left out; one
whose wall time comes twice is held the first time only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from queue_server.hall.opening import calendar_of, stretches

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration

_STRICT = ConfigDict(extra="forbid")
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class ChannelQuota:
    """At most `places` of each slot are booked through `channel`."""

    __pydantic_config__ = _STRICT

    channel: str
    places: int


@dataclass(frozen=True, kw_only=True)
class SlotPlan:
    """Slots of `minutes` that follow one another from `begins` to `ends` (`HH:MM`) on `weekdays` (1 Monday … 7 Sunday).

    `places` people fit into a slot, all `services` together. `walk_in_percent` of the places, rounded up, are kept for
    people without an appointment: no channel can book them. A channel without a quota may book whatever is left.
    """

    __pydantic_config__ = _STRICT

    id: str
    services: tuple[str, ...]
    weekdays: tuple[int, ...]
    begins: str
    ends: str
    minutes: int
    places: int
    walk_in_percent: int = 30
    channels: tuple[ChannelQuota, ...] = ()

    @cached_property
    def bookable(self) -> int:
        """Places of a slot that channels may book together."""
        return self.places - -(-self.places * self.walk_in_percent // 100)

    @cached_property
    def quotas(self) -> dict[str, int]:
        return {quota.channel: quota.places for quota in self.channels}

    @cached_property
    def wall_times(self) -> tuple[time, ...]:
        """Wall times at which its slots begin."""
        begins, ends = _minutes(self.begins), _minutes(self.ends)
        return tuple(time(*divmod(at, 60)) for at in range(begins, ends - self.minutes + 1, self.minutes))


@dataclass(frozen=True, kw_only=True)
class AppointmentRules:
    """The hall's choices about appointments.

    A slot can be booked from `days_ahead` calendar days before its date until `closes_minutes` before it begins, and
    changed until `change_minutes` before. Check-in opens `early_minutes` before the slot begins and is on time until
    `late_minutes` after; later, `late` says whether the person joins as a walk-in or is refused. A ticket that is on
    time waits from its check-in, but not from earlier than `grace_minutes` before its slot. A person has at most
    `per_person` open appointments; whoever misses `missed_limit` within `missed_days` days books nothing for
    `block_days` days.
    """

    __pydantic_config__ = _STRICT

    days_ahead: int = 7
    closes_minutes: int = 0
    change_minutes: int = 30
    early_minutes: int = 30
    late_minutes: int = 15
    late: Literal["walk_in", "refuse"] = "walk_in"
    grace_minutes: int = 10
    per_person: int = 3
    missed_limit: int = 3
    missed_days: int = 90
    block_days: int = 30
    tell_ahead: int = 3
    """People ahead at which the booking channel is told that a ticket's turn is near."""
    priority_class: str = "ordinary"
    """Class of a ticket whose holder is on time and claims no other one."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A stretch of time, UTC, for which a plan lets people book."""

    plan: SlotPlan
    starts_at: datetime
    ends_at: datetime


def slots_on(configuration: "HallConfiguration", service: str, day: date) -> Iterator[Slot]:
    """The slots of a service that begin on the calendar day `day` of the hall and lie within its hours, in order."""
    found = configuration.service(service)
    if found is None:
        return
    zone = ZoneInfo(configuration.time_zone)
    calendar = calendar_of(configuration, found)
    hours = stretches(calendar, zone, datetime.combine(day, time(), zone), 1) if calendar else None
    slots = [
        slot
        for plan in configuration.slot_plans
        if service in plan.services and day.isoweekday() in plan.weekdays
        for slot in _of_day(plan, day, zone)
        if hours is None or any(open_.begins <= slot.starts_at and slot.ends_at <= open_.ends for open_ in hours)
    ]
    yield from sorted(slots, key=lambda slot: slot.starts_at)


def slot_at(configuration: "HallConfiguration", service: str, starts_at: datetime) -> Slot | None:
    """The slot of a service that begins at the instant `starts_at`."""
    day = starts_at.astimezone(ZoneInfo(configuration.time_zone)).date()
    return next((slot for slot in slots_on(configuration, service, day) if slot.starts_at == starts_at), None)


def _of_day(plan: SlotPlan, day: date, zone: ZoneInfo) -> Iterator[Slot]:
    for wall_time in plan.wall_times:
        wall = datetime.combine(day, wall_time, zone)
        starts_at = wall.astimezone(UTC)
        if starts_at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            yield Slot(plan=plan, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=plan.minutes))


def check_slots(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule about slots and appointments that the configuration breaks: its code and its place."""
    ids = [plan.id for plan in c.slot_plans]
    services = {service.id for service in c.services}
    for plan in c.slot_plans:
        where = f"slot_plans[{plan.id}]"
        if not _ID.fullmatch(plan.id):
            yield "not_an_id", where
        if ids.count(plan.id) > 1:
            yield "id_twice", where
        yield from _check_plan(plan, where, services)
    yield from _check_overlaps(c.slot_plans)
    yield from _check_rules(c)


def _check_plan(plan: SlotPlan, where: str, services: set[str]) -> Iterator[tuple[str, str]]:
    if not plan.services:
        yield "empty", f"{where}.services"
    if not set(plan.services) <= services:
        yield "service_unknown", f"{where}.services"
    if not plan.weekdays or not set(plan.weekdays) <= set(range(1, 8)):
        yield "weekday_out_of_range", f"{where}.weekdays"
    if not 1 <= plan.places <= 10_000:
        yield "places_out_of_range", f"{where}.places"
    if not 0 <= plan.walk_in_percent <= 100:
        yield "percent_out_of_range", f"{where}.walk_in_percent"
    named = [quota.channel for quota in plan.channels]
    for quota in plan.channels:
        if not _ID.fullmatch(quota.channel) or named.count(quota.channel) > 1 or quota.places < 0:
            yield "channel_quota_invalid", f"{where}.channels[{quota.channel}]"
    times = {name: getattr(plan, name) for name in ("begins", "ends")}
    bad = [name for name, text in times.items() if not _WALL_TIME.fullmatch(text)]
    for name in bad:
        yield "not_a_wall_time", f"{where}.{name}"
    if not 1 <= plan.minutes <= 24 * 60 or (not bad and not plan.wall_times):
        yield "slots_empty", where


def _check_overlaps(plans: tuple[SlotPlan, ...]) -> Iterator[tuple[str, str]]:
    """A service stands in one plan at a time: otherwise two quotas would count the same people."""
    whole = [p for p in plans if _WALL_TIME.fullmatch(p.begins) and _WALL_TIME.fullmatch(p.ends)]
    for index, plan in enumerate(whole):
        for other in whole[:index]:
            same = set(plan.services) & set(other.services) and set(plan.weekdays) & set(other.weekdays)
            if same and plan.begins < other.ends and other.begins < plan.ends:
                yield "slots_overlap", f"slot_plans[{plan.id}]"


def _check_rules(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    rules = c.appointments
    amounts = {name: getattr(rules, name) for name in AppointmentRules.__dataclass_fields__}
    for name, amount in amounts.items():
        if isinstance(amount, int) and not 0 <= amount <= 24 * 60:
            yield "out_of_range", f"appointments.{name}"
    for name in ("per_person", "missed_limit", "missed_days"):
        if amounts[name] == 0:
            yield "out_of_range", f"appointments.{name}"
    if c.priority_class(rules.priority_class) is None:
        yield "priority_class_unknown", "appointments.priority_class"


def _minutes(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)
