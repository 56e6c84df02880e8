"""A person who does not exist visits the terminal with every card and code, and afterwards is found nowhere.

Real programs: broker, queue server, terminal with screens, simulated devices behind real lines and a real pcscd. Looked
through are all files, the temporary folder, logs, the print jobs, the terminal's journal, the server's ledger, all that
went between terminal and broker, and every object that can be reached in the terminal's process.
"""

import asyncio
import contextlib
import json
import resource
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hardware.simulators.chip_cards import Holder
from hardware.simulators.code_scanner import SerialScannerSimulator
from hardware.simulators.id_cards import FictitiousCard
from hardware.simulators.line import PtyLine
from hardware.simulators.smart_card import InsertedCard, SmartCardSimulator
from provisioning.demo_hall import TERMINAL, DemoHall
from provisioning.processes import Program
from provisioning.site import Panel
from tests.demo.inspected_terminal import BETWEEN
from tests.wire.seats import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

CARD = FictitiousCard(
    "鹮鸑鷟",
    "1",
    "01",
    date(1877, 3, 15),
    "样本省虚构市鸂鶒弄7319号",
    "990177187703154321",
    newest_address="蘷魖坊4471号",
)
HOLDER = Holder("麤龘靐", "990188187811220987", birthplace="990188", birth="18781122", card_number="Z77190463")
ACCOUNT = "6200917346281905533"
CODE = "YY7C19-鼊齾-83046617725"
GROUP, SERVICE = "社保医保", "养老待遇申领"
SECRETS = {
    "name": CARD.name,
    "address": CARD.address[6:],
    "newest address": CARD.newest_address,
    "number": CARD.number,
    "number's digits": CARD.number[:17],
    "name on the social security card": HOLDER.name,
    "number on the social security card": HOLDER.number,
    "number of the social security card": HOLDER.card_number,
    "account": ACCOUNT,
    "account without its last digit": ACCOUNT[:-1],
    "code": CODE,
    "code's digits": CODE[-11:],
}
PHOTO = CARD.photo_block()


def spellings() -> dict[bytes, str]:
    """Everything that must be nowhere, in every way in which devices, programs and databases write it."""
    spelt = {
        text.encode(encoding): f"{what} in {encoding}"
        for what, text in SECRETS.items()
        for encoding in ("gb18030", "utf-16-le", "utf-8")
    }
    escaped = {json.dumps(text)[1:-1].encode(): f"{what} in JSON" for what, text in SECRETS.items()}
    packed = {bytes.fromhex(text[: len(text) & ~1]): "number in nibbles" for text in (ACCOUNT, CARD.number)}
    pieces = {PHOTO[at : at + 16]: "photo" for at in range(0, len(PHOTO), 16)}
    return escaped | packed | pieces | spelt


NEEDLES = spellings()


def found_in(data: bytes) -> dict[str, int]:
    """What of the person stands in there, and where."""
    return {what: at for needle, what in NEEDLES.items() if (at := data.find(needle)) >= 0}


