"""The life of a print job: which state follows which, what a crash leaves, and what a person decides."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import NoAnswer
from hardware.print_jobs import (
    ENDED,
    JobNotKept,
    JobOnItsWay,
    JobRepeated,
    JobState,
    PrintJob,
    PrintJobStore,
    WrongStep,
    after_restart,
    follow,
    wiped,
)
from hardware.ticket_printer.document import Banner, PrintDocument, Text
from hardware.vocabulary import Detail, Outcome

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SLIP = PrintDocument((Text("王㛃 110105********0011"),))


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    yield store
    store.close()


def on_its_way(store, job="t-1", reprint_of=None, heard=None):
    return JobOnItsWay(store, "ticket_printer", job, reprint_of, (heard if heard is not None else []).append)


@given(st.lists(st.sampled_from(JobState), max_size=8))
def test_no_path_leads_out_of_an_end_to_the_printer_again(states):
    job, ended = PrintJob("t-1", "ticket_printer"), False
    for state in states:
        try:
            job = follow(job, state)
        except WrongStep:
            continue
        assert not (ended and job.state in {JobState.QUEUED, JobState.PREFLIGHT, JobState.SENDING, JobState.SENT})
        ended = ended or job.state in ENDED


@pytest.mark.parametrize("state", JobState)
def test_after_a_restart_no_job_is_under_way_and_none_that_may_have_printed_is_called_failed(state):
    settled = after_restart(PrintJob("t-1", "ticket_printer", state=state))
    assert settled.state in ENDED
    if state in {JobState.SENDING, JobState.SENT}:
        assert (settled.state, settled.detail) == (JobState.UNKNOWN, Detail.INTERRUPTED)
    if state in {JobState.QUEUED, JobState.PREFLIGHT}:
        assert (settled.state, settled.detail) == (JobState.FAILED, Detail.INTERRUPTED)


def test_a_job_is_on_disk_in_each_state_before_its_listener_hears_of_sending(store, tmp_path):
    heard = []
    job = on_its_way(store, heard=heard)
    for state in (JobState.PREFLIGHT, JobState.SENDING):
        job.enter(state)
    assert heard == [JobState.QUEUED, JobState.PREFLIGHT, JobState.SENDING]
    other = PrintJobStore(tmp_path / "jobs.sqlite3", lambda: NOW)  # what a new start would find at this moment
    (found,) = other.untold().result()
    other.close()
    assert (found.state, found.detail) == (JobState.UNKNOWN, Detail.INTERRUPTED)


def test_an_id_is_printed_once_and_the_first_jobs_record_is_not_touched_by_the_second(store):
    first = on_its_way(store)
    for state in (JobState.PREFLIGHT, JobState.SENDING, JobState.SENT, JobState.PRINTED):
        first.enter(state)
    second = on_its_way(store)
    with pytest.raises(JobRepeated) as repeated:
        second.enter(JobState.PREFLIGHT)
    result = second.failed(repeated.value)
    assert (result.state, result.outcome, result.detail) == (
        JobState.FAILED,
        Outcome.NOT_SUPPORTED,
        Detail.JOB_REPEATED,
    )
    assert store.find("t-1").result().state is JobState.PRINTED


def test_a_reprint_is_a_job_of_its_own_that_names_the_first(store):
    on_its_way(store)
    on_its_way(store, "t-1-again", "t-1")
    assert store.find("t-1-again").result().reprint_of == "t-1"


def test_a_person_decides_an_unknown_job_once_and_no_other(store):
    job = on_its_way(store)
    for state in (JobState.PREFLIGHT, JobState.SENDING):
        job.enter(state)
    with pytest.raises(WrongStep):
        store.resolve("t-1", printed=True).result()
    assert job.failed(NoAnswer("")).state is JobState.UNKNOWN
    assert [kept.job for kept in store.unsettled().result()] == ["t-1"]
    decided = store.resolve("t-1", printed=False).result()
    assert (decided.state, decided.detail) == (JobState.FAILED, Detail.SEEN_BY_STAFF)
    with pytest.raises(WrongStep):
        store.resolve("t-1", printed=True).result()
    with pytest.raises(KeyError):
        store.resolve("nobody", printed=True).result()


def test_what_nobody_knows_is_listed_with_what_staff_know_it_by_and_when_it_was_begun(store, clock):
    begun = clock.now
    job = JobOnItsWay(store, "ticket_printer", "t-1", None, lambda _: None, label="A036")
    assert store.find("t-1").result().made_at == begun
    for state in (JobState.PREFLIGHT, JobState.SENDING):
        clock.now += timedelta(minutes=1)
        job.enter(state)
    job.failed(NoAnswer(""))
    (listed,) = store.unsettled().result()
    assert (listed.label, listed.device, listed.made_at) == ("A036", "ticket_printer", begun)


def test_an_end_is_told_until_the_program_has_written_it_down_and_again_when_it_changes(store):
    job = on_its_way(store)
    for state in (JobState.PREFLIGHT, JobState.SENDING, JobState.SENT, JobState.UNKNOWN):
        job.enter(state)
    assert [kept.state for kept in store.untold().result()] == [JobState.UNKNOWN]
    store.told(job.kept).result()
    assert store.untold().result() == ()
    job.enter(JobState.PRINTED)
    assert [kept.state for kept in store.untold().result()] == [JobState.PRINTED]


def test_what_cannot_be_written_down_is_not_printed(tmp_path):
    (tmp_path / "jobs.sqlite3").mkdir()
    store = PrintJobStore(tmp_path / "jobs.sqlite3", lambda: NOW)
    job = on_its_way(store)
    with pytest.raises(JobNotKept) as not_kept:
        job.enter(JobState.PREFLIGHT)
    assert job.failed(not_kept.value).state is JobState.FAILED
    store.close()


def test_a_damaged_file_is_put_aside_and_the_store_goes_on(tmp_path, clock):
    (tmp_path / "jobs.sqlite3").write_bytes(b"not a database" * 1000)
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    on_its_way(store).enter(JobState.PREFLIGHT)
    store.close()
    assert list((tmp_path / "damaged").glob("*/jobs.sqlite3"))


def test_ended_jobs_are_forgotten_after_a_month_but_not_what_a_person_has_to_look_at(tmp_path, clock):
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    failed, unknown = on_its_way(store, "failed"), on_its_way(store, "unknown")
    failed.enter(JobState.FAILED)
    for state in (JobState.PREFLIGHT, JobState.SENDING, JobState.UNKNOWN):
        unknown.enter(state)
    for job in (failed, unknown):
        store.told(job.kept).result()
    store.close()
    clock.now += timedelta(days=31)
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    assert store.find("failed").result() is None
    assert store.find("unknown").result() is not None
    store.close()


def test_counters_outlive_the_store_and_belong_to_their_device(tmp_path, clock):
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    store.set_counters("ticket_printer", {"roll_used_mm": 12.5})
    store.close()
    store = PrintJobStore(tmp_path / "jobs.sqlite3", clock)
    assert store.counters("ticket_printer").result() == {"roll_used_mm": 12.5}
    assert store.counters("document_printer").result() == {}
    store.close()


def test_bytes_are_overwritten_however_the_work_ends():
    data = bytearray(b"personal")
    with pytest.raises(RuntimeError), wiped(data):
        raise RuntimeError
    assert data == bytes(8)


KILLED = """
import os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from hardware.drivers import asset
from hardware.print_jobs import JobState, PrintJobStore
from hardware.ticket_printer.document import Banner, PrintDocument, Text
from hardware.ticket_printer.printer import TicketPrinter

