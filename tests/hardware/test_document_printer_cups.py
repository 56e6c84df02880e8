"""The document printer through a real scheduler (cupsd) to a real IPP printer (ippeveprinter)."""

import time

import pytest

from hardware.addresses import IppAddress
from hardware.device import Supervision
from hardware.document_printer.document import PdfDocument
from hardware.document_printer.printer import DocumentPrinter, DocumentPrinterTiming
from hardware.document_printer.specimen import specimen
from hardware.print_jobs import JobState
from hardware.vocabulary import Detail, Health, Outcome, Supply
from hardware.worker import BackOff
from tests.hardware.cups import PRINTS, EvePrinter, PrivateCups, private_folder, wait_for

QUICK = DocumentPrinterTiming(answer_s=3, look_s=0.1, trouble_s=0.6, stuck_s=3, settle_s=1)
BACK_OFF = Supervision(BackOff(first_s=0.05, limit_s=0.2), probe_interval_s=0.2)
JAM = 'echo "STATE: +media-jam" >&2\nsleep 60\n'


@pytest.fixture(scope="module")
def machines():
    with private_folder() as home:
        (home / "printer").mkdir()
        (home / "cups").mkdir()
        printer, cups = EvePrinter(home / "printer"), PrivateCups(home / "cups")
        try:
            yield printer.start(), cups.start()
        finally:
            cups.kill()
            printer.close()


@pytest.fixture
def eve(machines):
    printer = machines[0]
    printer.plan(PRINTS.format(sides=1))
    printer.switch_off()
    return printer.switch_on()


@pytest.fixture
def cups(machines, eve):
    scheduler = machines[1]
    scheduler.add_queue("certificates", str(eve.address))
    scheduler.run("cupsenable", "certificates")
    return scheduler


@pytest.fixture
def open_printer(eve, cups):
    opened = []

    def open_one(queue="certificates", asks_printer=True):
        address = cups.add_queue(queue, str(eve.address)) if queue == "certificates" else queue
        printer = DocumentPrinter(
            address, printer=eve.address if asks_printer else None, timing=QUICK, supervision=BACK_OFF
        )
        opened.append(printer)
        return printer

    yield open_one
    for printer in opened:
        printer.close()


def soon(seconds=40.0):
    return time.monotonic() + seconds


def test_a_certificate_comes_out_byte_for_byte_and_is_believed_when_everybody_says_so(eve, open_printer):
    page = specimen()
    sent = bytes(page.pdf)
    printer = open_printer()
    states = []
    result = printer.print(page, soon(), on_state=states.append).result(60)
    assert (result.state, result.outcome, result.pages) == (JobState.PRINTED, Outcome.DONE, 1)
    assert eve.documents()[-1] == sent
    assert page.pdf == bytes(len(sent)), "the document is overwritten"
    assert states == [*list(JobState)[:4], JobState.PRINTED]
    status = printer.ask_status(soon()).result(20)
    assert (status.health, status.supplies["paper"], status.levels["toner_black"]) == (Health.OK, Supply.OK, 75)


def test_straight_to_the_printer_without_a_scheduler(eve):
    printer = DocumentPrinter(eve.address, timing=QUICK, supervision=BACK_OFF)
    assert printer.print(specimen(), soon()).result(60).outcome is Outcome.DONE
    printer.close()


def test_too_few_pages_are_unknown_though_the_scheduler_says_completed(open_printer):
    page = specimen()
    result = open_printer().print(PdfDocument(page.pdf, sides=2), soon()).result(60)
    assert (result.state, result.detail, result.pages) == (JobState.UNKNOWN, Detail.PAGES_MISSING, 1)


def test_a_jam_in_the_middle_is_unknown_and_nothing_is_left_to_come_out_later(eve, cups, open_printer):
    eve.plan(JAM)
    printer = open_printer()
    result = printer.print(specimen(), soon()).result(60)
    assert (result.state, result.outcome, result.detail) == (JobState.UNKNOWN, Outcome.UNKNOWN, Detail.PAPER_JAM)
    assert cups.waiting("certificates") == []


