"""The profile of one terminal: who it is, where its hall and devices are, and how its screen is built (TOML)."""

import base64
import binascii
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr, StringConstraints, ValidationError

from hardware import profile as device_profile
from hardware.profile import Binding
from kiosk.errors import BadProfile
from kiosk.journeys.state import Rules
from wire.messages import Id
from wire.person_key import KEY_BYTES


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Broker(_Section):
    """Where the hall's broker is; the account file (TOML) holds `username`, `password`, `client_id`."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    account_file: Path


class Account(_Section):
    username: str
    password: SecretStr
    client_id: str


class Keys(_Section):
    """`hall_key_file`: 64 hex digits, the same for all terminals of a hall. `technician_secret_file`: base32."""

    hall_key_file: Path
    technician_secret_file: Path


class Screen(_Section):
    """Size in pixels (portrait where higher than wide) and the size of one; `height_above_floor_mm` is that of the
    screen's lower edge, for the low reach."""

    width: int = Field(default=1080, ge=320, le=8192)
    height: int = Field(default=1920, ge=320, le=8192)
    mm_per_pixel: float = Field(default=0.37, gt=0.05, lt=2)
    full_screen: bool = True
    offscreen: bool = False
    """Without a display: real pixels, no window."""
    height_above_floor_mm: float = Field(default=700, ge=0, le=2000)


class Times(_Section):
    """Seconds until the countdown begins, and its length: a warning shorter than 20 s is too short for many people."""

    idle_s: float = Field(default=45, ge=10, le=600)
    countdown_s: float = Field(default=20, ge=20, le=120)

    def rules(self) -> Rules:
        return Rules(idle_s=self.idle_s, countdown_s=self.countdown_s)


class Profile(_Section):
    """Relative paths are taken from the profile's own directory."""

    terminal: Id
    hall: Id
    instance: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    state_directory: Path
    prompts_directory: Path | None = None
    """Prompts as `<language>/prompt_<id>.wav`; those that came with this software where none is named."""
    broker: Broker
    keys: Keys
    devices: tuple[InstanceOf[Binding], ...] = ()
    """`[devices.<role>]`, each with `driver`, `address` and the driver's options: `hardware/profile.py`."""
    screen: Screen = Screen()
    times: Times = Times()


class Secrets(BaseModel):
    """What the profile's files hold; its repr shows nothing of it."""

    model_config = ConfigDict(frozen=True)

    account: Account
    hall_key: bytes = Field(repr=False)
    technician_secret: SecretStr


def load(path: Path) -> Profile:
    """Read a profile. Raises `BadProfile` with what is wrong and where."""
    raw = _toml(path)
    home = path.resolve().parent
    try:
        devices = device_profile.read(raw.pop("devices", {}), home)
        profile = Profile.model_validate(raw | {"devices": devices})
    except device_profile.BadProfile as error:
        raise BadProfile(f"{path}: {error}") from None
    except ValidationError as error:
        raise BadProfile(f"{path}: {_first(error)}") from None
    broker = profile.broker.model_copy(update={"account_file": home / profile.broker.account_file})
    keys = Keys(
        hall_key_file=home / profile.keys.hall_key_file,
        technician_secret_file=home / profile.keys.technician_secret_file,
    )
    prompts = home / profile.prompts_directory if profile.prompts_directory is not None else None
    return profile.model_copy(
        update={
            "state_directory": home / profile.state_directory,
            "prompts_directory": prompts,
            "broker": broker,
            "keys": keys,
        }
    )


def load_secrets(profile: Profile) -> Secrets:
    """Read the files that a profile names. Raises `BadProfile`, which never quotes what a file holds."""
    try:
        account = Account.model_validate(_toml(profile.broker.account_file))
    except ValidationError as error:
        raise BadProfile(f"{profile.broker.account_file}: {_first(error)}") from None
    try:
        hall_key = bytes.fromhex(_text(profile.keys.hall_key_file))
    except ValueError:
        hall_key = b""
    if len(hall_key) != KEY_BYTES:
        raise BadProfile(f"{profile.keys.hall_key_file}: want {2 * KEY_BYTES} hex digits")
    secret = _text(profile.keys.technician_secret_file)
    try:
        long_enough = len(base64.b32decode(secret, casefold=True)) >= 16
    except (binascii.Error, ValueError):
        long_enough = False
    if not long_enough:
        raise BadProfile(f"{profile.keys.technician_secret_file}: want base32 of at least 16 bytes")
    return Secrets(account=account, hall_key=hall_key, technician_secret=SecretStr(secret))


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        raise BadProfile(f"{path}: not TOML") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadProfile(f"{path}: {type(error).__name__}") from None


def _first(error: ValidationError) -> str:
    detail = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