class Tap:
    """Between terminal and broker: passes everything on and keeps a copy."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.broker_port = 0
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()

    async def _join(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        # asyncio logs a connection that is cut at the end of the test as an error
        with contextlib.suppress(asyncio.CancelledError, OSError):
            there, on = await asyncio.open_connection("127.0.0.1", self.broker_port)
            await asyncio.gather(self._pass(here, on), self._pass(there, back))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                self.heard += data
                target.write(data)
                await target.drain()
        finally:
            target.close()


class Door:
    """Into the terminal's process."""

    def __init__(self, path: Path, heap: Path) -> None:
        self._path, self._heap = path, heap

    async def ask(self, **order: Any) -> Any:
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=1 << 24)
        writer.write(json.dumps(order).encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        return json.loads(answer)

    async def found(self) -> dict[str, tuple[int, str]]:
        """What of the person can be reached there: id and kind of an object that holds it."""
        await self.ask(do="dump", path=str(self._heap))
        heap = await asyncio.to_thread(self._heap.read_bytes)
        hits = await asyncio.to_thread(found_in, heap)
        index = json.loads(self._heap.with_suffix(".index").read_text()) if hits else []
        assert heap.count(BETWEEN) > 10_000, "a terminal of some size"
        return {what: next((i, kind) for start, i, kind in reversed(index) if start <= at) for what, at in hits.items()}

    async def forgotten(self) -> None:
        """Wait until nothing can be reached any more; fails with who holds it."""
        for _ in range(8):
            found = await self.found()
            if not found:
                return
            await asyncio.sleep(0.5)
        raise AssertionError(f"{found}: {await self.ask(do='why', ids=[i for i, _ in found.values()])}")


@dataclass
class Visited:
    """A hall whose terminal has every device that reads something of a person."""

    hall: DemoHall
    door: Door
    tap: Tap
    chip: SmartCardSimulator
    scanner: SerialScannerSimulator
    temporary: Path

    async def home(self) -> None:
        await self.hall.guide.wait("HomeView", reader_ready=True, within_s=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visited]:
    folder = tmp_path_factory.mktemp("canary")
    temporary = folder / "tmp"
    temporary.mkdir()
    (folder / "lines").mkdir()
    chip = SmartCardSimulator("Simulated Social Card Reader", InsertedCard()).start()
    scanner = SerialScannerSimulator(PtyLine(folder / "lines" / "scanner")).start()
    hall = DemoHall(folder / "hall", panel=Panel(width=540, height=960, mm_per_pixel=0.74, offscreen=True))
    tap, door = Tap(), Door(folder / "door", folder / "heap")
    fit(hall, tap, {
        "social_card_reader": {"driver": "social-security-card", "address": chip.address},
        "code_scanner": {"driver": "code-serial", "address": scanner.address},
    })  # fmt: skip
    hall.terminal = Program(
        "terminal",
        [
            "tests.demo.inspected_terminal",
            *("--profile", str(hall.site.profile_file(TERMINAL))),
            *("--guide", str(folder / "hall" / "guide.socket")),
            *("--door", str(folder / "door")),
        ],
        folder / "hall" / "logs" / "terminal.log",
        {"TMPDIR": str(temporary)},
    )
    await tap.open()
    try:
        async with hall:
            yield Visited(hall, door, tap, chip, scanner, temporary)
    finally:
        await tap.close()
        scanner.close()
        chip.close()


def fit(hall: DemoHall, tap: Tap, more: Mapping[str, Mapping[str, Any]]) -> None:
    """The terminal gets these devices too, and reaches its broker through the tap."""
    write = hall.site.write_profile

    def write_profile(device: str, devices: Mapping[str, Mapping[str, Any]], panel: Panel) -> Path:
        path = write(device, {**devices, **more}, panel)
        tap.broker_port = hall.site.broker.port
        path.write_text(path.read_text().replace(f"port = {tap.broker_port}", f"port = {tap.port}"))
        return path

    hall.site.write_profile = write_profile  # type: ignore[method-assign]


async def test_a_person_with_an_id_card_and_a_code_is_in_the_process_during_the_visit_and_not_after_it(visited):
    await visited.home()
    visited.hall.reader.lay(CARD)
    await visited.hall.guide.wait("CatalogueView", within_s=60)
    await visited.door.ask(do="scan")
    await until(lambda: visited.scanner.reading)
    visited.scanner.show(CODE)
    async with asyncio.timeout(30):
        while not await visited.door.ask(do="holds_code"):  # noqa: ASYNC110 - another process, which cannot wake us
            await asyncio.sleep(0.05)
    visited.scanner.hide()
    during = await visited.door.found()
    assert {"name in utf-8", "number in utf-8", "code in utf-8"} <= set(during), "or the search finds nothing at all"
    await visited.hall.guide.tap(GROUP)
    await visited.hall.guide.tap(SERVICE)
    await visited.hall.guide.wait("TicketView", slip="printed", within_s=60)
    visited.hall.reader.lift()
    await visited.hall.guide.tap("完成")
    await visited.home()
    await visited.door.forgotten()


async def test_neither_a_bank_card_nor_a_person_with_a_social_security_card_who_walks_away_is_left(visited):
    await visited.home()
    visited.chip.insert(InsertedCard("bank", account=ACCOUNT, track2=True))
    await visited.hall.guide.wait("CardView", state="not_this_card", within_s=60)
    visited.chip.insert(InsertedCard(holder=HOLDER))
    await visited.hall.guide.wait("CatalogueView", within_s=60)
    visited.chip.pull()
    await visited.hall.guide.tap("首页")
    await visited.home()
    await visited.door.forgotten()


async def test_the_terminal_would_leave_no_core_file_behind(visited):
    assert resource.prlimit(visited.hall.terminal.pid, resource.RLIMIT_CORE) == (0, 0)


async def test_nothing_of_the_person_went_over_the_wire(visited):
    assert len(visited.tap.heard) > 1000
    assert b"request" in visited.tap.heard
    assert found_in(bytes(visited.tap.heard)) == {}


async def test_nothing_of_the_person_is_in_any_file(visited):
    """Profiles, journal, print jobs, slips, logs, ledger, broker, temporary folder."""
    files = [path for folder in (visited.hall.site.directory, visited.temporary) for path in everything(folder)]
    names = {path.name for path in files}
    assert {"journal.sqlite3", "print-jobs.sqlite3", "terminal.log", "server.log", "ledger.db"} <= names
    leaked = {str(path): hits for path in files if (hits := found_in(path.read_bytes()))}
    assert leaked == {}


def everything(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
