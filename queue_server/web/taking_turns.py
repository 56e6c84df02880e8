"""Taking turns on an event loop: pieces of work that would all be done at once, one after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BREATH_S = 0.005
"""Between two pieces: what all of them together would hold up has its turn."""


class TakingTurns:
    """Give each piece of work its `turn`; used on one loop."""

    def __init__(self, breath_s: float = BREATH_S) -> None:
        self._breath_s = breath_s
        self._busy = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Alone, after whoever came before; the next one comes a breath later, also after a failure."""
        async with self._busy:
            try:
                yield
            finally:
                await asyncio.sleep(self._breath_s)
