"""The files of several halls that share servers: one broker, a server's file for each server. Nothing is started here.

directory/
  broker/                 Mosquitto's configuration, accounts and data
  <server>/               server.toml, <hall>.json, <hall>.password, data/
"""

import json
import secrets
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from provisioning.broker import Account, PrivateBroker, account_for, free_port
from provisioning.postgres import PrivatePostgres
from provisioning.site import SAMPLE_HALL, write_secret, write_toml
from queue_server import config as server_config
from queue_server.devices import new_instance
from queue_server.stores import Stores
from wire.access import Device, Principal, Server
from wire.person_key import KEY_BYTES


@dataclass
class City:
    """`lay_out` writes everything once. Each hall is reached as `http://<hall>.localhost:<port of the server>`."""

    directory: Path
    halls: tuple[str, ...]
    servers: tuple[str, ...] = ("city-1",)
    devices_each: int = 1
    postgres: PrivatePostgres | None = None
    """A running cluster, where there is more than one server."""
    console: bool = True

    broker: PrivateBroker = field(init=False, repr=False)
    ports: dict[str, int] = field(init=False)
    """Of each server's web part."""
    staff_passwords: dict[str, str] = field(init=False, default_factory=dict, repr=False)
    """Of each hall's clerk, whose login is `clerk-<hall>`."""

    def __post_init__(self) -> None:
        principals: list[Principal] = [
            *(Server(self.seat(server, hall), (hall,)) for server in self.servers for hall in self.halls),
            *(Device(device, (hall,)) for hall in self.halls for device in self.devices(hall)),
        ]
        self.broker = PrivateBroker(self.directory / "broker", [account_for(principal) for principal in principals])
        self.ports = {server: free_port() for server in self.servers}

    @staticmethod
    def seat(server: str, hall: str) -> str:
        """The name under which a server speaks for a hall."""
        return f"{server}-{hall}"

    def devices(self, hall: str) -> tuple[str, ...]:
        """The terminals of a hall."""
        return tuple(f"{hall}-k{n}" for n in range(1, self.devices_each + 1))

    def device_account(self, device: str) -> Account:
        return self.broker.accounts[Device(device, ()).name]

    def server_file(self, server: str) -> Path:
        return self.directory / server / "server.toml"

    def lay_out(self) -> None:
        """Write the files and fill the registers; the broker must run, since it may choose its port at the start."""
        database = {"database": "data/ledger.db"}
        if self.postgres is not None:
            address = self.postgres.create(f"city_{secrets.token_hex(4)}")
            database = {"database": address, "password_file": "postgres.password"}
        keys = {hall: secrets.token_hex(KEY_BYTES) for hall in self.halls}
        for server in self.servers:
            self._lay_out_server(server, database, keys)
        with Stores(server_config.read(self.server_file(self.servers[0]))) as stores:
            for hall in self.halls:
                books = stores.books(hall)
                self.staff_passwords[hall] = secrets.token_urlsafe(9)
                books.staff.add(f"clerk-{hall}", f"clerk of {hall}", self.staff_passwords[hall], ("clerk",))
                for device in self.devices(hall):
                    books.devices.add(device, device, instance=new_instance())

    def _lay_out_server(self, server: str, database: dict[str, str], keys: dict[str, str]) -> None:
        home = self.server_file(server).parent
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.postgres is not None:
            write_secret(home / "postgres.password", self.postgres.password)
        sample = json.loads((files("assets") / SAMPLE_HALL).read_bytes())
        for hall in self.halls:
            (home / f"{hall}.json").write_text(json.dumps(sample, ensure_ascii=False), encoding="utf-8")
            write_secret(home / f"{hall}.key", keys[hall])
            write_secret(home / f"{hall}.password", self._account(server, hall).password)
        port = self.ports[server]
        document = {
            "server": server,
            "public_url": f"http://localhost:{port}",
            "data": "data",
            "halls": [self._hall(server, hall, port) for hall in self.halls],
            "store": database,
            "web": {"host": "127.0.0.1", "port": port, "console": self.console, "voice": False},
        }
        write_toml(self.server_file(server), document)

    def _hall(self, server: str, hall: str, port: int) -> dict[str, Any]:
        return {
            "id": hall,
            "file": f"{hall}.json",
            "key_file": f"{hall}.key",
            "public_url": f"http://{hall}.localhost:{port}",
            "server": self.seat(server, hall),
            "mqtt": {
                "host": self.broker.host,
                "port": self.broker.port,
                "username": self._account(server, hall).username,
                "password_file": f"{hall}.password",
            },
        }

    def _account(self, server: str, hall: str) -> Account:
        return self.broker.accounts[Server(self.seat(server, hall), ()).name]
