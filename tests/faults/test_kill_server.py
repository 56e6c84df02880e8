"""`kill -9` under load, with real processes: no answered ticket is lost, none is made twice."""

import asyncio
import random
from pathlib import Path

from tests.faults.machines import Kiosk, ServerProcess, issued, lay_out, verify
from tests.wire.seats import until

KIOSKS = 8
KILLS = 4
ANSWERS_BETWEEN = 60


async def test_killed_at_any_moment_under_load_it_loses_no_answered_ticket_and_doubles_none(tmp_path: Path) -> None:
    rng = random.Random(20260302)
    site = lay_out(tmp_path, [f"k{n}" for n in range(KIOSKS)])
    with site.broker, ServerProcess(site) as server:
        kiosks = [Kiosk(site, device) for device in site.devices]
        go_on = asyncio.Event()
        go_on.set()
        crowds = [asyncio.create_task(kiosk.crowd(go_on)) for kiosk in kiosks]

        def answered() -> int:
            return sum(len(kiosk.answers) for kiosk in kiosks)

        for kill in range(KILLS):
            await server.leads(kill + 1)
            wanted = answered() + rng.randint(1, ANSWERS_BETWEEN)
            await until(lambda wanted=wanted: answered() >= wanted, patience_s=60)
            server.kill()
            server.start()
        await server.leads(KILLS + 1)
        wanted = answered() + KIOSKS
        await until(lambda: answered() >= wanted, patience_s=60)
        go_on.clear()
        await asyncio.wait_for(asyncio.gather(*crowds), 60)
        for kiosk in kiosks:
            await kiosk.leave()
        assert await server.end() == 0

    in_ledger = issued(site)
    in_hands = [ticket for kiosk in kiosks for ticket in kiosk.tickets()]
    assert sorted(in_hands) == sorted(event.ticket for event in in_ledger)
    assert len({(event.business_date, event.number) for event in in_ledger}) == len(in_ledger)
    for kiosk in kiosks:
        for name, answers in kiosk.answers.items():
            assert len(set(answers)) == 1, (kiosk.device, name)
    assert verify(site).returncode == 0
