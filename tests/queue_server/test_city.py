"""Several halls in one process: each has its own thread, wire, pages and people, and knows nothing of the others."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from provisioning.city import City
from provisioning.processes import server_program
from queue_server import config
from tests.faults.machines import Kiosk
from tests.wire.seats import until
from wire import messages

HALLS = ("east", "west")


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path, HALLS)
    with made.broker:
        made.lay_out()
        yield made


def ask(city: City, hall: str, path: str, **said: Any) -> httpx.Response:
    port = city.ports["city-1"]
    host = {"host": f"{hall}.localhost:{port}"}
    method = "POST" if said else "GET"
    return httpx.request(method, f"http://127.0.0.1:{port}{path}", headers=host, timeout=30, **said)


def is_up(city: City) -> bool:
    try:
        return all(ask(city, hall, "/health").status_code == 200 for hall in HALLS)
    except httpx.HTTPError:
        return False


async def test_halls_of_one_process_share_nothing_but_the_process(city: City) -> None:
    server = server_program(city.server_file("city-1"), city.directory / "log")
    server.start()
    kiosks = {hall: Kiosk(city, city.devices(hall)[0], hall=hall) for hall in HALLS}
    try:
        await until(lambda: is_up(city), patience_s=60)
        for _ in range(3):
            await kiosks["east"].ask(messages.Issue(service="id-card"))
        taken = await kiosks["west"].ask(messages.Issue(service="id-card"))
        assert taken.number.endswith("001")

        told = await asyncio.to_thread(ask, city, "east", "/health")
        assert (told.json()["hall"], told.json()["status"]) == ("east", "ok")
        everybody = (await asyncio.to_thread(ask, city, "elsewhere", "/health")).json()["halls"]
        assert {said["hall"] for said in everybody.values()} == set(HALLS)
        assert (await asyncio.to_thread(ask, city, "elsewhere", "/display/east")).status_code == 404

        for hall in HALLS:
            for other in HALLS:
                form = {"login": f"clerk-{other}", "password": city.staff_passwords[other]}
                signed = await asyncio.to_thread(ask, city, hall, "/console/sign-in", data=form)
                assert ("estation_staff" in signed.cookies) == (hall == other), (hall, other, signed.status_code)
                if hall == other:
                    page = await asyncio.to_thread(_console, city, hall, signed.cookies["estation_staff"])
                    assert page.status_code == 200
                    assert f"clerk of {hall}" in page.text
    finally:
        for kiosk in kiosks.values():
            await kiosk.leave()
        assert await asyncio.to_thread(server.stop) == 0, server.last_words()


def _console(city: City, hall: str, token: str) -> httpx.Response:
    port = city.ports["city-1"]
    headers = {"host": f"{hall}.localhost:{port}", "cookie": f"estation_staff={token}"}
    return httpx.get(f"http://127.0.0.1:{port}/console/", headers=headers, timeout=30)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": "east"}, "id"),
        ({"public_url": "http://east.localhost:1"}, "public_url"),
        ({"server": "city-1-east"}, "server"),
        ({"mqtt": None}, "mqtt"),
    ],
)
def test_halls_that_cannot_be_told_apart_are_refused(city: City, change: dict[str, Any], place: str) -> None:
    whole = config.read(city.server_file("city-1"))
    west = whole.halls[1].model_dump() | change
    with pytest.raises(ValueError, match=place):
        config.Config.model_validate(whole.model_dump() | {"halls": [whole.halls[0].model_dump(), west]})
    with pytest.raises(config.ConfigError, match="which hall"):
        whole.seat()
    with pytest.raises(config.ConfigError, match="no hall 'north'"):
        whole.seat("north")
