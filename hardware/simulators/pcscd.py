"""A real pcscd of this process's own, with readers whose cards are processes: the vpcd driver of vsmartcard.

The daemon serves a socket in a folder of its own (`PCSCLITE_CSOCK_NAME`, which the client library reads once in a
process) and the virtual readers listen on loopback ports, by a small library that is compiled here and preloaded. So it
needs no root, no name space, and leaves the machine's own daemon alone.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

SOCKET_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
START_S: Final = 10.0
_DRIVER_PLACES: Final = (
    Path(__file__).parents[2] / ".vpcd/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
    Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"),
)
_SOURCE: Final = Path(__file__).with_name("own_pcscd.c")


class NoVirtualReader(RuntimeError):
    """Something that the virtual reader needs is not on this machine; the message says what installs it."""


class OwnPcscd:
    """The daemon of this process. It runs while it has users; readers come and go with a restart. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._users = 0
        self._readers: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="pcscd-"))
        os.environ[SOCKET_VARIABLE] = str(self.socket)  # in place of one that a parent process may have for itself
        atexit.register(self._remove)

    @property
    def socket(self) -> Path:
        """Where clients reach the daemon: the value of `PCSCLITE_CSOCK_NAME` for other processes."""
        return self.folder / "pcscd.comm"

    @property
    def process_id(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def use(self) -> None:
        """Have the daemon run from now on. Raises `NoVirtualReader`."""
        with self._lock:
            self._users += 1
            if self._process is None:
                self._start()

    def leave(self) -> None:
        """The opposite of `use`: the last one out ends the daemon."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self.kill()

    def plug(self, reader: str) -> int:
        """Have a reader of this name; the port on which its card is expected. The daemon is started anew."""
        with self._lock:
            if reader not in self._readers:
                port = _free_ports()
                driver = self._made("drivers") / f"{port}.so"
                shutil.copy(_driver(), driver)  # a copy of its own: the driver knows one reader a library
                (self._made("readers") / f"{port}").write_text(
                    f'FRIENDLYNAME "{reader}"\nDEVICENAME /dev/null:{port:#x}\nLIBPATH {driver}\nCHANNELID {port:#x}\n'
                )
                self._readers[reader] = port
                self.restart()
            return self._readers[reader]

    def unplug(self, reader: str) -> None:
        """Have it no more. pcscd rescans USB readers only, so the daemon is started anew."""
        with self._lock:
            port = self._readers.pop(reader, None)
            if port is not None:
                (self.folder / "readers" / f"{port}").unlink()
                (self.folder / "drivers" / f"{port}.so").unlink()
                self.restart()

    def restart(self) -> None:
        """Kill it and start it again."""
        with self._lock:
            self.kill()
            self._start()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._process = None

    def freeze(self, *, frozen: bool) -> None:
        """Have it answer nothing while its connections stay, or go on."""
        with self._lock:
            if self._process is not None:
                self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def _start(self) -> None:
        shim = self.folder / "own_pcscd.so"
        if not shim.exists():
            _compile(shim)
        self.socket.unlink(missing_ok=True)
        environment = os.environ | {"OWN_PCSCD": str(self.folder), "LD_PRELOAD": str(shim)}
        with (self.folder / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - arguments of our own
                (_program("pcscd"), "--foreground", "-c", str(self._made("readers"))),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_S
        while not _answers(self.socket):
            if self._process.poll() is not None or time.monotonic() > until:
                raise NoVirtualReader(f"pcscd did not start: {self.folder / 'pcscd.log'}")
            time.sleep(0.01)

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_made: list[OwnPcscd] = []
_making = threading.Lock()


def own_pcscd() -> OwnPcscd:
    """The one of this process; the first call must come before anything here speaks PC/SC."""
    with _making:
        if not _made:
            _made.append(OwnPcscd())
        return _made[0]


def _driver() -> Path:
    for place in _DRIVER_PLACES:
        if place.is_file():
            return place
    raise NoVirtualReader("the virtual reader's driver is not unpacked: ./dev install")


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if found is None:
        raise NoVirtualReader(f"{name} is not installed: ./dev install")
    return found


def _compile(target: Path) -> None:
    made = subprocess.run(  # noqa: S603 - arguments of our own
        (_program("cc"), "-O1", "-Wall", "-shared", "-fPIC", "-o", str(target), str(_SOURCE), "-ldl"),
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        raise NoVirtualReader(f"{_SOURCE.name} did not compile: {made.stderr.decode(errors='replace')}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _free_ports() -> int:
    """A free port whose next one is free too: the driver has two slots."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
