"""A manager speaks to the hall: who may, what is refused, and how the sentence reaches the displays of its zones."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from queue_server.clock import utc_now
from queue_server.counters.announcing import A_MINUTE
from queue_server.live_speech import SpeechRefusedError
from queue_server.voice import announcement
from queue_server.web.app import make_app
from queue_server.web.display import DisplayStream
from tests.queue_server.speech.spoken import FixedVoice
from tests.queue_server.web.conftest import SETTINGS
from tests.queue_server.web.rig import HALL, Rig
from tests.queue_server.web.test_api import envelope, signed_in
from tests.queue_server.web.test_display_stream import Reader, call_next, opened

TEXT = "请带老人的市民到3号窗口优先办理"
PATH = "/api/v1/announcements"
BODY = {"text": TEXT, "zones": ["east"]}


@pytest.fixture
def voice() -> FixedVoice:
    return FixedVoice()


@pytest.fixture
async def app(rig: Rig, voice: FixedVoice) -> AsyncIterator[FastAPI]:
    rig.person("zhaojun", "赵军", "manager")
    app = make_app(
        rig.port,
        staff=rig.staff,
        alerts=rig.alerts,
        devices=rig.devices,
        voice=announcement,
        settings=SETTINGS,
        channels=rig.door,
        speech=voice,
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def manager(client: httpx.AsyncClient) -> dict[str, str]:
    return await signed_in(client, "zhaojun")


async def reading(rig: Rig, app: FastAPI, zone: str = "east") -> Reader:
    reader = Reader(DisplayStream(app.state.web, zone))
    await rig.until(lambda: bool(reader.events))
    return reader


def announced(reader: Reader) -> list[str]:
    return [data["announcement"]["text"] for name, data in reader.events if name == "announcement"]


async def test_displays_of_its_zones_get_the_sentence_and_can_hear_it(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient, manager: dict[str, str], voice: FixedVoice
) -> None:
    east, west = await reading(rig, app), await reading(rig, app, "west")
    answer = await client.post(PATH, json=BODY, headers=manager)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["text"], said["zones"]) == (TEXT, ["east"])
    assert voice.said == ["请带老人的市民到三号窗口优先办理"]
    await rig.until(lambda: announced(east) == [TEXT])
    told = next(data["announcement"] for name, data in east.events if name == "announcement")
    recording = await client.get(f"/audio/{told['id']}.wav")
    with wave.open(io.BytesIO(recording.content)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert seconds == pytest.approx(said["seconds"], abs=0.06)
    assert 1.6 < told["first_reading_s"] < seconds / 2 + 1
    await rig.until(lambda: [name for name, _ in west.events].count("beat") >= 2)
    assert announced(west) == []
    await east.close()
    await west.close()


async def test_announcements_and_calls_all_arrive_each_in_its_order(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    reader = await reading(rig, app)
    session = await opened(rig, app)
    for number in ("一", "二", "三"):
        await rig.issue("social-card")
        await call_next(rig, app, session)
        await client.post(PATH, json={**BODY, "text": f"第{number}次"}, headers=manager)
    await rig.until(lambda: len(announced(reader)) == 3 and len(set(reader.calls())) == 3)
    assert announced(reader) == ["第一次", "第二次", "第三次"]
    await reader.close()


async def test_a_display_that_was_cut_off_hears_what_is_fresh_and_nothing_older(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient, manager: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post(PATH, json=BODY, headers=manager)
    late = await reading(rig, app)
    await rig.until(lambda: announced(late) == [TEXT])
    assert late.events[0][0] == "snapshot"
    broadcasts = app.state.web.broadcasts
    monkeypatch.setattr(broadcasts, "_now", lambda: utc_now() + timedelta(seconds=SETTINGS.call_fresh_s + 1))
    later = await reading(rig, app)
    await rig.until(lambda: any(name == "beat" for name, _ in later.events))
    assert announced(later) == []
    await late.close()
    await later.close()


async def test_only_managers_announce(client: httpx.AsyncClient, manager: dict[str, str], voice: FixedVoice) -> None:
    envelope(await client.post(PATH, json=BODY), 401, "not_signed_in")
    envelope(await client.post(PATH, json=BODY, headers=await signed_in(client)), 403, "not_allowed")
    envelope(await client.post(PATH, json=BODY, headers=await signed_in(client, "sunqi")), 403, "not_allowed")
    assert voice.said == []


async def test_what_cannot_be_said_or_where_is_refused_by_name(
    client: httpx.AsyncClient, manager: dict[str, str], voice: FixedVoice
) -> None:
    async def refused(status: int, code: str, **other: object) -> dict[str, object]:
        return envelope(await client.post(PATH, json=BODY | other, headers=manager), status, code)

    await refused(404, "zone_unknown", zones=["east", "nowhere"])
    await refused(422, "invalid_request", zones=[])
    assert (await refused(422, "text_too_long", text="请" * 101))["params"] == {"most": 100}
    assert "★" in str((await refused(422, "text_not_speakable", text="请★"))["message"])
    await refused(422, "text_empty", text=" ")
    voice.failure = SpeechRefusedError("speech_not_installed")
    assert "pip install" in str((await refused(503, "speech_not_installed"))["message"])


async def test_one_person_may_announce_six_times_a_minute(client: httpx.AsyncClient, manager: dict[str, str]) -> None:
    for _ in range(A_MINUTE):
        assert (await client.post(PATH, json=BODY, headers=manager)).status_code == 201
    answer = await client.post(PATH, json=BODY, headers=manager)
    envelope(answer, 429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 61


async def test_the_same_act_sent_again_is_said_once(
    rig: Rig, app: FastAPI, client: httpx.AsyncClient, manager: dict[str, str], voice: FixedVoice
) -> None:
    reader = await reading(rig, app)
    keyed = {**manager, "Idempotency-Key": "announcement-1"}
    voice.gate.clear()
    first = asyncio.create_task(client.post(PATH, json=BODY, headers=keyed))
    await rig.until(lambda: len(voice.said) == 1)
    again = asyncio.create_task(client.post(PATH, json=BODY, headers=keyed))
    await asyncio.sleep(0)
    voice.gate.set()
    answers = [(await first).json(), (await again).json(), (await client.post(PATH, json=BODY, headers=keyed)).json()]
    assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    other = await client.post(PATH, json={**BODY, "text": "请稍候"}, headers=keyed)
    envelope(other, 409, "request_id_reused")
    assert len(voice.said) == 1
    await rig.until(lambda: announced(reader) == [TEXT])
    await reader.close()


async def test_a_refused_act_may_be_sent_again(
    client: httpx.AsyncClient, manager: dict[str, str], voice: FixedVoice
) -> None:
    keyed = {**manager, "Idempotency-Key": "announcement-2"}
    voice.failure = SpeechRefusedError("speech_busy")
    answer = await client.post(PATH, json=BODY, headers=keyed)
    envelope(answer, 503, "speech_busy")
    assert "Retry-After" in answer.headers
    voice.failure = None
    assert (await client.post(PATH, json=BODY, headers=keyed)).status_code == 201


async def test_the_audit_keeps_who_announced_and_nothing_keeps_what(
    rig: Rig, client: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    with capture_logs() as logs:
        said = (await client.post(PATH, json=BODY, headers=manager)).json()
    notes = rig.registers.audit(HALL, act="announced")
    by = {"id": rig.person("zhaojun", "赵军").id, "kind": "staff"}
    assert [(json.loads(note.by), note.subject) for note in notes] == [(by, said["id"])]
    assert [entry["length"] for entry in logs if entry["event"] == "announced"] == [len(TEXT)]
    assert "老人" not in str(logs) + str(notes)


async def test_a_hall_without_voice_says_so(rig: Rig) -> None:
    rig.person("zhaojun", "赵军", "manager")
    app = make_app(
        rig.port,
        staff=rig.staff,
        alerts=rig.alerts,
        devices=rig.devices,
        voice=None,
        settings=SETTINGS,
        channels=rig.door,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hall.test") as client,
    ):
        answer = await client.post(PATH, json=BODY, headers=await signed_in(client, "zhaojun"))
        envelope(answer, 409, "hall_without_voice")
