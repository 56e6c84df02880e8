"""A real scheduler and a real IPP printer, both private: cupsd on the loopback, ippeveprinter with a bus of its
own (it refuses to run without), on which it finds nobody to announce it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hardware.addresses import IppAddress

CUPSD = """\
Listen 127.0.0.1:{port}
Browsing No
WebInterface No
LogLevel debug
PreserveJobHistory Yes
PreserveJobFiles No
DirtyCleanInterval 0
<Location />
  Order allow,deny
  Allow 127.0.0.1
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""
FILES = """\
ServerRoot {home}/root
StateDir {home}/state
CacheDir {home}/cache
RequestRoot {home}/spool
TempDir {home}/tmp
DocumentRoot {home}/documents
ServerBin /usr/lib/cups
DataDir /usr/share/cups
AccessLog {home}/log/access
ErrorLog {home}/log/error
PageLog {home}/log/page
FileDevice Yes
SystemGroup root
User lp
Group lp
"""
BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={home}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
PRINTS = 'echo "ATTR: job-impressions-completed={sides}" >&2\n'


def wait_for(condition, what: str, seconds: float = 30.0) -> None:
    """Wait for a condition; fails the test when it does not come."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Short, and open to the scheduler's own user."""
    home = Path(tempfile.mkdtemp(prefix="cups-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


class PrivateCups:
    """A scheduler on the loopback with queues of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        for name in ("root", "state", "cache", "spool", "tmp", "documents", "log"):
            (home / name).mkdir()
        (home / "cupsd.conf").write_text(CUPSD.format(port=self.port))
        (home / "cups-files.conf").write_text(FILES.format(home=home))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "PrivateCups":
        conf = ["-c", str(self.home / "cupsd.conf"), "-s", str(self.home / "cups-files.conf")]
        self._process = subprocess.Popen(["cupsd", "-f", *conf], stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(lambda: listens(self.port), "the scheduler")
        return self

    def kill(self) -> None:
        """At once, as a crash would; its backends go with it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def add_queue(self, name: str, device: str) -> IppAddress:
        self.run("lpadmin", "-p", name, "-E", "-v", device)
        return IppAddress("127.0.0.1", self.port, f"/printers/{name}")

    def run(self, program: str, *arguments: str) -> str:
        """A tool of CUPS against this scheduler."""
        done = subprocess.run(
            [program, "-h", f"127.0.0.1:{self.port}", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout

    def waiting(self, queue: str) -> list[str]:
        return self.run("lpstat", "-W", "not-completed", "-o", queue).splitlines()


class EvePrinter:
    """ippeveprinter of the CUPS project. `plan` is a shell script that is run for each document; its words on standard
    error (`STATE: +media-jam`, `ATTR: job-impressions-completed=2`) are the printer's."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.spool = home / "printed"
        self.spool.mkdir()
        (home / "bus.conf").write_text(BUS.format(home=home))
        command = home / "print"
        command.write_text(f"#!/bin/sh\n. {home}/plan\n")
        command.chmod(0o755)
        self.plan(PRINTS.format(sides=1))
        self._bus: subprocess.Popen[bytes] | None = None
        self._printer: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> IppAddress:
        return IppAddress("localhost", self.port, "/ipp/print")

    def plan(self, script: str) -> None:
        (self.home / "plan").write_text(script)

    def documents(self) -> list[bytes]:
        """What it has got, oldest first."""
        return [path.read_bytes() for path in sorted(self.spool.glob("*.pdf"), key=lambda path: path.stat().st_mtime)]

    def start(self) -> "EvePrinter":
        """Bus and printer."""
        with (self.home / "bus.log").open("ab") as log:
            self._bus = subprocess.Popen(
                ["dbus-daemon", f"--config-file={self.home}/bus.conf", "--nofork", "--nopidfile"],
                stdout=log,
                stderr=log,
            )
        wait_for((self.home / "bus").exists, "the bus")
        return self.switch_on()

    def switch_on(self) -> "EvePrinter":
        options = ["-p", str(self.port), "-d", str(self.spool), "-k", "-f", "application/pdf", "-n", "localhost"]
        options += ["-r", "off"]  # no announcement by DNS-SD
        with (self.home / "printer.log").open("ab") as log:
            self._printer = subprocess.Popen(
                ["ippeveprinter", *options, "-c", str(self.home / "print"), "Certificates"],
                env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.home}/bus"},
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: listens(self.port), "ippeveprinter")
        return self

    def switch_off(self) -> None:
        if self._printer is not None:
            self._printer.kill()
            self._printer.wait()
            self._printer = None

    def close(self) -> None:
        self.switch_off()
        if self._bus is not None:
            self._bus.terminate()
            self._bus.wait()
