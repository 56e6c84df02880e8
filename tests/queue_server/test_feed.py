"""The feed: slow readers, many readers, readers that went away."""

import asyncio
import threading
from datetime import UTC, datetime

from queue_server.feed import CALLS_KEPT, Feed
from queue_server.hall_port import BoardChanged, Called, FeedItem, ProjectionChanged
from wire.messages import Board, Call

AT = datetime(2026, 3, 2, tzinfo=UTC)


def called(n: int) -> Called:
    return Called(Call(call_id=f"c{n}", number="A001", counter="1", text="x"), "east", 1, n, AT)


def board(zone: str, rev: int) -> BoardChanged:
    return BoardChanged(Board(zone=zone, hall_name={"zh": "x", "en": "x"}, calls=(), queues=()), 1, rev, AT)


async def drain(feed: Feed, items: list[FeedItem], ready: asyncio.Event, last: int) -> None:
    reading = feed.read()
    first = asyncio.ensure_future(anext(reading))
    await asyncio.sleep(0)
    ready.set()
    items.append(await first)
    while not (isinstance(items[-1], ProjectionChanged) and items[-1].rev == last):
        items.append(await anext(reading))
    await reading.aclose()


async def test_a_slow_reader_gets_every_call_but_only_the_newest_board_of_each_zone() -> None:
    feed, items, ready = Feed(), list[FeedItem](), asyncio.Event()
    reader = asyncio.create_task(drain(feed, items, ready, last=99))
    await ready.wait()
    for n in range(20):
        feed.put([called(n), board("east", n), board("west", n), ProjectionChanged(1, n)])
    feed.put([ProjectionChanged(1, 99)])
    await reader
    assert [item.rev for item in items if isinstance(item, Called)] == list(range(20))
    assert [(item.board.zone, item.rev) for item in items if isinstance(item, BoardChanged)] == [
        ("east", 19),
        ("west", 19),
    ]


async def test_items_put_from_another_thread_arrive_in_order_at_every_reader() -> None:
    feed, ready = Feed(), [asyncio.Event(), asyncio.Event()]
    seen: list[list[FeedItem]] = [[], []]
    readers = [asyncio.create_task(drain(feed, seen[n], ready[n], last=500)) for n in range(2)]
    for event in ready:
        await event.wait()

    def elsewhere() -> None:
        for n in range(500):
            feed.put([called(n)])
        feed.put([ProjectionChanged(1, 500)])

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.gather(*readers)
    thread.join()
    for items in seen:
        assert [item.rev for item in items if isinstance(item, Called)] == list(range(500))


async def test_a_reader_that_stopped_reading_is_let_go_and_the_others_go_on() -> None:
    feed = Feed()
    stuck, awake = feed.read(), feed.read()
    waiting = [asyncio.ensure_future(anext(stuck)), asyncio.ensure_future(anext(awake))]
    await asyncio.sleep(0)
    feed.put([called(0)])
    assert [(await one).rev for one in waiting] == [0, 0]  # type: ignore[union-attr]  # both are calls
    for n in range(1, CALLS_KEPT + 2):
        feed.put([called(n)])
        assert (await anext(awake)).rev == n  # type: ignore[union-attr]  # a call
    assert [item async for item in stuck] == []
    await awake.aclose()


async def test_a_reader_whose_loop_is_gone_harms_nobody() -> None:
    feed = Feed()

    async def begin() -> None:
        reading = feed.read([called(0)])
        await anext(reading)

    await asyncio.to_thread(asyncio.run, begin())
    feed.put([called(1)])
