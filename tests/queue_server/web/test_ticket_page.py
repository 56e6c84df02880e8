"""The ticket page: true, in the reader's language, and telling nothing to those who guess."""

import httpx
import pytest
from fastapi import FastAPI

from queue_server.web.ticket_page import language_of
from tests.queue_server.web.rig import Rig


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
    assert "passed" in last["hint"]
    assert last["poll_s"] == 0


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
