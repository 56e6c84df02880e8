"""What printers say over IPP, and what may be believed: attributes to status, looks to belief, bytes to answers."""

import contextlib
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.document_printer.ipp import IppRefused, understood, well_formed
from hardware.document_printer.state import (
    IppJobState,
    JobLook,
    PrinterState,
    believe,
    blocking,
    job_look,
    merged,
    of_the_queue,
    printer_state,
    status_of,
)
from hardware.errors import NoAnswer
from hardware.simulators import ipp_codec
from hardware.vocabulary import Detail, Health, Outcome, Supply

IDLE, BUSY, STOPPED = PrinterState(3), PrinterState(4), PrinterState(5)
# RFC 8010, appendix A.2: Print-Job response (successful), with the job's attributes.
RFC_ANSWER = (
    bytes.fromhex("0101 0000 0000 0001 01 47 0012")
    + b"attributes-charset"
    + bytes.fromhex("0005")
    + b"utf-8"
    + bytes.fromhex("48 001B")
    + b"attributes-natural-language"
    + bytes.fromhex("0005")
    + b"en-us"
    + bytes.fromhex("41 000E")
    + b"status-message"
    + bytes.fromhex("000D")
    + b"successful-ok"
    + bytes.fromhex("02 21 0006")
    + b"job-id"
    + bytes.fromhex("0004 00000093 45 0007")
    + b"job-uri"
    + bytes.fromhex("0033")
    + b"ipp://printer.example.com/ipp/print/pinetree/job/14"[:51].ljust(51, b"7")
    + bytes.fromhex("23 0009")
    + b"job-state"
    + bytes.fromhex("0004 00000003 03")
)


def reasons(*words, state=3):
    return PrinterState(state, words)


def test_the_answer_of_the_standard_is_understood():
    answer = understood(RFC_ANSWER, "here")
    assert (answer["jobs"][0]["job-id"], int(answer["jobs"][0]["job-state"])) == (147, 3)


@pytest.mark.parametrize(
    ("look", "health", "detail", "paper", "toner"),
    [
        (IDLE, Health.OK, Detail.NONE, Supply.OK, Supply.OK),
        (BUSY, Health.OK, Detail.NONE, Supply.OK, Supply.OK),
        (STOPPED, Health.FAULT, Detail.PRINTER_STOPPED, Supply.OK, Supply.OK),
        (reasons("paused"), Health.FAULT, Detail.PRINTER_STOPPED, Supply.OK, Supply.OK),
        (reasons("media-jam-error"), Health.FAULT, Detail.PAPER_JAM, Supply.JAMMED, Supply.OK),
        (reasons("media-jam-warning", state=4), Health.FAULT, Detail.PAPER_JAM, Supply.JAMMED, Supply.OK),
        (reasons("media-empty-error", state=5), Health.FAULT, Detail.PAPER_OUT, Supply.OUT, Supply.OK),
        (reasons("media-empty-warning"), Health.DEGRADED, Detail.PAPER_LOW, Supply.LOW, Supply.OK),
        (reasons("media-empty-report"), Health.OK, Detail.NONE, Supply.OK, Supply.OK),
        (reasons("media-needed"), Health.FAULT, Detail.PAPER_OUT, Supply.OUT, Supply.OK),
        (reasons("media-low-report"), Health.OK, Detail.NONE, Supply.OK, Supply.OK),
        (reasons("door-open"), Health.FAULT, Detail.COVER_OPEN, Supply.OK, Supply.OK),
        (reasons("toner-low-warning"), Health.DEGRADED, Detail.TONER_LOW, Supply.OK, Supply.LOW),
        (reasons("marker-supply-empty-error"), Health.FAULT, Detail.TONER_OUT, Supply.OK, Supply.OUT),
        (reasons("offline-report"), Health.FAULT, Detail.PRINTER_OFFLINE, Supply.OK, Supply.OK),
        (reasons("connecting-to-device"), Health.OK, Detail.NONE, Supply.OK, Supply.OK),
        (reasons("standby"), Health.UNKNOWN, Detail.ASLEEP, Supply.UNKNOWN, Supply.UNKNOWN),
        (reasons("vendor-flux-error"), Health.FAULT, Detail.PRINTER_ERROR, Supply.OK, Supply.OK),
        (reasons("vendor-flux-warning"), Health.DEGRADED, Detail.PRINTER_ERROR, Supply.OK, Supply.OK),
        (PrinterState(None), Health.UNKNOWN, Detail.NO_ANSWER, Supply.UNKNOWN, Supply.UNKNOWN),
        (PrinterState(3, (), accepting=False), Health.FAULT, Detail.PRINTER_STOPPED, Supply.OK, Supply.OK),
        (PrinterState(3, levels={"toner_black": 9}), Health.DEGRADED, Detail.TONER_LOW, Supply.OK, Supply.LOW),
        (reasons("cover-open", "media-jam", "toner-low"), Health.FAULT, Detail.PAPER_JAM, Supply.JAMMED, Supply.LOW),
    ],
    ids=str,
)
def test_reasons_become_health_and_supplies_by_word_and_severity(look, health, detail, paper, toner):
    status = status_of(look)
    assert (status.health, status.detail) == (health, detail)
    assert (status.supplies["paper"], status.supplies["toner"]) == (paper, toner)


