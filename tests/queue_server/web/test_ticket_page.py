"""The ticket page: true, in the reader's language, and telling nothing to those who guess."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from queue_server.hall import (
    Actor,
    AnotherService,
    CallNext,
    Complete,
    NoShow,
    OpenCounter,
    Rating,
    Reinstate,
    SessionCommand,
    StartService,
)
from queue_server.hall_port import Done, NotDone
from queue_server.ids import new_id
from queue_server.projection import FollowedTicket, WayBack
from queue_server.web.hall_facts import HallFacts
from queue_server.web.ticket_page import language_of, ticket_now
from tests.queue_server.web.rig import Rig, Taken

CLERK = Actor("clerk", "limin")
NOW = datetime(2026, 3, 2, 2, 32, tzinfo=UTC)
PASSED = FollowedTicket(
    number="A036",
    service="social-card",
    service_name={"zh": "社保卡", "en": "Social security card"},
    queue="social",
    state="no_show",
    since=NOW,
    issued_at=NOW,
    people_ahead=None,
    wait=None,
    counter=None,
    zone=None,
    business_date=date(2026, 3, 2),
    made_at=NOW,
    ticket="t-1",
    visit="v-1",
    may_rate=False,
    rating=None,
)


async def act(rig: Rig, session: str, command: type[SessionCommand], **more: Any) -> None:
    """What the clerk of a session does, as the hall stands now."""
    seen = await rig.port.look(lambda hall, _now: getattr(hall.session(session), "version", None))
    done = await rig.port.execute(command(by=CLERK, session=session, seen=seen or 0, **more))
    assert isinstance(done, Done), done


async def call(rig: Rig) -> str:
    """The session of a clerk who called whoever waits."""
    session = new_id()
    opened = await rig.port.execute(OpenCounter(by=CLERK, session=session, counter="counter-2", clerk=CLERK.id))
    assert isinstance(opened, Done), opened
    await act(rig, session, CallNext, call=new_id())
    return session


async def served(rig: Rig, *services: str) -> Taken:
    """A ticket whose holder was served at a counter, with `services` after the first one."""
    taken = await rig.issue("social-card")
    session = await call(rig)
    await act(rig, session, StartService)
    for service in services:
        await act(rig, session, AnotherService, service=service, here=True)
    await act(rig, session, Complete)
    return taken


async def rate(client: httpx.AsyncClient, taken: Taken, level: Any, language: str = "zh") -> httpx.Response:
    return await client.post(f"/t/{taken.token}/rating?lang={language}", json={"level": level})


async def ratings(rig: Rig) -> list[Rating]:
    found = await rig.port.look(lambda hall, _now: list(hall.store.ratings.values()))
    assert found is not None
    return found


async def test_it_shows_number_people_ahead_service_materials_and_the_rule_for_passed_numbers(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    await rig.issue("social-card")
    taken = await rig.issue("social-card")
    page = (await client.get(f"/t/{taken.token}")).text
    for text in (taken.number, "等候中", '<b id="ahead">1</b>', "社保卡申领与补换", "居民身份证原件", "过号"):
        assert text in page


async def test_it_follows_the_ticket_to_the_counter_and_beyond(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient
) -> None:
    taken = await rig.issue("social-card")
    staff, counters = rig.person("limin", "李敏"), app.state.counters

    async def now() -> dict[str, str]:
        answer = await client.get(f"/t/{taken.token}/now?lang=en")
        found: dict[str, str] = answer.json()
        return found

    assert (await now())["state"] == "waiting"
    opened = await counters.open_counter(staff, "counter-2")
    session = opened.counter.session
    called = await counters.next(staff, session, opened.counter.version)
    first = await now()
    assert (first["state"], first["counter"]) == ("called", "2")
    assert first["seat"]
    recalled = await counters.recall(staff, session, called.counter.version)
    await rig.until(lambda: any(c.recall for b in rig.port.boards() for c in b.board.calls))
    assert (await now())["call"] != first["call"]
    missed = await counters.no_show(staff, session, recalled.counter.version)
    assert missed.counter.current is None
    last = await now()
    assert last["state"] == "no_show"
    assert "with 3 waiting ahead of it" in last["hint"]


async def test_a_guess_learns_nothing_and_guessing_is_slowed_down(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await rig.issue("social-card")
    pages = {
        (await client.get(f"/t/{token}")).text for token in ("x", "A001", taken.token[:-1], taken.ticket, "z" * 500)
    }
    assert len(pages) == 1
    assert "没有找到" in pages.pop()
    for _ in range(20):
        answer = await client.get("/t/guess")
    assert answer.status_code == 429
    assert (await client.get(f"/t/{taken.token}")).status_code == 200


async def test_nothing_is_kept_by_browsers_or_told_to_other_sites(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await rig.issue("social-card")
    for path in (f"/t/{taken.token}", f"/t/{taken.token}/now", "/t/unknown"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]


async def test_an_unchanged_ticket_costs_an_empty_answer(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await rig.issue("social-card")
    first = await client.get(f"/t/{taken.token}/now")
    again = await client.get(f"/t/{taken.token}/now", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accept", "language"),
    [("", "zh"), ("en-GB,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr,en;q=0.5", "en"), ("ja", "zh")],
)
def test_the_browsers_first_known_language_is_taken(accept: str, language: str) -> None:
    assert language_of(accept, None) == language


async def test_the_reader_may_choose_the_language(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await rig.issue("social-card")
    english = await client.get(f"/t/{taken.token}?lang=en", headers={"Accept-Language": "zh-CN"})
    assert "Ahead of you" in english.text
    assert "Resident ID card" in english.text


@pytest.mark.parametrize("level", [5, 4, 3, 2, 1])
async def test_r47_whoever_was_served_rates_the_visit_once_in_five_levels(
    rig: Rig, client: httpx.AsyncClient, level: int
) -> None:
    taken = await served(rig)
    page = (await client.get(f"/t/{taken.token}")).text
    for text in ("非常满意", "基本满意", "非常不满意", "提交评价"):
        assert text in page
    answer = await rate(client, taken, level)
    assert answer.status_code == 200
    now = answer.json()
    words = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
    assert (now["state"], now["may_rate"], now["rated"]) == ("completed", False, f"您的评价：{words[level]}。谢谢！")
    (kept,) = await ratings(rig)
    assert (kept.level, kept.way, kept.addenda) == (level, "scan", 0)
    assert now["rated"] in (await client.get(f"/t/{taken.token}")).text
    assert (await client.get(f"/t/{taken.token}/now?lang=en")).json()["rated"].startswith("Your rating")


async def test_a_visit_with_two_services_is_rated_once(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await served(rig, "medical-remote")
    assert (await rate(client, taken, 4)).status_code == 200
    assert len(await ratings(rig)) == 1


async def test_a_second_rating_is_told_that_the_first_one_counts_and_adds_nothing(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    taken = await served(rig)
    await rate(client, taken, 2)
    again = await rate(client, taken, 5, "en")
    assert (again.status_code, again.json()["rated"]) == (409, "Your rating: Dissatisfied. Thank you!")
    assert (await rate(client, taken, 2)).status_code == 200
    (kept,) = await ratings(rig)
    assert (kept.level, kept.addenda) == (2, 0)


async def test_taps_at_the_same_instant_rate_once(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await served(rig)
    answers = await asyncio.gather(*(rate(client, taken, level) for level in (5, 5, 1, 5, 1)))
    (kept,) = await ratings(rig)
    assert kept.addenda == 0
    assert [answer.status_code for answer in answers] == [200 if n == kept.level else 409 for n in (5, 5, 1, 5, 1)]


async def test_nobody_rates_a_visit_before_it_was_served_or_one_that_never_was(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    taken = await rig.issue("social-card")

    async def refused() -> None:
        answer = await rate(client, taken, 5)
        assert (answer.status_code, answer.json()["may_rate"], answer.json()["rated"]) == (409, False, "")

    await refused()
    session = await call(rig)
    await refused()
    await act(rig, session, NoShow)
    await refused()
    assert await ratings(rig) == []


@pytest.mark.parametrize("body", [{"level": 0}, {"level": 6}, {"level": "5"}, {"level": 4.5}, {}, {"level": 5, "x": 1}])
async def test_what_is_no_rating_is_refused(rig: Rig, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    taken = await served(rig)
    assert (await client.post(f"/t/{taken.token}/rating", json=body)).status_code == 422
    assert await ratings(rig) == []


async def test_a_guess_rates_nothing_and_one_address_rates_so_often_and_no_more(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    taken = await served(rig)
    assert (await client.post("/t/guess/rating", json={"level": 5})).status_code == 404
    answers = [(await rate(client, taken, 5)).status_code for _ in range(130)]
    assert (answers[0], answers[-1]) == (200, 429)
    assert len(await ratings(rig)) == 1


async def test_a_rating_names_the_ticket_and_nobody(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await served(rig)
    answer = await rate(client, taken, 5)
    assert answer.headers["cache-control"] == "no-store"
    assert taken.ticket not in answer.text


async def test_without_its_hall_a_rating_is_asked_for_again(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = await served(rig)
    port = app.state.web.port

    async def not_now(*_: object) -> NotDone:
        return NotDone("ledger_unavailable", 2.0)

    with monkeypatch.context() as away:
        away.setattr(port, "execute", not_now)
        answer = await rate(client, taken, 5)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert (await rate(client, taken, 5)).status_code == 200


async def test_whoever_was_passed_is_told_where_to_go_until_when_and_behind_how_many_and_follows_the_way_back(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    taken = await rig.issue("social-card")
    session = await call(rig)
    await act(rig, session, NoShow)
    passed = await rig.port.follow(taken.token)
    assert passed is not None
    assert passed.way_back is not None
    until = passed.way_back.until.astimezone(ZoneInfo("Asia/Shanghai"))
    page = (await client.get(f"/t/{taken.token}")).text
    assert f"请在 {until:%H:%M} 前到咨询台或窗口说明，可以恢复排队，排到 3 位等候的人之后。" in page
    now = (await client.get(f"/t/{taken.token}/now")).json()
    assert now["poll_s"] == 15, "the page sees it when the number comes back"
    version = await rig.port.look(lambda hall, _now: hall.ticket(taken.ticket).version)
    done = await rig.port.execute(Reinstate(by=Actor("manager", "sunqi"), ticket=taken.ticket, seen=version))
    assert isinstance(done, Done), done
    assert (await client.get(f"/t/{taken.token}/now")).json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("way_back", "hint"),
    [
        (
            WayBack(NOW + timedelta(minutes=30), 3),
            "请在 11:02 前到咨询台或窗口说明，可以恢复排队，排到 3 位等候的人之后。",
        ),
        (WayBack(NOW + timedelta(minutes=30), 0), "请在 11:02 前到咨询台或窗口说明，可以恢复排队。"),
        (WayBack(NOW, 1), "请在 10:32 前到咨询台或窗口说明，可以恢复排队，排到 1 位等候的人之后。"),
        (WayBack(NOW - timedelta(seconds=1), 3), "请到咨询台或窗口说明，由工作人员决定能否恢复排队，或重新取号。"),
        (None, "号票当日有效。如仍需办理，请重新取号。"),
    ],
)
def test_the_next_step_after_a_passed_number_follows_the_halls_rule(way_back: WayBack | None, hint: str) -> None:
    now = ticket_now(replace(PASSED, way_back=way_back), HallFacts(time_zone="Asia/Shanghai"), "zh")
    assert (now.state, now.hint, now.poll_s) == ("no_show", hint, 15 if way_back else 0)
