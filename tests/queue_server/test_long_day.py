"""A day of ten thousand calls: no call costs more work than the first ones, and nothing that is kept of calls grows."""

import asyncio
import gc
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.days import Day
from queue_server.feed import CALLS_KEPT, Feed
from queue_server.hall import Actor, CallNext, Refusal, decide, evolve
from queue_server.hall_port import Called
from queue_server.projecting import CALLS_SHOWN, boards, project
from queue_server.projection import WAITING_SHOWN
from tests.queue_server.engine import sample
from wire.messages import Call

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SERVICE, SESSION = "social-card", "session-counter-1"
WAITING = 150
CALLS = 10_000


def work_of_next(day: Day) -> int:
    """How many functions one Next calls, in decision and effect."""
    held = day.hall.store.open_session(SESSION)
    command = CallNext(by=Actor("clerk", held.clerk), session=SESSION, seen=held.version, call=f"call-{day.now}")
    done = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal done
        done += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        outcome = decide(day.hall, command, day.now)
        assert not isinstance(outcome, Refusal)
        for event in outcome:
            evolve(day.hall, event)
    finally:
        sys.setprofile(None)
    day.finish(SESSION)
    day.issue(SERVICE)
    return done


def test_q11_the_ten_thousandth_call_is_no_more_work_than_the_first_and_what_is_kept_is_bounded() -> None:
    configuration = sample()
    queues = tuple(replace(queue, last=99_999, digits=5) for queue in configuration.queues)
    day = Day("sample", replace(configuration, queues=queues), NOW)
    day.open_counters()
    for _ in range(WAITING):
        day.issue(SERVICE)
    early = max(work_of_next(day) for _ in range(20))
    for _ in range(CALLS):
        assert day.call(SESSION)
        assert day.finish(SESSION)
        day.issue(SERVICE)
    assert max(work_of_next(day) for _ in range(20)) <= early * 1.1
    projection = project(day.hall, day.now, epoch=1, rev=1)
    assert all(len(board.calls) <= CALLS_SHOWN for board in boards(day.hall, projection))
    assert len(day.hall.store.calls) < 1000
    assert projection.queues[0].waiting_count == WAITING
    assert len(projection.queues[0].waiting) == WAITING_SHOWN < WAITING


async def test_q11_a_display_that_reads_no_more_keeps_a_bounded_backlog_and_has_to_join_again() -> None:
    feed = Feed()
    stuck = feed.read()
    call = Call(call_id="c", number="A001", counter="1", recall=False, text="", audio="http://hall.example/c.wav")
    reading = asyncio.create_task(anext(stuck))
    await asyncio.sleep(0)
    feed.put([Called(call, "east", 1, 1, NOW)])
    assert isinstance(await reading, Called)
    for n in range(CALLS):
        feed.put([Called(call, "east", 1, n + 2, NOW)])
    assert sum(issubclass(type(kept), Called) for kept in gc.get_objects()) <= CALLS_KEPT + 2
    assert [item async for item in stuck] == []
