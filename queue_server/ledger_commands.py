"""The commands about what is kept, and where a hall is led: verify, backup, restore, drill, history, move, leaders."""

import time
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from queue_server import config, history
from queue_server.clock import instant_text, utc_now
from queue_server.config import Config, StoreConfig, secret
from queue_server.console_line import ConfigOption, Gauge, HallOption, fail, open_stores, say
from queue_server.drill import drill, in_words, known_heads, verify
from queue_server.ledger import Broken, Database, PostgresDatabase
from queue_server.ledger.backup import BackupUnusable, NotEmpty, backup, restore

HEADS = "day-heads"
FileArgument = Annotated[Path, typer.Argument(help="The backup's file.", dir_okay=False)]


def install(app: typer.Typer) -> None:
    """Add the commands to the program's."""
    for name, command in (
        ("verify", verify_command),
        ("backup", backup_command),
        ("restore", restore_command),
        ("drill", drill_command),
        ("history", history_command),
        ("move", move_command),
        ("leaders", leaders_command),
    ):
        app.command(name)(command)


def verify_command(config_file: ConfigOption, hall: HallOption = None) -> None:
    """Walk the hash chain of each hall against the kept and the exported day heads; status 1 if a row is broken."""
    settings = config.read(config_file)
    broken = False
    with open_stores(settings) as stores:
        for name in _halls(settings, hall):
            try:
                known = known_heads(stores.ledger, name, settings.data / HEADS)
            except ValueError as error:
                fail(str(error))
            found = verify(stores.ledger, name, known)
            if isinstance(found, Broken):
                broken = True
                say(
                    {
                        "hall": name,
                        "intact": False,
                        "broken_row": found.seq,
                        "reason": found.reason,
                        "good_until": found.good_until,
                        "words": in_words(found),
                    }
                )
            else:
                say({"hall": name, "intact": True, "rows": found.seq, "head": found.hash, "known_heads": len(known)})
    raise typer.Exit(int(broken))


def backup_command(file: FileArgument, config_file: ConfigOption) -> None:
    """Write everything to FILE while the servers run; the file is for its owner's eyes alone."""
    settings = config.read(config_file)
    with open_stores(settings) as stores:
        try:
            made = backup(stores.database, file, instant_text(utc_now()), Gauge("backup"))
        except FileExistsError:
            fail(f"{file} is there already")
        except OSError as error:
            fail(f"{file}: {error.strerror}")
    halls = {hall: {"rows": head.seq, "head": head.hash} for hall, head in made.heads.items()}
    say({"file": str(file), "bytes": file.stat().st_size, "made_at": made.made_at, "halls": halls})


def restore_command(file: FileArgument, config_file: ConfigOption) -> None:
    """Fill the server's database from FILE; refused unless the database is empty."""
    settings = config.read(config_file)
    with open_stores(settings) as stores:
        try:
            made = restore(stores.database, file, Gauge("restore"))
        except NotEmpty:
            fail(f"{stores.database.place} holds something already; restore into an empty database")
        except BackupUnusable as error:
            fail(f"{file}: {error}")
        except OSError as error:
            fail(f"{file}: {error.strerror}")
        say({"file": str(file), "made_at": made.made_at, "database": stores.database.place, "rows": made.counts})


