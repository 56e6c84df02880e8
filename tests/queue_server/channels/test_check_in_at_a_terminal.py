"""Check-in over the wire: a terminal asks with a code or a person, and gets a number or a named refusal."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from queue_server.hall import AppointmentRules, Book, Configure
from queue_server.hall.base import Actor
from queue_server.hall_port import Done
from tests.queue_server.channels.conftest import PLAN
from tests.queue_server.engine import NOW, SYSTEM, sample
from tests.queue_server.rig import Rig, running
from wire import messages
from wire.person_key import person_key

KEY = bytes(32)
PERSON = person_key("11010519491231002X", KEY)
SLOT = NOW + timedelta(hours=1)


async def booked(rig: Rig) -> str:
    """An appointment at ten; its code."""
    plans = (replace(PLAN, weekdays=(1, 2, 3, 4, 5, 6, 7), begins="00:00", ends="23:59"),)
    configuration = replace(sample(), revision=1000, slot_plans=plans, appointments=AppointmentRules())
    assert isinstance(await rig.hall.execute(Configure(by=SYSTEM, configuration=configuration)), Done)
    command = Book(
        by=Actor("channel", "app"),
        appointment="a-1",
        code="7Q2KXM40AB",
        person=PERSON,
        channel="app",
        service="social-card",
        starts_at=SLOT,
    )
    assert isinstance(await rig.hall.execute(command), Done)
    return command.code


async def test_a_code_is_taken_as_people_type_it_and_the_answer_says_when_the_number_can_be_called(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await booked(rig)
        early = await k1.ask(messages.CheckIn(code="7q2kx-m4oab"))
        assert (early.code, early.params["opens_at"]) == ("check_in_too_early", "2026-03-02T09:30+08:00")
        rig.clock.now = SLOT - timedelta(minutes=25)
        ticket = await k1.ask(messages.CheckIn(code="7q2kx-m4oab"))
        assert (ticket.service, ticket.booked_for) == ("social-card", SLOT)
        assert ticket.callable_from == SLOT - timedelta(minutes=10)
        again = await k1.ask(messages.CheckIn(code="7Q2KXM40AB"))
        assert (again.code, again.params) == ("appointment_not_open", {"state": "checked_in"})


async def test_a_person_with_a_card_needs_no_code(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        await booked(rig)
        rig.clock.now = SLOT
        ticket = await k1.ask(messages.CheckIn(person=PERSON))
        assert (ticket.booked_for, ticket.callable_from) == (SLOT, None)
        assert (await k1.ask(messages.CheckIn(person="0" * 64))).code == "appointment_unknown"


async def test_f21_what_is_no_code_finds_nothing_and_harms_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        code = await booked(rig)
        rig.clock.now = SLOT
        for text in ("'; DROP TABLE", "-" * 40, "\r\n\x1b[A", "*", "%", "\u202e", "。。", "0" * 40):
            assert (await k1.ask(messages.CheckIn(code=text))).code == "appointment_unknown"
        assert (await k1.ask(messages.CheckIn())).code == "appointment_unknown"
        assert (await k1.ask(messages.CheckIn(code=code))).number


async def test_who_leaves_before_the_answer_can_check_in_again(tmp_path: Path) -> None:
    async with running(tmp_path, "k1") as rig:
        k1 = await rig.talker("k1")
        code = await booked(rig)
        rig.clock.now = SLOT
        first = await k1.ask(messages.CheckIn(code=code))
        withdrawn = await k1.ask(messages.Withdraw(request_id="0badcafe-1", reason="left"))
        assert withdrawn.cancelled
        assert (await k1.ask(messages.CheckIn(code=code))).number != first.number
