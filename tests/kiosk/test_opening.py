"""When a closed service opens again, as the terminal says it: today, tomorrow or by its date, in the hall's zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.journeys import effects, events, intents
from kiosk.journeys.state import LiveService
from kiosk.journeys.views import CatalogueView, HomeView, Opening, RefusedView, Service
from kiosk.journeys.words import load_words
from kiosk.translate import params_of
from queue_server.hall import Configure
from queue_server.hall.opening import Calendar
from queue_server.hall_port import Done
from screens import sentences
from tests.kiosk.halls import CATALOGUE, INDEX, NOW, Walk, serving
from tests.queue_server.engine import SYSTEM, sample
from tests.queue_server.rig import running
from tools.translations import DIRECTORY
from wire.messages import Issue, Refused

TODAY = Opening("13:30", "3 月 2 日 13:30", "today")


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def told(opens_at: datetime | None, now: datetime | None = NOW, reason: str = "service_closed", **of: Any) -> Walk:
    """A terminal that heard from its hall that the invoice service is closed."""
    closed = LiveService("invoice", open=False, waiting=0, reason=reason, opens_at=opens_at, **of)
    return serving().on(events.ServicesChanged((closed,)), events.Tick(now))


def tile(walk: Walk) -> Service:
    assert isinstance(walk.view, HomeView | CatalogueView)
    shown = walk.view.common if isinstance(walk.view, HomeView) else walk.view.services
    return next(service for service in shown if service.id == "invoice")


@pytest.mark.parametrize(
    ("opens_at", "now", "said"),
    [
        (utc(2, 5, 30), utc(2, 2, 0), TODAY),
        (utc(3, 1), utc(2, 10), Opening("09:00", "3 月 3 日 09:00", "tomorrow")),
        (utc(9, 1), utc(6, 10), Opening("09:00", "3 月 9 日 09:00", "later")),
        # Shortly before and after midnight in the hall, on one day of UTC.
        (utc(3, 1), utc(2, 15, 59), Opening("09:00", "3 月 3 日 09:00", "tomorrow")),
        (utc(3, 1), utc(2, 16, 1), Opening("09:00", "3 月 3 日 09:00", "today")),
        (utc(3, 1), None, Opening("09:00", "3 月 3 日 09:00", "later")),
    ],
)
def test_tile_and_refusal_say_when_a_closed_service_opens(opens_at: datetime, now: datetime | None, said: Opening):
    walk = told(opens_at, now)
    assert tile(walk).opens == said
    walk.on(intents.TakeNumber(), intents.ChooseGroup("tax"))
    assert tile(walk).opens == said
    walk.on(intents.ChooseService("invoice"))
    assert isinstance(walk.view, RefusedView)
    assert (walk.view.code, walk.view.opens) == ("service_closed", said)
    assert walk.caused(effects.RequestNumber) == []


def test_what_was_tomorrow_is_today_after_the_halls_midnight():
    walk = told(utc(3, 1), utc(2, 15, 59))
    assert tile(walk).opens == Opening("09:00", "3 月 3 日 09:00", "tomorrow")
    walk.on(events.Tick(utc(2, 16)))
    assert tile(walk).opens == Opening("09:00", "3 月 3 日 09:00", "today")


def test_the_hall_far_from_this_machines_zone_speaks_its_own_time():
    walk = told(utc(2, 17), utc(2, 7, 59))
    walk.on(events.CatalogueLoaded(replace(CATALOGUE, zone=ZoneInfo("America/Los_Angeles")), INDEX))
    assert tile(walk).opens == Opening("09:00", "3 月 2 日 09:00", "tomorrow")


def test_a_refusal_of_the_hall_itself_says_when_it_opens():
    walk = serving().on(events.Tick(NOW), intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    (asked,) = walk.caused(effects.RequestNumber)
    opens_at = ("opens_at", "2026-03-02T05:30:00+00:00")
    walk.on(events.NumberRefused(asked.attempt, "service_closed", (("service", "invoice"), opens_at)))
    assert isinstance(walk.view, RefusedView)
    assert walk.view.opens == TODAY


@pytest.mark.parametrize("opens_at", ["", None])
def test_where_nobody_knows_when_it_opens_no_time_is_made_up(opens_at: str | None):
    walk = serving().on(events.Tick(NOW), intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    (asked,) = walk.caused(effects.RequestNumber)
    params = () if opens_at is None else (("opens_at", opens_at),)
    walk.on(events.NumberRefused(asked.attempt, "service_closed", params))
    assert isinstance(walk.view, RefusedView)
    assert walk.view.opens is None
    assert tile(told(None)).opens is None


def test_a_service_that_is_open_says_nothing_of_opening():
    walk = serving().on(events.ServicesChanged((LiveService("invoice", open=True, waiting=2, opens_at=NOW),)))
    assert tile(walk).opens is None


@given(
    now=st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: utc(1, 0) + timedelta(minutes=minutes)),
    ahead=st.integers(1, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles", "Pacific/Apia"]),
)
def test_the_day_said_is_the_day_meant(now: datetime, ahead: timedelta, zone: str):
    walk = told(now + ahead, now)
    walk.on(events.CatalogueLoaded(replace(CATALOGUE, zone=ZoneInfo(zone)), INDEX))
    opens = tile(walk).opens
    assert opens is not None
    local, here = (now + ahead).astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = (local.date() - here.date()).days
    assert opens.day == {0: "today", 1: "tomorrow"}.get(days, "later")
    assert opens.at == local.strftime("%H:%M")


async def test_a_service_without_an_open_counter_is_refused_by_its_hall_and_the_terminal_says_when_to_come_back(
    tmp_path: Path,
):
    hours = Calendar(id="office", week=(("09:00-12:00", "13:30-17:00"),) * 7)
    rules = replace(sample().rules, close_when_no_counter=True)
    closed = replace(sample(), revision=1000, rules=rules, calendars=(hours,), hours="office")
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        rig.clock.now = utc(2, 2)
        assert isinstance(await rig.hall.execute(Configure(by=SYSTEM, configuration=closed)), Done)
        refused = await k1.ask(Issue(service="id-card", language="zh"))
    assert isinstance(refused, Refused)
    walk = serving().on(events.Tick(utc(2, 2)), intents.ChooseService("invoice"), intents.GoOnWithoutCard())
    (asked,) = walk.caused(effects.RequestNumber)
    walk.on(events.NumberRefused(asked.attempt, refused.code, params_of(refused), refused.retry_after))
    assert isinstance(walk.view, RefusedView)
    words = load_words(DIRECTORY)["zh"]
    happened, *_ = sentences.refused(words, walk.view.code, walk.view.params, opens=walk.view.opens)
    assert happened == "这项业务目前没有窗口办理，今天 13:30 开始取号。"
