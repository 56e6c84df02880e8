"""The queue server's configuration: one TOML file, checked before anything starts.

server = "server-1"
public_url = "http://127.0.0.1:8080"
data = "data"                          # day heads and other files; relative paths count from this file
device_rate = 100                      # messages a second that one device may go on with; what is above is dropped

[[halls]]                              # one part for each hall that this server may lead
id = "demo-hall"
file = "hall.json"                     # put in force when its revision is new
key_file = "hall.key"                  # as the hall's terminals have it; for appointments

[store]
database = "data/ledger.db"            # a file of SQLite, or postgresql://user@host:port/name without a password
password_file = "postgres.password"    # for PostgreSQL; none: libpq's own ways (a pass file, a certificate)
reserve_mb = 64                        # for SQLite

[mqtt]
host = "127.0.0.1"
port = 1883
username = "server-server-1"
password_file = "mqtt.password"

[web]
host = "127.0.0.1"
port = 8080

Where a server may lead several halls, each has a name and an account of its own on the wire and a host name of its own:

[[halls]]
id = "east"
file = "east.json"
public_url = "http://east.example:8080"
server = "city-1-east"
mqtt = { host = "127.0.0.1", port = 1883, username = "server-city-1-east", password_file = "east.password" }
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from queue_server.device_budget import RATE
from wire.messages import Id

SHARED_LEASE_S = 3.0
"""Renewed every second: another server leads three seconds after this one was killed."""
LONE_LEASE_S = 15.0
"""Nobody else waits for it, and each renewal is a write to the disk."""


class ConfigError(Exception):
    """The configuration file cannot be used; the text names each place and what is wrong there."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MqttConfig(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    username: str
    password_file: Path
    client_id: str | None = None
    """The user name, where nothing else is said."""


class HallConfig(_Part):
    """A hall of this server; what is not said here is as the server's."""

    id: Id
    file: Path | None = None
    key_file: Path | None = None
    """The hall's key, as its terminals have it: 64 hex digits. Without it nothing can be booked."""
    public_url: AnyHttpUrl | None = None
    server: Id | None = None
    """The name under which this server speaks for the hall on the wire."""
    mqtt: MqttConfig | None = None
    display_servers: tuple[str, ...] = ()
    """Addresses of all servers of the hall, this one first; none where there is only this one."""


class StoreConfig(_Part):
    database: str = "data/ledger.db"
    """A path, or an address `postgresql://…`."""
    password_file: Path | None = None
    reserve_mb: int = Field(default=64, ge=0)
    """Free space below which nothing more is taken."""
    lease_s: float | None = Field(default=None, ge=1, le=60)
    """How long a server leads a hall without a sign of life; what the database is good for, where nothing is said."""

    @field_validator("database")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if value.startswith("postgresql:") and "@" in value and ":" in value.partition("//")[2].partition("@")[0]:
            raise ValueError("a password stands in a file of its own (password_file)")
        return value

    @property
    def shared(self) -> bool:
        """Whether servers on other machines may stand on the same database."""
        return self.database.startswith("postgresql:")

    @property
    def lease(self) -> float:
        """Seconds without a sign of life after which another server may lead."""
        return self.lease_s or (SHARED_LEASE_S if self.shared else LONE_LEASE_S)


class WebConfig(_Part):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    console: bool = True
    voice: bool = True


class Config(_Part):
    """The whole file; all paths are absolute once it is read."""

    server: Id = "server-1"
    public_url: AnyHttpUrl
    data: Path = Path("data")
    device_rate: float = Field(default=RATE, ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    halls: tuple[HallConfig, ...] = Field(min_length=1)
    store: StoreConfig = StoreConfig()
    mqtt: MqttConfig | None = None
    web: WebConfig = WebConfig()

    @model_validator(mode="after")
    def _tells_halls_apart(self) -> "Config":
        if any(hall.mqtt is None for hall in self.halls) and self.mqtt is None:
            raise ValueError("mqtt: a hall has no account on the wire")
        seats = self.seats()
        own: Mapping[str, Callable[[HallSeat], object]] = {
            "id": lambda seat: seat.hall,
            "host in public_url": lambda seat: urlsplit(seat.url).hostname,
            "mqtt": lambda seat: (seat.mqtt.host, seat.mqtt.port, seat.mqtt.username),
            "server": lambda seat: (seat.mqtt.host, seat.mqtt.port, seat.server),
        }
        for name, of in own.items():
            if len({of(seat) for seat in seats}) < len(seats):
                raise ValueError(f"halls: each needs its own {name}")
        return self

    def seats(self) -> tuple["HallSeat", ...]:
        """The halls, with everything said."""
        return tuple(
            HallSeat(
                hall.id,
                hall.file,
                hall.key_file,
                str(hall.public_url or self.public_url).rstrip("/"),
                hall.server or self.server,
                cast("MqttConfig", hall.mqtt or self.mqtt),
                hall.display_servers,
            )
            for hall in self.halls
        )

    def seat(self, hall: str | None = None) -> "HallSeat":
        """The seat of a hall; of the only one, where none is named. Raises `ConfigError`."""
        seats = [seat for seat in self.seats() if hall in (None, seat.hall)]
        if len(seats) == 1:
            return seats[0]
        named = ", ".join(seat.hall for seat in self.seats())
        raise ConfigError(f"no hall {hall!r} here: {named}" if hall else f"which hall? one of: {named}")


@dataclass(frozen=True)
class HallSeat:
    """One hall of a server: where its pages are (no slash at the end), and how the server speaks for it."""

    hall: str
    file: Path | None
    key_file: Path | None
    url: str
    server: str
    mqtt: MqttConfig
    display_servers: tuple[str, ...]


def read(path: Path) -> Config:
    """The checked configuration. Raises `ConfigError`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        places = (f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: " + "; ".join(places)) from None
    return _absolute(config, path.resolve().parent)


def secret(path: Path) -> str:
    """The password that a file holds. Raises `ConfigError`."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _absolute(config: Config, base: Path) -> Config:
    store = config.store
    return config.model_copy(
        update={
            "data": base / config.data,
            "halls": tuple(
                hall.model_copy(
                    update={
                        "file": base / hall.file if hall.file else None,
                        "key_file": base / hall.key_file if hall.key_file else None,
                        "mqtt": _absolute_account(hall.mqtt, base),
                    }
                )
                for hall in config.halls
            ),
            "store": store.model_copy(
                update={
                    "database": store.database if store.shared else str(base / store.database),
                    "password_file": base / store.password_file if store.password_file else None,
                }
            ),
            "mqtt": _absolute_account(config.mqtt, base),
        }
    )


def _absolute_account(mqtt: MqttConfig | None, base: Path) -> MqttConfig | None:
    return mqtt.model_copy(update={"password_file": base / mqtt.password_file}) if mqtt else None
