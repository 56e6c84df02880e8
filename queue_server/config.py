"""The queue server's configuration: one TOML file, checked before anything starts.

server = "server-1"
public_url = "http://127.0.0.1:8080"
data = "data"                          # day heads and other files; relative paths count from this file

[hall]
id = "demo-hall"
file = "hall.json"                     # put in force when its revision is new

[store]
database = "data/ledger.db"
reserve_mb = 64

[mqtt]
host = "127.0.0.1"
port = 1883
username = "server-server-1"
password_file = "mqtt.password"

[web]
host = "127.0.0.1"
port = 8080
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from wire.messages import Id


class ConfigError(Exception):
    """The configuration file cannot be used; the text names each place and what is wrong there."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HallConfig(_Part):
    id: Id
    file: Path | None = None


class StoreConfig(_Part):
    database: Path = Path("data/ledger.db")
    reserve_mb: int = Field(default=64, ge=0)
    """Free space below which nothing more is taken."""


class MqttConfig(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    username: str
    password_file: Path
    client_id: str | None = None
    """The user name, where nothing else is said."""


class WebConfig(_Part):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    console: bool = True
    voice: bool = True
    display_servers: tuple[str, ...] = ()


class Config(_Part):
    """The whole file; all paths are absolute once it is read."""

    server: Id = "server-1"
    public_url: AnyHttpUrl
    data: Path = Path("data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    hall: HallConfig
    store: StoreConfig = StoreConfig()
    mqtt: MqttConfig
    web: WebConfig = WebConfig()

    @property
    def address(self) -> str:
        """`public_url` without a slash at its end."""
        return str(self.public_url).rstrip("/")


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


def password(config: Config) -> str:
    """The broker account's password. Raises `ConfigError`."""
    try:
        return config.mqtt.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config.mqtt.password_file}: {error}") from None


def _absolute(config: Config, base: Path) -> Config:
    hall_file = config.hall.file
    return config.model_copy(
        update={
            "data": base / config.data,
            "hall": config.hall.model_copy(update={"file": base / hall_file if hall_file else None}),
            "store": config.store.model_copy(update={"database": base / config.store.database}),
            "mqtt": config.mqtt.model_copy(update={"password_file": base / config.mqtt.password_file}),
        }
    )
