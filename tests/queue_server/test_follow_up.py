"""What follows an answer: displays hear of it soon, also while others keep coming one by one."""

import asyncio
from itertools import count
from pathlib import Path

from queue_server.alerts import AlertBook
from queue_server.devices import DeviceBook
from queue_server.feed import Feed
from queue_server.hall import Actor, Configure, Issue
from queue_server.hall_port import RequestKey
from queue_server.hall_settings import HallSettings
from queue_server.hall_work import HallWork
from queue_server.ledger import MemoryLedger
from queue_server.ledger.registers import Registers
from queue_server.runner import Ask, Reply
from queue_server.waiting import waiter
from tests.queue_server.engine import HALL, NOW, SERVICE, SYSTEM, sample
from tests.queue_server.rig import fresh_database
from tests.wire.seats import until

ROUNDS = 6
PLENTY = 300
"""Answers in a time many times as long as displays may be behind."""


def issue(n: int) -> Ask:
    command = Issue(
        by=Actor("device", "k1"), visit=f"v{n}", ticket=f"t{n}", step=f"s{n}", service=SERVICE, follow_token=f"f{n}"
    )
    return Ask(command, RequestKey("k1", f"0badcafe-{n}", "0" * 64), lambda _: b"{}", waiter())


async def test_displays_follow_though_somebody_always_takes_a_number(tmp_path: Path) -> None:
    database = fresh_database(tmp_path / "registers.db")
    registers = Registers(database)
    alerts = AlertBook(HALL, registers)
    settings = HallSettings(
        hall=HALL,
        server="server-1",
        public_url="http://127.0.0.1:1",
        data=tmp_path,
        projection_every=0.0,
        projection_share=1.0,
    )
    ledger = MemoryLedger(clock=NOW.timestamp)
    work = HallWork(settings, ledger, alerts, DeviceBook(HALL, registers, alerts), Feed(), now=lambda: NOW)
    running = asyncio.create_task(work.run())
    await until(lambda: work.epoch is not None)
    configured = Ask(Configure(by=SYSTEM, configuration=sample()), token=waiter())
    work.post(configured)
    assert isinstance(await configured.token.future, Reply)
    numbers = count(1)
    work.post(issue(next(numbers)))
    await until(lambda: waiting(work) == 1)

    answers: list[object] = []
    for _ in range(ROUNDS):
        shown, before = waiting(work), len(answers)
        while waiting(work) == shown and len(answers) < before + PLENTY:
            item = issue(next(numbers))
            answers.append(said := work.at_once(item))
            if said is None:  # the thread was held up in an append: the next one goes through the mailbox
                work.post(item)
                await item.token.future
            await asyncio.sleep(0.001)
    assert len(answers) < ROUNDS * PLENTY / 2
    assert sum(said is not None for said in answers) > ROUNDS, "they were answered one by one, on the loop"
    work.stop()
    await running
    database.close()


def waiting(work: HallWork) -> int:
    return sum(queue.waiting_count for queue in work.projection.queues)
