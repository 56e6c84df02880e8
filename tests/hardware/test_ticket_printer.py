"""The printer's driver against the simulated printer, over a real pty and over TCP: slips, proofs, and every fault."""

import asyncio
import time

import pytest
import zxingcpp
from PIL import Image as Picture
from structlog.testing import capture_logs

from hardware.cancel import CancelToken
from hardware.device import Supervision
from hardware.print_jobs import JobState
from hardware.simulators.line import LineFaults
from hardware.simulators.simulator import GARBAGE
from hardware.simulators.ticket_printer import PrinterModel
from hardware.ticket_printer.document import Align, Banner, BigText, PrintDocument, QrCode, Rule, Text
from hardware.ticket_printer.profile import Fence, PrinterProfile
from hardware.vocabulary import Detail, Health, Outcome, Supply, WhoActs

LINK = "https://hall.example/t/Zk3vN8QpXw2"
SLIP = PrintDocument(
    (
        Text("样本市政务服务大厅", 2, 2, align=Align.CENTER),
        BigText("A036", 200),
        Rule(),
        Text("前面等候 3 人"),
        Text("王㛃"),
        QrCode(LINK),
    )
)
CLONE = PrinterModel(knows_process_id=False)
ALL_STATES = [JobState.QUEUED, JobState.PREFLIGHT, JobState.SENDING, JobState.SENT, JobState.PRINTED]


@pytest.fixture(params=["pty", "tcp"])
def simulator(request, bench):
    return bench.printer_simulator() if request.param == "pty" else bench.tcp_printer_simulator()


def printing(printer, soon, document=SLIP, seconds=20.0, **options):
    states = []
    return printer.print(document, soon(seconds), on_state=states.append, **options), states


def decoded(slip):
    return [found.text for found in zxingcpp.read_barcodes(Picture.open(slip.path).convert("L"))]


def test_a_slip_is_printed_with_proof_cut_and_its_code_can_be_read(bench, simulator, soon):
    future, states = printing(bench.printer(simulator.address), soon)
    result = future.result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.PRINTED, Outcome.DONE, Detail.NONE)
    assert states == ALL_STATES
    (slip,) = simulator.slips
    assert slip.text.splitlines()[:2] == ["样本市政务服务大厅", "前面等候 3 人"]
    assert decoded(slip) == [LINK]
    assert slip.height_mm <= 120
    assert not [event for event in simulator.events if event.kind != "slip"], "the printer understood every command"


async def test_a_print_can_be_awaited_in_asyncio(bench, soon):
    printer = bench.printer(bench.tcp_printer_simulator().address)
    assert (await asyncio.wrap_future(printer.print(SLIP, soon()))).outcome is Outcome.DONE


@pytest.mark.parametrize("native_qr", [True, False])
def test_a_clone_without_process_id_is_proven_by_its_ordered_paper_status(bench, simulator, soon, native_qr):
    clone = bench.tcp_printer_simulator(model=CLONE)
    profile = PrinterProfile(fence=Fence.PAPER_SENSOR, native_qr=native_qr)
    result = bench.printer(clone.address, profile=profile).print(SLIP, soon()).result(20)
    assert result.outcome is Outcome.DONE
    assert decoded(clone.slips[0]) == [LINK]


def test_a_printer_that_ignores_the_fence_leaves_the_slip_unknown(bench, soon):
    clone = bench.tcp_printer_simulator(model=CLONE)
    future, states = printing(bench.printer(clone.address), soon, seconds=0.6)
    result = future.result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.UNKNOWN,
        Outcome.UNKNOWN,
        Detail.DEADLINE_PASSED,
    )
    assert states == [*ALL_STATES[:4], JobState.UNKNOWN]


@pytest.mark.parametrize(
    ("faults", "detail"),
    [
        ({"paper_out": True}, Detail.PAPER_OUT),
        ({"cover_open": True}, Detail.COVER_OPEN),
        ({"head_too_hot": True}, Detail.HEAD_TOO_HOT),
        ({"unrecoverable": True}, Detail.PRINTER_ERROR),
    ],
)
def test_a_fault_before_the_slip_is_told_and_no_byte_of_it_is_sent(bench, simulator, soon, faults, detail):
    printer = bench.printer(simulator.address)
    simulator.set_faults(**faults)
    future, states = printing(printer, soon)
    result = future.result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.FAILED, Outcome.DEVICE_FAULT, detail)
    assert states == [JobState.QUEUED, JobState.PREFLIGHT, JobState.FAILED]
    assert printer.status.health is Health.FAULT
    simulator.clear_faults()
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.slips) == 1


def test_paper_near_its_end_still_prints_and_says_so(bench, simulator, soon):
    printer = bench.printer(simulator.address)
    simulator.set_faults(near_end=True)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    status = printer.ask_status(soon()).result(20)
    assert (status.health, status.detail, status.supplies["paper"]) == (
        Health.DEGRADED,
        Detail.PAPER_LOW,
        Supply.LOW,
    )
    assert status.who_acts is WhoActs.CLERK


