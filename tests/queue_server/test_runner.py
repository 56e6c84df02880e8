"""The rules of the runner: once only, in order, all or nothing, nothing said before it is committed."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.hall import CallNext, Issue, NotConfigured, OpenCounter, TicketIssued
from queue_server.hall import refusals as core_refusals
from queue_server.hall_port import Done, NotDone
from queue_server.ledger import Fenced, LedgerFull, LedgerUnavailable, MemoryLedger
from queue_server.runner import Ask, Item, Reply, Reused, Unanswered
from queue_server.translator import Edge
from tests.queue_server.engine import (
    HALL,
    NOW,
    SERVICE,
    SYSTEM,
    Engine,
    Faulty,
    batches,
    body,
    edge,
    item,
    key,
    unanswered,
)
from wire import messages


def issue(device: str, n: int, at: Edge, service: str = SERVICE) -> Item:
    return item(device, n, messages.Issue(service=service), at)


def test_an_answer_is_the_ticket_as_it_stands_in_the_ledger() -> None:
    engine, ids = Engine(), edge()
    first, second = engine.ask(issue("k1", 1, ids), issue("k2", 1, ids))
    assert [body(first).number, body(second).number] == ["A001", "A002"]
    assert [body(first).people_ahead, body(second).people_ahead] == [0, 1]
    assert body(first).follow_url.startswith("http://hall.example/t/")
    hall = engine.runner.hall
    assert {ticket.number for ticket in hall.tickets()} == {"A001", "A002"}
    assert engine.ledger.head(HALL).seq == hall.version


def test_a_repeated_request_gets_the_same_bytes_and_writes_nothing() -> None:
    engine, ids = Engine(), edge()
    (first,) = engine.ask(issue("k1", 1, ids))
    seq = engine.ledger.head(HALL).seq
    assert engine.ask(issue("k1", 1, ids)) == [first]
    engine.restart()
    assert engine.ask(issue("k1", 1, ids)) == [first]
    assert engine.ledger.head(HALL).seq == seq


def test_a_repeat_in_the_batch_that_is_not_yet_committed_gets_the_same_bytes() -> None:
    engine, ids = Engine(), edge()
    first, again, other = engine.ask(issue("k1", 1, ids), issue("k1", 1, ids), issue("k2", 1, ids))
    assert first == again
    assert body(other).number == "A002"
    assert len(list(engine.runner.hall.tickets())) == 2


def test_f25_the_same_id_with_another_body_is_refused_and_reported_and_the_first_effect_stands() -> None:
    engine, ids = Engine(), edge()
    (first,) = engine.ask(issue("k1", 1, ids))
    outputs = engine.turn([issue("k1", 1, ids, "id-card")])
    assert [o.key.device for o in outputs if isinstance(o, Reused)] == ["k1"]
    assert [o.outcome for o in outputs if isinstance(o, Reply)] == [NotDone("request_id_reused", None)]
    assert engine.ask(issue("k1", 1, ids)) == [first]
    assert len(list(engine.runner.hall.tickets())) == 1


def test_the_same_id_of_another_device_is_another_request() -> None:
    engine, ids = Engine(), edge()
    first, second = engine.ask(issue("k1", 1, ids), issue("k2", 1, ids))
    assert body(first).ticket != body(second).ticket


def test_a_refusal_is_kept_too_so_that_a_late_repeat_cannot_make_a_ghost_ticket() -> None:
    engine, ids = Engine(), edge()
    (first,) = engine.ask(issue("k1", 1, ids, "no-such-service"))
    assert body(first).code == "service_unknown"
    assert engine.ask(issue("k1", 1, ids, "no-such-service")) == [first]


def test_a_withdrawal_cancels_the_ticket_of_its_request() -> None:
    engine, ids = Engine(), edge()
    taken, withdrawn = engine.ask(
        issue("k1", 1, ids), item("k1", 2, messages.Withdraw(request_id="0badcafe-1", reason="left"), ids)
    )
    assert body(withdrawn).ticket == body(taken).ticket
    assert body(withdrawn).cancelled
    ticket = engine.runner.hall.ticket(body(taken).ticket)
    assert ticket is not None
    assert ticket.state.value == "cancelled"


def test_a_withdrawal_of_a_request_never_seen_makes_the_late_request_void_whatever_it_holds() -> None:
    engine, ids = Engine(), edge()
    (withdrawn,) = engine.ask(item("k1", 2, messages.Withdraw(request_id="0badcafe-1", reason="left"), ids))
    assert (body(withdrawn).ticket, body(withdrawn).cancelled) == (None, False)
    engine.restart()
    late, other = engine.ask(issue("k1", 1, ids), issue("k1", 1, ids, "id-card"))
    assert body(late).code == body(other).code == "request_withdrawn"
    assert not list(engine.runner.hall.tickets())
    assert not [o for o in engine.outputs if isinstance(o, Reused)]


def test_a_withdrawal_reaches_only_requests_of_its_own_device() -> None:
    engine, ids = Engine(), edge()
    taken, withdrawn = engine.ask(
        issue("k1", 1, ids), item("k2", 9, messages.Withdraw(request_id="0badcafe-1", reason="left"), ids)
    )
    assert not body(withdrawn).cancelled
    ticket = engine.runner.hall.ticket(body(taken).ticket)
    assert ticket is not None
    assert not ticket.finished


def test_a_withdrawal_of_itself_is_kept_and_does_nothing() -> None:
    engine, ids = Engine(), edge()
    own = item("k1", 3, messages.Withdraw(request_id="0badcafe-3", reason="left"), ids)
    (first,) = engine.ask(own)
    assert not body(first).cancelled
    assert engine.ask(own) == [first]


def test_a_withdrawal_after_the_call_frees_the_counter_and_after_service_began_does_nothing() -> None:
    engine, ids = Engine(), edge()
    engine.turn([Ask(OpenCounter(by=SYSTEM, session="s1", counter="counter-1", clerk="li"))])
    engine.ask(issue("k1", 1, ids))
    engine.turn([Ask(CallNext(by=SYSTEM, session="s1", seen=1, call="c1"))])
    (withdrawn,) = engine.ask(item("k1", 2, messages.Withdraw(request_id="0badcafe-1", reason="left"), ids))
    assert body(withdrawn).cancelled
    session = engine.runner.hall.session("s1")
    assert session is not None
    assert session.ticket is None


def test_what_became_of_a_slip_is_kept_and_answered() -> None:
    engine, ids = Engine(), edge()
    (answer,) = engine.ask(item("k1", 5, messages.Slip(ticket="t1", outcome="unknown", cause="no_fence"), ids))
    assert body(answer).ticket == "t1"
    assert isinstance(engine.ledger, MemoryLedger)
    (note,) = engine.ledger.audit(HALL)
    assert (note.act, note.subject) == ("slip_unknown", "t1")
    assert '"cause":"no_fence"' in note.details


@pytest.mark.parametrize("error", [LedgerFull("x"), LedgerUnavailable("x"), Fenced("x")])
def test_a_failed_append_answers_nobody_and_leaves_no_trace(error: Exception) -> None:
    ledger = Faulty(MemoryLedger(clock=NOW.timestamp))
    engine, ids = Engine(ledger), edge()  # type: ignore[arg-type]  # passes everything else through
    engine.ask(issue("k1", 1, ids))
    before = engine.rows()
    ledger.fail_before = error  # type: ignore[assignment]  # each is a LedgerError
    outputs = engine.turn([issue("k1", 2, ids), issue("k2", 1, ids)])
    assert len(unanswered(outputs)) == len(outputs) == 2
    assert engine.rows() == before
    assert len(list(engine.runner.hall.tickets())) == 1
    again = engine.ask(issue("k1", 2, ids), issue("k2", 1, ids))
    assert [body(answer).number for answer in again] == ["A002", "A003"]


def test_an_append_that_wrote_and_then_failed_is_found_by_the_repeat() -> None:
    ledger = Faulty(MemoryLedger(clock=NOW.timestamp))
    engine, ids = Engine(ledger), edge()  # type: ignore[arg-type]  # passes everything else through
    ledger.fail_after = LedgerUnavailable("the disk went away while it said yes")
    assert engine.ask(issue("k1", 1, ids)) == [None]
    (answer,) = engine.ask(issue("k1", 1, ids))
    assert body(answer).number == "A001"
    assert len(list(engine.runner.hall.tickets())) == 1


def test_of_two_leaders_only_the_newer_can_say_anything() -> None:
    ledger = MemoryLedger(clock=NOW.timestamp)
    old, ids = Engine(ledger), edge()
    old.ask(issue("k1", 1, ids))
    new = Engine(ledger)
    (answer,) = new.ask(issue("k1", 2, ids))
    turn = old.decide([issue("k2", 1, ids)])
    assert turn.append is not None
    with pytest.raises(Fenced):
        ledger.append(turn.append)
    assert body(answer).number == "A002"


def test_a_fault_of_the_core_harms_only_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, ids = Engine(), edge()
    from queue_server import runner

    real = runner.decide

    def fragile(hall: object, command: object, now: object) -> object:
        if isinstance(command, Issue) and command.device == "k2":
            raise NotConfigured("a fault of the program")
        return real(hall, command, now)  # type: ignore[arg-type]  # passes on what it was given

    monkeypatch.setattr(runner, "decide", fragile)
    outputs = engine.turn([issue("k1", 1, ids), issue("k2", 1, ids), issue("k3", 1, ids)])
    replies = [output.outcome for output in outputs if isinstance(output, Reply)]
    assert [type(outcome) for outcome in replies] == [Done, NotDone, Done]
    assert {ticket.number for ticket in engine.runner.hall.tickets()} == {"A001", "A002"}


def test_a_persons_command_under_a_key_happens_once_and_a_refused_one_may_be_tried_again() -> None:
    engine, ids = Engine(), edge()
    engine.turn([Ask(OpenCounter(by=SYSTEM, session="s1", counter="counter-1", clerk="li"))])

    def call(n: int) -> Reply:
        command = CallNext(by=SYSTEM, session="s1", seen=n, call=f"c{n}")
        (output,) = engine.turn([Ask(command, key("staff:li", f"click-{n}", "next"))])
        assert isinstance(output, Reply)
        return output

    assert isinstance(call(1).outcome, core_refusals.NobodyWaiting)
    engine.ask(issue("k1", 1, ids), issue("k2", 1, ids))
    first, again = call(1).outcome, call(1).outcome
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (first.repeated, again.repeated) == (False, True)
    assert len(engine.runner.hall.last_calls("east", 5)) == 1


# --- properties


@dataclass(frozen=True)
class Step:
    """One message of a device: a request, a repeat of it, or a withdrawal."""

    device: str
    n: int
    kind: str
    service: str


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["k1", "k2"]),
        st.integers(1, 6),
        st.sampled_from(["issue", "issue", "issue", "withdraw", "help"]),
        st.sampled_from([SERVICE, "id-card"]),
    ),
    max_size=25,
)


def message(step: Step) -> messages.Message:
    if step.kind == "withdraw":
        return messages.Withdraw(request_id=f"0badcafe-{step.n}", reason="left")
    return messages.Help(screen="home") if step.kind == "help" else messages.Issue(service=step.service)


def items_of(taken: list[Step]) -> list[Item]:
    ids = edge()
    return [item(s.device, s.n + (100 if s.kind == "withdraw" else 0), message(s), ids) for s in taken]


@given(steps, st.lists(st.integers(0, 7), max_size=12))
def test_however_requests_fall_into_batches_the_ledger_and_the_answers_are_the_same(
    taken: list[Step], cuts: list[int]
) -> None:
    one_by_one, batched = Engine(), Engine()
    alone = [answer for one in items_of(taken) for answer in one_by_one.ask(one)]
    together = [answer for batch in batches(items_of(taken), cuts) for answer in batched.ask(*batch)]
    assert together == alone
    assert batched.rows() == one_by_one.rows()


@given(steps, st.data())
def test_no_answered_request_is_lost_and_none_is_done_twice_wherever_the_server_stops(
    taken: list[Step], data: st.DataObject
) -> None:
    """Devices repeat until they are answered; the server stops before or after the commit, or the answer is lost."""
    engine = Engine()
    answered: dict[tuple[str, str], bytes] = {}
    for one in items_of(taken):
        assert one.key is not None
        place = (one.key.device, one.key.request_id)
        for fate in data.draw(st.lists(st.sampled_from(["before", "after", "lost"]), max_size=3)):
            turn = engine.decide([one])
            if fate != "before" and turn.append is not None:
                appended = engine.ledger.append(turn.append)
                if fate == "lost":
                    engine.runner.committed(turn, appended)
                    continue
            engine.restart()
        (answer,) = engine.ask(one)
        if answer is not None:
            assert answered.setdefault(place, answer) == answer
    engine.restart()
    given_out = {body(a).ticket for a in answered.values() if isinstance(body(a), messages.IssueAnswer)}
    assert given_out == {ticket.id for ticket in engine.runner.hall.tickets()}
    issued = [row for row in engine.rows() if row[0] == TicketIssued.kind]
    assert len(issued) == len(given_out)


def test_replies_carry_the_place_of_their_commit() -> None:
    engine, ids = Engine(), edge()
    outputs = engine.turn([issue("k1", 1, ids), issue("k2", 1, ids)], NOW + timedelta(seconds=1))
    seqs = [output.outcome.seq for output in outputs if isinstance(output, Reply) and isinstance(output.outcome, Done)]
    assert seqs == [engine.ledger.head(HALL).seq] * 2
    assert not [output for output in outputs if isinstance(output, Unanswered)]
