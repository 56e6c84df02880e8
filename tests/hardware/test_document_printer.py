"""The document printer's driver against the simulated IPP printer: every fault of the printer and of the way to it."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.addresses import parse_address
from hardware.cancel import CancelToken
from hardware.device import Supervision
from hardware.document_printer.document import PdfDocument
from hardware.document_printer.driver import DocumentPrinterOptions
from hardware.document_printer.printer import DocumentPrinter, DocumentPrinterTiming
from hardware.print_jobs import JobState, PrintJobStore
from hardware.simulators.ipp_printer import DocumentPrinterSimulator, IppLineFaults
from hardware.vocabulary import Detail, Health, Outcome, Supply, Verdict
from hardware.worker import BackOff

QUICK = DocumentPrinterTiming(answer_s=1, send_s=2, look_s=0.03, misses=2, trouble_s=0.3, stuck_s=0.6, settle_s=0.4)
SUPERVISION = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=2)
CREATE, SEND, CANCEL, LOOK_AT_JOB, LIST, LOOK = 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0B


def pdf(sides=1):
    return PdfDocument(bytearray(b"%PDF-1.4\n" + b"/Type /Page\n" * sides + b"%%EOF\n"), sides)


def soon(seconds=20.0):
    return time.monotonic() + seconds


@pytest.fixture
def simulator(tmp_path):
    with_folder = DocumentPrinterSimulator(tmp_path / "documents").start()
    yield with_folder
    with_folder.close()


@pytest.fixture
def printer(simulator):
    opened = DocumentPrinter(parse_address(simulator.address), timing=QUICK, supervision=SUPERVISION)
    yield opened
    opened.close()


def test_a_document_comes_out_is_counted_and_leaves_nothing_in_memory(simulator, printer):
    document, states = pdf(3), []
    sent = bytes(document.pdf)
    result = printer.print(document, soon(), on_state=states.append).result(20)
    assert (result.state, result.outcome, result.pages) == (JobState.PRINTED, Outcome.DONE, 3)
    assert states == [*list(JobState)[:4], JobState.PRINTED]
    assert simulator.documents[0].path.read_bytes() == sent
    assert document.pdf == bytes(len(sent))


@pytest.mark.parametrize(
    ("faults", "detail", "supply"),
    [
        ({"media_jam": True}, Detail.PAPER_JAM, ("paper", Supply.JAMMED)),
        ({"media_empty": True}, Detail.PAPER_OUT, ("paper", Supply.OUT)),
        ({"cover_open": True}, Detail.COVER_OPEN, ("paper", Supply.OK)),
        ({"toner": 0}, Detail.TONER_OUT, ("toner", Supply.OUT)),
    ],
)
def test_a_fault_before_the_document_is_told_and_no_job_is_made(simulator, printer, faults, detail, supply):
    simulator.set_faults(**faults)
    result = printer.print(pdf(), soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.FAILED, Outcome.DEVICE_FAULT, detail)
    assert supply in printer.status.supplies.items()
    assert CREATE not in simulator.requests
    simulator.clear_faults()
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("fault", "detail"), [("media_jam_after", Detail.PAPER_JAM), ("media_empty_after", Detail.PAPER_OUT)]
)
def test_a_fault_in_the_middle_is_unknown_with_the_sides_that_came_out_and_an_empty_queue(
    simulator, printer, fault, detail
):
    simulator.set_faults(**{fault: 2})
    result = printer.print(pdf(4), soon()).result(20)
    assert (result.state, result.detail, result.pages) == (JobState.UNKNOWN, detail, 2)
    assert simulator.waiting == 0
    simulator.clear_faults()
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.documents) == 1, "the broken-off one never comes out later"


def test_trouble_that_somebody_put_right_in_time_lets_the_pages_out_and_is_still_looked_at(
    simulator, printer, wait_until
):
    simulator.set_faults(media_empty_after=1)
    patient = DocumentPrinter(
        parse_address(simulator.address),
        timing=DocumentPrinterTiming(answer_s=1, look_s=0.03, trouble_s=15, stuck_s=15, settle_s=2),
        supervision=SUPERVISION,
    )
    future = patient.print(pdf(3), soon())
    wait_until(lambda: patient.status.detail is Detail.PAPER_OUT)
    simulator.set_faults(media_empty=False)
    result = future.result(20)
    assert (result.state, result.detail, result.pages) == (JobState.UNKNOWN, Detail.PAPER_OUT, 3)
    patient.close()


@pytest.mark.parametrize(
    ("faults", "detail"),
    [
        ({"stuck": True}, Detail.JOB_STUCK),
        ({"abort_after": 1}, Detail.PRINTER_ERROR),
        ({"says_completed_at_once": True}, Detail.PAGES_MISSING),
    ],
)
def test_a_job_that_goes_wrong_is_unknown_and_taken_out_of_the_queue(simulator, printer, faults, detail):
    simulator.set_faults(**faults)
    result = printer.print(pdf(2), soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.UNKNOWN, Outcome.UNKNOWN, detail)
    assert simulator.waiting == 0


def test_a_deadline_ends_the_job_at_the_printer_too(simulator, printer):
    simulator.set_faults(stuck=True)
    result = printer.print(pdf(), soon(0.4)).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.JOB_STUCK)
    assert simulator.waiting == 0


def test_a_job_that_the_printer_has_forgotten_is_unknown(simulator, printer):
    def forget(state):
        if state is JobState.SENT:
            simulator.set_faults(forgets_jobs=True)

    result = printer.print(pdf(), soon(), on_state=forget).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.JOB_LOST)


def test_a_document_that_the_printer_refuses_has_not_been_printed(simulator, printer):
    simulator.set_faults(refuses_documents=True)
    result = printer.print(pdf(), soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.FAILED,
        Outcome.NOT_SUPPORTED,
        Detail.BAD_DOCUMENT,
    )


def test_what_is_no_pdf_is_refused_before_anybody_is_asked(simulator, printer, wait_until):
    wait_until(lambda: printer.status.health is Health.OK)
    document = PdfDocument(bytearray(b"hello"), 1)
    assert printer.print(document, soon()).result(20).detail is Detail.BAD_DOCUMENT
    assert document.pdf == bytes(5)
    assert CREATE not in simulator.requests
    with pytest.raises(ValueError, match="sides"):
        PdfDocument(bytearray(b"%PDF-"), 0)


@pytest.mark.parametrize("operation", [CREATE, SEND, LOOK_AT_JOB, CANCEL, LIST, LOOK])
def test_a_connection_dropped_at_any_step_is_never_called_printed_unless_it_was(
    simulator, printer, wait_until, operation
):
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.set_line_faults(IppLineFaults(drop_on=frozenset({operation})))
    result = printer.print(pdf(), soon(5)).result(20)
    simulator.set_line_faults(IppLineFaults())
    if operation in {CREATE, SEND, LIST, LOOK}:
        assert result.state is JobState.FAILED
        assert simulator.documents == []
    elif operation == LOOK_AT_JOB:
        assert result.state is JobState.UNKNOWN
    else:
        assert result.outcome is Outcome.DONE
    wait_until(lambda: printer.status.health is Health.OK)
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE
    assert simulator.waiting == 0


@pytest.mark.parametrize(
    ("faults", "health"),
    [
        (IppLineFaults(silent=True), Health.UNKNOWN),
        (IppLineFaults(garbage=True), Health.UNKNOWN),
        (IppLineFaults(half=True), Health.OFFLINE),
    ],
    ids=["silent", "garbage", "half"],
)
def test_a_printer_that_cannot_be_understood_is_not_ok_and_gets_nothing(simulator, printer, wait_until, faults, health):
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.set_line_faults(faults)
    wait_until(lambda: printer.status.health is health)
    assert printer.print(pdf(), soon(5)).result(20).state is JobState.FAILED
    simulator.set_line_faults(IppLineFaults())
    wait_until(lambda: printer.status.health is Health.OK)
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.documents) == 1


def test_slow_answers_cost_nothing_but_time(simulator, printer):
    simulator.set_line_faults(IppLineFaults(slow_s=0.08))
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE


def test_unplugged_and_back_again(simulator, printer, wait_until):
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.unplug()
    wait_until(lambda: printer.status.health is Health.OFFLINE)
    assert printer.print(pdf(), soon()).result(20).detail is Detail.LINE_LOST
    simulator.plug()
    wait_until(lambda: printer.status.health is Health.OK)
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE


def test_unplugged_in_the_middle_is_unknown_and_the_job_is_taken_back_on_its_return(simulator, printer, wait_until):
    simulator.set_faults(stuck=True)

    def pull(state):
        if state is JobState.SENT:
            simulator.unplug()

    result = printer.print(pdf(), soon(), on_state=pull).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.LINE_LOST)
    assert simulator.waiting == 1
    simulator.plug()
    wait_until(lambda: simulator.waiting == 0)
    simulator.clear_faults()
    assert simulator.documents == []


def test_a_sleeping_printer_is_unknown_and_wakes_for_a_document(simulator, printer, wait_until):
    simulator.set_faults(asleep=True)
    wait_until(lambda: printer.status.detail is Detail.ASLEEP)
    assert printer.status.health is Health.UNKNOWN
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE


def test_little_toner_and_paper_are_told_and_print(simulator, printer, wait_until):
    simulator.set_faults(toner=7)
    wait_until(lambda: printer.status.detail is Detail.TONER_LOW)
    assert printer.status.levels == {"toner_black": 7}
    simulator.set_faults(media_low=True, toner=50)
    wait_until(lambda: printer.status.supplies["paper"] is Supply.LOW)
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE


def test_a_cancel_before_the_document_prints_nothing_and_leaves_no_job(simulator, printer):
    cancel = CancelToken()

    def stop(state):
        if state is JobState.PREFLIGHT:
            cancel.cancel()

    result = printer.print(pdf(), soon(), cancel=cancel, on_state=stop).result(20)
    assert (result.state, result.outcome) == (JobState.FAILED, Outcome.CANCELLED)
    assert simulator.documents == []
    assert simulator.waiting == 0


def test_a_cancel_after_the_document_was_sent_comes_too_late(printer):
    cancel = CancelToken()

    def stop(state):
        if state is JobState.SENDING:
            cancel.cancel()

    assert printer.print(pdf(), soon(), cancel=cancel, on_state=stop).result(20).outcome is Outcome.DONE


def test_an_id_is_printed_once_and_a_reprint_names_it(simulator, tmp_path):
    store = PrintJobStore(tmp_path / "jobs.sqlite3", lambda: datetime.now(UTC))
    printer = DocumentPrinter(parse_address(simulator.address), timing=QUICK, supervision=SUPERVISION, jobs=store)
    assert printer.print(pdf(), soon(), job="certificate:7").result(20).outcome is Outcome.DONE
    repeated = printer.print(pdf(), soon(), job="certificate:7").result(20)
    assert (repeated.state, repeated.detail) == (JobState.FAILED, Detail.JOB_REPEATED)
    again = printer.print(pdf(), soon(), job="certificate:7:1", reprint_of="certificate:7").result(20)
    assert again.outcome is Outcome.DONE
    assert [document.job_name for document in simulator.documents] == ["certificate:7", "certificate:7:1"]
    printer.close()
    store.close()


KILLED = """
import os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from hardware.addresses import parse_address
from hardware.document_printer.document import PdfDocument
from hardware.document_printer.printer import DocumentPrinter
from hardware.print_jobs import PrintJobStore