@pytest.mark.parametrize(
    "cause",
    [("paper_out_after", Detail.PAPER_OUT), ("cover_open_after", Detail.COVER_OPEN)],
)
def test_a_fault_in_the_middle_leaves_the_slip_unknown_with_its_cause_and_prints_nothing_twice(
    bench, simulator, soon, wait_until, cause
):
    fault, detail = cause
    printer = bench.printer(simulator.address)
    simulator.set_faults(**{fault: 3})
    future, states = printing(printer, soon)
    result = future.result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.UNKNOWN, Outcome.UNKNOWN, detail)
    simulator.clear_faults()
    wait_until(lambda: states[-1] is JobState.PRINTED)
    assert printer.print(PrintDocument((Text("next"),)), soon()).result(20).outcome is Outcome.DONE
    texts = [slip.text for slip in simulator.slips]
    assert [text.count("前面等候") for text in texts] == [1, 0], "the late slip is cut off from the next one"
    assert "next" in texts[1]


def test_a_jammed_knife_after_the_print_is_a_printed_slip_and_a_fault(bench, simulator, soon):
    printer = bench.printer(simulator.address)
    simulator.set_faults(cutter_error=True)
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.PRINTED,
        Outcome.DEVICE_FAULT,
        Detail.CUTTER_ERROR,
    )
    assert printer.status.detail is Detail.CUTTER_ERROR


@pytest.mark.parametrize("faults", [LineFaults(silent=True), LineFaults(busy=True)], ids=["silent", "busy"])
def test_a_printer_that_does_not_answer_gets_no_slip_and_is_unknown_not_ok(bench, simulator, soon, wait_until, faults):
    printer = bench.printer(simulator.address)
    simulator.line.set_faults(faults)
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.FAILED,
        Outcome.DEVICE_FAULT,
        Detail.NO_ANSWER,
    )
    assert printer.status.health is Health.UNKNOWN
    assert printer.ask_status(soon()).result(20).supplies.get("paper", Supply.UNKNOWN) is Supply.UNKNOWN
    simulator.line.set_faults(LineFaults())
    wait_until(lambda: printer.status.health is Health.OK)
    assert simulator.slips == []


def test_silence_after_the_data_leaves_the_slip_unknown(bench, simulator, soon):
    printer = bench.printer(simulator.address)

    def fall_silent(state):
        if state is JobState.SENDING:
            simulator.line.set_faults(LineFaults(silent=True))

    result = printer.print(SLIP, soon(3), on_state=fall_silent).result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.UNKNOWN, Outcome.UNKNOWN, Detail.NO_ANSWER)


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(bytewise=True, gap_s=0.001),
        LineFaults(split_at=1),
        LineFaults(split_at=4),
        LineFaults(noise_before=b"\xff"),
        LineFaults(noise_before=bytes.fromhex("14 00 00 0F")),
        LineFaults(noise_before=b"\x13\x11"),
        LineFaults(delay_s=0.03),
        LineFaults(duplicate=True),
    ],
    ids=str,
)
def test_an_unruly_line_costs_no_proof(bench, simulator, soon, faults):
    printer = bench.printer(simulator.address)
    simulator.line.set_faults(faults)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.slips) == 1


NOISE = {
    "garbage": GARBAGE,
    "a console's prompt": b"login: localhost login: password: ",
    "an answer's look first": bytes.fromhex("12 FF FE 80 99 A5 C3 E7 FF FF FF 80"),
    "an error's look first": bytes.fromhex("5A FF FE 80 99 A5 C3 E7 FF FF FF 80"),
}


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_noise_is_neither_a_printer_that_is_well_nor_one_that_tells_a_fault(bench, simulator, soon, noise, bytewise):
    simulator.line.set_faults(LineFaults(noise_before=noise, truncate_at=0, bytewise=bytewise))
    printer = bench.printer(simulator.address)
    status = printer.ask_status(soon()).result(20)
    assert (status.health, status.detail) == (Health.UNKNOWN, Detail.NO_ANSWER)


def test_a_late_answer_to_another_question_is_not_taken_for_this_one(bench, soon, wait_until):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address, supervision=Supervision(probe_interval_s=60))
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.line.set_faults(LineFaults(noise_before=b"\x1a"))
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.detail) == (JobState.FAILED, Detail.NO_ANSWER), "12 or 1A: nobody can tell"


def test_automatic_status_between_the_answers_is_not_taken_for_one(bench, simulator, soon):
    simulator.line.call(lambda: simulator._take(bytes.fromhex("1D 61 0E")))
    printer = bench.printer(simulator.address)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    simulator.set_faults(paper_out=True)
    assert printer.print(SLIP, soon()).result(20).detail is Detail.PAPER_OUT


