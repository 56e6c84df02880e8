"""A simulated A4 printer that speaks IPP over HTTP, with paper, toner, jams, and all that can go wrong on the way.

Operations: Print-Job, Validate-Job, Create-Job, Send-Document, Cancel-Job, Get-Job-Attributes, Get-Jobs,
Get-Printer-Attributes (RFC 8011). What has been printed is kept as files in a folder.
"""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

from hardware.simulators import ipp_codec as ipp
from hardware.simulators.simulator import Place, Simulator, Trouble

PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)
IDLE, BUSY, STANDING = 3, 4, 5
_OK, _BAD, _NOT_FOUND, _NOT_POSSIBLE, _FORMAT, _UNSUPPORTED = 0x0000, 0x0400, 0x0406, 0x0404, 0x040A, 0x0501
_OPERATIONS: Final = [0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0B]
_OVER: Final = {CANCELED, ABORTED, COMPLETED}
_GARBAGE: Final = bytes.fromhex("02 00 00 00 00 00 00 01 01 47 7F FF") + b"\xff" * 30
_TICK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class DocumentPrinterFaults:
    """What is wrong with the printer. Counters (`…_after`) count sides from the moment they are set."""

    media_jam: bool = False
    media_jam_after: int | None = None
    media_empty: bool = False
    media_empty_after: int | None = None
    cover_open: bool = False
    media_low: bool = False
    toner: int = 75
    """Per cent of black toner left."""
    asleep: bool = False
    """Says that it is in standby, and hides every other reason."""
    stuck: bool = False
    """Jobs stay in processing for ever."""
    abort_after: int | None = None
    """The job is aborted after so many sides."""
    says_completed_at_once: bool = False
    """Calls a job completed as soon as it has its bytes, and prints nothing."""
    forgets_jobs: bool = False
    """Knows no job any more: its history is empty."""
    refuses_documents: bool = False


@dataclass(frozen=True, slots=True)
class IppLineFaults:
    """What is wrong on the way."""

    silent: bool = False
    slow_s: float = 0.0
    garbage: bool = False
    half: bool = False
    """Each answer breaks off in its middle."""
    drop_on: frozenset[int] = frozenset()
    """Operations (`06` is Send-Document) at which the connection is dropped before they are carried out."""


@dataclass(slots=True)
class _Job:
    number: int
    name: str
    state: int = HELD
    sides: int = 1
    done: int = 0
    data: bytes = b""
    began: int | None = None
    reasons: str = "none"


@dataclass(slots=True)
class PrintedDocument:
    """One document that came out whole."""

    path: Path
    job_name: str
    sides: int = field(default=1)


