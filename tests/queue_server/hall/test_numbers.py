"""Numbers: one series for all channels of a queue, never repeated while live, refused or extended at its end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queue_server.hall import (
    Actor,
    CallNext,
    CloseDay,
    Complete,
    Configure,
    HallConfiguration,
    Problem,
    Queue,
    Refusal,
    StartService,
    TicketIssued,
    Withdraw,
    dump,
    load,
    refusals,
)
from queue_server.hall.configuring import check
from queue_server.hall.limits import Limits, Quota
from queue_server.hall.numbers import CLEAR_LETTERS, Numbering
from queue_server.hall.offline_numbers import LeasedRange, OfflineRules
from queue_server.hall.opening import Calendar, SpecialDay
from tests.queue_server.hall.scene import KIOSK, MANAGER, Scene, sample

DESK = Actor("clerk", "clerk-desk")
CHANNEL = Actor("channel", "app")


def series(**changes: Any) -> HallConfiguration:
    """The sample hall; the household queue's series is changed."""
    plain = sample()
    return replace(plain, queues=tuple(replace(q, **changes) if q.id == "household" else q for q in plain.queues))


def household(hall: HallConfiguration) -> Queue:
    queue = hall.queue("household")
    assert queue is not None
    return queue


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, ["H001", "H002"]),
        ({"first": 500}, ["H500", "H501"]),
        ({"digits": 4, "last": 9999}, ["H0001", "H0002"]),
        ({"prefix": "HN", "digits": 2, "last": 99}, ["HN01", "HN02"]),
        ({"first": 0, "digits": 1, "last": 9}, ["H0", "H1"]),
    ],
)
def test_prefix_start_number_and_padding_are_the_halls(changes: dict[str, Any], numbers: list[str]):
    scene = Scene(series(**changes))
    assert [scene.issue("id-card").number for _ in numbers] == numbers


def test_q03_terminals_counter_desk_and_other_channels_share_one_series():
    scene = Scene()
    askers = ((KIOSK, "kiosk-1"), (DESK, None), (CHANNEL, None), (KIOSK, "kiosk-2"))
    numbers = [scene.issue("id-card", by=by, device=device).number for _ in range(3) for by, device in askers]
    assert numbers == [f"H{n:03d}" for n in range(1, 13)]


def test_at_the_end_of_a_series_people_are_refused_or_the_series_goes_on_as_the_hall_says():
    scene = Scene(series(last=2))
    assert [scene.issue("id-card").number for _ in range(2)] == ["H001", "H002"]
    assert scene.refused(scene.issuing("id-card")) == refusals.NumbersExhausted(queue="household", last=2)
    scene = Scene(series(last=2, extended_to=4))
    assert [scene.issue("id-card").number for _ in range(4)] == ["H001", "H002", "H003", "H004"]
    assert scene.refused(scene.issuing("id-card")).code == "numbers_exhausted"


def test_a_range_that_a_manager_extends_goes_on_where_it_was():

    scene = Scene(series(last=1))
    scene.issue("id-card")
    assert scene.refused(scene.issuing("id-card")).code == "numbers_exhausted"
    scene.do(Configure(by=MANAGER, configuration=replace(series(last=5), revision=2)))
    assert scene.issue("id-card").number == "H002"


# --- what a configuration may say

OTHERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") - CLEAR_LETTERS - {"X", "Y"}


@pytest.mark.parametrize("letter", sorted(OTHERS))
def test_letters_that_can_be_misheard_are_refused_unless_the_hall_takes_them(letter: str):
    unclear = series(prefix=letter)
    assert Problem("prefix_unclear", "queues[household].prefix") in check(unclear)
    assert list(check(replace(unclear, numbering=Numbering(unclear_letters=True)))) == []


def with_(**changes: Any) -> Callable[[HallConfiguration], HallConfiguration]:
    return lambda hall: replace(hall, **changes)


def household_with(**changes: Any) -> Callable[[HallConfiguration], HallConfiguration]:
    return lambda _: series(**changes)


def service_with(**changes: Any) -> Callable[[HallConfiguration], HallConfiguration]:
    return lambda hall: replace(hall, services=(replace(hall.services[0], **changes), *hall.services[1:]))