address, path, fatal = sys.argv[1:]
store = PrintJobStore(Path(path), lambda: datetime.now(UTC))
printer = TicketPrinter(address, asset("fonts/NotoSansSC-Regular.otf"), jobs=store)

def die(state):
    if state == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

slip = PrintDocument((Text("王㛃 110105********0011"),))
printer.print(slip, time.monotonic() + 20, job="t-1", on_state=die).result(20)
"""


@pytest.mark.parametrize(
    ("fatal", "then", "slips"),
    [
        (JobState.QUEUED, JobState.FAILED, {0}),
        (JobState.PREFLIGHT, JobState.FAILED, {0}),
        (JobState.SENDING, JobState.UNKNOWN, {0}),
        (JobState.SENT, JobState.UNKNOWN, {0, 1}),  # a line that dies may take with it what the printer did not read
        (JobState.PRINTED, JobState.PRINTED, {1}),
    ],
)
def test_a_program_killed_in_any_state_is_told_the_truth_at_its_next_start(bench, soon, fatal, then, slips):
    simulator = bench.tcp_printer_simulator()
    path = bench.folder / "jobs.sqlite3"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, simulator.address, str(path), fatal],
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store = PrintJobStore(path, lambda: datetime.now(UTC))
    found = store.find("t-1").result()
    if found is None:
        assert fatal is JobState.QUEUED, "only what was not asked of the printer yet may be missing"
    else:
        assert found.state is then
        assert [job.job for job in store.untold().result()] == ["t-1"]
    printer = bench.printer(simulator.address, jobs=store)
    document = PrintDocument((Banner("补打"), Text("reprint")))
    assert printer.print(document, soon(), job="t-2", reprint_of="t-1").result(20).outcome is Outcome.DONE
    first = [slip for slip in simulator.slips if "reprint" not in slip.text]
    assert len(first) in slips
    assert len(simulator.slips) == len(first) + 1
    printer.close()
    store.close()
    kept = b"".join(file.read_bytes() for file in bench.folder.glob("jobs.sqlite3*"))
    assert "王".encode() not in kept
    assert b"110105" not in kept
