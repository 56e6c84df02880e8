"""The commands about what is kept, as a technician gives them: what they print, and how they end."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.site import Site, write_toml
from queue_server import config
from queue_server.clock import utc_now
from queue_server.hall import Actor, Configure, Issue, TicketIssued
from queue_server.ledger import SqlLedger
from queue_server.runner import Ask, Reply
from queue_server.stores import open_database
from tests.postgres import PostgresPlace
from tests.queue_server.engine import HALL, SERVICE, SYSTEM, Engine, sample

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, devices=("k1",), console=False, voice=False)
    with made.broker:
        made.lay_out({"li": ("李明", ("clerk",))})
        yield made


def give(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "queue_server", *arguments, "--config", str(file)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def live(site: Site) -> str:
    """A hall with one ticket; its number."""
    with open_database(config.read(site.server_file).store) as database:
        engine = Engine(SqlLedger(database), configured=False)
        engine.turn([Ask(Configure(by=SYSTEM, configuration=sample()))], utc_now())
        ids = {name: f"{name}-1" for name in ("visit", "ticket", "step", "follow_token")}
        (said,) = engine.turn([Ask(Issue(by=Actor("device", "k1"), service=SERVICE, device="k1", **ids))], utc_now())
        assert isinstance(said, Reply)
        return next(e.number for e in said.outcome.events if isinstance(e, TicketIssued))  # type: ignore[union-attr]


def other_store(site: Site, tmp_path: Path, place: PostgresPlace) -> Path:
    """A server's file that names an empty PostgreSQL database."""
    document = tomllib.loads(site.server_file.read_text())
    password = tmp_path / "pg.password"
    password.write_text(place.password)
    document["store"] = {"database": place.url, "password_file": str(password)}
    file = site.server_file.with_name("other.toml")
    write_toml(file, document)
    return file


def test_a_hall_is_backed_up_proved_and_brought_to_another_engine(
    site: Site, tmp_path: Path, postgres: PostgresPlace
) -> None:
    number = live(site)
    file = tmp_path / "hall.backup"
    made = give(site.server_file, "backup", str(file))
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert (told["bytes"], list(told["halls"])) == (file.stat().st_size, [HALL])
    assert "backup: 100 %" in made.stderr
    again = give(site.server_file, "backup", str(file))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    taken = give(site.server_file, "restore", str(file))
    assert (taken.returncode, "holds something already" in taken.stderr) == (2, True)

    proved = give(site.server_file, "drill")
    assert proved.returncode == 0, proved.stdout + proved.stderr
    assert json.loads(proved.stdout)["good"] is True

    other = other_store(site, tmp_path, postgres)
    restored = give(other, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    assert json.loads(give(other, "verify").stdout) == json.loads(give(site.server_file, "verify").stdout)
    history = give(other, "history", number, "--language", "en")
    assert history.returncode == 0, history.stderr
    assert f"Number {number} was given" in history.stdout
    nobody = give(other, "history", "Z999")
    assert (nobody.returncode, "no ticket 'Z999'" in nobody.stderr) == (2, True)
    assert json.loads(give(other, "leaders").stdout)["leader"] is None


def test_what_a_command_cannot_do_is_a_sentence_and_no_trace_of_the_program(site: Site, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"not a backup")
    gone = site.server_file.with_name("gone.toml")
    document = tomllib.loads(site.server_file.read_text())
    write_toml(gone, document | {"store": {"database": "postgresql://estation@127.0.0.1:1/none"}})
    for file, arguments, word in (
        (site.server_file, ("restore", str(damaged)), "it is no backup"),
        (site.server_file, ("restore", str(tmp_path / "absent")), "No such file"),
        (site.server_file, ("move", HALL, "--to", "server-9"), "no hall"),
        (site.server_file, ("history", "A001", "--date", "yesterday"), "is no date"),
        (site.server_file, ("verify", "--hall", "elsewhere"), "no hall 'elsewhere'"),
        (gone, ("verify",), "the database cannot be used"),
        (tmp_path / "absent.toml", ("verify",), "No such file"),
    ):
        done = give(file, *arguments)
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert word in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
