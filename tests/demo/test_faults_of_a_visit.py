"""What goes wrong around one visit, with real programs: said plainly, named to staff, and nothing is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import LineFaults
from provisioning.clerk import Clerk
from provisioning.demo_hall import TERMINAL, DemoHall
from provisioning.site import Panel

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
SMALL = Panel(width=540, height=960, mm_per_pixel=0.74, offscreen=True)
SERVICE, CARDLESS = "养老待遇申领", "异地就医备案"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoHall]:
    made = DemoHall(tmp_path_factory.mktemp("faults") / "hall", panel=SMALL)
    async with made:
        async with Clerk(made.site.url, "limin", made.site.staff_passwords["limin"]) as clerk:
            await clerk.open("counter-2")
        await made.guide.wait("HomeView", reader_ready=True, within_s=60)
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def at_home_again(hall: DemoHall) -> AsyncIterator[None]:
    """Each fault begins and ends with a terminal that serves, whole devices, and no card."""
    yield
    hall.reader.clear_faults()
    hall.printer.clear_faults()
    hall.reader.lift()
    if (await hall.guide.view())["kind"] == "TicketView":
        await hall.guide.tap("完成")
    elif (await hall.guide.view())["kind"] != "HomeView":
        await hall.guide.tap("首页")
    await hall.guide.wait("HomeView", reader_ready=True, within_s=60)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
    """Looks again and again at other programs, which cannot wake us."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)


async def until_alert(hall: DemoHall, code: str, *, open_: bool = True) -> None:
    async def as_wanted() -> bool:
        return (code in open_alerts(hall)) is open_

    await until(as_wanted)


def rows(hall: DemoHall, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{hall.site.directory / 'server' / 'data' / 'ledger.db'}?mode=ro", uri=True) as ledger:
        return ledger.execute(query).fetchall()


def open_alerts(hall: DemoHall) -> set[str]:
    return {code for (code,) in rows(hall, "SELECT code FROM alerts WHERE cleared_at IS NULL")}


def issued_numbers(hall: DemoHall) -> list[str]:
    query = "SELECT json_extract(body, '$.number') FROM events WHERE kind = 'ticket_issued'"
    return [number for (number,) in rows(hall, query)]


def issued(hall: DemoHall) -> int:
    return int(rows(hall, "SELECT count(*) FROM events WHERE kind = 'ticket_issued'")[0][0])


async def looked_for_a_card(hall: DemoHall, times: int) -> None:
    """A person's hand is slower than the terminal's look at its reader."""
    before = hall.reader.requests.count("find")

    async def again() -> bool:
        return hall.reader.requests.count("find") >= before + times

    await until(again)


def files_with(folder: Path, spellings: list[bytes]) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(spelling in path.read_bytes() for spelling in spellings)]


async def until_network(hall: DemoHall, state: str) -> None:
    """Until the terminal's header says so."""

    async def says() -> bool:
        return bool((await hall.guide.view())["frame"]["network"] == state)

    await until(says, within_s=60)


async def take_a_number(hall: DemoHall, **wanted: Any) -> dict[str, Any]:
    """Through the screens, without a card."""
    await hall.guide.tap(CARDLESS)
    await hall.guide.wait("CardView")
    await hall.guide.tap("没带身份证")
    return await hall.guide.wait("TicketView", within_s=60, **wanted)


async def test_q21_out_of_paper_the_number_stays_with_its_code_staff_are_told_and_a_reprint_is_asked_for(
    hall: DemoHall,
) -> None:
    slips, tickets = len(hall.printer.slips), issued(hall)
    hall.printer.set_faults(paper_out=True)
    ticket = await take_a_number(hall, slip="not_printed")
    assert ticket["slip_cause"] == "paper_out"
    assert ticket["follow_url"].startswith(hall.site.url)
    await until_alert(hall, "printer_out_of_paper")
    hall.printer.clear_faults()
    await until_alert(hall, "printer_out_of_paper", open_=False)
    assert len(hall.printer.slips) == slips, "nothing is printed by itself when the paper is back"
    await hall.guide.tap("补打号票")
    await hall.guide.wait("TicketView", slip="printed")
    assert len(hall.printer.slips) == slips + 1
    assert issued(hall) == tickets + 1


async def test_a_printer_that_is_unplugged_in_the_middle_of_a_slip_prints_nothing_twice(hall: DemoHall) -> None:
    slips = len(hall.printer.slips)
    hall.printer.line.set_faults(LineFaults(unplug_after_taken=800))
    ticket = await take_a_number(hall, slip="unknown")
    assert ticket["number"]
    await until_alert(hall, "peripheral_offline")
    hall.printer.line.set_faults(LineFaults())
    hall.printer.line.plug()
    await until_alert(hall, "peripheral_offline", open_=False)
    assert len(hall.printer.slips) == slips


async def test_a_card_that_is_pulled_while_it_is_read_is_asked_for_again(hall: DemoHall) -> None:
    hall.reader.set_faults(card_pulled_after=300)
    hall.reader.lay(SAMPLE_CARDS[1])
    await hall.guide.wait("CardView", state="lift_and_lay_again")
    hall.reader.clear_faults()
    hall.reader.lift()
    await looked_for_a_card(hall, times=2)
    hall.reader.lay(SAMPLE_CARDS[1])
    catalogue = await hall.guide.wait("CatalogueView")
    assert catalogue["greeting"] == "黄*"


async def test_the_help_button_pages_staff(hall: DemoHall) -> None:
    await hall.guide.tap("呼叫工作人员")
    async with Clerk(hall.site.url, "wangfang", hall.site.staff_passwords["wangfang"]) as clerk:

        async def paged() -> bool:
            return [request["device"] for request in await clerk.help_requests()] == [TERMINAL]

        await until(paged)
    await hall.guide.wait("HomeView")


async def test_a_broker_that_comes_back_without_its_memory_is_told_everything_again(hall: DemoHall) -> None:
    broker = hall.site.broker
    await asyncio.to_thread(broker.kill)
    broker.forget()
    await asyncio.to_thread(broker.start)
    ticket = await take_a_number(hall, slip="printed")
    assert ticket["number"]


async def test_a_killed_server_loses_nothing_and_the_terminal_comes_back_by_itself(hall: DemoHall) -> None:
    before = await take_a_number(hall, slip="printed")
    await hall.guide.tap("完成")
    hall.server.kill()
    await until_network(hall, "offline")
    offline = await take_a_number(hall, slip="printed")
    assert offline["offline"]
    await hall.guide.tap("完成")
    hall.server.start()
    await until_network(hall, "connected")
    after = await take_a_number(hall, slip="printed")
    assert int(after["number"][1:]) == int(before["number"][1:]) + 1

    async def joined() -> bool:
        return issued_numbers(hall).count(offline["number"]) == 1

    await until(joined)
    numbers = issued_numbers(hall)
    assert len(set(numbers)) == len(numbers)


async def test_nobody_s_data_is_left_in_any_file(hall: DemoHall) -> None:
    spellings = [
        text.encode(code)
        for card in SAMPLE_CARDS[:2]
        for text in (card.name, card.number)
        for code in ("utf-8", "utf-16-le", "gb18030")
    ]
    assert files_with(hall.site.directory, spellings) == []
