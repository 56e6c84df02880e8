"""Work that comes all at once is done piece by piece, and what else the loop has to do comes in between."""

import asyncio

from queue_server.web.taking_turns import TakingTurns
from tests.wire.seats import until


async def test_between_two_pieces_everybody_else_has_a_turn() -> None:
    turns, happened = TakingTurns(), []

    async def draw(n: int) -> None:
        async with turns.turn():
            happened.append(f"draws {n}")
            asyncio.get_running_loop().call_soon(happened.append, "somebody else")

    await asyncio.gather(*(draw(n) for n in range(5)))
    assert happened == [word for n in range(5) for word in (f"draws {n}", "somebody else")]


async def test_who_fails_or_is_cancelled_while_drawing_or_waiting_leaves_the_turn_to_the_next() -> None:
    turns, happened = TakingTurns(), []

    async def draw(name: str, end: asyncio.Event) -> None:
        async with turns.turn():
            happened.append(name)
            await end.wait()
            if name == "fails":
                raise ValueError

    never, now = asyncio.Event(), asyncio.Event()
    now.set()
    drawing = asyncio.create_task(draw("is cancelled", never))
    waiting = asyncio.create_task(draw("never comes to it", now))
    failing = asyncio.create_task(draw("fails", now))
    last = asyncio.create_task(draw("last", now))
    await until(lambda: bool(happened))
    waiting.cancel()
    drawing.cancel()
    async with asyncio.timeout(5):
        said = await asyncio.gather(drawing, waiting, failing, last, return_exceptions=True)
    assert happened == ["is cancelled", "fails", "last"]
    assert [type(each) for each in said] == [asyncio.CancelledError, asyncio.CancelledError, ValueError, type(None)]
