"""A technician's commands, as processes: exit codes, the two reports, what is told while it runs."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.drivers import driver, driver_ids
from hardware.roles import Role
from hardware.self_test import Request, SelfTestReport, Step
from hardware.simulators.catalogue import make_simulator
from hardware.simulators.simulator import Place
from hardware.technician.record import CabinetRecord, DeviceRecord
from hardware.technician.report_pdf import fitted_page, write_pdf
from hardware.technician.words import ADVICE, HEALTHS, REQUESTS, ROLES, VERDICTS, WHO
from hardware.vocabulary import WHO_ACTS, Detail, Health, Verdict, WhoActs

ROOT = Path(__file__).parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hardware", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )


def profile_of(folder, **devices):
    text = 'terminal = "t-7"\n'
    for role, (driver_id, address) in devices.items():
        text += f'[devices.{role}]\ndriver = "{driver_id}"\naddress = "{address}"\n'
    path = folder / "profile.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def sensor(tmp_path):
    simulator = make_simulator("maxsonar", Place(tmp_path)).start()
    yield simulator
    simulator.close()


def reported(folder):
    (json_file,) = folder.glob("*.json")
    (pdf_file,) = folder.glob("*.pdf")
    assert pages(pdf_file) == 1
    return json.loads(json_file.read_text("utf-8"))


def pages(pdf_file):
    data = pdf_file.read_bytes()
    assert data.startswith(b"%PDF-")
    return len(re.findall(rb"/Type /Page\b", data))


def test_everything_in_order_is_exit_0_and_both_reports_say_so(tmp_path, sensor):
    sensor.help_self_test()
    profile = profile_of(tmp_path, presence_sensor=("maxsonar", sensor.address))
    done = run("test", "--profile", profile, "--report", tmp_path / "report", "--within", 20)
    assert done.returncode == 0, done.stdout + done.stderr
    report = reported(tmp_path / "report")
    assert (report["verdict"], report["terminal"], report["simulated"]) == ("pass", "t-7", False)
    (device,) = report["devices"]
    assert device["role"] == "presence_sensor"
    assert device["address"] == sensor.address
    assert [step["verdict"] for step in device["steps"]] == ["pass", "pass"]
    assert "请站到终端前" in done.stdout


def test_a_device_that_is_not_there_is_exit_1_and_says_who_acts(tmp_path, sensor):
    profile = profile_of(
        tmp_path, presence_sensor=("maxsonar", sensor.address), id_card_reader=("sam-v", "serial:/dev/nowhere")
    )
    sensor.help_self_test()
    done = run("test", "--profile", profile, "--report", tmp_path / "report", "--within", 10)
    assert done.returncode == 1
    reader, present = reported(tmp_path / "report")["devices"]
    assert (reader["verdict"], reader["who_acts"]) == ("fail", "technician")
    assert reader["steps"][0]["detail"] == "line_lost"
    assert present["verdict"] == "pass", "the other devices are tested all the same"


def test_what_nobody_could_find_out_is_exit_2_and_no_pass(tmp_path, sensor):
    profile = profile_of(tmp_path, presence_sensor=("maxsonar", sensor.address))
    done = run("test", "--profile", profile, "--report", tmp_path / "report", "--within", 1)
    assert done.returncode == 2
    assert reported(tmp_path / "report")["devices"][0]["steps"][1]["detail"] == "nobody_seen"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[devices.id_card_reader]\ndriver = 'sam-x'\naddress = 'serial:/dev/x'\n", "sam-x"),
        ("terminal = 't'", "no [devices]"),
        ("[devices", "not TOML"),
    ],
)
def test_a_profile_that_cannot_be_used_is_exit_3_and_named(tmp_path, text, named):
    (tmp_path / "profile.toml").write_text(text)
    done = run("test", "--profile", tmp_path / "profile.toml", "--report", tmp_path / "report")
    assert done.returncode == 3
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_is_no_verdict():
    assert run("test").returncode == 64
    assert run("test", "--nonsense").returncode == 64


def test_a_profiles_devices_are_tested_with_simulators_in_their_place(tmp_path):
    profile = profile_of(
        tmp_path,
        id_card_reader=("sam-v", "serial:/dev/serial/by-id/usb-x"),
        ticket_printer=("escpos", "serial:/dev/serial/by-id/usb-y?baud=19200"),
    )
    done = run("test", "--profile", profile, "--simulated", "--report", tmp_path / "report", "--within", 30)
    assert done.returncode == 0, done.stdout + done.stderr
    report = reported(tmp_path / "report")
    assert report["simulated"] is True
    assert [device["driver"] for device in report["devices"]] == ["sam-v", "escpos"]


def test_watching_tells_states_and_events_as_they_come(tmp_path, sensor):
    profile = profile_of(tmp_path, presence_sensor=("maxsonar", sensor.address))
    process = subprocess.Popen(
        [sys.executable, "-m", "hardware", "watch", "--profile", profile, "--seconds", "60"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        wanted = iter(["正常", "present=True", "离线"])
        acts = iter([sensor.help_self_test, sensor.unplug, process.terminate])
        awaited = next(wanted)
        for line in process.stdout:
            if awaited in line:
                next(acts)()
                awaited = next(wanted, "—")
        assert awaited == "—"
        assert process.wait(20) == 0


def test_the_list_is_made_from_all_drivers_and_can_be_read_by_programs():
    done = run("list", "--json", "--within", 0.3)
    assert done.returncode == 0, done.stderr
    for place in json.loads(done.stdout):
        assert place["address"]
        assert set(place["drivers"]) <= set(driver_ids())


def test_devices_that_answer_are_found_among_all_ports(tmp_path, sensor, bench):
    from hardware.addresses import parse_address
    from hardware.drivers import Found
    from hardware.technician.listing import ask, places

    printer = bench.printer_simulator()
    addresses = [Found(parse_address(address)) for address in (sensor.address, printer.address)]
    chosen = {name: driver(name) for name in ("sam-v", "escpos", "maxsonar")}
    looking = [type(each)(**{**_fields(each), "find": lambda: addresses}) for each in chosen.values()]
    answered = [ask(place, 1.5, chosen.__getitem__).answered for place in places(looking)]
    assert [each.driver for each in answered] == ["maxsonar", "escpos"]


def test_a_port_that_another_program_holds_is_not_asked(sensor):
    from hardware.addresses import parse_address
    from hardware.drivers import Found
    from hardware.lines import open_line
    from hardware.technician.listing import ask, places

    declared = driver("maxsonar")
    address = parse_address(sensor.address)
    looking = type(declared)(**{**_fields(declared), "find": lambda: [Found(address)]})
    held = open_line(address)
    (place,) = (ask(place, 1.0) for place in places([looking]))
    assert place.in_use is not None
    assert place.answered is None
    held.close()


def _fields(declared):
    return {name: getattr(declared, name) for name in type(declared).__dataclass_fields__}


@pytest.mark.parametrize("count", [1, len(Role)])
def test_the_report_is_one_page_however_many_devices_there_are(tmp_path, count):
    details = [detail for detail in Detail if WHO_ACTS[detail] is not WhoActs.NOBODY]
    devices = tuple(
        DeviceRecord(
            role,
            "driver-id",
            "serial:/dev/serial/by-id/usb-" + "Very_Long_Name_Of_A_Maker_" * 4,
            SelfTestReport(
                tuple(
                    Step(f"step_{step}", list(Verdict)[(n + step) % 3], details[(n + step) % len(details)], "measured")
                    for step in range(5)
                )
            ),
            1.0,
        )
        for n, role in enumerate(list(Role)[:count])
    )
    record = CabinetRecord(datetime(2026, 11, 22, tzinfo=UTC), "t-7", "machine", False, devices)
    write_pdf(record, tmp_path / "report.pdf")
    assert pages(tmp_path / "report.pdf") == 1
    assert fitted_page(record).fits, "no row stands below the foot"


@pytest.mark.parametrize(
    ("table", "codes"),
    [(ROLES, Role), (VERDICTS, Verdict), (HEALTHS, Health), (WHO, WhoActs), (REQUESTS, Request), (ADVICE, Detail)],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_every_code_has_words_in_both_languages(table, codes):
    assert set(table) == set(codes)
    assert all(words.zh and words.en for code, words in table.items() if code is not Detail.NONE)