def drill_command(
    config_file: ConfigOption,
    *,
    into: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database to restore into; a file of SQLite otherwise.")
    ] = None,
    password_file: Annotated[Path | None, typer.Option(help="For --into.")] = None,
) -> None:
    """Prove that a backup made now comes back whole: restore it elsewhere, verify it, load each hall from it."""
    settings = config.read(config_file)
    with open_stores(settings) as stores:
        settings.data.mkdir(parents=True, exist_ok=True)
        try:
            found = drill(
                stores.database,
                stores.ledger.halls(),
                settings.data / HEADS,
                instant_text(utc_now()),
                scratch=settings.data,
                into=(lambda: _opened(into, password_file)) if into else None,
                progress=Gauge("drill"),
            )
        except NotEmpty as place:
            fail(f"{place} holds something already")
        except (BackupUnusable, ValueError) as error:
            fail(str(error))
        except OSError as error:
            fail(f"{settings.data}: {error.strerror}")
    say(
        {
            "good": not found.faults,
            "faults": found.faults,
            "rows": found.contents.counts,
            "halls": {hall: head.seq for hall, head in found.contents.heads.items()},
            "bytes": found.size_bytes,
            "backup_s": round(found.backup_s, 3),
            "restore_s": round(found.restore_s, 3),
        }
    )
    raise typer.Exit(int(bool(found.faults)))


def history_command(
    ticket: Annotated[str, typer.Argument(help="A number as it stands on the slip, or a ticket's id.")],
    config_file: ConfigOption,
    *,
    hall: HallOption = None,
    day: Annotated[str | None, typer.Option("--date", help="The number's business day, YYYY-MM-DD.")] = None,
    language: Annotated[Literal["zh", "en"], typer.Option(help="The words' language.")] = "zh",
) -> None:
    """Tell everything that happened to a ticket: when, what, who, and why."""
    settings = config.read(config_file)
    try:
        business_date = date.fromisoformat(day) if day else None
    except ValueError:
        fail(f"{day!r} is no date")
    with open_stores(settings) as stores:
        seat = settings.seat(hall)
        found = history.of_ticket(stores.ledger, stores.registers, seat.hall, ticket, business_date)
        if found is None:
            fail(f"no ticket {ticket!r}" + (f" on {day}" if day else ""))
        for line in found.in_language(language):
            typer.echo(line)


def move_command(
    hall: Annotated[str, typer.Argument(help="The hall's id.")],
    config_file: ConfigOption,
    *,
    to: Annotated[str, typer.Option(help="The server that shall lead it from now on.")],
    within: Annotated[float, typer.Option(help="Seconds to wait until it does.")] = 30.0,
) -> None:
    """Move a hall to another server that stands ready for it; nothing is lost, and answers pause for about a second."""
    with open_stores(config.read(config_file)) as stores:
        state, ready = stores.ledger.lease_state(hall)
        if hall not in stores.ledger.halls():
            fail(f"no hall {hall!r} was ever led here")
        if state.holder != to and to not in {candidate.server for candidate in ready}:
            standing = ", ".join(candidate.server for candidate in ready if candidate.server != state.holder)
            fail(f"{to!r} does not stand ready for {hall}; ready: {standing or 'nobody'}")
        stores.ledger.set_home(hall, to)
        began = time.monotonic()
        while state.holder != to or state.until <= state.now:
            if time.monotonic() - began > within:
                fail(f"{to!r} does not lead {hall} after {within:g} s; it will when it can")
            time.sleep(0.1)
            state, _ = stores.ledger.lease_state(hall)
        say({"hall": hall, "leader": to, "epoch": state.epoch, "waited_s": round(time.monotonic() - began, 2)})


def leaders_command(config_file: ConfigOption) -> None:
    """Say of each hall which server leads it, which one should, and which stand ready."""
    with open_stores(config.read(config_file)) as stores:
        for hall in stores.ledger.halls():
            state, ready = stores.ledger.lease_state(hall)
            leads = state.until > state.now
            say(
                {
                    "hall": hall,
                    "leader": state.holder if leads else None,
                    "epoch": state.epoch,
                    "home": state.home,
                    "ready": [one.server for one in ready if not (leads and one.server == state.holder)],
                }
            )


def _halls(settings: Config, hall: str | None) -> list[str]:
    return [settings.seat(hall).hall] if hall else [seat.hall for seat in settings.seats()]


def _opened(address: str, password_file: Path | None) -> Database:
    store = StoreConfig(database=address, password_file=password_file)
    return PostgresDatabase(store.database, password=secret(password_file) if password_file else None)
