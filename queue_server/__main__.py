"""The queue server's command line: `python -m queue_server COMMAND --config FILE`."""

import json
import secrets
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from queue_server import config, day_heads, logs, program
from queue_server.devices import DeviceExists, new_instance
from queue_server.hall import CORE_VERSION
from queue_server.ledger import Broken, LedgerError, first_broken
from queue_server.staff import ROLES, LoginTaken, WeakPassword

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="成全e站 queue server: one hall's queue, durable.",
)

ConfigOption = Annotated[Path, typer.Option("--config", help="The server's TOML file.")]


@app.command()
def run(config_file: ConfigOption) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    settings = _read(config_file)
    logs.configure(settings.log_level)
    try:
        status = program.run(settings)
    except LedgerError as error:
        _fail(f"the database cannot be used: {type(error).__name__}: {error}")
    raise typer.Exit(status)


@app.command("init-db")
def init_db(config_file: ConfigOption) -> None:
    """Create the database, or bring it to this program's schema."""
    settings = _read(config_file)
    with _stores(settings):
        _say({"database": str(settings.store.database), "ready": True})


@app.command("add-staff")
def add_staff(
    config_file: ConfigOption,
    login: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option(help="Shown on consoles.")],
    role: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(ROLES)}.")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password's line from standard input.")] = False,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed this once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else secrets.token_urlsafe(12)
    with _stores(_read(config_file)) as stores:
        try:
            person = stores.staff.add(login, name, password, role)  # type: ignore[arg-type]  # checked by add
        except LoginTaken:
            _fail(f"the login {login!r} is taken")
        except WeakPassword:
            _fail("the password is too short, or is the login")
        except ValueError as error:
            _fail(str(error))
    made = {} if password_stdin else {"password": password}
    _say({"id": person.id, "login": person.login, "roles": sorted(person.roles)} | made)


@app.command("add-device")
def add_device(
    config_file: ConfigOption,
    device: Annotated[str, typer.Option("--id", help="Lower-case letters, digits and '-'.")],
    name: Annotated[str, typer.Option(help="What staff call it.")],
    instance: Annotated[str | None, typer.Option(help="The device's instance; made here if not given.")] = None,
) -> None:
    """Register a terminal. Its instance and its technician's secret are printed this once, for its own files."""
    with _stores(_read(config_file)) as stores:
        try:
            row = stores.devices.add(device, name, instance=instance or new_instance())
        except DeviceExists:
            _fail(f"the device {device!r} is registered already")
        except ValueError as error:
            _fail(str(error))
    _say({"id": row.id, "hall": row.hall, "instance": row.instance, "technician_secret": row.technician_secret})


@app.command()
def verify(config_file: ConfigOption) -> None:
    """Walk the hall's hash chain against the kept and the exported day heads; exit status 1 if a row is broken."""
    settings = _read(config_file)
    hall = settings.hall.id
    with _stores(settings) as stores:
        try:
            heads = [*stores.ledger.day_heads(hall), *day_heads.exported(settings.data / "day-heads", hall)]
        except ValueError as error:
            _fail(str(error))
        snapshot = stores.ledger.snapshot(hall, CORE_VERSION)
        found = first_broken(hall, stores.ledger.events(hall), heads, snapshot.seq if snapshot else 0)
    if isinstance(found, Broken):
        _say({"hall": hall, "intact": False, "broken_row": found.seq, "reason": found.reason})
        raise typer.Exit(1)
    _say({"hall": hall, "intact": True, "rows": found.seq, "head": found.hash, "day_heads": len(heads)})


def _read(path: Path) -> config.Config:
    try:
        return config.read(path)
    except config.ConfigError as error:
        _fail(str(error))


def _stores(settings: config.Config) -> program.Stores:
    logs.configure("warning")
    try:
        return program.Stores(settings)
    except LedgerError as error:
        _fail(f"the database cannot be used: {type(error).__name__}: {error}")


def _say(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"queue_server: {sentence}\n")
    raise typer.Exit(2)


if __name__ == "__main__":
    app()
