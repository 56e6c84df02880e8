"""A history as it is seen from outside, and the invariants that it must keep.

What the public holds (papers and screens), what the ledger has, what went over the wire and what displays showed are
noted by four observers that share nothing with the code under test. Most invariants are checked while the history
runs; those that say "in the end" when everything was mended and has come to rest.

I1  No two papers bear one number of one business day.
I2  Every paper is in the ledger, once, with its number, and was not taken back.
I3  In the end every ticket of the ledger has a paper or a screen that was told of, or is void or expired, or was
    withdrawn when it stood at a counter already.
I4  A ticket is at one counter at most, and a counter has one ticket at most.
I5  The (epoch, rev) that a display shows never falls, and one (epoch, rev) has one content.
I6  Of those who came and were never moved, within a queue and class, the first to come is called first.
I7  No name and no ID number is in a message, a journal or the ledger.
A1  Nothing is said that is not committed: answers, calls and boards name what the ledger has.
A2  A request has one ticket: all answers to it name the same.
A3  A number is given once on a business day.
A4  The ledger's chain holds, its epochs never fall, and the hall in memory is the one that its rows make.
A5  In the end a withdrawn request has no ticket that waits.
L1  In the end every terminal is at rest with an empty journal and nothing set aside, a server leads, and the displays
    show what the ledger says.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kiosk.journeys.state import Ticket
from queue_server import projecting
from queue_server.hall import dump
from queue_server.ledger import AppendBatch, Head, first_broken
from queue_server.replay import load_hall
from tests.sim.hall import HALL, PEOPLE
from wire.port import Outgoing

if TYPE_CHECKING:
    from tests.sim.world import World

_PERSONAL = re.compile("|".join(word for person in PEOPLE for word in person))
_PERSONAL_ESCAPED = re.compile("|".join(json.dumps(name)[1:-1].replace("\\", r"\\") for name, _ in PEOPLE))
_CHOSEN = ("chosen_by_clerk", "chosen_over")


@dataclass(frozen=True)
class Violation:
    """A broken invariant, at so many virtual seconds."""

    invariant: str
    at: float
    text: str


@dataclass(frozen=True)
class Paper:
    """A slip in somebody's hand."""

    terminal: str
    ticket: str
    number: str
    at: float


