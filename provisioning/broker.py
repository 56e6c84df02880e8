"""A private Mosquitto: its configuration, its accounts, and its process.

Every setting is written on purpose; the defaults of Mosquitto 2.0 allow packets of 256 MB, forget retained messages
that were acknowledged, and delay small packets. Accounts are those of the dynamic security plugin: a random password
and a pinned client id each, so that a stolen password cannot push out its owner under another name.
"""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from wire.access import DENY_ALL, Account, account_for, dynsec_role
from wire.codec import MAX_BYTES

__all__ = [
    "Account",
    "BrokerDidNotStart",
    "BrokerMissing",
    "PrivateBroker",
    "account_for",
    "configuration",
    "dynsec_document",
    "find_mosquitto",
    "find_plugin",
    "free_port",
    "write_dynsec",
]

log = structlog.get_logger(__name__)

PLUGIN = "mosquitto_dynamic_security.so"
HASH_ITERATIONS = 101
"""As Mosquitto itself writes. Passwords here are random (192 bits): slower hashes would only slow a reconnect storm."""
PACKET_HEADROOM = 4096
"""Room for topic and properties around a payload."""
PORT_TRIES = 4
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


class BrokerMissing(Exception):
    """Mosquitto or its dynamic security plugin is not installed (Debian: the package `mosquitto`)."""


class BrokerDidNotStart(Exception):
    """Mosquitto ended or did not accept connections; the text holds its last log lines."""


def dynsec_document(accounts: Iterable[Account]) -> dict[str, Any]:
    """The plugin's data: one role for each account (2.0.11 has no patterns by user name), everything else denied."""
    clients, roles = [], []
    for account in accounts:
        salt = secrets.token_bytes(12)
        digest = hashlib.pbkdf2_hmac("sha512", account.password.encode(), salt, HASH_ITERATIONS)
        client = {
            "username": account.username,
            "password": base64.b64encode(digest).decode(),
            "salt": base64.b64encode(salt).decode(),
            "iterations": HASH_ITERATIONS,
            "roles": [{"rolename": account.username}],
        }
        if account.client_id is not None:
            client["clientid"] = account.client_id
        clients.append(client)
        roles.append(dynsec_role(account.username, account.roles))
    return {"defaultACLAccess": DENY_ALL, "clients": clients, "groups": [], "roles": roles}


def write_dynsec(path: Path, accounts: Iterable[Account]) -> None:
    """Write the plugin's file, readable by its owner alone."""
    _write_private(path, json.dumps(dynsec_document(accounts), indent=1))


