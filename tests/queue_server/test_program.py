"""The command line and the whole program as a process: what it prints, how it starts, how it ends."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from provisioning.site import Site
from queue_server import config
from tests.wire.seats import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, devices=("k1",), console=False, voice=False)
    with made.broker:
        made.lay_out({"li": ("李明", ("clerk",))})
        yield made


def cli(site: Site, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "queue_server", *arguments, "--config", str(site.server_file)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT, check=False)


def start(site: Site) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "queue_server", "run", "--config", str(site.server_file)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def is_up(site: Site) -> bool:
    try:
        return httpx.get(f"{site.url}/health").status_code == 200
    except httpx.HTTPError:
        return False


async def test_it_ends_on_sigterm_with_an_open_stream_and_logs_json_without_names(site: Site) -> None:
    process = start(site)
    try:
        await until(lambda: is_up(site), patience_s=60)
        with httpx.stream("GET", f"{site.url}/display/east/events", timeout=30) as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGTERM)
            _, log = await asyncio.to_thread(process.communicate, None, 20)
    finally:
        if process.poll() is None:
            process.kill()
    lines = [json.loads(line) for line in log.splitlines()]
    assert process.returncode == 0
    assert "ended_the_hard_way" not in log
    events = [line["event"] for line in lines]
    assert {"hall_led", "link_up", "started", "ended"} <= set(events)
    assert "李明" not in log
    assert site.staff_passwords["li"] not in log


async def test_a_port_that_is_taken_ends_the_program_with_a_status(site: Site) -> None:
    first = start(site)
    try:
        await until(lambda: is_up(site), patience_s=60)
        second = start(site)
        _, log = await asyncio.to_thread(second.communicate, None, 60)
        assert second.returncode == 1, log
    finally:
        first.terminate()
        await asyncio.to_thread(first.wait, 20)


def test_a_device_is_registered_once_with_what_its_files_need(site: Site) -> None:
    made = cli(site, "add-device", "--id", "k2", "--name", "二号机")
    row = json.loads(made.stdout)
    assert (made.returncode, row["id"], row["hall"]) == (0, "k2", "demo-hall")
    assert row["instance"]
    assert len(row["technician_secret"]) >= 16
    again = cli(site, "add-device", "--id", "k2", "--name", "二号机")
    assert again.returncode == 2
    assert "registered already" in again.stderr
    assert cli(site, "add-device", "--id", "No Id", "--name", "x").returncode == 2


def test_a_person_is_added_with_a_password_from_standard_input_or_one_made_for_them(site: Site) -> None:
    given = cli(
        site, "add-staff", "--login", "wu", "--name", "吴", "--role", "clerk", "--password-stdin", stdin="long enough\n"
    )
    assert given.returncode == 0
    assert "password" not in json.loads(given.stdout)
    made = json.loads(cli(site, "add-staff", "--login", "hu", "--name", "胡", "--role", "manager").stdout)
    assert len(made["password"]) >= 12
    for arguments, sentence in (
        (["--login", "wu", "--role", "clerk"], "taken"),
        (["--login", "zu", "--role", "king"], "roles"),
    ):
        refused = cli(site, "add-staff", "--name", "x", *arguments)
        assert refused.returncode == 2
        assert sentence in refused.stderr
    weak = cli(
        site, "add-staff", "--login", "zu", "--name", "x", "--role", "clerk", "--password-stdin", stdin="short\n"
    )
    assert (weak.returncode, "too short" in weak.stderr) == (2, True)


async def test_verify_names_the_row_that_was_edited(site: Site) -> None:
    process = start(site)
    await until(lambda: is_up(site), patience_s=60)
    process.terminate()
    await asyncio.to_thread(process.communicate, None, 20)
    intact = json.loads(cli(site, "verify").stdout)
    assert (intact["intact"], intact["rows"]) == (True, 1)
    database = sqlite3.connect(config.read(site.server_file).store.database)
    database.execute("UPDATE events SET body = replace(body, '示例', '假的') WHERE seq = 1")
    database.commit()
    database.close()
    broken = cli(site, "verify")
    assert broken.returncode == 1
    told = json.loads(broken.stdout)
    assert (told["hall"], told["intact"], told["broken_row"], told["reason"]) == ("demo-hall", False, 1, "changed")
    assert "the text of row 1 was changed" in told["words"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("server = 7", "server"),
        ('public_url = "not an address"', "public_url"),
        ("[mqtt]\nport = 99999", "mqtt.port"),
        ('[[halls]]\nid = "Not An Id"', "halls.0.id"),
        ("nonsense = 1", "nonsense"),
        ("[", "c.toml"),
    ],
)
def test_a_bad_configuration_is_refused_with_the_place_of_the_fault(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(config.ConfigError, match=place):
        config.read(path)


def test_paths_count_from_the_file_and_the_password_stands_beside_it(site: Site) -> None:
    settings = config.read(site.server_file)
    mqtt = settings.seat().mqtt
    assert settings.store.database == str(site.server_file.parent / "data" / "ledger.db")
    assert config.secret(mqtt.password_file) == site.broker.accounts[mqtt.username].password
    assert settings.seat().url == site.url