class DocumentPrinterSimulator(Simulator):
    """A printer at `ipp://127.0.0.1:<port>/ipp/print`. `sides_per_s`: how fast it prints."""

    def __init__(self, folder: Path, *, sides_per_s: float = 50.0, port: int = 0) -> None:
        self.faults = DocumentPrinterFaults()
        self.line_faults = IppLineFaults()
        self.documents: list[PrintedDocument] = []
        self.sides_out = 0
        self.requests: list[int] = []
        self._folder, self._pace, self._port = folder, 1 / sides_per_s, port
        self._lock = threading.RLock()
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()
        self._closing = threading.Event()
        self._engine = threading.Thread(target=self._print_on, name="ipp-printer-engine", daemon=True)
        self._until = (0, 0)
        """Sides at which the paper runs out, or jams."""

    @property
    def address(self) -> str:
        return f"ipp://127.0.0.1:{self._port}/ipp/print"

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {}

    def start(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.plug()
        self._engine.start()
        return self

    def close(self) -> None:
        self._closing.set()
        self.unplug()
        if self._engine.is_alive():
            self._engine.join()

    def plug(self) -> None:
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), self)
            self._port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.02,), name="ipp-printer", daemon=True).start()

    def unplug(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def set_faults(self, **changes: Any) -> None:
        with self._lock:
            self.faults = replace(self.faults, **changes)
            self._until = (self.sides_out, self.sides_out)

    def set_line_faults(self, faults: IppLineFaults) -> None:
        """Change what is wrong on the way."""
        self.line_faults = faults

    def clear_faults(self) -> None:
        self.line_faults = IppLineFaults()
        with self._lock:
            self.faults = DocumentPrinterFaults()

    def trouble(self, trouble: Trouble) -> None:
        faults = {
            Trouble.SILENT: IppLineFaults(silent=True),
            Trouble.SLOW: IppLineFaults(slow_s=0.08),
            Trouble.GARBAGE: IppLineFaults(garbage=True),
            Trouble.HALF_FRAME: IppLineFaults(half=True),
            Trouble.STUCK_BUSY: IppLineFaults(),
            Trouble.VANISHES: IppLineFaults(drop_on=frozenset(_OPERATIONS)),
        }
        if trouble is Trouble.STUCK_BUSY:
            self.set_faults(stuck=True)
        self.set_line_faults(faults[trouble])

    def help_self_test(self) -> None:
        """Nobody's hands are needed: the page falls into the tray."""

    @property
    def waiting(self) -> int:
        """Jobs in the queue that are not over."""
        with self._lock:
            return sum(job.state not in _OVER for job in self._jobs.values())

    # --- the engine ----------------------------------------------------------------------------

    def _print_on(self) -> None:
        while not self._closing.is_set():
            self._closing.wait(self._pace if self._turn() else _TICK_S)

    def _turn(self) -> bool:
        """One side of the oldest job; False when there is nothing to do, or no way to do it."""
        with self._lock:
            waiting = (job for job in self._jobs.values() if job.state in {PENDING, PROCESSING, STOPPED})
            job = next(waiting, None)
            if job is None:
                return False
            self._break_when_due()
            if job.state == PENDING:
                job.began = int(time.monotonic()) + 1
            job.state = STOPPED if self._standing else PROCESSING
            if self._standing or self.faults.stuck:
                return False
            if self.faults.abort_after is not None and job.done >= self.faults.abort_after:
                job.state, job.reasons = ABORTED, "aborted-by-system"
                return True
            job.done += 1
            self.sides_out += 1
            if job.done >= job.sides:
                self._complete(job)
            return True

    def _break_when_due(self) -> None:
        faults, out = self.faults, self.sides_out
        if faults.media_empty_after is not None and out - self._until[0] >= faults.media_empty_after:
            self.faults = replace(faults, media_empty=True, media_empty_after=None)
        if faults.media_jam_after is not None and out - self._until[1] >= faults.media_jam_after:
            self.faults = replace(self.faults, media_jam=True, media_jam_after=None)

    def _complete(self, job: _Job) -> None:
        path = self._folder / f"document-{job.number:04d}.pdf"
        path.write_bytes(job.data)
        job.state, job.reasons = COMPLETED, "job-completed-successfully"
        self.documents.append(PrintedDocument(path, job.name, job.sides))

    @property
    def _standing(self) -> bool:
        faults = self.faults
        return bool(faults.media_jam or faults.media_empty or faults.cover_open or not faults.toner)

    # --- what it answers -----------------------------------------------------------------------

    def answer(self, raw: bytes) -> bytes:
        """The answer to one request."""
        asked = ipp.read(raw)
        if asked is None:
            return ipp.write(_BAD, 0, [])
        self.requests.append(asked.operation)
        known: dict[int, Callable[[ipp.Message], bytes]] = {
            0x02: self._print_job,
            0x04: lambda message: ipp.write(_OK, message.request_id, []),
            0x05: self._create_job,
            0x06: self._send_document,
            0x08: self._cancel_job,
            0x09: self._job_attributes,
            0x0A: self._list_jobs,
            0x0B: self._printer_attributes,
        }
        with self._lock:
            act = known.get(asked.operation)
            return act(asked) if act is not None else ipp.write(_UNSUPPORTED, asked.request_id, [])

    def _create_job(self, asked: ipp.Message) -> bytes:
        job = _Job(next(self._numbers), str(asked.attributes.get("job-name", "")))
        self._jobs[job.number] = job
        return self._told(asked, job)

    def _print_job(self, asked: ipp.Message) -> bytes:
        job = _Job(next(self._numbers), str(asked.attributes.get("job-name", "")))
        self._jobs[job.number] = job
        return self._take_document(asked, job)

    def _send_document(self, asked: ipp.Message) -> bytes:
        job = self._jobs.get(asked.attributes.get("job-id", 0))
        if job is None or self.faults.forgets_jobs:
            return ipp.write(_NOT_FOUND, asked.request_id, [])
        if job.state != HELD:
            return ipp.write(_NOT_POSSIBLE, asked.request_id, [])
        return self._take_document(asked, job)

    def _take_document(self, asked: ipp.Message, job: _Job) -> bytes:
        if self.faults.refuses_documents or not asked.data.startswith(b"%PDF-"):
            job.state = ABORTED
            return ipp.write(_FORMAT, asked.request_id, [])
        job.data, job.state = asked.data, PENDING
        job.sides = max(1, asked.data.count(b"/Type /Page\n") + asked.data.count(b"/Type /Page "))
        if self.faults.says_completed_at_once:
            job.state, job.reasons = COMPLETED, "queued-in-device"
        return self._told(asked, job)

    def _cancel_job(self, asked: ipp.Message) -> bytes:
        job = self._jobs.get(asked.attributes.get("job-id", 0))
        if job is None or self.faults.forgets_jobs:
            return ipp.write(_NOT_FOUND, asked.request_id, [])
        if job.state in _OVER:
            return ipp.write(_NOT_POSSIBLE, asked.request_id, [])
        job.state, job.reasons = CANCELED, "job-canceled-by-user"
        return ipp.write(_OK, asked.request_id, [])

    def _job_attributes(self, asked: ipp.Message) -> bytes:
        job = self._jobs.get(asked.attributes.get("job-id", 0))
        if job is None or self.faults.forgets_jobs:
            return ipp.write(_NOT_FOUND, asked.request_id, [])
        return self._told(asked, job)

    def _list_jobs(self, asked: ipp.Message) -> bytes:
        over = asked.attributes.get("which-jobs") == "completed"
        jobs = [] if self.faults.forgets_jobs else [job for job in self._jobs.values() if (job.state in _OVER) == over]
        return ipp.write(_OK, asked.request_id, [(ipp.JOB, self._described(job)) for job in jobs])

    def _told(self, asked: ipp.Message, job: _Job) -> bytes:
        return ipp.write(_OK, asked.request_id, [(ipp.JOB, self._described(job))])

    def _described(self, job: _Job) -> list[tuple[int, str, Any]]:
        processing = (ipp.NO_VALUE, "time-at-processing", None)
        return [
            (ipp.INTEGER, "job-id", job.number),
            (ipp.URI, "job-uri", f"{self.address}/{job.number}"),
            (ipp.NAME, "job-name", job.name or "untitled"),
            (ipp.ENUM, "job-state", job.state),
            (ipp.KEYWORD, "job-state-reasons", job.reasons),
            (ipp.INTEGER, "job-impressions-completed", job.done),
            processing if job.began is None else (ipp.INTEGER, "time-at-processing", job.began),
        ]

    def _printer_attributes(self, asked: ipp.Message) -> bytes:
        busy = any(job.state in {PENDING, PROCESSING, STOPPED} for job in self._jobs.values())
        state = STANDING if self._standing else BUSY if busy else IDLE
        supply = (
            f"index=1;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level={self.faults.toner};"
        )
        described: list[tuple[int, str, Any]] = [
            (ipp.URI, "printer-uri-supported", self.address),
            (ipp.KEYWORD, "uri-security-supported", "none"),
            (ipp.KEYWORD, "uri-authentication-supported", "none"),
            (ipp.NAME, "printer-name", "simulated"),
            (ipp.TEXT, "printer-make-and-model", "Simulated document printer"),
            (ipp.ENUM, "printer-state", state),
            (ipp.KEYWORD, "printer-state-reasons", self._reasons()),
            (ipp.BOOLEAN, "printer-is-accepting-jobs", True),
            (ipp.KEYWORD, "ipp-versions-supported", ["1.1", "2.0"]),
            (ipp.ENUM, "operations-supported", _OPERATIONS),
            (ipp.CHARSET, "charset-configured", "utf-8"),
            (ipp.CHARSET, "charset-supported", "utf-8"),
            (ipp.LANGUAGE, "natural-language-configured", "en"),
            (ipp.MIME, "document-format-default", "application/pdf"),
            (ipp.MIME, "document-format-supported", "application/pdf"),
            (ipp.KEYWORD, "media-supported", "iso_a4_210x297mm"),
            (ipp.KEYWORD, "media-default", "iso_a4_210x297mm"),
            (ipp.KEYWORD, "sides-supported", ["one-sided", "two-sided-long-edge"]),
            (ipp.KEYWORD, "compression-supported", "none"),
            (ipp.KEYWORD, "job-creation-attributes-supported", ["copies", "media", "sides"]),
            (ipp.INTEGER, "queued-job-count", sum(job.state not in _OVER for job in self._jobs.values())),
            (ipp.OCTETS, "printer-supply", supply + "colorantname=black;"),
        ]
        return ipp.write(_OK, asked.request_id, [(ipp.PRINTER, described)])

    def _reasons(self) -> list[str]:
        faults = self.faults
        if faults.asleep:
            return ["standby"]
        shown = [
            (faults.media_jam, "media-jam-error"),
            (faults.media_empty, "media-empty-error"),
            (faults.cover_open, "cover-open-error"),
            (faults.media_low, "media-low-warning"),
            (faults.toner == 0, "toner-empty-error"),
            (0 < faults.toner <= 15, "toner-low-warning"),
        ]
        return [reason for seen, reason in shown if seen] or ["none"]

    def take_connection(self, connection: socket.socket, *, there: bool) -> None:
        """Remember a connection while it lasts, so that it can be broken."""
        if there:
            self._connections.add(connection)
        else:
            self._connections.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, at: tuple[str, int], printer: DocumentPrinterSimulator) -> None:
        self.printer = printer
        super().__init__(at, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with bodies of a length or in chunks, and every fault of the line."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.printer.take_connection(self.connection, there=True)

    def finish(self) -> None:
        self.server.printer.take_connection(self.connection, there=False)
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        printer = self.server.printer
        with contextlib.suppress(OSError):
            raw = self._body()
            faults = printer.line_faults
            if len(raw) > 4 and int.from_bytes(raw[2:4], "big") in faults.drop_on:
                self._hang_up()
                return
            answer = _GARBAGE if faults.garbage else printer.answer(raw)
            time.sleep(faults.slow_s)
            if faults.silent:
                self._stay_silent(printer)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/ipp")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2] if faults.half else answer)
            if faults.half:
                self._hang_up()

    def _stay_silent(self, printer: DocumentPrinterSimulator) -> None:
        while printer.line_faults.silent and self.connection in printer._connections:
            time.sleep(_TICK_S)
            if not printer._engine.is_alive():
                break
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0") or "0"))
        body = bytearray()
        while size := int(self.rfile.readline(32).split(b";")[0] or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own signature
        pass


def simulate(place: Place) -> DocumentPrinterSimulator:
    """A printer on the loopback; what it prints falls into the folder `documents`."""
    return DocumentPrinterSimulator(place.folder / "documents", sides_per_s=5)
