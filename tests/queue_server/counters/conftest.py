import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from queue_server.clock import utc_now
from queue_server.counters.service import CounterService
from tests.queue_server.web.rig import Rig, quick_recalls


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, configuration=quick_recalls())
    rig.person("limin", "李敏", "clerk")
    rig.person("wangfang", "王芳", "clerk")
    rig.person("zhaojun", "赵军", "manager")
    rig.person("sunqi", "孙琦", "technician")
    await rig.open()
    yield rig
    rig.close()


@pytest.fixture
async def service(rig: Rig) -> AsyncIterator[CounterService]:
    service = CounterService(rig.port, rig.staff, token_lifetime=timedelta(hours=1), now=utc_now)
    watch = asyncio.create_task(service.watch.run())
    yield service
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
