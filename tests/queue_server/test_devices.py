"""The registry of devices, what their reports mean, and the alerts that come and go with them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.one_time_code import Gate, check
from queue_server.alerts import SEVERITY, AlertBook
from queue_server.devices import (
    LOST_AFTER,
    MAX_PENDING,
    DeviceBook,
    DeviceExists,
    DeviceUnknown,
    NotAllowed,
)
from queue_server.ledger import Database, LedgerFull
from queue_server.ledger.registers import AlertRow, Registers
from queue_server.reported_conditions import REPORTED_CODES, conditions
from queue_server.staff import Role, Staff
from queue_server.web.console.words import alert_text, supply_text
from tests.queue_server.rig import Clock, fresh_database
from wire.messages import Hello, PeripheralReport, Presence, Reported

HALL = "demo-hall"


class Book:
    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.registers = Registers(database)
        self.alerts = AlertBook(HALL, self.registers, now=self.clock)
        self.devices = self.again()

    def again(self, hall: str = HALL) -> DeviceBook:
        """The registry as another process would read it."""
        return DeviceBook(hall, self.registers, self.alerts, now=self.clock)

    def codes(self) -> list[str]:
        return [alert.code for alert in self.alerts.open()]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with fresh_database(tmp_path / "x.db") as database:
        yield Book(database)


def hello(instance: str = "one", boot: str = "0badcafe") -> Hello:
    return Hello(boot_id=boot, conn_seq=1, instance=instance)


def person(*roles: Role) -> Staff:
    return Staff("p1", "li", "李明", frozenset(roles))


def presence(state: str, conn_seq: int) -> Presence:
    return Presence.model_validate({"boot_id": "0badcafe", "conn_seq": conn_seq, "state": state})


def part(health: str, **supplies: str) -> PeripheralReport:
    return PeripheralReport.model_validate(
        {"role": "ticket-printer", "driver": "escpos", "health": health, "supplies": supplies}
    )


def test_the_first_hello_binds_a_device_to_its_instance_for_good(book: Book) -> None:
    book.devices.add("k1", "by the door")
    assert book.devices.hello("k1", hello("one")).verdict == "accepted"
    assert book.again().hello("k1", hello("two")).code == "cloned_device"


def test_a_device_that_was_provisioned_with_an_instance_must_show_it(book: Book) -> None:
    book.devices.add("k1", "by the door", instance="one")
    assert book.devices.hello("k1", hello("two")).code == "cloned_device"
    assert book.codes() == ["cloned_device"]
    assert book.devices.hello("k1", hello("one")).verdict == "accepted"


def test_a_device_of_another_hall_is_sent_away(book: Book) -> None:
    book.devices.add("k1", "by the door")
    other = book.again("other-hall")
    assert other.standing("k1") == "elsewhere"
    assert other.hello("k1", hello()).code == "device_elsewhere"


def test_a_device_is_registered_once_and_under_an_id_that_may_stand_in_a_topic(book: Book) -> None:
    book.devices.add("k1", "by the door")
    with pytest.raises(DeviceExists):
        book.devices.add("k1", "by the window")
    for bad in ("", "K1", "a/b", "+", "-k"):
        with pytest.raises(ValueError, match="id"):
            book.devices.add(bad, "bad")


def test_strangers_cannot_fill_the_registry(book: Book) -> None:
    verdicts = [book.devices.hello(f"x{n}", hello()) for n in range(MAX_PENDING + 5)]
    assert [v.verdict for v in verdicts].count("pending") == MAX_PENDING
    assert verdicts[-1].code == "device_unknown"
    assert len(book.registers.devices()) == MAX_PENDING


def test_a_device_that_another_program_registered_or_refused_is_known_after_a_reload(book: Book) -> None:
    told: list[str] = []
    book.devices.on_accepted = told.append
    book.devices.hello("k1", hello())
    book.again().add("k1", "by the door")
    book.again().add("k2", "by the window")
    book.devices.reload()
    assert book.devices.accepted() == ("k1", "k2")
    assert told == ["k1", "k2"]
    assert book.codes() == []
    book.again().refuse("k2")
    book.devices.hello("k2", hello())
    book.devices.reload()
    assert book.devices.standing("k2") == "refused"


def test_the_death_of_an_older_connection_is_ignored(book: Book) -> None:
    book.devices.add("k1", "by the door")
    assert book.devices.presence("k1", presence("ready", 7))
    assert not book.devices.presence("k1", presence("offline", 6))
    assert book.devices.now()[0].presence == "ready"
    assert book.devices.presence("k1", presence("offline", 7))
    assert book.devices.now()[0].presence == "offline"


def test_a_lost_device_is_an_alert_by_age_not_by_edge(book: Book) -> None:
    book.devices.add("k1", "by the door")
    book.devices.presence("k1", presence("ready", 1))
    book.devices.presence("k1", presence("offline", 1))
    book.clock.forward(seconds=LOST_AFTER.total_seconds() - 1)
    book.devices.look_for_lost()
    assert book.codes() == []
    book.clock.forward(seconds=1)
    book.devices.look_for_lost()
    assert book.codes() == ["device_lost"]
    book.devices.presence("k1", presence("init", 2))
    assert book.codes() == []


def test_a_registered_device_that_was_never_here_is_not_lost_but_one_that_was_is(book: Book) -> None:
    book.devices.add("k1", "not yet unpacked")
    book.devices.add("k2", "worked yesterday")
    book.devices.hello("k2", hello())
    today = book.again()
    book.clock.forward(hours=1)
    today.look_for_lost()
    assert [(alert.code, alert.subject) for alert in book.alerts.open()] == [("device_lost", "k2")]


def test_each_condition_has_its_own_name_and_unknown_is_no_fault() -> None:
    def of(*parts: PeripheralReport) -> set[str]:
        return set(conditions(Reported(peripherals=parts)))

    assert of(part("ok", paper="ok")) == set()
    assert of(part("degraded", paper="low")) == {"printer_paper_low"}
    assert of(part("fault", paper="out")) == {"printer_out_of_paper", "peripheral_fault"}
    assert of(part("fault", paper="jammed")) == {"printer_jammed", "peripheral_fault"}
    assert of(part("unknown", paper="unknown")) == {"peripheral_unknown"}
    assert of(part("degraded", paper="ok", toner="low")) == {"printer_toner_low"}
    assert of(part("fault", paper="low", toner="out")) == {
        "printer_paper_low",
        "printer_out_of_toner",
        "peripheral_fault",
    }
    not_asked = PeripheralReport(role="ticket-printer", driver="escpos", health="unknown", detail="not_asked")
    assert of(not_asked) == set(), "a terminal that has just started has asked nobody yet"
    assert of(part("offline")) == {"peripheral_offline"}
    assert of(part("not_supported", paper="not_supported")) == set()
    assert set(REPORTED_CODES) <= set(SEVERITY)


def of_role(role: str, health: str, detail: str | None = None) -> PeripheralReport:
    return PeripheralReport(role=role, driver="d", health=health, detail=detail)


@pytest.mark.parametrize(
    ("role", "detail", "code"),
    [
        ("door-switch", "door_open", "cabinet_open"),
        ("tamper-switch", "tampered", "cabinet_tampered"),
        ("ups", "on_battery", "power_on_battery"),
        ("ups", "battery_low", "power_battery_low"),
        ("ups", "battery_worn", "power_battery_worn"),
    ],
)
def test_door_tamper_and_power_are_named_alerts_that_end_with_their_cause(role: str, detail: str, code: str) -> None:
    alerts = AlertBook(HALL, None)
    for report, expected in ((of_role(role, "degraded", detail), [code]), (of_role(role, "ok"), [])):
        alerts.settle("k1", REPORTED_CODES, conditions(Reported(peripherals=(report,))))
        assert [alert.code for alert in alerts.open()] == expected


@pytest.mark.parametrize(
    ("supply", "state", "zh", "en"),
    [
        ("paper", "low", "打印纸将尽，请备纸：A4 打印机。", "Paper runs low. Have some ready: document printer."),
        (
            "paper",
            "jammed",
            "卡纸，请开盖取出：A4 打印机。",
            "Paper jam. Open it and take the paper out: document printer.",
        ),
        (
            "toner",
            "low",
            "墨粉将尽，请备墨盒：A4 打印机。",
            "Toner runs low. Have a cartridge ready: document printer.",
        ),
        (
            "toner",
            "out",
            "墨粉用尽，请更换墨盒：A4 打印机。",
            "Toner is used up. Change the cartridge: document printer.",
        ),
    ],
)
def test_staff_read_which_supply_of_which_printer_it_is(supply: str, state: str, zh: str, en: str) -> None:
    alerts = AlertBook(HALL, None)
    ticket_printer = PeripheralReport(role="ticket-printer", driver="escpos", health="ok", supplies={"paper": "ok"})
    supplies = {"paper": "ok", "toner": "ok", supply: state}
    printer = PeripheralReport(role="document-printer", driver="ipp", health="degraded", supplies=supplies)
    alerts.settle("k1", REPORTED_CODES, conditions(Reported(peripherals=(printer, ticket_printer))))
    (alert,) = alerts.open()
    assert (alert_text(alert, "zh"), alert_text(alert, "en")) == (zh, en)
    assert supply_text(supply, state, "zh") in {"纸将尽", "卡纸", "墨粉将尽", "墨粉用尽"}


def test_two_printers_out_of_paper_are_both_named() -> None:
    alerts = AlertBook(HALL, None)
    parts = [
        PeripheralReport(role=role, driver="d", health="fault", supplies={"paper": "out"})
        for role in ("ticket-printer", "document-printer")
    ]
    alerts.settle("k1", REPORTED_CODES, conditions(Reported(peripherals=tuple(parts))))
    assert "Out of paper. Load some: ticket printer, document printer." in {
        alert_text(alert, "en") for alert in alerts.open()
    }


def test_every_supply_that_a_driver_reports_has_words_where_it_runs_out() -> None:
    for supply, state in itertools.product(("paper", "toner", "battery"), ("low", "out")):
        assert supply_text(supply, state, "zh") != f"{supply} {state}"
    assert supply_text("ribbon", "out", "zh") == "ribbon out"


def test_a_device_that_answers_no_question_is_no_alert_until_it_fails() -> None:
    scanner = of_role("code-scanner", "unknown", "cannot_be_asked")
    assert conditions(Reported(peripherals=(scanner,))) == {}


def test_an_alert_names_every_device_that_it_is_of_and_keeps_up_with_them() -> None:
    alerts, told = AlertBook(HALL, None), []
    alerts.on_change = lambda: told.append([alert_text(alert, "en") for alert in alerts.open()])
    for healths_now in (("offline", "ok"), ("offline", "offline"), ("offline", "offline"), ("ok", "offline")):
        parts = tuple(map(of_role, ("keypad", "code-scanner"), healths_now))
        alerts.settle("k1", REPORTED_CODES, conditions(Reported(peripherals=parts)))
    assert told == [
        ["A peripheral is offline. Check its cable: keypad."],
        ["A peripheral is offline. Check its cable: keypad, code scanner."],
        ["A peripheral is offline. Check its cable: code scanner."],
    ]


healths = st.sampled_from(["ok", "degraded", "fault", "offline", "not_supported", "unknown"])
papers = st.sampled_from(["ok", "low", "out", "jammed", "unknown", "not_supported"])


@given(st.lists(st.tuples(healths, papers), min_size=1, max_size=8))
def test_after_any_reports_the_open_alerts_are_those_of_the_last_one(reports: list[tuple[str, str]]) -> None:
    alerts = AlertBook(HALL, None)
    last: set[str] = set()
    for health, paper in reports:
        found = conditions(Reported(peripherals=(part(health, paper=paper),)))
        alerts.settle("k1", REPORTED_CODES, found)
        last = set(found)
    assert {alert.code for alert in alerts.open()} == last


def test_the_technicians_code_opens_the_terminals_gate_and_is_audited(book: Book) -> None:
    row = book.devices.add("k1", "by the door")
    assert row.technician_secret is not None
    code = book.devices.technician_code(person("technician"), "k1")
    _, opens, _ = check(Gate(), code, row.technician_secret, book.clock.now)
    assert opens
    (note,) = book.registers.audit(HALL)
    assert (note.act, note.subject) == ("technician_code_shown", "k1")
    assert code not in note.details


def test_only_technicians_and_managers_see_the_code(book: Book) -> None:
    book.devices.add("k1", "by the door")
    assert book.devices.technician_code(person("manager"), "k1")
    for roles in ((), ("clerk",), ("auditor",)):
        with pytest.raises(NotAllowed):
            book.devices.technician_code(person(*roles), "k1")
    with pytest.raises(DeviceUnknown):
        book.devices.technician_code(person("technician"), "k9")


def test_secrets_do_not_show_in_the_text_of_a_row(book: Book) -> None:
    row = book.devices.add("k1", "by the door", instance="very-secret")
    assert row.technician_secret is not None
    assert row.technician_secret not in repr(row)


def test_an_alert_is_raised_once_counted_and_survives_a_restart_until_it_is_cleared(book: Book) -> None:
    for _ in range(3):
        book.alerts.raise_("request_id_reused", "k1")
    again = AlertBook(HALL, book.registers, now=book.clock)
    (alert,) = again.open()
    assert (alert.code, alert.subject, alert.severity) == ("request_id_reused", "k1", "critical")
    assert book.alerts.open()[0].count == 3
    assert again.clear("request_id_reused", "k1", by="li")
    assert not again.clear("request_id_reused", "k1")
    assert AlertBook(HALL, book.registers, now=book.clock).open() == ()


def test_an_alert_stands_even_when_it_cannot_be_written(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_row: AlertRow) -> None:
        raise LedgerFull("the reserve would be used")

    monkeypatch.setattr(book.registers, "put_alert", full)
    book.alerts.raise_("ledger_full", HALL)
    assert book.codes() == ["ledger_full"]


def test_facts_that_a_terminal_set_aside_are_an_alert_until_it_has_none() -> None:
    alerts = AlertBook("hall", None)
    alerts.settle("k1", REPORTED_CODES, conditions(Reported(set_aside=2)))
    (alert,) = alerts.open()
    assert (alert.code, alert.subject, alert.params) == ("facts_set_aside", "k1", {"count": "2"})
    alerts.settle("k1", REPORTED_CODES, conditions(Reported()))
    assert alerts.open() == ()