def test_levels_are_read_from_markers_or_from_supplies_and_unknown_ones_are_left_out():
    cups = {"marker-types": ["toner", "waste-toner"], "marker-colors": ["#000000", "none"], "marker-levels": [42, 10]}
    assert printer_state(cups).levels == {"toner_black": 42}
    assert printer_state({"marker-types": "toner", "marker-names": "Black Cartridge", "marker-levels": -1}).levels == {}
    supply = "index=2;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=200;level=50;colorantname=cyan;"
    assert printer_state({"printer-supply": supply}).levels == {"toner_cyan": 25}


def test_a_queues_hearsay_counts_for_nothing_beside_the_printers_own_word():
    stale = reasons("media-jam-warning")
    assert blocking(of_the_queue(stale, printer_asked=True)) is None
    alone = status_of(of_the_queue(stale, printer_asked=False))
    assert (alone.health, alone.detail) == (Health.UNKNOWN, Detail.PAPER_JAM), "perhaps, and never OK"
    sending = reasons("media-jam-warning", state=4)
    assert blocking(of_the_queue(sending, printer_asked=False)) is Detail.PAPER_JAM
    assert blocking(of_the_queue(reasons("paused", state=5), printer_asked=True)) is Detail.PRINTER_STOPPED


looks = st.builds(PrinterState, st.sampled_from([None, 3, 4, 5]))
jobs = st.builds(
    JobLook, st.sampled_from([None, *IppJobState]), st.just(()), st.none() | st.integers(0, 9), st.booleans()
)
details = st.none() | st.sampled_from([Detail.PAPER_JAM, Detail.PAPER_OUT])


@given(jobs, st.lists(looks, min_size=1, max_size=2), details, st.integers(1, 9))
def test_printed_is_believed_only_when_everything_speaks_for_it(job, seen, trouble, sides):
    belief = believe(job, seen, trouble=trouble, sides=sides)
    safe = (
        job.state is IppJobState.COMPLETED
        and trouble is None
        and (job.impressions or 0) >= sides
        and all(look.state == 3 for look in seen)
    )
    assert (belief.done is True) == safe
    if belief.done is False:
        assert job.state in {IppJobState.CANCELED, IppJobState.ABORTED}
        assert not job.processed
        assert not job.impressions


