"""Waiting for a newer projection: none is missed by somebody who was busy when it came."""

import asyncio

from queue_server.counters.service import CounterService
from tests.queue_server.web.rig import Rig


async def test_a_change_that_came_before_the_wait_began_ends_the_wait_at_once(
    rig: Rig, service: CounterService
) -> None:
    drawn = rig.port.projection()
    await rig.issue("social-card")
    async with asyncio.timeout(5):
        newest = await service.watch.newer(drawn, 60)
    assert newest.rev > drawn.rev


async def test_without_a_change_the_same_projection_comes_back(rig: Rig, service: CounterService) -> None:
    await asyncio.sleep(0.1)
    drawn = rig.port.projection()
    assert (await service.watch.newer(drawn, 0.05)).epoch == drawn.epoch