WEEK = ((),) * 7
BROKEN = {
    "second letter": (household_with(prefix="HE"), "prefix_unclear", "queues[household].prefix"),
    "terminals' letter": (household_with(prefix="XA"), "prefix_of_terminals", "queues[household].prefix"),
    "extended below": (household_with(extended_to=998), "range_empty", "queues[household].extended_to"),
    "extended too far": (household_with(extended_to=10**6), "range_empty", "queues[household].extended_to"),
    "warning": (with_(numbering=Numbering(warn_left=-1)), "negative", "numbering.warn_left"),
    "leased within": (
        household_with(leased=LeasedRange(first=900, last=1099)),
        "range_twice",
        "queues[household].leased",
    ),
    "leased backwards": (
        household_with(leased=LeasedRange(first=1100, last=1099)),
        "range_empty",
        "queues[household].leased",
    ),
    "leased too small": (
        household_with(leased=LeasedRange(first=1001, last=1030, block=20)),
        "range_too_small",
        "queues[household].leased",
    ),
    "leased too far": (
        household_with(leased=LeasedRange(first=10**6 - 9, last=10**6, block=2)),
        "digits_too_few",
        "queues[household].leased",
    ),
    "offline letter unclear": (with_(offline=OfflineRules(letters="XE")), "prefix_unclear", "offline.letters"),
    "offline letter twice": (with_(offline=OfflineRules(letters="XX")), "not_letters", "offline.letters"),
    "offline no letter": (with_(offline=OfflineRules(letters="X1")), "not_letters", "offline.letters"),
    "offline digits": (with_(offline=OfflineRules(digits=2)), "digits_too_few", "offline.digits"),
    "offline days": (with_(offline=OfflineRules(days=0)), "days_out_of_range", "offline.days"),
    "offline tolerance": (with_(offline=OfflineRules(tolerance_s=-1)), "negative", "offline.tolerance_s"),
    "carry over": (
        lambda hall: replace(hall, rules=replace(hall.rules, carry_over_days=0)),
        "limit_not_positive",
        "rules.carry_over_days",
    ),
    "afternoon": (with_(limits=Limits(afternoon_from="noon")), "not_a_wall_time", "limits.afternoon_from"),
    "per person": (with_(limits=Limits(numbers_per_person=0)), "limit_not_positive", "limits.numbers_per_person"),
    "before close": (
        with_(limits=Limits(stop_before_close_minutes=-1)),
        "negative",
        "limits.stop_before_close_minutes",
    ),
    "more than is remembered": (
        with_(limits=Limits(flag_device_numbers=201)),
        "limit_too_high",
        "limits.flag_device_numbers",
    ),
    "quota": (service_with(quota=Quota(morning=-1)), "negative", "services[pension-claim].quota"),
    "hours of nobody": (with_(hours="office"), "calendar_unknown", "hours"),
    "hours of a service": (service_with(hours="office"), "calendar_unknown", "services[pension-claim].hours"),
    "calendar twice": (
        with_(calendars=(Calendar(id="c", week=WEEK), Calendar(id="c", week=WEEK))),
        "id_twice",
        "calendars[c]",
    ),
    "short week": (with_(calendars=(Calendar(id="c", week=((),) * 6),)), "not_a_week", "calendars[c].week"),
    "no hours": (with_(calendars=(Calendar(id="c", week=(("9-17",),) * 7),)), "not_hours", "calendars[c]"),
    "date twice": (
        with_(calendars=(Calendar(id="c", week=WEEK, special_days=(SpecialDay(date=date(2026, 10, 1)),) * 2),)),
        "date_twice",
        "calendars[c].special_days",
    ),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_each_broken_rule_of_numbers_limits_and_hours_is_named_with_its_place(case: str):
    change, code, where = BROKEN[case]
    assert Problem(code, where) in list(check(change(sample())))


# --- the end of the day


def carrying(days: int = 1, **changes: Any) -> HallConfiguration:
    hall = series(**changes)
    return replace(hall, rules=replace(hall.rules, day_end_tickets="carry_over", carry_over_days=days))


def close(scene: Scene) -> None:
    day = scene.hall.open_day
    assert day is not None
    scene.do(CloseDay(by=MANAGER, business_date=day))


def test_a_hall_may_carry_over_who_waits_with_number_place_and_date():
    scene = Scene(carrying())
    first, second = scene.issue("id-card"), scene.issue("id-card")
    scene.later(days=1)
    close(scene)
    new = scene.issue("id-card")
    assert [ticket.number for ticket in scene.hall.waiting("household", scene.now)] == ["H001", "H002", "H003"]
    assert new.number == "H003", "a number that still lives is passed over"
    assert scene.ticket(first).business_date == date(2026, 3, 2)
    assert scene.ticket(second).step.order_key == second.step.order_key


def test_a_ticket_is_carried_over_as_often_as_the_hall_says():
    for days in (1, 2):
        scene = Scene(carrying(days))
        ticket = scene.issue("id-card")
        for _ in range(days):
            scene.later(days=1)
            scene.issue("household-move")
            assert scene.ticket(ticket).state == "waiting"
        scene.later(days=1)
        scene.issue("household-move")
        assert scene.ticket(ticket).state == "expired"


def test_the_close_of_a_day_names_who_is_carried_over():
    scene = Scene(carrying())
    ticket = scene.issue("id-card")
    scene.later(days=1)
    close(scene)
    assert scene.history[-1].carried == (ticket.id,)  # type: ignore[attr-defined]


class Life:
    """Days of a hall: people come, leave and are served; the clock and the day's ends are random."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.given: set[tuple[date, str]] = set()

    def issue(self) -> None:
        outcome = self.scene.ask(self.scene.issuing("id-card"))
        for event in () if isinstance(outcome, Refusal) else outcome:
            if isinstance(event, TicketIssued):
                assert (event.business_date, event.number) not in self.given
                assert event.serial <= household(self.scene.hall.configuration).limit
                self.given.add((event.business_date, event.number))

    def withdraw(self) -> None:
        for ticket in self.scene.hall.waiting("household", self.scene.now)[:1]:
            self.scene.do(Withdraw(by=KIOSK, ticket=ticket.id))

    def serve(self) -> None:
        """Somebody is called and begun with; or who is at the counter is done."""
        self.scene.ask(self.scene.opening("counter-4", "clerk-1"))
        session = self.scene.hall.session_at("counter-4")
        if session is not None:
            begun = self.scene.ask(self.scene.at(Complete, session))
            if isinstance(begun, Refusal) and not isinstance(self.scene.ask(self.scene.at(CallNext, session)), Refusal):
                self.scene.do(self.scene.at(StartService, session))

    def hours(self) -> None:
        self.scene.later(hours=7)

    def close(self) -> None:
        if self.scene.hall.open_day is not None:
            close(self.scene)


ACTS = st.lists(
    st.sampled_from(["issue", "issue", "issue", "withdraw", "serve", "hours", "hours", "close"]), max_size=60
)
STARTS = st.sampled_from(
    [
        ("Asia/Shanghai", datetime(2026, 3, 2, 1, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 3, 8, 9, 30, tzinfo=UTC)),  # half an hour before the clocks go on
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # half an hour before the clocks go back
    ]
)


@settings(max_examples=150, deadline=None)
@given(ACTS, STARTS, st.booleans(), st.sampled_from([None, 9]), st.sampled_from(["04:00", "02:30", "00:00"]))
def test_no_number_is_given_twice_on_a_day_or_while_it_lives(
    acts: list[str], start: tuple[str, datetime], carried: bool, extended_to: int | None, ends: str
):
    hall = carrying(2, last=6, extended_to=extended_to) if carried else series(last=6, extended_to=extended_to)
    life = Life(Scene(replace(hall, time_zone=start[0], day_ends_at=ends), now=start[1]))
    for act in acts:
        getattr(life, act)()
        live = [ticket.number for ticket in life.scene.hall.tickets() if not ticket.finished]
        assert len(set(live)) == len(live)


def test_numbering_survives_a_long_pause_and_a_restart_of_the_program():

    scene = Scene()
    scene.issue("id-card")
    scene.hall = load(dump(scene.hall))
    scene.later(hours=9)
    assert scene.issue("id-card").number == "H002"
    scene.now += timedelta(days=300)
    assert scene.issue("id-card").number == "H001"
