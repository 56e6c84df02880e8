"""The counters' API over HTTP: envelopes, statuses, the contract in docs/openapi.yaml."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openapi_spec_validator import validate

from tests.queue_server.web.rig import PASSWORD, Rig
from tools import openapi

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.yaml"


async def signed_in(client: httpx.AsyncClient, login: str = "limin") -> dict[str, str]:
    answer = await client.post("/api/v1/sign-in", json={"login": login, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def envelope(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"type", "title", "status", "code", "params", "retry_after", "message"}
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["type"]) == (status, f"urn:estation:problem:{code}")
    assert body["code"] == code
    assert set(body["message"]) == {"zh", "en"}
    assert "{" not in body["message"]["zh"] + body["message"]["en"]
    return body


async def test_a_clerk_calls_serves_and_completes(rig: Rig, client: httpx.AsyncClient) -> None:
    taken = await rig.issue("social-card")
    headers = await signed_in(client)
    state = (await client.post("/api/v1/counters/counter-2/open", headers=headers)).json()
    session = f"/api/v1/sessions/{state['session']}"
    assert state["clerk_name"] == "李敏"
    assert state["waiting"] == 1
    for act, expected in (("next", "called"), ("recall", "called"), ("start", "serving"), ("complete", None)):
        answer = await client.post(f"{session}/{act}", json={"seen": state["version"]}, headers=headers)
        assert answer.status_code == 200, answer.text
        state = answer.json()
        assert (state["current"] and state["current"]["state"]) == expected
        assert (state["current"] or {"number": taken.number})["number"] == taken.number
    closed = (await client.post(f"{session}/close", headers=headers)).json()
    assert closed["session"] is None


async def test_what_the_rules_refuse_is_a_conflict_and_says_why(rig: Rig, client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    other = await signed_in(client, "wangfang")
    state = (await client.post("/api/v1/counters/counter-2/open", headers=headers)).json()
    session = f"/api/v1/sessions/{state['session']}"
    taken = envelope(await client.post("/api/v1/counters/counter-2/open", headers=other), 409, "counter_taken")
    assert "李敏" in taken["message"]["zh"]
    envelope(await client.post(f"{session}/next", json={"seen": 7}, headers=headers), 409, "stale_version")
    nobody = await client.post(f"{session}/next", json={"seen": state["version"]}, headers=headers)
    envelope(nobody, 409, "nobody_waiting")
    foreign = await client.post(f"{session}/next", json={"seen": state["version"]}, headers=other)
    envelope(foreign, 403, "session_of_other")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/counters"), ("GET", "/queues"), ("POST", "/counters/counter-2/open"), ("POST", "/sessions/x/next")],
)
async def test_nothing_is_shown_or_done_without_signing_in(client: httpx.AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic bGltaW46eA=="}):
        answer = await client.request(method, f"/api/v1{path}", headers=headers, json={"seen": 1})
        envelope(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_role_that_may_not_call_is_forbidden(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client, "sunqi")
    envelope(await client.post("/api/v1/counters/counter-2/open", headers=headers), 403, "not_allowed")


async def test_unknown_things_are_not_found(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    envelope(await client.get("/api/v1/counters/counter-99", headers=headers), 404, "counter_unknown")
    envelope(await client.post("/api/v1/counters/counter-99/open", headers=headers), 404, "counter_unknown")
    cancel = await client.post("/api/v1/tickets/no-such/cancel", json={"seen": 1}, headers=headers)
    envelope(cancel, 404, "ticket_unknown")
    envelope(await client.get("/api/v1/no-such-path", headers=headers), 404, "not_found")


@pytest.mark.parametrize("body", [{}, {"seen": -1}, {"seen": "x"}, {"seen": None}, [], "text"])
async def test_a_malformed_request_is_named_and_not_echoed(client: httpx.AsyncClient, body: Any) -> None:
    headers = await signed_in(client)
    answer = await client.post("/api/v1/sessions/x/next", json=body, headers=headers)
    assert "where" in envelope(answer, 422, "invalid_request")["params"]


async def test_a_wrong_password_is_not_told_apart_and_never_echoed(client: httpx.AsyncClient) -> None:
    wrong = await client.post("/api/v1/sign-in", json={"login": "limin", "password": "guess-guess"})
    unknown = await client.post("/api/v1/sign-in", json={"login": "nobody", "password": "guess-guess"})
    assert envelope(wrong, 401, "wrong_credentials") == envelope(unknown, 401, "wrong_credentials")
    too_long = await client.post("/api/v1/sign-in", json={"login": "limin", "password": "secret" * 100})
    envelope(too_long, 422, "invalid_request")
    assert "secret" not in too_long.text


async def test_guessing_passwords_is_slowed_down(client: httpx.AsyncClient) -> None:
    for _ in range(25):
        answer = await client.post("/api/v1/sign-in", json={"login": "limin", "password": "guess-guess"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_signing_out_ends_the_token(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    assert (await client.get("/api/v1/me", headers=headers)).json()["name"] == "李敏"
    assert (await client.post("/api/v1/sign-out", headers=headers)).status_code == 204
    envelope(await client.get("/api/v1/me", headers=headers), 401, "not_signed_in")


async def test_a_lost_answer_may_be_asked_for_again(rig: Rig, client: httpx.AsyncClient) -> None:
    first, _ = await rig.issue("social-card"), await rig.issue("social-card")
    headers = await signed_in(client)
    state = (await client.post("/api/v1/counters/counter-2/open", headers=headers)).json()
    once = headers | {"Idempotency-Key": "client-0001"}
    for _ in range(2):
        answer = await client.post(
            f"/api/v1/sessions/{state['session']}/next", json={"seen": state["version"]}, headers=once
        )
        assert answer.json()["current"]["number"] == first.number


async def test_waiting_tickets_come_in_call_order_and_hold_nothing_of_the_person(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    ordinary = await rig.issue("social-card")
    elderly = await rig.issue("social-card", "elderly")
    queues = (await client.get("/api/v1/queues", headers=await signed_in(client))).json()
    waiting = next(queue for queue in queues if queue["queue"] == "social-security")["waiting"]
    assert [ticket["number"] for ticket in waiting] == [elderly.number, ordinary.number]
    assert ordinary.token not in str(queues)


async def test_a_request_for_help_is_listed_until_somebody_goes(rig: Rig, client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    help_id = await rig.ask_for_help()
    assert [h["help"] for h in (await client.get("/api/v1/help-requests", headers=headers)).json()] == [help_id]
    path = f"/api/v1/help-requests/{help_id}/acknowledge"
    assert (await client.post(path, headers=headers)).status_code == 204
    assert (await client.get("/api/v1/help-requests", headers=headers)).json() == []
    envelope(await client.post(path, headers=headers), 409, "help_already_acknowledged")


def test_the_api_document_is_valid_and_not_stale() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == openapi.document()
    validate(yaml.safe_load(openapi.document()))


def test_every_operation_has_an_id_and_every_error_is_a_problem() -> None:
    document = yaml.safe_load(openapi.document())
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    for operation in operations:
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (operation["operationId"], status)
