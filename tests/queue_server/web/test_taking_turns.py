"""Work that comes all at once is done piece by piece, and what else the loop has to do comes in between."""

import asyncio
import contextlib

from queue_server.web.taking_turns import TakingTurns


async def test_between_two_pieces_everybody_else_has_a_turn() -> None:
    turns, happened = TakingTurns(), []

    async def draw(n: int) -> None:
        async with turns.turn():
            happened.append(f"draws {n}")
            asyncio.get_running_loop().call_soon(happened.append, "somebody else")

    await asyncio.gather(*(draw(n) for n in range(5)))
    assert happened == [word for n in range(5) for word in (f"draws {n}", "somebody else")]


async def test_a_piece_that_fails_or_is_cancelled_leaves_the_turn_to_the_next() -> None:
    turns, drawn = TakingTurns(), []

    async def break_down() -> None:
        async with turns.turn():
            raise ValueError

    async def draw() -> None:
        async with turns.turn():
            drawn.append(True)

    cancelled = asyncio.create_task(draw())
    broken = asyncio.create_task(break_down())
    cancelled.cancel()
    with contextlib.suppress(ValueError):
        await broken
    async with asyncio.timeout(5):
        await draw()
    assert drawn == [True]
