"""Health, metrics, bundles, and the headers that every answer carries."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

import queue_server.web
from tests.queue_server.web.rig import Rig

WEB = Path(queue_server.web.__file__).parent


async def test_a_server_that_leads_and_can_write_is_healthy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@pytest.mark.parametrize(("alert", "part", "status"), [("ledger_full", "ledger", 503), ("broker_lost", "link", 200)])
async def test_a_fault_is_named_and_takes_the_server_out_only_where_it_cannot_serve(
    rig: Rig, client: httpx.AsyncClient, alert: str, part: str, status: int
) -> None:
    rig.alerts.raise_(alert, "shili")
    answer = await client.get("/health")
    assert answer.status_code == status
    assert answer.json()[part] == "fault"
    assert answer.json()["status"] == "degraded"


async def test_metrics_count_who_waits(rig: Rig, client: httpx.AsyncClient) -> None:
    await rig.issue("social-card")
    text = (await client.get("/metrics")).text
    assert 'estation_waiting{hall="shili",queue="social-security"} 1.0' in text
    assert 'estation_leading{hall="shili"} 1.0' in text


async def test_the_bundle_is_served_by_its_hash_alone(rig: Rig, client: httpx.AsyncClient) -> None:
    bundle = rig.port.bundle()
    assert bundle is not None
    answer = await client.get(bundle.path)
    assert answer.content == bundle.body
    assert "immutable" in answer.headers["cache-control"]
    assert (await client.get(f"/bundles/{'0' * 64}.json")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/health", "/metrics", "/display/east", "/t/x", "/api/v1/me", "/nowhere", "/audio/x.wav"]
)
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_fonts_and_static_files_come_from_this_server(client: httpx.AsyncClient) -> None:
    page = (await client.get("/display/east")).text
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert (await client.get(address)).status_code == 200, address
    assert (await client.get("/fonts/EstationSans-Bold.otf")).status_code == 200
    assert (await client.get("/fonts/../voice/zh/chime.wav")).status_code == 404


def test_q29_no_page_loads_anything_from_elsewhere() -> None:
    for path in (*WEB.glob("templates/*"), *WEB.glob("static/**/*")):
        if path.is_file():
            foreign = re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z0-9.-]+", path.read_text(encoding="utf-8"))
            assert [found for found in foreign if "www.w3.org" not in found] == [], path


async def test_an_error_in_the_program_shows_nothing_of_its_inside(app: FastAPI) -> None:
    async def fail() -> None:
        raise RuntimeError("number of a person")

    app.add_api_route("/api/v1/broken", fail)
    app.add_api_route("/broken", fail)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hall.test") as client:
        answer, page = await client.get("/api/v1/broken"), await client.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert page.status_code == 500
    assert "暂时无法显示" in page.text
    for shown in (answer.text, page.text):
        assert "person" not in shown
