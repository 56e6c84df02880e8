"""Messages that wait for their handlers are bounded, for all topics together and for each."""

import asyncio

from wire.lanes import Lanes
from wire.port import Incoming


async def test_one_topic_cannot_fill_the_house() -> None:
    handled: list[str] = []
    let_go = asyncio.Event()

    async def handle(incoming: Incoming) -> None:
        await let_go.wait()
        handled.append(incoming.topic)

    lanes = Lanes(handle, capacity=1000, width=4)
    taken = sum(lanes.put(Incoming("flood", b"", retained=False)) for _ in range(2000))
    assert taken == 125
    assert lanes.overflow == 2000 - taken
    assert all(lanes.put(Incoming(f"other-{n}", b"", retained=False)) for n in range(50))
    let_go.set()
    await lanes.idle()
    assert handled.count("flood") == taken
    assert len(handled) == taken + 50
    assert handled.index("other-49") < 60, "others are not behind the flood"
