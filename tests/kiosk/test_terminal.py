"""The terminal whole, without a screen: simulated devices behind real ptys, an in-memory broker, a stand-in hall."""

import asyncio
import contextlib
import gc
import hashlib
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyotp
import pytest
import structlog

from hardware.id_card.fields import IdCard
from hardware.print_jobs import JobOnItsWay, JobState, PrintJobStore
from hardware.roles import Role
from hardware.simulators.camera import CameraSimulator
from hardware.simulators.code_scanner import SerialScannerSimulator
from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.ticket_printer import TicketPrinterSimulator
from kiosk.journal import Journal
from kiosk.journeys import intents
from kiosk.journeys.views import (
    CardView,
    CatalogueView,
    HomeView,
    Network,
    OutOfServiceView,
    RefusedView,
    SlipState,
    TechnicianView,
    TicketView,
    UnsettledView,
    View,
    WaitingView,
)
from kiosk.profile import load, load_secrets
from kiosk.session import KioskSession
from kiosk.terminal import Terminal
from tests.kiosk.profiles import HALL_KEY, SECRET, write_profile
from tests.kiosk.stand_in import StandIn, until
from wire import topics
from wire.codec import decode, encode
from wire.memory import MemoryBroker
from wire.messages import CheckIn, Desired, Issue, Presence, Refused, Reported, ServiceNow, Services, Slip, Withdraw
from wire.person_key import person_key

FONT = Path(__file__).parents[2] / "assets" / "fonts" / "NotoSansSC-Regular.otf"


class Hall:
    """Everything around a terminal, and the terminal."""

    def __init__(self, folder: Path, bundle: bytes, devices: str = "") -> None:
        """`devices`: text of the profile for more of them."""
        self.folder, self.devices = folder, devices
        self.bundle = bundle
        self.broker = MemoryBroker()
        self.server = StandIn(self.broker)
        self.reader = IdCardReaderSimulator(PtyLine(folder / "reader"))
        self.printer = TicketPrinterSimulator(PtyLine(folder / "printer"), folder / "slips", FONT)
        self.views: list[View] = []
        self.ahead_s = 0.0
        """How far the journey's clock is put forward."""
        self.terminal = self.make_terminal()

    def make_terminal(self) -> Terminal:
        profile = load(write_profile(self.folder, more=self.devices))
        terminal = Terminal(profile, load_secrets(profile), make_link=self.broker.link, monotonic=self.monotonic)
        terminal.on_view(self.views.append)
        return terminal

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s

    @property
    def view(self) -> View:
        return self.terminal.view

    async def technician(self) -> None:
        """Go behind the hidden corner."""
        self.terminal.send(intents.HiddenCorner())
        for digit in pyotp.TOTP(SECRET, digits=8).at(datetime.now(UTC)):
            self.terminal.send(intents.CodeDigit(digit))
        await self.seen(TechnicianView)

    async def seen(self, kind: type, **fields: object) -> None:
        """Wait until a view of this kind with these fields stands on the screen."""
        await until(
            lambda: (
                isinstance(self.view, kind) and all(getattr(self.view, name) == value for name, value in fields.items())
            )
        )

    async def desire_bundle(self, port: int) -> None:
        sha256 = hashlib.sha256(self.bundle).hexdigest()
        await self.server.desire(
            Desired(revision=1, sha256=sha256, url=f"http://127.0.0.1:{port}/bundles/{sha256}.json")
        )

    @contextlib.asynccontextmanager
    async def terminal_running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.terminal.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Hall"]:
        self.reader.start()
        self.printer.start()
        server = asyncio.create_task(self.server.link.run())
        with _bundles(self.bundle) as port:
            await until(lambda: self.server.link.connected)
            await self.desire_bundle(port)
            try:
                async with self.terminal_running():
                    await self.seen(HomeView, reader_ready=True)
                    yield self
            finally:
                server.cancel()
                await asyncio.gather(server, return_exceptions=True)
                self.reader.close()
                self.printer.close()


