"""The counters' API over HTTP: every act on a ticket and on a counter session has its route."""

import httpx

from tests.queue_server.web.rig import Rig
from tests.queue_server.web.test_api import signed_in


async def test_every_act_on_a_ticket_has_its_route(rig: Rig, client: httpx.AsyncClient) -> None:
    first, _ = await rig.issue("social-card"), await rig.issue("social-card")
    headers = await signed_in(client)

    async def post(path: str, status: int = 200, **body: object) -> dict[str, object]:
        answer = await client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        found: dict[str, object] = answer.json() if answer.content else {}
        return found

    state = await post("/counters/counter-2/open", profile="insurance-first")
    assert state["profile"] == "insurance-first"
    session = f"/sessions/{state['session']}"
    state = await post(f"{session}/pause", seen=state["version"], reason="meal")
    assert state["pause_reason"] == {"zh": "用餐", "en": "Meal"}
    state = await post(f"{session}/continue", seen=state["version"])
    state = await post(f"{session}/profile", seen=state["version"], profile=None)
    assert state["queues"] == ["social-security"]
    ticket = f"/tickets/{first.ticket}"
    await post(f"{ticket}/reclassify", 204, seen=1, companions=2, priority_class="elderly")
    await post(f"{ticket}/hold", 204, seen=2)
    await post(f"{ticket}/resume", 204, seen=3)
    state = await post(f"{session}/call", seen=state["version"], ticket=first.ticket)
    state = await post(f"{session}/undo", seen=state["version"])
    assert state["current"] is None
    state = await post(f"{session}/next", seen=state["version"])
    state = await post(f"{session}/no-show", seen=state["version"])
    (aside,) = state["aside"]  # type: ignore[misc]  # a list in JSON
    await post(f"{ticket}/reinstate", 204, seen=aside["version"])
    await post(f"{ticket}/transfer", 204, seen=aside["version"] + 1, to={"kind": "counter", "id": "counter-2"})
    state = await post(f"{session}/call", seen=state["version"], ticket=first.ticket)
    state = await post(f"{session}/start", seen=state["version"])
    state = await post(f"{session}/another-service", seen=state["version"], service="id-card", here=False)
    current_ticket = state["current"]
    assert isinstance(current_ticket, dict)
    assert [name["zh"] for name in current_ticket["planned"]] == ["居民身份证补换领"]
    assert current_ticket["companions"] == 2
    await post(f"{ticket}/cancel", 409, seen=current_ticket["version"])
