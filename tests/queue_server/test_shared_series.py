"""One series under pressure: eight terminals at once, with retries and a crash in between."""

import random
from typing import Any

import pytest

from tests.queue_server.engine import NOW, SERVICE, Engine, body, edge, item
from wire.messages import Issue

DEVICES = tuple(f"kiosk-{n}" for n in range(1, 9))
ROUNDS = 50


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_q01_eight_terminals_at_the_same_instant_get_four_hundred_different_numbers(seed: int) -> None:
    chance = random.Random(seed)
    engine, made = Engine(), edge()
    answers: dict[tuple[str, int], Any] = {}
    for round_ in range(1, ROUNDS + 1):
        asks = [(device, round_) for device in DEVICES]
        asks += chance.sample(asks, 3)  # impatient ones ask again in the same instant
        if answers:
            asks += chance.sample(sorted(answers), min(3, len(answers)))  # and late repeats of earlier rounds
        chance.shuffle(asks)
        items = [item(device, n, Issue(service=SERVICE), made) for device, n in asks]
        for ask, payload in zip(asks, engine.ask(*items, now=NOW), strict=True):
            answer = body(payload)
            assert answers.setdefault(ask, answer) == answer, "one request, one ticket"
        if round_ % 10 == 0:
            engine.restart()
    numbers = [answer.number for answer in answers.values()]
    assert sorted(numbers) == [f"A{n:03d}" for n in range(1, len(DEVICES) * ROUNDS + 1)], "no number twice, no gap"
    assert len({answer.ticket for answer in answers.values()}) == len(numbers)