class History:
    def __init__(self, world: "World") -> None:
        self._world = world
        self.violations: list[Violation] = []
        self.log: list[tuple[float, str]] = []
        """What a reader sees of it."""
        self.papers: list[Paper] = []
        self.on_screen: dict[str, str] = {}
        """Number by ticket, of every ticket that a person was shown."""
        self._issued: dict[str, dict[str, Any]] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._calls: set[str] = set()
        self._gone: dict[str, str] = {}
        """Why a ticket is void or expired."""
        self._called: set[str] = set()
        self._at: dict[str, str] = {}
        """Ticket by session."""
        self._unmoved: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        """Order keys by ticket, of those who wait where they came, by queue and class."""
        self._answers: dict[tuple[str, str], str] = {}
        self._contents: dict[tuple[str, int, int], Any] = {}
        self._shown_at: dict[tuple[str, str], tuple[int, int]] = {}
        self.boards: dict[str, Any] = {}
        """The newest board that the display took, by zone."""

    def note(self, text: str) -> None:
        self.log.append((self._world.loop.time(), text))

    def broken(self, invariant: str, text: str) -> None:
        self.violations.append(Violation(invariant, self._world.loop.time(), text))
        self.note(f"!! {invariant}: {text}")

    # --- what the public holds

    def shown(self, terminal: str, ticket: Ticket) -> None:
        """A number stands on a screen."""
        self.note(f"{terminal} shows {ticket.number}")
        self.on_screen[ticket.ticket] = ticket.number
        if self._gone.get(ticket.ticket) == "citizen_left":
            self.broken("I2", f"{terminal} shows {ticket.number}, which it took back")

    def paper(self, terminal: str, ticket: Ticket, *, reprint: bool) -> None:
        """A slip came out."""
        self.note(f"{terminal} prints {ticket.number}{' (again)' if reprint else ''}")
        if not reprint:
            self.papers.append(Paper(terminal, ticket.ticket, ticket.number, self._world.loop.time()))

    def clicked(self, clerk: str, verb: str, said: str) -> None:
        self.note(f"{clerk}: {verb} → {said}")

    # --- what the ledger has

    def committed(self, batch: AppendBatch) -> None:
        """These rows are durable now."""
        for event in batch.events:
            if _PERSONAL.search(event.body):
                self.broken("I7", f"{event.kind} names a person")
            self._row(event.kind, json.loads(event.body))

    def _row(self, kind: str, row: dict[str, Any]) -> None:
        ticket = row.get("ticket")
        if kind == "ticket_issued":
            self._came(row)
        elif kind in ("ticket_called", "ticket_recalled"):
            self._calls.add(row["call"])
            self.note(f"ledger: {kind} {row['number']} at {row['counter']}")
            if kind == "ticket_called":
                self._call(row)
        elif ticket is not None and kind != "turn_near":
            number = self._issued.get(ticket, {}).get("number", "?")
            self.note(f"ledger: {kind} {number} {row.get('undone') or row['why']['code']}")
            self._moved(kind, ticket, row)
        elif kind in ("counter_opened", "counter_closed", "day_opened", "day_closed"):
            self.note(f"ledger: {kind} {row.get('counter') or row.get('business_date')}")

    def _came(self, row: dict[str, Any]) -> None:
        ticket, number, day = row["ticket"], row["number"], row["business_date"]
        self.note(f"ledger: ticket_issued {number} to {row['device']} {row['why']['code']}")
        if ticket in self._issued:
            self.broken("I2", f"ticket of {number} is issued twice")
        other = self._numbers.setdefault((day, number), ticket)
        if other != ticket:
            self.broken("A3", f"{number} of {day} is given twice")
        self._issued[ticket] = row
        line = self._unmoved[row["queue"], row["priority_class"]]
        came = row["printed"] is None
        # who came offline may stand behind, by a time that is a little ahead
        before = (t for t, key in line.items() if key >= row["order_key"] and self._issued[t]["printed"] is None)
        if came and any(True for _ in before):
            self.broken("I6", f"{number} came last and stands before another")
        line[ticket] = row["order_key"]

    def _call(self, row: dict[str, Any]) -> None:
        ticket, session, number = row["ticket"], row["session"], row["number"]
        if session in self._at:
            self.broken("I4", f"{row['counter']} calls {number} and has a ticket already")
        if ticket in self._at.values():
            self.broken("I4", f"{number} is called to {row['counter']} and is at another counter")
        if ticket in self._gone:
            self.broken("I4", f"{number} is called and is {self._gone[ticket]}")
        self._at[session] = ticket
        self._called.add(ticket)
        issued = self._issued.get(ticket)
        if issued is None:
            self.broken("A4", f"{number} is called and was never issued")
            return
        line = self._unmoved[issued["queue"], issued["priority_class"]]
        mine = line.pop(ticket, None)
        if mine is not None and row["why"]["code"] not in _CHOSEN:
            for other, key in line.items():
                if key < mine and not self._issued[other]["deferred"]:
                    self.broken("I6", f"{number} is called before {self._issued[other]['number']}")

    def _moved(self, kind: str, ticket: str, row: dict[str, Any]) -> None:
        for line in self._unmoved.values():
            line.pop(ticket, None)
        session = row.get("session")
        if kind in ("ticket_cancelled", "ticket_expired"):
            self._gone[ticket] = row["why"]["code"]
            if row["why"]["code"] == "citizen_left" and ticket in self.on_screen:
                self.broken("I2", f"{self.on_screen[ticket]} was shown to a person and is taken back")
        if (kind == "act_undone" and row["undone"] != "call") or (kind == "step_opened" and session is not None):
            if session in self._at and self._at[session] != ticket:
                self.broken("I4", f"{row.get('counter')} takes a ticket back and has another one")
            self._at[session] = ticket
        elif kind == "counter_taken_over":
            self._at.pop(row["closed"], None)
            self._at[session or ""] = ticket
        elif session is not None and kind not in ("service_started", "service_planned", "ticket_reclassified"):
            self._at.pop(session, None)

    # --- what goes over the wire

    def published(self, sender: str, message: Outgoing) -> None:
        """The broker has taken a message."""
        text = message.payload.decode()
        if _PERSONAL.search(text) or _PERSONAL_ESCAPED.search(text):
            self.broken("I7", f"{message.topic} names a person")
        if not sender.startswith("server"):
            return
        if message.topic.endswith("/answer"):
            self._answer(message.topic.split("/")[3], json.loads(text))
        elif "/call/" in message.topic:
            said = json.loads(text)["body"]
            if said["call_id"] not in self._calls:
                self.broken("A1", f"{said['number']} is announced and not committed")
        elif "/board/" in message.topic:
            self._board(message.topic, json.loads(text))

    def _answer(self, device: str, answer: dict[str, Any]) -> None:
        body = answer["body"]
        if answer["kind"] != "issue_answer":
            return
        if body["ticket"] not in self._issued:
            self.broken("A1", f"{body['number']} is answered and not committed")
        known = self._answers.setdefault((device, answer["id"]), body["ticket"])
        if known != body["ticket"]:
            self.broken("A2", f"{answer['id']} is answered {body['number']} and another number before")

    def _board(self, topic: str, frame: dict[str, Any]) -> None:
        for call in frame["body"]["calls"]:
            if call["call_id"] not in self._calls:
                self.broken("A1", f"a board shows {call['number']}, whose call is not committed")
        stamp = (topic, frame["epoch"], frame["rev"])
        if self._contents.setdefault(stamp, frame["body"]) != frame["body"]:
            self.broken("I5", f"{topic} has two contents at {stamp[1:]}")

    def displayed(self, display: str, zone: str, frame: dict[str, Any]) -> None:
        """A display has drawn a board."""
        stamp = (frame["epoch"], frame["rev"])
        if stamp < self._shown_at.get((display, zone), (0, 0)):
            self.broken("I5", f"{display} goes back to {stamp} from {self._shown_at[display, zone]}")
        self._shown_at[display, zone] = stamp
        self.boards[zone] = frame["body"]

    # --- in the end

    def end(self, *, at_rest: bool) -> None:
        """Everything was mended; `at_rest`: and nothing waits any more."""
        if self.violations:
            return
        self._look_at_papers()
        self._look_at_ledger()
        if at_rest:
            self._look_for_ghosts()
            if lags := self.display_lags():
                self.broken("L1", lags)
        else:
            self.broken("L1", f"not at rest: {self._world.unrest()}")

    def _look_at_papers(self) -> None:
        held: dict[tuple[str, str], Paper] = {}
        for paper in self.papers:
            issued = self._issued.get(paper.ticket)
            if issued is None:
                if self._world.settled:
                    self.broken("I2", f"{paper.number} of {paper.terminal} is on paper and not in the ledger")
                continue
            if paper.number != (issued["printed"] or issued["number"]):
                self.broken("I2", f"{paper.number} is on paper, the ledger has {issued['number']}")
            if self._gone.get(paper.ticket) == "citizen_left":
                self.broken("I2", f"{paper.number} is on paper and was taken back")
            other = held.setdefault((issued["business_date"], paper.number), paper)
            if other.ticket != paper.ticket:
                self.broken("I1", f"{paper.number} is on two papers of {issued['business_date']}")

    def _look_at_ledger(self) -> None:
        rows = list(self._world.ledger.events(HALL))
        head = first_broken(HALL, rows, self._world.exported)
        if not isinstance(head, Head):
            self.broken("A4", f"row {head.seq} {head.reason}")
            return
        leader = self._world.leader
        runner = leader.program.hall._work._leading.runner if leader is not None and leader.program else None
        if runner is not None and runner.head == head:
            self._world.ledger._snapshots.clear()
            if dump(load_hall(self._world.ledger, HALL).hall) != dump(runner.hall):
                self.broken("A4", "the hall in memory is not the one that its rows make")
        for terminal in self._world.terminals:
            for *_, payload, _state in terminal.disk.entries():
                if _PERSONAL.search(payload.decode()):
                    self.broken("I7", f"the journal of {terminal.name} names a person")

    def _look_for_ghosts(self) -> None:
        notes = self._world.ledger.audit(HALL)
        told = {note.subject for note in notes if note.act.startswith("slip_")}
        withdrawn: set[str] = set()
        for terminal in self._world.terminals:
            if terminal.quarantined:
                self.broken("L1", f"{terminal.name} set {terminal.quarantined} facts aside")
            for _id, _lane, kind, payload, _state in terminal.disk.entries():
                if kind == "withdraw":
                    withdrawn |= self._withdrawn(terminal.name, json.loads(payload)["body"]["request_id"])
        for ticket, row in self._issued.items():
            seen = ticket in told or ticket in self._gone or (ticket in withdrawn and ticket in self._called)
            if row["device"] is not None and not seen:
                self.broken("I3", f"{row['number']} of {row['device']} has no paper, no screen and is not void")

    def _withdrawn(self, device: str, request_id: str) -> set[str]:
        """The ticket that a withdrawal was about, if it came to one. What is called already is not taken back."""
        found = self._world.ledger.answers([(device, request_id)]).get((device, request_id))
        if found is None:
            self.broken("A5", f"the withdrawal of {request_id} left no trace")
            return set()
        if found.ticket is None:
            return set()
        if found.ticket not in self._gone and found.ticket not in self._called:
            self.broken("A5", f"{self._issued[found.ticket]['number']} was withdrawn and waits on")
        return {found.ticket}

    def display_lags(self) -> str | None:
        """What the display does not show of what the ledger has."""
        leader = self._world.leader
        if leader is None or leader.program is None:
            return "nobody leads"
        hall = load_hall(self._world.ledger, HALL).hall
        now = self._world.clock(leader.name)()
        picture = projecting.project(hall, now, epoch=0, rev=0)
        for board in projecting.boards(hall, picture):
            shown = self.boards.get(board.zone)
            wanted = json.loads(board.model_dump_json())
            if shown is None or shown["calls"] != wanted["calls"]:
                return f"the display of {board.zone} does not show the calls that the ledger has"
            if [q["waiting"] for q in shown["queues"]] != [q["waiting"] for q in wanted["queues"]]:
                return f"the display of {board.zone} does not show how many wait"
        return None