def test_a_printer_that_is_switched_off_gets_no_document(eve, cups, open_printer):
    printer = open_printer()
    wait_for(lambda: printer.status.health is Health.OK, "the printer")
    eve.switch_off()
    wait_for(lambda: printer.status.detail is Detail.PRINTER_OFFLINE, "the loss")
    result = printer.print(specimen(), soon()).result(60)
    assert (result.state, result.detail) == (JobState.FAILED, Detail.PRINTER_OFFLINE)
    assert cups.waiting("certificates") == []
    eve.switch_on()
    wait_for(lambda: printer.status.health is Health.OK, "the return")
    assert printer.print(specimen(), soon()).result(60).outcome is Outcome.DONE


def test_a_scheduler_that_goes_on_trying_for_ever_is_told_to_stop(eve, cups, open_printer):
    eve.switch_off()
    printer = open_printer(asks_printer=False)
    before = len(eve.documents())
    result = printer.print(specimen(), soon()).result(60)
    assert result.state in {JobState.UNKNOWN, JobState.FAILED}
    assert cups.waiting("certificates") == []
    eve.switch_on()
    assert printer.print(specimen(), soon()).result(60).outcome is Outcome.DONE
    assert len(eve.documents()) == before + 1, "the earlier document never comes out"


def test_a_stopped_queue_takes_no_document(cups, open_printer):
    printer = open_printer()
    cups.run("cupsdisable", "certificates")
    result = printer.print(specimen(), soon()).result(60)
    assert (result.state, result.detail) == (JobState.FAILED, Detail.PRINTER_STOPPED)
    assert cups.waiting("certificates") == []


def test_what_somebody_else_left_in_the_queue_is_cleared_before_the_next_citizen(eve, cups, open_printer, tmp_path):
    left = tmp_path / "left.pdf"
    left.write_bytes(specimen().pdf)
    printer = open_printer()
    cups.run("cupsdisable", "certificates")
    cups.run("lp", "-d", "certificates", str(left))
    assert len(cups.waiting("certificates")) == 1
    before = len(eve.documents())
    assert printer.clear_queue(soon()).result(60) is Outcome.DONE
    cups.run("cupsenable", "certificates")
    assert printer.print(specimen(), soon()).result(60).outcome is Outcome.DONE
    assert len(eve.documents()) == before + 1


def test_completed_on_a_queue_that_counts_nothing_is_never_called_printed(cups, open_printer, tmp_path):
    address = cups.add_queue("nowhere", f"file://{tmp_path}/nothing")
    result = open_printer(address, asks_printer=False).print(specimen(), soon()).result(60)
    assert result.outcome is not Outcome.DONE
    assert result.state is JobState.UNKNOWN


def test_a_queue_that_does_not_exist_is_a_fault_and_not_ok(cups, open_printer):
    printer = open_printer(IppAddress("127.0.0.1", cups.port, "/printers/none"), asks_printer=False)
    assert printer.ask_status(soon()).result(20).health is not Health.OK
    assert printer.print(specimen(), soon()).result(60).state is JobState.FAILED


def test_a_scheduler_that_dies_in_the_middle_leaves_unknown_and_its_return_is_noticed(eve, cups, open_printer):
    eve.plan("sleep 60\n")
    printer = open_printer()

    def die(state):
        if state is JobState.SENT:
            cups.kill()

    result = printer.print(specimen(), soon(), on_state=die).result(60)
    assert (result.state, result.outcome) == (JobState.UNKNOWN, Outcome.UNKNOWN)
    assert printer.ask_status(soon()).result(20).health is Health.OFFLINE
    eve.plan(PRINTS.format(sides=1))
    eve.switch_off()
    eve.switch_on()
    cups.start()
    wait_for(lambda: printer.status.health is Health.OK, "the scheduler's return")
    wait_for(lambda: cups.waiting("certificates") == [], "the end of what the scheduler had kept")
    assert printer.print(specimen(), soon()).result(60).outcome is Outcome.DONE
