"""The files of a whole hall in one directory: broker accounts, server, staff, terminals, keys. Nothing is started here.

directory/
  broker/                 Mosquitto's configuration, accounts and data
  server/                 server.toml, hall.json, hall.key, mqtt.password, data/
  terminals/<device>/     profile.toml, account.toml, hall.key, technician.secret, state/
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from provisioning.broker import Account, PrivateBroker, account_for, free_port
from provisioning.postgres import PrivatePostgres
from queue_server import config as server_config
from queue_server.devices import new_instance
from queue_server.staff import Role
from queue_server.stores import Stores
from wire.access import Device, Principal, Reader, Server
from wire.person_key import KEY_BYTES

SAMPLE_HALL = "halls/sample.json"


@dataclass(frozen=True)
class Panel:
    """A terminal's screen: pixels, and the size of one."""

    width: int = 1080
    height: int = 1920
    mm_per_pixel: float = 0.37
    offscreen: bool = False
    full_screen: bool = False


@dataclass
class Site:
    """One hall's directory. `lay_out` writes everything once; the same object then knows where it stands."""

    directory: Path
    hall: str = "demo-hall"
    server: str = "server-1"
    devices: tuple[str, ...] = ()
    """Terminals: an account, a registration, and keys each."""
    readers: tuple[str, ...] = ()
    """Accounts that only look at the hall."""
    web_port: int = field(default_factory=free_port)
    hall_file: bytes | None = None
    """The hall's configuration; the sample hall where none is given."""
    voice: bool = True
    console: bool = True
    standby: tuple[str, ...] = ()
    """Further servers of the hall; they need `postgres`."""
    postgres: PrivatePostgres | None = None
    """A running cluster for ledger and registers; a file of SQLite where there is none."""

    device_rate: float | None = None
    """Messages a second of one device; None: the server's own limit."""

    broker: PrivateBroker = field(init=False, repr=False)
    staff_passwords: dict[str, str] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        principals: list[Principal] = [
            *(Server(server, (self.hall,)) for server in (self.server, *self.standby)),
            *(Device(device, (self.hall,)) for device in self.devices),
            *(Reader(reader, self.hall) for reader in self.readers),
        ]
        self.broker = PrivateBroker(self.directory / "broker", [account_for(principal) for principal in principals])

    @property
    def url(self) -> str:
        """Address of the web part."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def server_file(self) -> Path:
        return self.server_file_of(self.server)

    def server_file_of(self, server: str) -> Path:
        """The configuration of one of the servers."""
        return self.directory / ("server" if server == self.server else server) / "server.toml"

    def profile_file(self, device: str) -> Path:
        return self._terminal(device) / "profile.toml"

    def device_account(self, device: str) -> Account:
        return self.broker.accounts[Device(device, ()).name]

    def reader_account(self, reader: str) -> Account:
        return self.broker.accounts[Reader(reader, self.hall).name]

    def lay_out(self, staff: dict[str, tuple[str, tuple[Role, ...]]]) -> None:
        """Write the files and fill the registers; the broker must run, since it may choose its port at the start.

        `staff`: login to name and roles. The passwords made stand in `staff_passwords` and nowhere else.
        """
        hall_key = secrets.token_hex(KEY_BYTES)
        database = self._database()
        for server in (self.server, *self.standby):
            self._lay_out_server(server, hall_key, database)
        with Stores(server_config.read(self.server_file)) as stores:
            books = stores.books()
            for login, (name, roles) in staff.items():
                self.staff_passwords[login] = secrets.token_urlsafe(9)
                books.staff.add(login, name, self.staff_passwords[login], roles)
            for device in self.devices:
                row = books.devices.add(device, device, instance=new_instance())
                self._lay_out_terminal(device, row.instance or "", row.technician_secret or "", hall_key)

    def write_profile(self, device: str, devices: Mapping[str, Mapping[str, Any]], panel: Panel) -> Path:
        """The profile of a terminal whose devices are known now: by role, with driver, address and options."""
        described = json.loads((self._terminal(device) / "identity.json").read_text())
        profile: dict[str, Any] = {
            "terminal": device,
            "hall": self.hall,
            "instance": described["instance"],
            "state_directory": "state",
            "broker": {"host": self.broker.host, "port": self.broker.port, "account_file": "account.toml"},
            "keys": {"hall_key_file": "hall.key", "technician_secret_file": "technician.secret"},
            "screen": {
                "width": panel.width,
                "height": panel.height,
                "mm_per_pixel": panel.mm_per_pixel,
                "offscreen": panel.offscreen,
                "full_screen": panel.full_screen,
            },
        }
        profile["devices"] = devices
        write_toml(self.profile_file(device), profile)
        return self.profile_file(device)

    def _terminal(self, device: str) -> Path:
        return self.directory / "terminals" / device

    def _lay_out_terminal(self, device: str, instance: str, technician_secret: str, hall_key: str) -> None:
        home = self._terminal(device)
        (home / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
        account = self.device_account(device)
        write_toml(
            home / "account.toml",
            {"username": account.username, "password": account.password, "client_id": account.client_id},
        )
        write_secret(home / "hall.key", hall_key)
        write_secret(home / "technician.secret", technician_secret)
        write_secret(home / "identity.json", json.dumps({"instance": instance}))

    def _database(self) -> dict[str, str]:
        """What the servers' files say of the database; one of its own in the cluster."""
        if self.postgres is None:
            return {"database": "data/ledger.db"}
        return {
            "database": self.postgres.create(f"hall_{secrets.token_hex(4)}"),
            "password_file": "postgres.password",
        }

    def _lay_out_server(self, server: str, hall_key: str, database: dict[str, str]) -> None:
        home = self.server_file_of(server).parent
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "hall.json").write_bytes(self.hall_file or (files("assets") / SAMPLE_HALL).read_bytes())
        account = self.broker.accounts[Server(server, ()).name]
        write_secret(home / "mqtt.password", account.password)
        write_secret(home / "hall.key", hall_key)
        if self.postgres is not None:
            write_secret(home / "postgres.password", self.postgres.password)
        port = self.web_port if server == self.server else free_port()
        described: dict[str, Any] = {
            "server": server,
            "public_url": f"http://127.0.0.1:{port}",
            "data": "data",
            "halls": [{"id": self.hall, "file": "hall.json", "key_file": "hall.key"}],
            "store": database,
            "mqtt": {
                "host": self.broker.host,
                "port": self.broker.port,
                "username": account.username,
                "password_file": "mqtt.password",
            },
            "web": {"host": "127.0.0.1", "port": port, "console": self.console, "voice": self.voice},
        }
        if self.device_rate is not None:
            described["device_rate"] = self.device_rate
        write_toml(self.server_file_of(server), described)


def write_secret(path: Path, text: str) -> None:
    """A file that its owner alone can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def write_toml(path: Path, document: dict[str, Any]) -> None:
    """A TOML file that its owner alone can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, tomli_w.dumps(document))
