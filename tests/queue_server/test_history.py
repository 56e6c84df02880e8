"""Everything that happened to a ticket is told: when, what, who, why, in both languages (requirement R51)."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queue_server import history
from queue_server.hall import Complete, Event, NoShow, Recall, StartService
from queue_server.hall.dispatch import EVENT_TYPES
from queue_server.history_words import EVENTS, Names, note_in_words, what_happened
from queue_server.ledger import AppendBatch, AuditNote, SqlLedger
from queue_server.ledger.registers import DeviceRow, Registers, StaffRow
from queue_server.runner import record
from tests.postgres import PostgresPlace
from tests.queue_server.hall.scene import Scene, sample
from tests.queue_server.rig import fresh_database

AT = "2026-03-02T00:00:00.000000+00:00"


@dataclasses.dataclass
class Kept:
    """A scene whose events are in a ledger."""

    scene: Scene
    ledger: SqlLedger
    registers: Registers

    def keep(self, *notes: AuditNote) -> None:
        seq = self.ledger.head("h").seq
        epoch = self.ledger.acquire("h", "s", 60).epoch
        events = tuple(record(event) for event in self.scene.history[seq:])
        self.ledger.append(AppendBatch("h", epoch, seq, events, audit=notes))

    def told(self, ticket: str, language: str = "en", day: date | None = None) -> list[str]:
        found = history.of_ticket(self.ledger, self.registers, "h", ticket, day)
        assert found is not None
        return list(found.in_language(language))


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    place: PostgresPlace = request.getfixturevalue("postgres")
    with fresh_database(tmp_path / "x.db") if request.param == "sqlite" else place.open() as database:
        registers = Registers(database)
        registers.add_staff(StaffRow("clerk-1", "h", "li", "李明", "x", AT, roles=("clerk",)))
        registers.add_device(DeviceRow("kiosk-1", "h", "一号机", "accepted", AT))
        yield Kept(Scene(), SqlLedger(database), registers)


def test_a_served_ticket_is_told_from_the_slip_to_the_end_with_who_and_why(kept: Kept) -> None:
    scene = kept.scene
    other = scene.issue(priority_class="ordinary")
    scene.later(minutes=3)
    ticket = scene.issue(priority_class="ordinary")
    session = scene.open()
    scene.serve_next(session)
    scene.call_next(session)
    scene.later(minutes=1)
    scene.do(scene.at(Recall, session))
    scene.do(scene.at(StartService, session))
    scene.later(minutes=4)
    scene.do(scene.at(Complete, session))
    details = json.dumps({"reprint": False, "cause": None, "said_at": AT})
    by = '{"id":"kiosk-1","kind":"device"}'
    kept.keep(AuditNote("2026-03-02T01:03:01.000000+00:00", by, "slip_printed", ticket.id, details))

    heading, *lines = kept.told(ticket.number)
    assert heading.split() == [ticket.number, "2026-03-02", "h", ticket.id]
    assert [line[:19] for line in lines] == sorted(line[:19] for line in lines)
    assert lines[0].startswith("2026-03-02 09:03:00")
    assert f"Number {ticket.number} was given: " in lines[0]
    assert "terminal 一号机" in lines[0]
    assert "The slip was printed." in lines[1]
    called = next(line for line in lines if f"called {ticket.number}." in line)
    assert "clerk 李明" in called
    assert "has waited longest" in called
    assert "#" in called
    assert any("again" in line and "Recall no. 1" in line for line in lines)
    assert lines[-1].startswith("2026-03-02 09:13:00")
    assert "completed" in lines[-1]
    assert all(other.number not in line for line in lines)
    chinese = kept.told(ticket.id, "zh")
    assert "窗口人员 李明" in chinese[-1]
    assert any("小票已打印。" in line for line in chinese)
    assert len(chinese) == len(lines) + 1


@pytest.mark.parametrize(
    ("cause", "zh", "en"),
    [
        ("paper_out", "（打印机缺纸）", "(out of paper)"),
        ("new_cause", "（new_cause）", "(new_cause)"),
        (None, "上。", "screen."),
    ],
)
def test_why_a_slip_did_not_come_out_is_told_in_words(cause: str | None, zh: str, en: str) -> None:
    told = note_in_words("slip_shown", json.dumps({"reprint": False, "cause": cause, "said_at": AT}))
    assert zh in told.zh
    assert en in told.en


def test_a_number_of_another_day_is_another_ticket(kept: Kept) -> None:
    scene = kept.scene
    first = scene.issue()
    scene.later(days=1)
    second = scene.issue()
    kept.keep()
    assert first.number == second.number
    assert second.id in kept.told(first.number)[0]
    assert first.id in kept.told(first.number, day=date(2026, 3, 2))[0]
    assert "expired" in kept.told(first.id)[-1]
    assert history.of_ticket(kept.ledger, kept.registers, "h", first.number, date(2026, 3, 9)) is None
    assert history.of_ticket(kept.ledger, kept.registers, "h", "%") is None
    assert history.of_ticket(kept.ledger, kept.registers, "elsewhere", first.id) is None


def test_a_no_show_names_the_counter_and_a_person_who_left_the_register_keeps_their_id(kept: Kept) -> None:
    scene = kept.scene
    ticket = scene.issue()
    session = scene.open(clerk="clerk-9")
    scene.call_next(session)
    scene.later(minutes=5)
    scene.do(scene.at(NoShow, session))
    kept.keep()
    lines = kept.told(ticket.id)
    counter = sample().counter(session.counter)
    assert counter is not None
    assert any(f"Did not come to counter {counter.number}" in line and "clerk-9" in line for line in lines)


def about_tickets() -> list[type[Event]]:
    return [
        kind for kind in EVENT_TYPES if {"ticket", "appointment"} & {field.name for field in dataclasses.fields(kind)}
    ]


@pytest.mark.parametrize("kind", about_tickets(), ids=lambda kind: kind.kind)
@settings(max_examples=15)
@given(data=st.data())
def test_every_kind_of_event_about_a_ticket_has_a_sentence_in_both_languages(kind: type[Event], data: Any) -> None:
    event = data.draw(st.builds(kind, at=st.datetimes(timezones=st.just(UTC))))
    assert event.kind in EVENTS
    names = Names(sample(), {}, {})
    said = what_happened(event, names)
    assert said.zh
    assert said.en
    assert "{" not in EVENTS[event.kind].zh.format_map({field.name: "" for field in dataclasses.fields(event)})