@contextlib.contextmanager
def _bundles(body: bytes):
    """An HTTP server of the one bundle; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
async def hall(tmp_path: Path, sample_bundle: bytes) -> AsyncIterator[Hall]:
    async with Hall(tmp_path, sample_bundle).open() as made:
        yield made


async def test_a_visit_from_the_card_to_the_slip(hall):
    hall.reader.lay(SAMPLE_CARDS[0])
    await hall.seen(CatalogueView, greeting="张*")
    hall.terminal.send(intents.ChooseService("pension-claim"))
    await hall.seen(TicketView, slip=SlipState.PRINTED)
    assert hall.view.number == "A001"
    (issue,) = hall.server.asked_for(Issue)
    assert issue.person == person_key(SAMPLE_CARDS[0].number, HALL_KEY)
    await until(lambda: hall.server.asked_for(Slip))
    assert hall.server.asked_for(Slip)[0].outcome == "printed"
    (slip,) = hall.printer.slips
    assert "张*" in slip.text
    assert "张三丰" not in slip.text
    assert hall.view.follow_url in slip.text
    assert slip.height_mm <= 120
    hall.terminal.send(intents.Finish())
    await hall.seen(HomeView)


async def test_paper_out_leaves_the_number_and_a_reprint_is_marked(hall):
    hall.printer.set_faults(paper_out=True)
    hall.terminal.send(intents.ChooseService("pension-claim"))
    await hall.seen(CardView)
    hall.reader.lay(SAMPLE_CARDS[1])
    await hall.seen(TicketView, slip=SlipState.NOT_PRINTED, slip_cause="paper_out")
    assert hall.view.number == "A001"
    await until(lambda: hall.server.asked_for(Slip))
    assert (hall.server.asked_for(Slip)[0].outcome, hall.server.asked_for(Slip)[0].cause) == ("shown", "paper_out")

    def printer_reported() -> str:
        _envelope, body = decode(hall.broker.retained[topics.reported("t1")])
        assert isinstance(body, Reported)
        return next(line.health for line in body.peripherals if line.role == "ticket-printer")

    await until(lambda: printer_reported() == "fault")
    hall.printer.clear_faults()
    await until(lambda: printer_reported() == "ok")
    assert hall.printer.slips == []
    hall.terminal.send(intents.Reprint())
    await hall.seen(TicketView, slip=SlipState.PRINTED)
    await until(lambda: len(hall.server.asked_for(Slip)) == 2)
    assert hall.server.asked_for(Slip)[1].reprint
    assert len(hall.printer.slips) == 1
    assert len(hall.server.asked_for(Issue)) == 1


@pytest.mark.parametrize("fault", ["paper_out", "unplugged"])
async def test_a_slip_that_breaks_off_is_unknown_and_prints_nothing_twice(hall, fault):
    if fault == "paper_out":
        hall.printer.set_faults(paper_out_after=3)
    else:
        hall.printer.line.set_faults(LineFaults(unplug_after_taken=2000))
    hall.terminal.send(intents.ChooseService("pension-claim"))
    await hall.seen(CardView)
    hall.reader.lay(SAMPLE_CARDS[0])
    await until(lambda: isinstance(hall.view, TicketView) and hall.view.slip is not SlipState.PRINTING)
    assert hall.view.slip is SlipState.UNKNOWN
    assert hall.view.number == "A001"
    await until(lambda: hall.server.asked_for(Slip))
    assert hall.server.asked_for(Slip)[0].outcome == "unknown"
    used = hall.printer.paper_used_mm
    hall.ahead_s += 30
    await hall.seen(TicketView, slip=SlipState.UNKNOWN)
    assert hall.printer.paper_used_mm == used
    assert hall.printer.slips == []


async def test_what_a_technician_saw_of_a_slip_is_kept_told_to_the_hall_and_prints_nothing(hall):
    hall.printer.set_faults(paper_out_after=3)
    hall.reader.lay(SAMPLE_CARDS[0])
    await hall.seen(CatalogueView)
    hall.terminal.send(intents.ChooseService("pension-claim"))
    await hall.seen(TicketView, slip=SlipState.UNKNOWN)
    hall.terminal.send(intents.Finish())
    await hall.seen(HomeView)
    hall.printer.clear_faults()
    await hall.technician()
    await until(lambda: hall.view.unsettled == 1)
    hall.terminal.send(intents.OpenUnsettled())
    await until(lambda: isinstance(hall.view, UnsettledView) and not hall.view.busy)
    (slip,) = hall.view.slips
    assert (slip.number, slip.device, slip.cause) == ("A001", "ticket_printer", "paper_out")
    hall.terminal.send(intents.SettleJob(slip.job, printed=False))
    hall.terminal.send(intents.ConfirmSettling())
    await until(lambda: hall.view.slips == () and not hall.view.busy)
    await until(lambda: len(hall.server.asked_for(Slip)) == 2)
    told = hall.server.asked_for(Slip)[-1]
    assert (told.ticket, told.outcome, told.cause) == (slip.job.removeprefix("ticket:"), "shown", "seen_by_staff")
    await until(lambda: not hall.terminal._jobs.untold().result())
    assert hall.printer.slips == []


async def test_a_slip_that_cannot_be_kept_as_a_job_is_not_printed_and_the_number_stays(tmp_path, sample_bundle):
    (tmp_path / "state" / "print-jobs.sqlite3").mkdir(parents=True)
    async with Hall(tmp_path, sample_bundle).open() as hall:
        hall.reader.lay(SAMPLE_CARDS[0])
        await hall.seen(CatalogueView)
        hall.terminal.send(intents.ChooseService("pension-claim"))
        await hall.seen(TicketView, slip=SlipState.NOT_PRINTED, slip_cause="job_not_kept")
        assert hall.view.number == "A001"
        await until(lambda: hall.server.asked_for(Slip))
        assert hall.server.asked_for(Slip)[0].outcome == "shown"
        assert hall.printer.slips == []


@pytest.mark.parametrize(
    ("state", "outcome"), [(JobState.PREFLIGHT, "shown"), (JobState.SENDING, "unknown"), (JobState.SENT, "unknown")]
)
async def test_a_slip_that_a_crash_broke_off_is_told_at_the_next_start_and_not_printed_again(
    tmp_path, sample_bundle, state, outcome
):
    earlier = PrintJobStore(tmp_path / "state" / "print-jobs.sqlite3", lambda: datetime.now(UTC))
    for job, reprint_of in (("ticket:ticket-7", None), ("ticket:ticket-8:1", "ticket:ticket-8"), ("test", None)):
        broken_off = JobOnItsWay(earlier, Role.TICKET_PRINTER, job, reprint_of, lambda _: None)
        for step in list(JobState)[1 : list(JobState).index(state) + 1]:
            broken_off.enter(step)
    earlier.close()
    hall = Hall(tmp_path, sample_bundle)
    async with hall.open():
        await until(lambda: len(hall.server.asked_for(Slip)) == 2)
        assert hall.server.asked_for(Slip) == [
            Slip(ticket="ticket-7", outcome=outcome, cause="restart"),
            Slip(ticket="ticket-8", outcome=outcome, reprint=True, cause="restart"),
        ]
        await until(lambda: not hall.terminal._jobs.untold().result())
        assert hall.printer.slips == []


async def test_a_number_that_reached_a_terminal_right_before_it_died_is_given_back_unless_paper_may_be_out(
    tmp_path, sample_bundle
):
    jobs = PrintJobStore(tmp_path / "state" / "print-jobs.sqlite3", lambda: datetime.now(UTC))
    printing = JobOnItsWay(jobs, Role.TICKET_PRINTER, "ticket:ticket-7", None, lambda _: None)
    printing.enter(JobState.PREFLIGHT)
    printing.enter(JobState.SENDING)
    jobs.close()
    journal = Journal(tmp_path / "state" / "journal.sqlite3", "0badcafe", lambda: datetime.now(UTC))
    await journal.open()
    unseen, printed = [await journal.append("live", "issue", lambda _: b"{}") for _ in range(2)]
    assert await journal.answered(unseen.request_id, "ticket-6")
    assert await journal.answered(printed.request_id, "ticket-7")
    await journal.close()
    hall = Hall(tmp_path, sample_bundle)
    async with hall.open():
        await until(lambda: len(hall.server.asked_for(Slip)) == 1)
        await until(lambda: hall.server.withdrawn)
        assert hall.server.withdrawn == {unseen.request_id}


async def test_a_fact_that_the_hall_refuses_for_good_is_set_aside_and_reported_and_the_rest_goes_on(
    tmp_path, sample_bundle
):
    journal = Journal(tmp_path / "state" / "journal.sqlite3", "0badcafe", lambda: datetime.now(UTC))
    await journal.open()
    for ticket in ("poison", "good"):
        fact = Slip(ticket=ticket, outcome="printed")
        await journal.append("facts", "slip", lambda key, fact=fact: encode(fact, message_id=key, at=datetime.now(UTC)))
    await journal.close()
    hall = Hall(tmp_path, sample_bundle)
    hall.server.refuse = lambda body: (
        Refused(code="request_quarantined") if getattr(body, "ticket", "") == "poison" else None
    )

    def reported() -> tuple[int, int]:
        _envelope, body = decode(hall.broker.retained[topics.reported("t1")])
        return body.set_aside, body.backlog

    async with hall.open():
        await until(lambda: [slip.ticket for slip in hall.server.asked_for(Slip)] == ["poison", "good"])
        await until(lambda: topics.reported("t1") in hall.broker.retained and reported() == (1, 0))


async def test_the_hall_going_away_stops_service_and_its_return_brings_it_back(hall):
    hall.broker.kill()
    await until(lambda: hall.view.frame.network is Network.CONNECTING)
    hall.ahead_s += 5
    await hall.seen(OutOfServiceView, code="hall_away")
    hall.broker.restart(forget=True)
    await hall.seen(HomeView)


async def test_a_citizen_who_gives_up_leaves_no_ghost_ticket(hall):
    hall.server.mute = True
    hall.reader.lay(SAMPLE_CARDS[0])
    await hall.seen(CatalogueView, greeting="张*")
    hall.terminal.send(intents.ChooseService("pension-claim"))
    await hall.seen(WaitingView, offers_way_out=False)
    hall.ahead_s += 10
    await hall.seen(WaitingView, offers_way_out=True)
    await until(lambda: hall.server.asked_for(Issue))
    hall.terminal.send(intents.GiveUp())
    hall.server.mute = False
    await until(lambda: hall.server.asked_for(Withdraw))
    assert hall.server.asked_for(Withdraw)[0].request_id in hall.server.seen


async def test_live_numbers_older_than_those_shown_are_dropped(hall):
    def says(waiting: int) -> Services:
        return Services(services=(ServiceNow(service="pension-claim", open=True, waiting=waiting),))

    def shown() -> int | None:
        return next(service.waiting for service in hall.view.common if service.id == "pension-claim")

    await hall.server.say_services(says(7), epoch=2, rev=5)
    await until(lambda: shown() == 7)
    await hall.server.say_services(says(1), epoch=2, rev=4)
    await hall.server.say_services(says(2), epoch=1, rev=99)
    await hall.server.say_services(says(9), epoch=2, rev=6)
    await until(lambda: shown() == 9)
    assert {view.common[0].waiting for view in hall.views if isinstance(view, HomeView)} <= {None, 7, 9}


async def test_presence_follows_the_devices(hall):
    def presence() -> Presence:
        _envelope, body = decode(hall.broker.retained[topics.presence("t1")])
        assert isinstance(body, Presence)
        return body

    await until(lambda: presence().state == "ready")
    hall.printer.set_faults(cover_open=True)
    await until(lambda: presence().state == "degraded")


async def test_maintenance_outlives_a_restart(tmp_path, sample_bundle):
    hall = Hall(tmp_path, sample_bundle)
    async with hall.open():
        await hall.server.order("maintenance_on")
        await hall.seen(OutOfServiceView, code="maintenance")
    _envelope, presence = decode(hall.broker.retained[topics.presence("t1")])
    assert presence.state == "offline", "an end in order is announced"
    again = Hall(tmp_path, sample_bundle)
    async with again.terminal_running():
        await again.seen(OutOfServiceView, code="maintenance")


async def test_the_kept_bundle_serves_when_the_web_side_is_down(tmp_path, sample_bundle):
    async with Hall(tmp_path, sample_bundle).open():
        pass
    again = Hall(tmp_path, sample_bundle)
    server = asyncio.create_task(again.server.link.run())
    async with again.terminal_running():
        await again.seen(HomeView)
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


@pytest.mark.parametrize("seen_by", ["scanner", "camera"])
async def test_the_code_of_an_appointment_checks_in_by_scanner_or_camera_alike(tmp_path, sample_bundle, seen_by):
    if seen_by == "scanner":
        device = SerialScannerSimulator(PtyLine(tmp_path / "scanner")).start()
        fitted = f'[devices.code_scanner]\ndriver = "code-serial"\naddress = "{device.address}"\n'
        show = device.show
    else:
        device = CameraSimulator(tmp_path / "camera").start()
        fitted = f'[devices.code_camera]\ndriver = "camera-codes"\naddress = "{device.address}"\n'
        show = device.show_code
    bundle = json.dumps(json.loads(sample_bundle) | {"takes_appointments": True}).encode()
    hall = Hall(tmp_path, bundle, fitted)
    hall.server.refuse = lambda body: Refused(code="appointment_unknown") if isinstance(body, CheckIn) else None
    try:
        async with hall.open():
            hall.terminal.send(intents.CheckIn())
            await hall.seen(CardView, check_in=True, scans=True)
            show("7Q2KXM40AB")
            await hall.seen(RefusedView, code="appointment_unknown", check_in=True)
            assert hall.server.asked_for(CheckIn) == [CheckIn(code="7Q2KXM40AB", language="zh")]
            assert not any("7Q2KXM40AB" in repr(view) for view in hall.views)
    finally:
        device.close()


async def test_the_technician_gets_in_with_a_code_and_tests_the_devices(hall):
    await hall.technician()
    assert {line.role for line in hall.view.peripherals} == {"id_card_reader", "ticket_printer"}
    hall.terminal.send(intents.TestAllDevices())
    await until(lambda: hall.view.tests["id_card_reader"].told == "请放置身份证")
    assert hall.view.tests["id_card_reader"].seconds_left
    hall.reader.lay(SAMPLE_CARDS[0])
    passed = {"id_card_reader": ("passed", "读卡"), "ticket_printer": ("passed", "打印并确认出票")}
    await until(lambda: {role: (test.state, test.step) for role, test in hall.view.tests.items()} == passed)
    assert not hall.view.testing
    assert not any(SAMPLE_CARDS[0].name in repr(view) for view in hall.views)


async def test_a_part_that_fails_is_shown_logged_and_started_again(hall, monkeypatch):
    broken = True
    fetch = hall.terminal._configuration._store.fetch

    async def failing(url: str, sha256: str):
        if broken:
            raise RuntimeError("张三丰 must never reach a log")
        return await fetch(url, sha256)

    monkeypatch.setattr(hall.terminal._configuration._store, "fetch", failing)
    with structlog.testing.capture_logs() as logs:
        hall.terminal._configuration.want(Desired(revision=2, sha256="0" * 64, url="http://127.0.0.1/x"))
        await hall.seen(OutOfServiceView, code="program_fault")
    assert any(line["event"] == "part_failed" and line["error"] == "RuntimeError" for line in logs)
    assert "张三丰" not in json.dumps(logs, ensure_ascii=False, default=str)
    broken = False
    hall.terminal._configuration._wanted = None
    await hall.seen(HomeView)


async def test_nothing_of_a_visit_remains_in_memory_disk_or_logs(hall, tmp_path):
    card = SAMPLE_CARDS[0]
    with structlog.testing.capture_logs() as logs:
        hall.reader.lay(card)
        await hall.seen(CatalogueView, greeting="张*")
        hall.terminal.send(intents.ChooseService("pension-claim"))
        await hall.seen(TicketView, slip=SlipState.PRINTED)
        hall.terminal.send(intents.Finish())
        await hall.seen(HomeView)
        hall.reader.lift()
    assert card.number not in json.dumps(logs, ensure_ascii=False, default=str)
    needles = [text.encode(encoding) for text in (card.name, card.number) for encoding in ("utf-8", "utf-16-le")]
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()):
        content = file.read_bytes()
        assert not any(needle in content for needle in needles), file
    gc.collect()

    for thing in gc.get_objects():
        if issubclass(type(thing), IdCard):
            assert thing.wiped
    sessions = [thing for thing in gc.get_objects() if issubclass(type(thing), KioskSession) and not thing.wiped]
    assert not any(session.identified for session in sessions)
    for view in hall.views:
        assert card.name not in repr(view)
        assert card.number not in repr(view)
