"""Those who wait for an outcome on their own event loop, wherever it runs."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Waiter:
    """A future, and the loop on which it may be touched."""

    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


def waiter() -> Waiter:
    """For the running loop."""
    loop = asyncio.get_running_loop()
    return Waiter(loop, loop.create_future())


def settle(results: Iterable[tuple[Waiter, object]]) -> None:
    """Hand everybody their result: at once on this loop, with one wake-up for each other loop."""
    here = asyncio.get_running_loop()
    elsewhere: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], object]]] = {}
    for who, result in results:
        if who.loop is here:
            _set(who.future, result)
        else:
            elsewhere.setdefault(who.loop, []).append((who.future, result))
    for loop, settled in elsewhere.items():
        # a loop that is closed has nobody left who waits
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_set_all, settled)


def _set_all(settled: list[tuple["asyncio.Future[Any]", object]]) -> None:
    for future, result in settled:
        _set(future, result)


def _set(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)
