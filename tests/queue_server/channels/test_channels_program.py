"""The whole program as processes: keys and webhooks by the command line, bookers at once, a receiver of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from provisioning.broker import free_port
from provisioning.site import Site
from queue_server.__main__ import app
from queue_server.hall import AppointmentRules, configuration_to_json
from tests.queue_server.channels.conftest import PLAN
from tests.queue_server.web.rig import sample
from tests.wire.seats import until

ROOT = Path(__file__).parents[3]
RECEIVER = Path(__file__).with_name("receiver.py")
ROUND_THE_CLOCK = replace(PLAN, weekdays=(1, 2, 3, 4, 5, 6, 7), begins="00:00", ends="23:59")


@pytest.fixture(autouse=True)
def logs_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of this process leaves the tests' logging alone."""
    monkeypatch.setattr("queue_server.logs.configure", lambda _level: None)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    hall = replace(sample(), slot_plans=(ROUND_THE_CLOCK,), appointments=AppointmentRules(early_minutes=24 * 60))
    made = Site(tmp_path, hall_file=configuration_to_json(hall).encode(), console=False, voice=False)
    with made.broker:
        made.lay_out({})
        yield made


def cli(site: Site, *arguments: str) -> Any:
    """What a command says, in this process; its complaint where it refuses."""
    done = CliRunner().invoke(app, [*arguments, "--config", str(site.server_file)])
    return [json.loads(line) for line in done.stdout.splitlines()] if done.exit_code == 0 else done.stderr


def receive(port: int, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(RECEIVER), str(port), str(file)])


def start(site: Site) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "queue_server", "run", "--config", str(site.server_file)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)


def is_up(site: Site) -> bool:
    try:
        return httpx.get(f"{site.url}/health").status_code == 200
    except httpx.HTTPError:
        return False


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


async def test_q27_bookers_at_once_and_a_receiver_that_hears_of_it_over_a_crash_of_the_server(
    site: Site, tmp_path: Path
) -> None:
    heard, port = tmp_path / "heard", free_port()
    (made,) = cli(
        site, "add-api-key", "--channel", "app", "--name", "city app",
        "--scope", "slots:read", "--scope", "appointments:write", "--scope", "check-in:write",
    )  # fmt: skip
    (hook,) = cli(site, "add-webhook", "--channel", "app", "--url", f"http://127.0.0.1:{port}/hook")
    auth = {"Authorization": f"Bearer {made['key']}"}
    api = f"{site.url}/api/v1/channels"
    server = start(site)
    receiver = None
    try:
        await until(lambda: is_up(site), patience_s=60)
        async with httpx.AsyncClient(headers=auth, timeout=30) as one, httpx.AsyncClient(headers=auth) as two:
            days = (await one.get(f"{api}/slots", params={"service": "social-card", "days": 2})).json()
            slot = [slot for day in days for slot in day["slots"] if slot["left"] == 3][1]

            async def book(client: httpx.AsyncClient, who: int) -> httpx.Response:
                person = {"document_number": f"1101011990{who:08}"}
                body = {"service": "social-card", "starts_at": slot["starts_at"], "person": person, "client": f"u{who}"}
                headers = {"Idempotency-Key": f"booking-{who:04}"}
                return await client.post(f"{api}/appointments", json=body, headers=headers)

            answers = await asyncio.gather(*(book((one, two)[who % 2], who) for who in range(12)))
            booked = [answer.json() for answer in answers if answer.status_code == 201]
            refused = [answer.json() for answer in answers if answer.status_code == 409]
            assert (len(booked), len(refused)) == (3, 9)
            assert all(body["code"] == "slot_full" and body["params"]["alternatives"] for body in refused)
            again = await book(two, next(who for who, answer in enumerate(answers) if answer.status_code == 201))
            assert again.json() in booked
            headers = {"Idempotency-Key": "cancel-0001"}
            path = f"{api}/appointments/{booked[0]['appointment']}/cancel"
            assert (await one.post(path, json={"seen": 1}, headers=headers)).json()["state"] == "cancelled"
            code, headers = {"code": booked[1]["code"]}, {"Idempotency-Key": "check-in-0001"}
            assert (await one.post(f"{api}/check-ins", json=code, headers=headers)).json()["ticket"]["number"]
            assert (await book(one, 99)).status_code == 201
        server.kill()
        await asyncio.to_thread(server.wait, 20)
        receiver = receive(port, heard)
        server = start(site)
        await until(lambda: is_up(site), patience_s=60)
        await until(lambda: len({line["headers"]["webhook-id"] for line in lines(heard)}) == 2, patience_s=60)
    finally:
        for process in (server, receiver):
            if process is not None:
                process.terminate()
                await asyncio.to_thread(process.wait, 20)
    told = {json.loads(line["body"])["type"]: json.loads(line["body"])["data"] for line in lines(heard)}
    assert told["cancelled"]["appointment"] == booked[0]["appointment"]
    assert (told["near"]["appointment"], told["near"]["ahead"]) == (booked[1]["appointment"], 0)
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    for line in lines(heard):
        signed = f"{line['headers']['webhook-id']}.{line['headers']['webhook-timestamp']}.{line['body']}".encode()
        made_here = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert line["headers"]["webhook-signature"] == f"v1,{made_here}"


def test_keys_and_webhooks_are_made_listed_and_taken_back_by_the_command_line(site: Site) -> None:
    (key,) = cli(site, "add-api-key", "--channel", "app", "--name", "city app", "--scope", "slots:read")
    assert key["key"].startswith(f"es_{key['id']}_")
    (listed,) = cli(site, "list-api-keys")
    assert (listed["channel"], listed["scopes"], listed["revoked_at"]) == ("app", ["slots:read"], None)
    assert "key" not in listed
    assert cli(site, "revoke-api-key", "--id", key["id"]) == [{"id": key["id"], "revoked": True}]
    assert cli(site, "list-api-keys")[0]["revoked_at"] is not None
    assert "no key" in cli(site, "revoke-api-key", "--id", key["id"])
    assert "scopes" in cli(site, "add-api-key", "--channel", "app", "--name", "x", "--scope", "everything")
    (hook,) = cli(site, "add-webhook", "--channel", "app", "--url", "https://app.example/hook", "--kind", "called")
    assert hook["secret"].startswith("whsec_")
    (listed,) = cli(site, "list-webhooks")
    assert (listed["url"], listed["kinds"], listed["pending"]) == ("https://app.example/hook", ["called"], 0)
    assert "secret" not in listed
    assert cli(site, "retry-webhook", "--id", hook["id"]) == [{"id": hook["id"], "again": 0}]
    assert cli(site, "remove-webhook", "--id", hook["id"]) == [{"id": hook["id"], "removed": True}]
    assert cli(site, "list-webhooks") == []
    assert "no webhook" in cli(site, "remove-webhook", "--id", hook["id"])
    assert "https" in cli(site, "add-webhook", "--channel", "app", "--url", "http://10.0.0.1/hook")
    assert "kinds" in cli(site, "add-webhook", "--channel", "a", "--url", "https://a.example/", "--kind", "everything")
