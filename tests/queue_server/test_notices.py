"""Notices: which events a booking channel is told of, and that they say nothing of the person."""

import json
from dataclasses import replace
from typing import Any

from queue_server.hall import CallNext, Event, NoShow, Recall, Reinstate, Undo, Withdraw
from queue_server.notices import NOTICE_KINDS, notice_of
from tests.queue_server.hall.scene import KIOSK, MANAGER
from tests.queue_server.hall.test_appointments import hall_with, person
from tests.queue_server.hall.test_appointments_check_in import RULES, Door, at


class Told(Door):
    """A hall whose notices are collected, as the runner does it."""

    def __init__(self, **no_show: Any) -> None:
        configuration = hall_with(rules=replace(RULES, tell_ahead=0))
        rules = configuration.rules
        rules = replace(rules, recall_interval_s=0, no_show=replace(rules.no_show, **no_show))
        super().__init__(replace(configuration, rules=rules))
        self.told: list[Any] = []

    def do(self, command: Any) -> tuple[Event, ...]:
        events = super().do(command)
        for seq, event in enumerate(events, start=len(self.history)):
            notice = notice_of(self.hall, event, seq)
            if notice is not None:
                assert (notice.channel, notice.kind in NOTICE_KINDS) == ("app", True)
                self.told.append(json.loads(notice.body))
        return events

    def kinds(self) -> list[str]:
        return [body["type"] for body in self.told]


def checked_in(door: Told) -> Any:
    session = door.open("counter-4")
    appointment = door.book(1, client="u-1")
    door.now = at(0)
    ticket = door.check_in(appointment)
    return session, appointment, ticket


def test_each_call_recall_and_undo_is_told_and_walk_ins_are_not() -> None:
    door = Told()
    session, appointment, ticket = checked_in(door)
    door.do(door.at(CallNext, session))
    door.do(door.at(Recall, session))
    door.do(door.at(Undo, session))
    door.do(Withdraw(by=KIOSK, ticket=door.issue("id-card").id))
    assert door.kinds() == ["called", "called", "undone"]
    assert [body["data"].get("recall") for body in door.told] == [False, True, None]
    for body in door.told:
        data = body["data"]
        assert (data["appointment"], data["client"], data["number"]) == (appointment.id, "u-1", ticket.number)
        assert person(1) not in json.dumps(body)
        assert appointment.code not in json.dumps(body)


def test_a_missed_ticket_that_waits_again_is_told_as_such() -> None:
    door = Told(then="reinsert", behind=1, times=1, recalls_first=0)
    session, _, ticket = checked_in(door)
    for _ in range(2):
        door.do(door.at(CallNext, session))
        door.do(door.at(NoShow, session))
    assert door.kinds() == ["called", "no_show", "waiting_again", "called", "no_show"]
    door.do(Reinstate(by=MANAGER, ticket=ticket.id, seen=door.ticket(ticket).version))
    assert door.told[-1]["type"] == "waiting_again"


def test_an_appointment_that_is_open_again_is_not_told_to_be_void() -> None:
    door = Told()
    _, appointment, ticket = checked_in(door)
    door.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert door.kinds() == []
    door.do(door.cancelling(appointment, by=MANAGER))
    assert door.kinds() == ["cancelled"]
