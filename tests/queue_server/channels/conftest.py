"""A hall that can be booked, its HTTP API, and programs with keys."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from queue_server.channels.keys import SCOPES
from queue_server.hall import AppointmentRules, ChannelQuota, HallConfiguration, SlotPlan
from queue_server.voice import announcement
from queue_server.web.app import make_app
from queue_server.web.settings import WebSettings
from tests.queue_server.web.rig import Rig, sample

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
TEN = MONDAY + timedelta(hours=1)
PLAN = SlotPlan(
    id="mornings",
    services=("social-card", "id-card"),
    weekdays=(1, 2, 3, 4, 5),
    begins="09:00",
    ends="12:00",
    minutes=30,
    places=4,
    walk_in_percent=25,
    channels=(ChannelQuota(channel="hotline", places=1),),
)


def bookable(**rules: int) -> HallConfiguration:
    return replace(sample(), slot_plans=(PLAN,), appointments=AppointmentRules(**rules))


class Clock:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


_acts = count(1)


class Program:
    """A channel's own program: an HTTP client with its key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {key}"}

    async def get(self, path: str, **params: str | int) -> httpx.Response:
        return await self.http.get(f"/api/v1/channels{path}", params=params, headers=self.headers)

    async def post(self, path: str, body: object, once: str | None = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": once or f"act-{next(_acts):06}"}
        return await self.http.post(f"/api/v1/channels{path}", json=body, headers=headers)

    async def book(self, who: int, starts_at: datetime = TEN, once: str | None = None, **more: str) -> httpx.Response:
        person = {"document_number": f"1101011990{who:08}"}
        body = {"service": "social-card", "starts_at": starts_at.isoformat(), "person": person, **more}
        return await self.post("/appointments", body, once)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def rig(tmp_path: Path, clock: Clock) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, now=clock, configuration=bookable())
    await rig.open()
    yield rig
    rig.close()


@pytest.fixture
async def app(rig: Rig) -> AsyncIterator[FastAPI]:
    app = make_app(
        rig.port,
        staff=rig.staff,
        alerts=rig.alerts,
        devices=rig.devices,
        voice=announcement,
        settings=WebSettings(public_url="http://hall.test", console=False),
        channels=rig.door,
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=("10.1.2.3", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://hall.test") as client:
        yield client


Programs = Callable[..., Program]


@pytest.fixture
def program(rig: Rig, client: httpx.AsyncClient) -> Programs:
    def make(channel: str = "app", *scopes: str) -> Program:
        held = scopes or tuple(scope for scope in SCOPES if scope != "appointments:all")
        return Program(client, rig.keys.add(channel, f"{channel}'s server", held)[1])

    return make
