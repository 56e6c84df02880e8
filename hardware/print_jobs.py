"""Print jobs of every printer: one state machine, kept in a small file so that a crash at any moment is told honestly.

A job is remembered by an id that says nothing of a person; what is printed is never written here, and is overwritten in
memory once the job has ended. An id is printed once: printing again is a new job that names the old one.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar
from uuid import uuid4

import structlog

from hardware.errors import HardwareError
from hardware.vocabulary import WHO_ACTS, Detail, Outcome, WhoActs

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
KEEP_ENDED: Final = timedelta(days=30)
_SCHEMA: Final = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    reprint_of TEXT,
    label TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    made_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    told TEXT NOT NULL DEFAULT ''
);
CREATE TABLE counters (device TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (device, name));
"""
_COLUMNS: Final = "job, device, reprint_of, label, state, detail"

log = structlog.get_logger(__name__)


class JobState(StrEnum):
    """Where a job is. FAILED: nothing came out. UNKNOWN: perhaps, perhaps in part; a person looks."""

    QUEUED = "queued"
    PREFLIGHT = "preflight"
    SENDING = "sending"
    SENT = "sent"
    PRINTED = "printed"
    TAKEN = "taken"
    FAILED = "failed"
    UNKNOWN = "unknown"


MAY_FOLLOW: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.PREFLIGHT, JobState.FAILED}),
        JobState.PREFLIGHT: frozenset({JobState.SENDING, JobState.FAILED}),
        # FAILED from here on only where a spooler proves that the printer never got anything of the job.
        JobState.SENDING: frozenset({JobState.SENT, JobState.FAILED, JobState.UNKNOWN}),
        JobState.SENT: frozenset({JobState.PRINTED, JobState.FAILED, JobState.UNKNOWN}),
        JobState.PRINTED: frozenset({JobState.TAKEN}),
        # The proof may come late, or a person has looked.
        JobState.UNKNOWN: frozenset({JobState.PRINTED, JobState.FAILED}),
        JobState.TAKEN: frozenset(),
        JobState.FAILED: frozenset(),
    }
)
ENDED: Final = frozenset({JobState.PRINTED, JobState.TAKEN, JobState.FAILED, JobState.UNKNOWN})
_AT_RESTART: Final[Mapping[JobState, JobState]] = MappingProxyType(
    {
        JobState.QUEUED: JobState.FAILED,
        JobState.PREFLIGHT: JobState.FAILED,
        JobState.SENDING: JobState.UNKNOWN,
        JobState.SENT: JobState.UNKNOWN,
    }
)


class JobRepeated(HardwareError):
    """This job id has been used: a second print of the same thing has to be asked for as a reprint."""

    detail = Detail.JOB_REPEATED
    outcome = Outcome.NOT_SUPPORTED


class JobNotKept(HardwareError):
    """The job could not be written down, so nothing is printed: after a crash it might come twice."""

    detail = Detail.JOB_NOT_KEPT


class WrongStep(ValueError):
    """A state that cannot follow the present one."""


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One job as it is kept. `device` is the printer's role; `reprint_of` the id of the job that is printed again."""

    job: str
    device: str
    reprint_of: str | None = None
    label: str = ""
    """By what staff know the paper, such as a ticket's number; never anything of a person."""
    state: JobState = JobState.QUEUED
    detail: Detail = Detail.NONE
    made_at: datetime | None = field(default=None, compare=False)
    """UTC; None until it has been kept."""


@dataclass(frozen=True, slots=True)
class PrintResult:
    """How a job ended.

    DONE: printed (and cut). FAILED with DEVICE_FAULT, CANCELLED, TIMED_OUT, NOT_SUPPORTED: nothing came out. UNKNOWN:
    `detail` is the likely cause. PRINTED with another outcome than DONE: the paper is there, but something is wrong
    with the printer since.
    """

    state: JobState
    outcome: Outcome
    detail: Detail = Detail.NONE
    pages: int | None = None
    """Sides of paper that are known to have come out, where the printer counts them."""

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


def follow(job: PrintJob, state: JobState, detail: Detail = Detail.NONE) -> PrintJob:
    """The job in its next state. Raises `WrongStep`."""
    if state not in MAY_FOLLOW[job.state]:
        raise WrongStep(f"{state} cannot follow {job.state}")
    return replace(job, state=state, detail=detail)


def after_restart(job: PrintJob) -> PrintJob:
    """What a job is whose program ended meanwhile: before the first byte FAILED, after it UNKNOWN."""
    state = _AT_RESTART.get(job.state)
    return job if state is None else replace(job, state=state, detail=Detail.INTERRUPTED)