def test_an_idle_connection_that_the_printer_dropped_is_opened_again_and_prints_once(bench, soon, wait_until):
    simulator = bench.tcp_printer_simulator()
    with capture_logs() as logs:
        printer = bench.printer(simulator.address, supervision=Supervision(probe_interval_s=60))
        wait_until(lambda: logs)
        simulator.line.drop_connection()
        assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.slips) == 1
    assert [entry["event"] for entry in logs] == ["device_found"]


@pytest.mark.parametrize("place", [40, 900, 8000])
def test_unplugged_in_the_middle_leaves_the_slip_unknown_and_the_next_one_is_whole_and_alone(
    bench, simulator, soon, wait_until, place
):
    printer = bench.printer(simulator.address)
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.line.set_faults(LineFaults(unplug_after_taken=place))
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (JobState.UNKNOWN, Outcome.UNKNOWN, Detail.LINE_LOST)
    wait_until(lambda: printer.status.health is Health.OFFLINE)
    simulator.clear_faults()
    simulator.line.plug()
    wait_until(lambda: printer.status.health is Health.OK)
    assert not any("前面等候" in slip.text for slip in simulator.slips), "nothing is printed again by itself"
    document = PrintDocument((Banner("补打"), *SLIP.blocks))
    assert printer.print(document, soon()).result(20).outcome is Outcome.DONE
    last = simulator.slips[-1]
    assert last.text.splitlines()[:2] == ["样本市政务服务大厅", "前面等候 3 人"]
    assert decoded(last) == [LINK]


def test_switched_off_and_on_in_the_middle_prints_no_half_slip_into_the_next(bench, simulator, soon):
    printer = bench.printer(simulator.address)
    simulator.set_faults(paper_out_after=2)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.UNKNOWN
    simulator.power_cycle()
    simulator.clear_faults()
    assert printer.print(PrintDocument((Text("next"),)), soon()).result(20).outcome is Outcome.DONE
    assert [("next" in slip.text, "样本市" in slip.text) for slip in simulator.slips] == [(False, True), (True, False)]


def test_a_printer_that_is_absent_takes_no_slip(bench, soon, wait_until):
    simulator = bench.printer_simulator()
    simulator.line.unplug()
    printer = bench.printer(simulator.address)
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.FAILED,
        Outcome.DEVICE_FAULT,
        Detail.LINE_LOST,
    )
    simulator.line.plug()
    wait_until(lambda: printer.status.health is Health.OK)


def test_a_cancel_before_the_first_byte_prints_nothing(bench, soon):
    simulator = bench.tcp_printer_simulator()
    simulator.line.set_faults(LineFaults(delay_s=0.1))
    printer = bench.printer(simulator.address)
    cancel = CancelToken()

    def cancel_in_preflight(state):
        if state is JobState.PREFLIGHT:
            cancel.cancel()

    result = printer.print(SLIP, soon(), cancel=cancel, on_state=cancel_in_preflight).result(20)
    assert (result.state, result.outcome) == (JobState.FAILED, Outcome.CANCELLED)
    assert simulator.slips == []
    assert not simulator.uncut


def test_a_cancel_after_the_first_byte_comes_too_late(bench, soon):
    simulator = bench.tcp_printer_simulator()
    cancel = CancelToken()

    def cancel_while_sending(state):
        if state is JobState.SENDING:
            cancel.cancel()

    printer = bench.printer(simulator.address)
    result = printer.print(SLIP, soon(), cancel=cancel, on_state=cancel_while_sending).result(20)
    assert result.outcome is Outcome.DONE
    assert len(simulator.slips) == 1


def test_a_deadline_that_passes_in_the_queue_prints_nothing(bench, soon):
    simulator = bench.tcp_printer_simulator()
    result = bench.printer(simulator.address).print(SLIP, time.monotonic() - 1).result(20)
    assert (result.state, result.outcome) == (JobState.FAILED, Outcome.TIMED_OUT)
    assert simulator.slips == []


def test_a_document_that_does_not_fit_is_refused_by_name(bench, soon):
    printer = bench.printer(bench.tcp_printer_simulator().address)
    result = printer.print(PrintDocument((QrCode("x" * 5000),)), soon()).result(20)
    assert (result.state, result.outcome, result.detail) == (
        JobState.FAILED,
        Outcome.NOT_SUPPORTED,
        Detail.BAD_DOCUMENT,
    )


def test_slips_asked_for_at_once_come_out_one_after_the_other(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address)
    futures = [printer.print(PrintDocument((Text(f"slip {n}"),)), soon()) for n in range(5)]
    assert {future.result(20).outcome for future in futures} == {Outcome.DONE}
    assert [slip.text.strip() for slip in simulator.slips] == [f"slip {n}" for n in range(5)]


@pytest.mark.parametrize("missing", [2, 3, 4])
def test_a_printer_that_leaves_single_questions_open_prints_and_is_not_called_ok(bench, soon, missing):
    simulator = bench.tcp_printer_simulator()
    simulator.set_faults(silent_questions=frozenset({missing}))
    printer = bench.printer(simulator.address)
    assert printer.ask_status(soon()).result(20).health is Health.UNKNOWN
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
