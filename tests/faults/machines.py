"""Real programs for the fault tests: the server as a process that can be killed, devices that do not give up."""

import asyncio
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.city import City
from provisioning.postgres import PrivatePostgres
from provisioning.site import Site, write_toml
from queue_server import config as server_config
from queue_server.hall import TicketIssued, event_from_json
from queue_server.ledger import SqlLedger
from queue_server.stores import open_database
from tests.wire.seats import until
from wire import messages, topics
from wire.access import Device, Reader, device_subscriptions, reader_subscriptions
from wire.codec import decode, encode
from wire.link import Incoming, LinkDown, LinkSettings, MqttLink, Outgoing

HALL = "demo-hall"
SERVICES = ("social-card", "id-card", "company-setup", "invoice")
RESEND_S = 1.0


def lay_out(
    directory: Path,
    devices: Iterable[str],
    *,
    postgres: PrivatePostgres | None = None,
    standby: tuple[str, ...] = (),
    hall: bytes | None = None,
    device_rate: float | None = None,
) -> Site:
    """A site with its broker running, its servers not."""
    site = Site(
        directory,
        hall=HALL,
        devices=tuple(devices),
        readers=("watcher",),
        postgres=postgres,
        standby=standby,
        hall_file=hall,
        device_rate=device_rate,
    )
    site.broker.start()
    site.lay_out({})
    set_server(site, web={"enabled": False})
    return site


def set_server(site: Site, **parts: dict[str, Any]) -> None:
    """Change parts of the servers' files."""
    for server in (site.server, *site.standby):
        document = tomllib.loads(site.server_file_of(server).read_text())
        for part, values in parts.items():
            document.setdefault(part, {}).update(values)
        write_toml(site.server_file_of(server), document)


class ServerProcess:
    """`python -m queue_server run`, with its log kept."""

    def __init__(self, site: Site, server: str | None = None) -> None:
        self.name = server or site.server
        self._file = site.server_file_of(self.name)
        self._log = site.directory / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "queue_server", "run", "--config", str(self._file)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdout=log, cwd=Path(__file__).parents[2])

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def leads(self, times: int) -> None:
        """Wait until the hall was led `times` times since the first start."""
        await self.says("hall_led", times)

    async def says(self, event: str, times: int = 1) -> None:
        """Wait until an event stands in the log so many times."""
        await until(lambda: self.log.count(f'"{event}"') >= times, patience_s=60)

    def freeze(self) -> None:
        """As a machine that is suspended: it holds its connections and does nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on where it was frozen."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """As the power goes: no word, no flush."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    async def end(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 20)

    def __enter__(self) -> "ServerProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()


@dataclass
class Kiosk:
    """A terminal's half of the contract: one request at a time, the same bytes until the answer has come."""

    site: Site | City
    device: str
    boot: str = "0badcafe"
    hall: str = HALL
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    """Every answer that came, by request."""
    sent: int = 0
    published: int = 0
    """How often the broker took a message from it."""
    put_off: list[str] = field(default_factory=list)
    """Codes of the refusals that told it to come back."""
    port: int | None = None
    """Where it finds the broker; the broker's own port where nothing is said."""

    def __post_init__(self) -> None:
        account = self.site.device_account(self.device)
        assert account.client_id is not None
        settings = LinkSettings(
            self.site.broker.host,
            self.port or self.site.broker.port,
            client_id=account.client_id,
            username=account.username,
            password=account.password,
            backoff_first_s=0.05,
            backoff_cap_s=0.5,
            subscriptions=device_subscriptions(Device(self.device, (self.hall,))),
        )
        self._news = asyncio.Event()
        self.link = MqttLink(settings, self._take, self._up, lambda _reason: None)
        self._task = asyncio.get_running_loop().create_task(self.link.run())

    async def _take(self, incoming: Incoming) -> None:
        if incoming.topic == topics.answer(self.device):
            envelope, _ = decode(incoming.payload)
            self.answers.setdefault(envelope.id, []).append(incoming.payload)
            self._news.set()

    async def _up(self, _conn_seq: int) -> None:
        self._news.set()

    async def ask(self, body: messages.Message) -> Any:
        """Ask until answered for good; a refusal that says when to come back is not for good."""
        self.sent += 1
        name = f"{self.boot}-{self.sent}"
        payload = encode(body, message_id=name, at=datetime.now(UTC))
        lane = topics.journal if isinstance(body, messages.Withdraw | messages.Slip) else topics.request
        while (answer := self.final(name)) is None:
            self._news.clear()
            try:
                await self.link.publish(Outgoing(lane(self.hall, self.device), payload))
                self.published += 1
            except LinkDown:
                await asyncio.sleep(0.05)
                continue
            try:
                async with asyncio.timeout(RESEND_S):
                    while not self.answers.get(name):
                        await self._news.wait()
                        self._news.clear()
            except TimeoutError:
                continue
            if self.final(name) is None:
                self.put_off += [decode(payload)[1].code for payload in self.answers.pop(name)]  # type: ignore[union-attr]
                await asyncio.sleep(0.05)
        return answer

    def final(self, name: str) -> Any:
        """The answer that ends a request; None while there is none."""
        for payload in self.answers.get(name, ()):
            _, body = decode(payload)
            if not (isinstance(body, messages.Refused) and body.retry_after is not None):
                return body
        return None

    async def crowd(self, go_on: asyncio.Event) -> None:
        """Take numbers until `go_on` is cleared; withdraw every fifth."""
        while go_on.is_set():
            await self.ask(messages.Issue(service=SERVICES[self.sent % len(SERVICES)]))
            if self.sent % 5 == 0:
                await self.ask(messages.Withdraw(request_id=f"{self.boot}-{self.sent}", reason="left"))

    def tickets(self) -> dict[str, str]:
        """Ticket id to request, for all that were answered with a ticket."""
        found = {}
        for name in self.answers:
            body = self.final(name)
            if isinstance(body, messages.IssueAnswer):
                found[body.ticket] = name
        return found

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Watcher:
    """A window display: it only reads."""

    def __init__(self, site: Site) -> None:
        account = site.reader_account("watcher")
        assert account.client_id is not None
        self.seen: dict[str, bytes] = {}
        self.frames: list[Incoming] = []
        """Everything that came, in order."""
        settings = LinkSettings(
            site.broker.host,
            site.broker.port,
            client_id=account.client_id,
            username=account.username,
            password=account.password,
            backoff_first_s=0.05,
            backoff_cap_s=0.5,
            subscriptions=reader_subscriptions(Reader("watcher", HALL)),
        )
        self.link = MqttLink(settings, self._take, self._up, lambda _reason: None)
        self._task = asyncio.get_running_loop().create_task(self.link.run())

    async def _take(self, incoming: Incoming) -> None:
        self.seen[incoming.topic] = incoming.payload
        self.frames.append(incoming)

    async def _up(self, _conn_seq: int) -> None:
        return None

    def body(self, topic: str) -> Any:
        return decode(self.seen[topic])[1] if topic in self.seen else None

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def issued(site: Site) -> list[TicketIssued]:
    """Every ticket in the ledger, in order."""
    with open_database(server_config.read(site.server_file).store) as database:
        rows = [row for row in SqlLedger(database).events(HALL) if row.kind == TicketIssued.kind]
    return [event for row in rows if isinstance(event := event_from_json(row.body), TicketIssued)]


def verify(site: Site) -> subprocess.CompletedProcess[str]:
    """`python -m queue_server verify`."""
    return command_line(site, "verify")


def command_line(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m queue_server …`, with the first server's file."""
    command = [sys.executable, "-m", "queue_server", *arguments, "--config", str(site.server_file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