class PrintJobStore:
    """Jobs and counters in one SQLite file, on a thread of its own. Futures raise `JobNotKept` and `JobRepeated`.

    `clock` gives UTC. Opening settles the jobs of an earlier run (`after_restart`); a damaged file is put aside. With
    `path` None nothing outlives the store.
    """

    def __init__(self, path: Path | None, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="print-jobs")
        self._database: sqlite3.Connection | None = None
        self._run(self._open_file)

    def begin(self, job: PrintJob) -> "Future[None]":
        """Keep a new job."""

        def insert(database: sqlite3.Connection) -> None:
            now = self._clock().isoformat()
            row = (job.job, job.device, job.reprint_of, job.label, job.state, job.detail, now, now)
            try:
                database.execute(
                    f"INSERT INTO jobs ({_COLUMNS}, made_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - own literals
                    row,
                )
            except sqlite3.IntegrityError as error:
                raise JobRepeated(job.job) from error

        return self._transaction(insert)

    def keep(self, job: PrintJob) -> "Future[None]":
        """Keep the state that a job has come to."""

        def update(database: sqlite3.Connection) -> None:
            row = (job.state, job.detail, self._clock().isoformat(), job.job)
            database.execute("UPDATE jobs SET state = ?, detail = ?, changed_at = ? WHERE job = ?", row)

        return self._transaction(update)

    def resolve(self, job: str, *, printed: bool) -> "Future[PrintJob]":
        """A person has looked at what became of an UNKNOWN job. Raises `WrongStep` for any other, KeyError for none."""

        def decide(database: sqlite3.Connection) -> PrintJob:
            found = {kept.job: kept for kept in _jobs(database, "WHERE job = ?", (job,))}[job]
            if found.state is not JobState.UNKNOWN:
                raise WrongStep(f"{job} is {found.state}: nobody needs to decide")
            decided = follow(found, JobState.PRINTED if printed else JobState.FAILED, Detail.SEEN_BY_STAFF)
            row = (decided.state, decided.detail, self._clock().isoformat(), job)
            database.execute("UPDATE jobs SET state = ?, detail = ?, changed_at = ? WHERE job = ?", row)
            return decided

        return self._transaction(decide)

    def untold(self) -> "Future[tuple[PrintJob, ...]]":
        """Ended jobs whose present state the program has not been told, or has not written down (`told`)."""
        ended = ", ".join(f"'{state}'" for state in sorted(ENDED))
        where = f"WHERE state IN ({ended}) AND told <> state"
        return self._transaction(lambda database: _jobs(database, where, ()))

    def told(self, job: PrintJob) -> "Future[None]":
        """The program has taken note of this state."""
        row = (job.state, job.job)
        return self._transaction(lambda database: _no_result(database, "UPDATE jobs SET told = ? WHERE job = ?", row))

    def find(self, job: str) -> "Future[PrintJob | None]":
        return self._transaction(lambda database: next(iter(_jobs(database, "WHERE job = ?", (job,))), None))

    def unsettled(self) -> "Future[tuple[PrintJob, ...]]":
        """The UNKNOWN jobs, oldest first: staff look at them."""
        return self._transaction(lambda database: _jobs(database, "WHERE state = ?", (JobState.UNKNOWN,)))

    def set_counters(self, device: str, values: Mapping[str, float]) -> "Future[None]":
        """Keep numbers of a device, such as the paper used on its roll."""
        rows = [(device, name, value) for name, value in values.items()]

        def write(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO counters (device, name, value) VALUES (?, ?, ?)", rows)

        return self._transaction(write)

    def counters(self, device: str) -> "Future[dict[str, float]]":
        select = "SELECT name, value FROM counters WHERE device = ?"
        return self._transaction(lambda database: dict(database.execute(select, (device,)).fetchall()))

    def close(self) -> None:
        """Write what is waiting, close the file and end the thread. A second call does nothing."""
        with contextlib.suppress(RuntimeError):
            self._thread.submit(self._close_file)
        self._thread.shutdown()

    # --- on the store's thread -----------------------------------------------------------------

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        def run() -> T:
            if self._database is None:
                self._open_file()
            database = self._database
            if database is None:
                raise JobNotKept("not open")
            database.execute("BEGIN IMMEDIATE")
            try:
                result = work(database)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            return result

        return self._run(run)

    def _run(self, work: Callable[[], T]) -> "Future[T]":
        def guarded() -> T:
            try:
                return work()
            except (sqlite3.Error, OSError) as error:
                log.error("print_job_store", error=type(error).__name__)
                raise JobNotKept(type(error).__name__) from error

        try:
            return self._thread.submit(guarded)
        except RuntimeError:  # closed
            refused: Future[T] = Future()
            refused.set_exception(JobNotKept("closed"))
            return refused

    def _open_file(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._put_aside(type(error).__name__)
            self._database = self._connect()
        self._settle_earlier_run(self._database)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path or ":memory:", isolation_level=None, check_same_thread=False, timeout=5)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                database.execute(f"PRAGMA {pragma}")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            sound = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            if not sound or version not in (0, SCHEMA_VERSION):
                raise sqlite3.DatabaseError("damaged" if not sound else "schema_version")
            if version == 0:
                database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        except BaseException:
            database.close()
            raise
        return database

    def _put_aside(self, cause: str) -> None:
        if self._path is None:
            return
        aside = self._path.parent / "damaged" / f"{self._clock():%Y%m%dT%H%M%S%f}"
        aside.mkdir(parents=True)
        for suffix in ("", "-wal", "-shm"):
            file = self._path.with_name(self._path.name + suffix)
            if file.exists():
                file.rename(aside / file.name)
        log.error("print_job_store_damaged", cause=cause, aside=aside.name)

    def _settle_earlier_run(self, database: sqlite3.Connection) -> None:
        now = self._clock()
        for job in _jobs(database, "", ()):
            settled = after_restart(job)
            if settled != job:
                log.warning("print_job_interrupted", job=job.job, was=job.state, now=settled.state)
                row = (settled.state, settled.detail, now.isoformat(), job.job)
                database.execute("UPDATE jobs SET state = ?, detail = ?, changed_at = ? WHERE job = ?", row)
        horizon = (now - KEEP_ENDED).isoformat()
        forget = "DELETE FROM jobs WHERE changed_at < ? AND told = state AND state <> ?"
        database.execute(forget, (horizon, JobState.UNKNOWN))

    def _close_file(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None


class JobOnItsWay:
    """One job while a driver works at it: the store knows each state, and SENDING before the first byte goes out."""

    def __init__(
        self,
        store: PrintJobStore,
        device: str,
        job: str | None,
        reprint_of: str | None,
        on_state: Callable[[JobState], None],
        *,
        label: str = "",
    ) -> None:
        self.kept = PrintJob(job or uuid4().hex, device, reprint_of, label)
        self.cause = Detail.NONE
        """What was last seen to stand in the way."""
        self._store, self._on_state = store, on_state
        self._begun = store.begin(self.kept)
        on_state(JobState.QUEUED)

    @property
    def state(self) -> JobState:
        return self.kept.state

    def enter(self, state: JobState, detail: Detail = Detail.NONE) -> None:
        """Go on to `state`; the listener hears of it once it is kept.

        Before the first byte a job that cannot be kept raises; later the log has it.
        """
        following = follow(self.kept, state, detail)
        if state is JobState.PREFLIGHT:
            self._begun.result()
        if state in ENDED and self._begun.exception() is not None:
            self.kept = following  # it never came to be; nothing of an earlier job of this id is touched
        else:
            kept = self._store.keep(following)
            if state is JobState.SENDING:
                kept.result()
            elif state in ENDED:
                kept.exception()
            self.kept = following
        self._on_state(state)

    def failed(self, error: HardwareError) -> PrintResult:
        """The result when `error` ended the job where it was."""
        if self.state in {JobState.SENDING, JobState.SENT}:
            detail = self.cause if self.cause is not Detail.NONE else error.detail
            self.enter(JobState.UNKNOWN, detail)
            return PrintResult(self.state, Outcome.UNKNOWN, detail)
        if self.state is JobState.PRINTED:
            outcome = error.outcome if error.outcome is Outcome.DEVICE_FAULT else Outcome.UNKNOWN
            return PrintResult(self.state, outcome, error.detail)
        self.enter(JobState.FAILED, error.detail)
        return PrintResult(self.state, error.outcome, error.detail)


@contextlib.contextmanager
def wiped(data: bytearray) -> Iterator[bytearray]:
    """Overwrite the bytes on the way out."""
    try:
        yield data
    finally:
        data[:] = bytes(len(data))


def _jobs(database: sqlite3.Connection, where: str, values: tuple[object, ...]) -> tuple[PrintJob, ...]:
    select = f"SELECT {_COLUMNS}, made_at FROM jobs {where} ORDER BY seq"  # noqa: S608 - own literals
    return tuple(
        PrintJob(job, device, reprint_of, label, JobState(state), Detail(detail), datetime.fromisoformat(made_at))
        for job, device, reprint_of, label, state, detail, made_at in database.execute(select, values)
    )


def _no_result(database: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    database.execute(statement, values)