address, path, fatal = sys.argv[1:]
store = PrintJobStore(Path(path), lambda: datetime.now(UTC))
printer = DocumentPrinter(parse_address(address), jobs=store)

def die(state):
    if state == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

document = PdfDocument(bytearray(b"%PDF-1.4 /Type /Page name-canary-7f3a"), 1)
printer.print(document, time.monotonic() + 20, job="certificate:7", on_state=die).result(20)
"""


@pytest.mark.parametrize(
    ("fatal", "then"),
    [
        (JobState.PREFLIGHT, JobState.FAILED),
        (JobState.SENDING, JobState.UNKNOWN),
        (JobState.SENT, JobState.UNKNOWN),
        (JobState.PRINTED, JobState.PRINTED),
    ],
)
def test_a_program_killed_in_any_state_tells_the_truth_and_leaves_nothing_for_the_next_citizen(
    simulator, tmp_path, wait_until, fatal, then
):
    if fatal is not JobState.PRINTED:
        simulator.set_faults(stuck=True)
    path = tmp_path / "jobs.sqlite3"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, simulator.address, str(path), fatal],
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store = PrintJobStore(path, lambda: datetime.now(UTC))
    assert store.find("certificate:7").result().state is then
    printer = DocumentPrinter(parse_address(simulator.address), timing=QUICK, supervision=SUPERVISION, jobs=store)
    if then is JobState.UNKNOWN:
        wait_until(lambda: simulator.waiting == 0)
    assert printer.clear_queue(soon()).result(20) is Outcome.DONE
    simulator.clear_faults()
    assert printer.print(pdf(), soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.documents) == (2 if fatal is JobState.PRINTED else 1)
    printer.close()
    store.close()
    assert not any(b"name-canary-7f3a" in file.read_bytes() for file in tmp_path.glob("jobs.sqlite3*"))


def test_its_own_test_prints_one_page_and_says_how_much_toner_is_left(simulator, printer):
    report = printer.self_test(soon(30)).result(30)
    assert report.verdict is Verdict.PASS
    assert [step.measured for step in report.steps] == ["toner_black 75 %", "1 page"]
    simulator.set_faults(media_jam=True)
    assert printer.self_test(soon(30)).result(30).verdict is Verdict.FAIL


def test_options_of_a_profile_are_checked():
    assert DocumentPrinterOptions(printer="ipp://localhost:60000/ipp/print").printer is not None
    with pytest.raises(ValueError, match="ipp"):
        DocumentPrinterOptions(printer="tcp:127.0.0.1:9100")
