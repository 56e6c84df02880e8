"""The queue server's command line: `python -m queue_server COMMAND --config FILE`."""

import asyncio
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from queue_server import channel_commands, config, ledger_commands, logs, program
from queue_server.console_line import ConfigOption, HallOption, fail, open_stores, say
from queue_server.counters.outcomes import Refused
from queue_server.counters.words import sentence
from queue_server.devices import DeviceExists, DeviceUnknown, new_instance
from queue_server.ledger import LedgerError
from queue_server.live_speech import LiveSpeech, SpeechRefusedError
from queue_server.speech.sentence import TextRefusedError
from queue_server.staff import ROLES, LoginTaken, WeakPassword

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="成全e站 queue server: the queues of halls, durable.",
)


@app.command()
def run(config_file: ConfigOption) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    settings = config.read(config_file)
    logs.configure(settings.log_level)
    raise typer.Exit(program.run(settings))


@app.command("init-db")
def init_db(config_file: ConfigOption) -> None:
    """Create the database, or bring it to this program's schema."""
    with open_stores(config.read(config_file)) as stores:
        say({"database": stores.database.place, "ready": True})


@app.command("add-staff")
def add_staff(
    config_file: ConfigOption,
    *,
    login: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option(help="Shown on consoles.")],
    role: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(ROLES)}.")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password's line from standard input.")] = False,
    hall: HallOption = None,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed this once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else secrets.token_urlsafe(12)
    with open_stores(config.read(config_file)) as stores:
        try:
            person = stores.books(hall).staff.add(login, name, password, role)  # type: ignore[arg-type]  # checked by add
        except LoginTaken:
            fail(f"the login {login!r} is taken")
        except WeakPassword:
            fail("the password is too short, or is the login")
        except ValueError as error:
            fail(str(error))
    made = {} if password_stdin else {"password": password}
    say({"id": person.id, "login": person.login, "roles": sorted(person.roles)} | made)


@app.command("add-device")
def add_device(
    config_file: ConfigOption,
    *,
    device: Annotated[str, typer.Option("--id", help="Lower-case letters, digits and '-'.")],
    name: Annotated[str, typer.Option(help="What staff call it.")],
    instance: Annotated[str | None, typer.Option(help="The device's instance; made here if not given.")] = None,
    hall: HallOption = None,
) -> None:
    """Register a terminal. Its instance and its technician's secret are printed this once, for its own files."""
    with open_stores(config.read(config_file)) as stores:
        try:
            row = stores.books(hall).devices.add(device, name, instance=instance or new_instance())
        except DeviceExists:
            fail(f"the device {device!r} is registered already")
        except ValueError as error:
            fail(str(error))
    say({"id": row.id, "hall": row.hall, "instance": row.instance, "technician_secret": row.technician_secret})


@app.command("renew-device")
def renew_device(
    config_file: ConfigOption,
    *,
    device: Annotated[str, typer.Option("--id", help="The terminal to let in again.")],
    hall: HallOption = None,
) -> None:
    """Let a terminal in again: after its disk was replaced, or after two machines held its identity.

    Switch the other machine off first: the next one that says hello is the right one from then on.
    """
    with open_stores(config.read(config_file)) as stores:
        try:
            stores.books(hall).devices.renew(device)
        except DeviceUnknown:
            fail(f"no device {device!r} is registered")
    say({"id": device, "state": "accepted"})


@app.command("say")
def say_live(
    text: Annotated[str, typer.Argument(help="A sentence in Chinese.")],
    *,
    to: Annotated[Path, typer.Option(help="The WAV file to write: mono, 16 bit, 24 kHz.")],
) -> None:
    """Speak a sentence in the voice of the calls. Needs the extra `speech`."""
    try:
        to.write_bytes(asyncio.run(LiveSpeech().say(text)))
    except (TextRefusedError, SpeechRefusedError) as refused:
        fail(sentence(Refused(refused.code, refused.params), "en"))
    except OSError as error:
        fail(f"cannot write {to}: {error.strerror}")
    say({"file": str(to), "bytes": to.stat().st_size})


ledger_commands.install(app)
channel_commands.install(app)


def main() -> None:
    """Run a command; what can be told in a sentence is."""
    try:
        app()
    except config.ConfigError as error:
        fail(str(error))
    except LedgerError as error:
        fail(f"the database cannot be used: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