def _write_private(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def find_mosquitto() -> Path:
    """The program; raises `BrokerMissing`. `/usr/sbin` is often not on a user's path."""
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerMissing("mosquitto is not installed")
    return Path(found)


def find_plugin() -> Path:
    """The dynamic security plugin of any architecture; raises `BrokerMissing`."""
    own = sysconfig.get_config_var("MULTIARCH") or "*"
    for pattern in (f"usr/lib/{own}/{PLUGIN}", f"usr/lib/*/{PLUGIN}", f"usr/lib*/{PLUGIN}", f"usr/local/lib/{PLUGIN}"):
        for found in sorted(Path("/").glob(pattern)):
            return found
    raise BrokerMissing(f"{PLUGIN} is not installed")


def configuration(*, port: int, data: Path, dynsec: Path, log_file: Path, plugin: Path) -> str:
    """The text of `mosquitto.conf` for a loopback broker."""
    lines = [
        "# written by the program that starts this broker; changes are lost",
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {plugin}",
        f"plugin_opt_config_file {dynsec}",
        "",
        "# without it a small packet waits for the acknowledgement of the one before: 44 ms",
        "set_tcp_nodelay true",
        "max_keepalive 120",
        f"message_size_limit {MAX_BYTES}",
        f"max_packet_size {MAX_BYTES + PACKET_HEADROOM}",
        "max_inflight_messages 20",
        "max_queued_messages 10000",
        "max_queued_bytes 67108864",
        "persistent_client_expiration 14d",
        "",
        "persistence true",
        f"persistence_location {data}/",
        "# on changes it would write and sync its whole database for every message: 75 round trips a second, not 600.",
        "# What a crash loses is published again by its owners after their next CONNACK",
        "autosave_on_changes false",
        "autosave_interval 30",
        "",
        "# never debug or subscribe: they name topics",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
        f"log_dest file {log_file}",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "",
        f"listener {port} 127.0.0.1",
        "# after its listener: before it, Mosquitto would open 1883 on every interface as well",
        "max_connections 4000",
    ]
    if os.geteuid() == 0:
        # else it drops to the user `mosquitto`, who may not write its own data here
        lines.insert(1, "user root")
    return "\n".join(lines) + "\n"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PrivateBroker:
    """One Mosquitto of our own under `directory`; a context manager, sync and async.

    The accounts are those given here, whatever the directory held before; what the administrator's account changes at
    run time lasts as long as this object. The port stays the same over `kill` and `start`, as it would on a site.
    `start`, `stop` and `kill` block for some ten milliseconds; from a loop use `async with` or `asyncio.to_thread`.
    """

    host = "127.0.0.1"

    def __init__(self, directory: Path, accounts: Iterable[Account], *, port: int | None = None) -> None:
        self.directory = directory
        self.accounts = {account.username: account for account in accounts}
        self.port = port or free_port()
        self._port_given = port is not None
        self._process: subprocess.Popen[bytes] | None = None
        self._log_before = 0
        self._accounts_written = False

    @property
    def data(self) -> Path:
        """Where Mosquitto keeps retained messages."""
        return self.directory / "data"

    @property
    def log_file(self) -> Path:
        return self.directory / "mosquitto.log"

    @property
    def dynsec_file(self) -> Path:
        return self.directory / "dynsec.json"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start and wait until it accepts connections. Raises `BrokerMissing`, `BrokerDidNotStart`."""
        if self.pid is not None:
            return
        program, plugin = find_mosquitto(), find_plugin()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.directory.chmod(0o700)
        if not self._accounts_written:
            write_dynsec(self.dynsec_file, self.accounts.values())
            self._accounts_written = True
        for _ in range(PORT_TRIES):
            self._launch(program, plugin)
            if self._accepts():
                return
            self.kill()
            if "Address already in use" in self._last_words() and not self._port_given:
                self.port = free_port()
            elif not self._set_bad_database_aside():
                break
        raise BrokerDidNotStart(self._last_words())

    def _launch(self, program: Path, plugin: Path) -> None:
        config = self.directory / "mosquitto.conf"
        text = configuration(
            port=self.port, data=self.data, dynsec=self.dynsec_file, log_file=self.log_file, plugin=plugin
        )
        _write_private(config, text)
        self._log_before = self.log_file.stat().st_size if self.log_file.exists() else 0
        with (self.directory / "stderr.log").open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - fixed program, own configuration file
                [program, "-c", config],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,  # Ctrl-C at a demonstration ends the parts in our order
            )

    def _set_bad_database_aside(self) -> bool:
        """A power cut may leave a database that Mosquitto refuses to start with; true if there was one."""
        database = self.data / "mosquitto.db"
        if "persist" not in self._last_words().lower() or not database.exists():
            return False
        database.replace(database.with_suffix(".bad"))
        log.error("broker_database_set_aside", path=str(database.with_suffix(".bad")))
        return True

    def _accepts(self) -> bool:
        """Wait until it says that it runs; an answering port alone might be somebody else's."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.pid is not None:
            if " running" in self._last_words():
                return True
            time.sleep(0.005)
        return False

    def _last_words(self) -> str:
        """What this run said, its last lines."""
        said = (self.directory / "stderr.log").read_bytes()
        if self.log_file.exists():
            said += self.log_file.read_bytes()[self._log_before :]
        return "\n".join(said.decode(errors="replace").splitlines()[-12:])

    def stop(self) -> None:
        """End it in order, so that it saves; kill it if it does not."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("broker_killed", pid=self._process.pid)
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Empty its data directory; only while it does not run. The accounts stay."""
        if self.pid is not None:
            raise RuntimeError("the broker runs")
        shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
