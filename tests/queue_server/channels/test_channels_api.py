"""The booking channels' API over HTTP: who may do what, what is refused and how, and that nothing happens twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from queue_server.channels.bodies import AppointmentBody, Booking, Person
from queue_server.channels.keys import SCOPES, BadKey
from queue_server.counters.outcomes import Refused
from queue_server.rate_limit import RateLimit
from tests.queue_server.channels.conftest import MONDAY, TEN, Clock, Programs, bookable
from tests.queue_server.web.rig import HALL, Rig

UNKNOWN_KEY = f"es_{'0' * 20}_{'A' * 43}"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:estation:problem:{code}"
    assert body["status"] == status
    assert "{" not in body["message"]["zh"] + body["message"]["en"]
    assert code not in body["message"]["zh"] + body["message"]["en"]
    return body


async def test_an_appointment_is_booked_changed_and_cancelled(program: Programs) -> None:
    app = program()
    services = (await app.get("/services")).json()
    assert {service["service"] for service in services} == {"social-card", "id-card"}
    days = (await app.get("/slots", service="social-card", days=2)).json()
    assert [day["day"] for day in days] == ["2026-03-02", "2026-03-03"]
    ten = next(slot for slot in days[0]["slots"] if slot["starts_local"] == "2026-03-02T10:00")
    assert (ten["places"], ten["left"], ten["reason"]) == (3, 3, None)
    answer = await app.book(1, client="u-17")
    assert answer.status_code == 201, answer.text
    booked = answer.json()
    assert (booked["state"], booked["client"], booked["starts_local"]) == ("booked", "u-17", "2026-03-02T10:00")
    assert (booked["check_in"]["opens_at"], len(booked["code"])) == ("2026-03-02T01:30:00Z", 10)
    path = f"/appointments/{booked['appointment']}"
    later = {"starts_at": "2026-03-02T11:00:00+08:00", "seen": booked["version"]}
    changed = (await app.post(f"{path}/change", later)).json()
    assert changed["starts_local"] == "2026-03-02T11:00"
    problem(await app.post(f"{path}/change", later | {"starts_at": TEN.isoformat()}), 409, "stale_version")
    cancelled = (await app.post(f"{path}/cancel", {"seen": changed["version"]})).json()
    assert cancelled["state"] == (await app.get(path)).json()["state"] == "cancelled"
    problem(await app.post(f"{path}/cancel", {"seen": cancelled["version"]}), 409, "appointment_not_open")


async def test_q27_of_two_who_confirm_the_last_place_together_one_gets_it_and_one_is_offered_others(
    program: Programs,
) -> None:
    app, other = program(), program("mini-programme")
    for who in range(2):
        assert (await app.book(who)).status_code == 201
    answers = await asyncio.gather(*(one.book(who) for who, one in enumerate((app, other) * 5, start=10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    for answer in answers:
        if answer.status_code == 409:
            offered = problem(answer, 409, "slot_full")["params"]["alternatives"]
            assert [slot["starts_local"] for slot in offered] == [
                f"2026-03-02T{t}" for t in ("09:30", "10:30", "11:00")
            ]
            assert all(slot["left"] > 0 for slot in offered)


async def test_a_repeat_gets_the_first_answer_and_books_nothing(program: Programs) -> None:
    app = program()
    answers = await asyncio.gather(*(app.book(1, once="once-0001") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await app.post("/appointments/search", person(1))).json()) == 1
    problem(await app.book(2, once="once-0001"), 409, "request_id_reused")


async def test_a_refusal_is_repeated_too_even_when_it_would_be_granted_now(program: Programs) -> None:
    app = program()
    held = [(await app.book(who)).json() for who in range(3)]
    refused = await app.book(9, once="once-0009")
    problem(refused, 409, "slot_full")
    await app.post(f"/appointments/{held[0]['appointment']}/cancel", {"seen": 1})
    assert (await app.book(9, once="once-0009")).text == refused.text
    assert (await app.book(9, once="once-0010")).status_code == 201


async def test_every_act_needs_an_idempotency_key(program: Programs) -> None:
    app = program()
    for path in ("/appointments", "/appointments/x/cancel", "/check-ins", "/blocks/lift"):
        answer = await app.http.post(f"/api/v1/channels{path}", json={}, headers=app.headers)
        assert answer.status_code in (400, 422)
    body = {"service": "social-card", "starts_at": TEN.isoformat(), **person(1)}
    bare = await app.http.post("/api/v1/channels/appointments", json=body, headers=app.headers)
    problem(bare, 400, "idempotency_key_missing")


def person(who: int) -> dict[str, Any]:
    return {"person": {"document_number": f"1101011990{who:08}"}}


async def test_check_in_gives_the_number_and_the_ticket_stays_linked(program: Programs, rig: Rig, clock: Clock) -> None:
    app = program()
    booked = (await app.book(1, client="u-1")).json()
    early = problem(await app.post("/check-ins", {"code": booked["code"]}), 409, "check_in_too_early")
    assert early["retry_after"] == 1800
    assert "2026-03-02 09:30" in early["message"]["zh"]
    clock.now = MONDAY + timedelta(minutes=45)
    typed = f" {booked['code'][:5].lower()}-{booked['code'][5:]} "
    checked_in = (await app.post("/check-ins", {"code": typed}, once="check-in-1")).json()
    assert (checked_in["state"], checked_in["ticket"]["state"]) == ("checked_in", "waiting")
    assert checked_in["ticket"]["follow_url"].startswith("http://hall.test/t/")
    assert (await app.post("/check-ins", {"code": typed}, once="check-in-1")).json() == checked_in
    problem(await app.post("/check-ins", {"code": typed}), 409, "appointment_not_open")
    ticket = await rig.port.look(lambda hall, _: hall.ticket(checked_in["ticket"]["ticket"]))
    assert ticket is not None
    assert (ticket.appointment, ticket.client) == (booked["appointment"], "u-1")
    problem(await app.post("/check-ins", {"code": "0000000000"}), 404, "appointment_unknown")


async def test_a_channel_sees_its_own_appointments_and_a_hotline_with_the_scope_all(program: Programs) -> None:
    app, other, hotline = program(), program("other"), program("hotline", *SCOPES)
    booked = (await app.book(1)).json()
    path = f"/appointments/{booked['appointment']}"
    problem(await other.get(path), 404, "appointment_unknown")
    problem(await other.post(f"{path}/cancel", {"seen": 1}), 404, "appointment_unknown")
    assert (await other.post("/appointments/search", person(1))).json() == []
    (found,) = (await hotline.post("/appointments/search", person(1))).json()
    assert found["appointment"] == booked["appointment"]
    assert (await hotline.post(f"{path}/cancel", {"seen": 1})).json()["state"] == "cancelled"


async def test_a_channels_quota_is_its_own(program: Programs) -> None:
    hotline = program("hotline")
    assert (await hotline.book(1)).status_code == 201
    assert problem(await hotline.book(2), 409, "channel_quota_reached")["params"]["alternatives"]
    assert (await program("app").book(2)).status_code == 201


@pytest.mark.parametrize("held", SCOPES)
async def test_a_key_does_what_its_scopes_say_and_nothing_else(program: Programs, held: str) -> None:
    caller = program("app", held)
    attempts = {
        "slots:read": [await caller.get("/services"), await caller.get("/slots", service="social-card")],
        "appointments:read": [
            await caller.get("/appointments/x"),
            await caller.post("/appointments/search", person(1)),
        ],
        "appointments:write": [await caller.book(1), await caller.post("/appointments/x/cancel", {"seen": 1})],
        "check-in:write": [await caller.post("/check-ins", {"code": "AAAAAAAAAA"})],
        "blocks:write": [await caller.post("/blocks/lift", person(1))],
    }
    for scope, answers in attempts.items():
        for answer in answers:
            if scope == held:
                assert answer.status_code in (200, 201, 404, 409), answer.text
            else:
                assert problem(answer, 403, "scope_missing")["params"] == {"scope": scope}


@pytest.mark.parametrize("header", [None, "Bearer nothing", f"Bearer {UNKNOWN_KEY}", "Basic eDp5"])
async def test_nobody_is_served_without_a_key(client: httpx.AsyncClient, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = await client.get("/api/v1/channels/services", headers=headers)
    problem(answer, 401, "key_unknown")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_guessing_keys_is_slowed_down_and_a_good_key_is_not(program: Programs, client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {UNKNOWN_KEY}"}
    for _ in range(25):
        answer = await client.get("/api/v1/channels/services", headers=headers)
    assert int(problem(answer, 429, "too_many_attempts")["retry_after"]) > 0
    assert (await program().get("/services")).status_code == 200


async def test_a_revoked_key_is_worth_nothing_at_once_and_its_text_is_stored_nowhere(
    rig: Rig, program: Programs
) -> None:
    app = program()
    row, text = rig.keys.add("app", "second", ("slots:read",))
    app.headers = {"Authorization": f"Bearer {text}"}
    assert (await app.get("/services")).status_code == 200
    assert rig.keys.revoke(row.id)
    assert not rig.keys.revoke(row.id)
    problem(await app.get("/services"), 401, "key_unknown")
    secret = text.rpartition("_")[2]
    assert secret not in repr(rig.channels.api_keys(HALL))
    assert len(row.secret_hash) == 64


@pytest.mark.parametrize(
    ("channel", "scopes"), [("App!", ("slots:read",)), ("app", ()), ("app", ("everything",)), ("", ("slots:read",))]
)
def test_a_key_that_cannot_be_is_not_made(rig: Rig, channel: str, scopes: tuple[str, ...]) -> None:
    with pytest.raises(BadKey):
        rig.keys.add(channel, "x", scopes)
    assert rig.keys.all() == ()


@pytest.mark.parametrize(
    "change",
    [
        {"service": "Social Card"},
        {"service": None},
        {"starts_at": "2026-03-02T10:00:00"},
        {"starts_at": "9999-12-31T23:59:59-11:00"},
        {"starts_at": 12},
        {"person": {"document_number": "1"}},
        {"person": {"document_number": "11010519491231002X", "name": "李敏"}},
        {"client": "13800138000"},
        {"client": "11010519491231002X"},
        {"client": "李敏"},
        {"unknown": 1},
    ],
)
async def test_a_malformed_booking_is_named_and_not_echoed(program: Programs, change: dict[str, Any]) -> None:
    body = {"service": "social-card", "starts_at": TEN.isoformat(), **person(1), **change}
    answer = await program().post("/appointments", body)
    assert "where" in problem(answer, 422, "invalid_request")["params"]
    assert "李敏" not in answer.text
    assert "11010" not in answer.text


async def test_no_document_number_reaches_the_ledger(program: Programs, rig: Rig, tmp_path: Any) -> None:
    assert (await program().book(1)).status_code == 201
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"1101011990" not in held
    found = await rig.port.look(lambda hall, _: [a.person for a in hall.store.appointments.values()])
    assert found is not None
    assert len(found[0]) == 64


async def test_without_the_halls_key_nothing_is_booked(rig: Rig, program: Programs, app: Any) -> None:
    caller = program()
    app.state.channels.service._hall_key = None
    problem(await caller.book(1), 503, "persons_not_keyed")
    problem(await caller.post("/appointments/search", person(1)), 503, "persons_not_keyed")


async def test_who_misses_too_many_is_blocked_until_somebody_lifts_it(
    program: Programs, rig: Rig, clock: Clock
) -> None:
    caller = program("app", *SCOPES)
    for day in (0, 1, 2):
        clock.now = MONDAY + timedelta(days=day)
        booked = await caller.book(1, TEN + timedelta(days=day))
        assert booked.status_code == 201, booked.text
        clock.now = MONDAY + timedelta(days=day, hours=20)
        path = f"/appointments/{booked.json()['appointment']}"
        async with asyncio.timeout(10):
            while (await caller.get(path)).json()["state"] != "missed":  # noqa: ASYNC110 - the hall's calendar runs on its own thread
                await asyncio.sleep(0.05)
    clock.now = MONDAY + timedelta(days=3)
    refused = problem(await caller.book(1, TEN + timedelta(days=3)), 409, "booking_blocked")
    assert "2026-04-0" in refused["message"]["zh"]
    assert (await caller.book(2, TEN + timedelta(days=3))).status_code == 201
    assert (await caller.post("/blocks/lift", person(1))).status_code == 204
    problem(await caller.post("/blocks/lift", person(1)), 409, "not_blocked")
    assert (await caller.book(1, TEN + timedelta(days=3))).status_code == 201


@pytest.mark.parametrize("params", [{"days": 0}, {"days": 32}, {"from": "1999-01-01"}, {"from": "x"}, {"service": ""}])
async def test_a_look_at_slots_is_bounded(program: Programs, params: dict[str, Any]) -> None:
    problem(await program().get("/slots", **{"service": "social-card", **params}), 422, "invalid_request")


async def test_slots_of_an_unknown_service_are_not_found(program: Programs) -> None:
    problem(await program().get("/slots", service="no-such"), 404, "service_unknown")
    assert (await program().get("/slots", service="invoice", days=1)).json()[0]["slots"] == []


@pytest.mark.parametrize("once", ["withouthyphen", "with-one", "550e8400-e29b-41d4-a716-446655440000", "____-___-"])
async def test_a_repeat_is_known_after_a_restart_whatever_its_key_looks_like(
    tmp_path: Path, clock: Clock, once: str
) -> None:
    answers = []
    for _ in range(2):
        rig = Rig(tmp_path, now=clock, configuration=bookable())
        await rig.open()
        caller = rig.keys.caller(rig.keys.add("app", "x", SCOPES)[1])
        assert caller is not None
        booking = Booking(service="social-card", starts_at=TEN, **person(1))  # type: ignore[arg-type]  # checked by the model
        answers.append(await rig.door.service.book(caller, booking, once))
        other = booking.model_copy(update={"person": Person(document_number="11010519491231002X")})
        answers.append(await rig.door.service.book(caller, other, f"another-{len(answers)}"))
        rig.close()
    assert isinstance(answers[0], AppointmentBody)
    assert answers[0] == answers[2]
    assert isinstance(answers[1], AppointmentBody)
    assert isinstance(answers[3], Refused)
    assert answers[3].code == "already_booked"


async def test_a_key_that_asks_too_often_is_slowed_down_alone(program: Programs, app: Any) -> None:
    door = app.state.channels
    app.state.channels = replace(door, requests=RateLimit(5, 60.0))
    eager, other = program(), program("other")
    answers = [await eager.get("/services") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert int(problem(answers[-1], 429, "too_many_attempts")["retry_after"]) > 0
    assert (await other.get("/services")).status_code == 200
