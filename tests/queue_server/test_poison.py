"""An item on which the core breaks harms nobody else, is tried a few times, and is then set aside for good."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from queue_server import runner
from queue_server.hall import Issue, TicketIssued
from queue_server.poison import TRIES
from queue_server.runner import RETRY_AFTER_S
from tests.queue_server.engine import HALL, SERVICE
from tests.queue_server.rig import Talker, running
from tests.queue_server.test_wire_side import codes
from wire import messages
from wire.codec import encode

POISON = "id-card"
AT = datetime(2026, 3, 2, tzinfo=UTC)


def break_deciding(patch: pytest.MonkeyPatch) -> None:
    decide = runner.decide

    def breaks(hall: Any, command: Any, now: Any) -> Any:
        if isinstance(command, Issue) and command.service == POISON:
            raise ZeroDivisionError
        return decide(hall, command, now)

    patch.setattr(runner, "decide", breaks)


def break_evolving(patch: pytest.MonkeyPatch) -> None:
    evolve = runner.evolve

    def breaks(hall: Any, event: Any) -> None:
        if isinstance(event, TicketIssued) and event.service == POISON:
            raise ZeroDivisionError
        evolve(hall, event)

    patch.setattr(runner, "evolve", breaks)


async def test_an_item_on_which_deciding_breaks_is_refused_for_good_after_some_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "k1", "k2") as rig:
        k1, k2 = await rig.talker("k1"), await rig.talker("k2")
        break_deciding(monkeypatch)
        for n in range(1, TRIES + 1):
            refused = await k1.ask(messages.Issue(service=POISON), request_id="0badcafe-7")
            assert (refused.code, refused.retry_after) == ("internal_error", RETRY_AFTER_S)
            assert (await k2.ask(messages.Issue(service=SERVICE))).number == f"A00{n}"
        assert "request_quarantined" not in codes(rig)
        for _ in range(2):
            refused = await k1.ask(messages.Issue(service=POISON), request_id="0badcafe-7")
            assert (refused.code, refused.retry_after) == ("request_quarantined", None)
        assert codes(rig)["request_quarantined"] == "k1"
        (note,) = (note for note in rig.ledger.audit(HALL) if note.act == "request_quarantined")  # type: ignore[attr-defined]  # the twin's
        assert note.subject == "0badcafe-7"
        assert ("k1", "0badcafe-7") in rig.ledger.answers([("k1", "0badcafe-7")])
        assert (await k1.ask(messages.Issue(service=SERVICE))).number == f"A00{TRIES + 1}"


async def test_an_item_that_breaks_the_hall_in_memory_is_found_among_those_that_came_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, "k1", "k2", "k3") as rig:
        poisoned, good, other = [await rig.talker(device) for device in ("k1", "k2", "k3")]
        break_evolving(monkeypatch)
        said = await asyncio.gather(
            _until_answered(poisoned, messages.Issue(service=POISON), "0badcafe-7"),
            _until_answered(good, messages.Issue(service=SERVICE), "0badcafe-1"),
            _until_answered(other, messages.Issue(service=SERVICE), "0badcafe-1"),
        )
        assert said[0].code == "request_quarantined"
        assert {said[1].number, said[2].number} == {"A001", "A002"}
        assert codes(rig)["request_quarantined"] == "k1"
        assert (await good.ask(messages.Issue(service=SERVICE), request_id="0badcafe-9")).number == "A003"


async def _until_answered(device: Talker, body: messages.Message, request_id: str) -> Any:
    """As a terminal does: the same bytes, again and again, until the hall has answered for good."""
    payload = encode(body, message_id=request_id, at=AT)
    while True:
        await device.send(payload)
        try:
            async with asyncio.timeout(0.3):
                return await device.answer(request_id)
        except TimeoutError:
            continue
