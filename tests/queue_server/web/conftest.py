from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from queue_server.voice import announcement
from queue_server.web.app import make_app
from queue_server.web.settings import WebSettings
from tests.queue_server.web.rig import Rig, quick_recalls

SETTINGS = WebSettings(
    public_url="http://hall.test",
    display_servers=("http://hall.test", "http://other.test:8080"),
    beat_s=0.2,
    console=False,
)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, configuration=quick_recalls())
    rig.person("limin", "李敏", "clerk")
    rig.person("wangfang", "王芳", "clerk")
    rig.person("sunqi", "孙琦", "technician")
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
        settings=SETTINGS,
        channels=rig.door,
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=("10.1.2.3", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://hall.test") as client:
        yield client
