"""A private PostgreSQL cluster: tests, benchmarks and the demonstration run it, nothing else uses it.

It listens on a socket in its own directory (and on loopback where asked for), asks for a password made anew each time,
and runs under an account without rights: the program refuses to run as root.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from provisioning.broker import free_port

BIN = Path("/usr/lib/postgresql/15/bin")
ACCOUNT = "postgres"
"""Of Debian's package; used where this program runs as root."""
START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0


class PostgresDidNotStart(Exception):
    """The cluster is not there; the text holds its last words."""


class PrivatePostgres:
    """A cluster in a directory of its own, removed at the end. A context manager; may be stopped and started again."""

    user = "estation"

    def __init__(self, *, loopback: bool = False) -> None:
        """`loopback`: also listen on 127.0.0.1, for what goes through a proxy."""
        self.port = free_port()
        self._loopback = loopback
        self._account = pwd.getpwnam(ACCOUNT) if os.geteuid() == 0 else None
        # not under a test's own directory: the account could not reach it there
        self.directory = Path(tempfile.mkdtemp(prefix="estation-pg-"))
        self.directory.chmod(0o700)
        if self._account is not None:
            os.chown(self.directory, self._account.pw_uid, self._account.pw_gid)
        self.password = secrets.token_urlsafe(18)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Address of a database, without the password. With `port`: over loopback, to whatever listens there."""
        if port is not None:
            return f"postgresql://{self.user}@127.0.0.1:{port}/{database}"
        return f"postgresql://{self.user}@/{database}?host={self.directory}&port={self.port}"

    def start(self) -> None:
        """Make the cluster at the first start; wait until it takes connections. Raises `PostgresDidNotStart`."""
        data = self.directory / "data"
        if not data.exists():
            self._make(data)
        log = self.directory / "log"
        addresses = "127.0.0.1" if self._loopback else ""
        settings = {
            "listen_addresses": addresses,
            "port": self.port,
            "unix_socket_directories": self.directory,
            "max_connections": 200,
            "password_encryption": "scram-sha-256",
        }
        command = [str(BIN / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with log.open("ab") as words:
            self._process = self._popen(command, words.fileno())
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self.pid is not None:
            try:
                psycopg.connect(self.url(), password=self.password, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        raise PostgresDidNotStart("\n".join(log.read_text(errors="replace").splitlines()[-12:]))

    def _make(self, data: Path) -> None:
        secret = self.directory / "password"
        secret.write_text(self.password)
        if self._account is not None:
            os.chown(secret, self._account.pw_uid, self._account.pw_gid)
        command = [str(BIN / "initdb"), "-D", str(data), "-U", self.user, "-A", "scram-sha-256"]
        command += ["--pwfile", str(secret), "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        with tempfile.TemporaryFile() as words:
            if self._popen(command, words.fileno()).wait() != 0:
                words.seek(0)
                raise PostgresDidNotStart(words.read().decode(errors="replace"))
        secret.unlink()

    def _popen(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(  # noqa: S603 - Debian's program, arguments of our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self.directory,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            start_new_session=True,  # Ctrl-C at a demonstration ends the parts in our order
        )

    def create(self, database: str, *, template: str | None = None) -> str:
        """Make a database, empty or a copy of `template` (to which nobody may be connected); its address."""
        words = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
        if template is not None:
            words += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._order(words)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected."""
        self._order(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def _order(self, words: sql.Composed) -> None:
        with psycopg.connect(self.url(), password=self.password, autocommit=True) as connection:
            connection.execute(words)

    def stop(self) -> None:
        """End it in order, whoever is connected; kill it if it does not end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and remove everything that it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