def test_only_a_time_without_a_value_says_that_a_job_was_never_processed():
    assert job_look({"job-state": 7}).processed
    assert job_look({"job-state": 7, "time-at-processing": 1795308220}).processed
    assert not job_look({"job-state": 7, "time-at-processing": ""}).processed


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=9), max_size=3)
names = st.sampled_from(
    [
        "printer-state",
        "printer-state-reasons",
        "printer-is-accepting-jobs",
        "marker-types",
        "marker-levels",
        "marker-colors",
        "printer-supply",
        "job-state",
        "job-impressions-completed",
        "time-at-processing",
    ]
)


@given(st.dictionaries(names, anything))
def test_any_attributes_make_a_status_and_a_look(attributes):
    status = status_of(printer_state(attributes))
    merged(status, status_of(of_the_queue(printer_state(attributes), printer_asked=False)))
    assert all(0 <= level <= 100 or level > 100 for level in status.levels.values())
    job_look(attributes)


@given(st.binary(max_size=400))
@example(bytes.fromhex("0101 0000 0000 0001 01 44 0001 61 0001 62 35 0000 FFFB FFFC 03"))  # lengths lead backwards
@example(bytes.fromhex("0101 0000 0000 0001 01 21 FFF0 0000 03"))
@example(b"")
def test_any_bytes_are_an_answer_a_refusal_or_none(data):
    with contextlib.suppress(NoAnswer, IppRefused):
        understood(data, "here")


@settings(max_examples=300)
@given(st.integers(0, len(RFC_ANSWER) - 1), st.integers(0, 255), st.integers(0, len(RFC_ANSWER)))
def test_a_damaged_answer_never_hangs_the_parser(place, byte, end):
    damaged = bytearray(RFC_ANSWER)
    damaged[place] = byte
    for data in (bytes(damaged), bytes(damaged[:end])):
        with contextlib.suppress(NoAnswer, IppRefused):
            understood(data, "here")


def test_a_message_without_its_end_is_not_well_formed():
    assert well_formed(RFC_ANSWER)
    assert not well_formed(RFC_ANSWER[:-1])
    assert not any(well_formed(RFC_ANSWER[:size]) for size in range(len(RFC_ANSWER)))


@pytest.mark.parametrize(
    ("status", "outcome", "detail"),
    [
        (0x0406, Outcome.DEVICE_FAULT, Detail.PRINTER_ERROR),
        (0x040A, Outcome.NOT_SUPPORTED, Detail.BAD_DOCUMENT),
        (0x0501, Outcome.NOT_SUPPORTED, Detail.PRINTER_ERROR),
    ],
)
def test_a_refusal_keeps_its_status(status, outcome, detail):
    raw = struct.pack(">BBHI", 2, 0, status, 1) + b"\x03"
    with pytest.raises(IppRefused) as refused:
        understood(raw, "here")
    assert (refused.value.status, refused.value.outcome, refused.value.detail) == (status, outcome, detail)


@given(st.binary(max_size=300))
def test_the_simulated_printers_own_codec_never_raises(data):
    ipp_codec.read(data)


def test_the_simulated_printer_reads_the_request_of_the_standard():
    """RFC 8010, appendix A.1: Print-Job request."""
    request = (
        bytes.fromhex("0101 0002 0000 0001 01 47 0012")
        + b"attributes-charset"
        + bytes.fromhex("0005")
        + b"utf-8"
        + bytes.fromhex("48 001B")
        + b"attributes-natural-language"
        + bytes.fromhex("0005")
        + b"en-us"
        + bytes.fromhex("42 0008")
        + b"job-name"
        + bytes.fromhex("0006")
        + b"foobar"
        + bytes.fromhex("22 0016")
        + b"ipp-attribute-fidelity"
        + bytes.fromhex("0001 01 02 21 0006")
        + b"copies"
        + bytes.fromhex("0004 00000014 44 0005")
        + b"sides"
        + bytes.fromhex("0013")
        + b"two-sided-long-edge"
        + bytes.fromhex("03")
        + b"%!PDF..."
    )
    message = ipp_codec.read(request)
    assert (message.operation, message.attributes["job-name"], message.attributes["copies"]) == (2, "foobar", 20)
    assert message.data == b"%!PDF..."
