"""A hall with a long day behind it, written into a ledger by the real core in batches, as a runner writes them.

Nothing is invented: every row is an event that the core decided, chained as always. Only the clock is ours.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.tickets import bench_hall
from queue_server.hall import (
    Actor,
    CallNext,
    Command,
    Complete,
    Configure,
    Event,
    Hall,
    HallConfiguration,
    Issue,
    OpenCounter,
    Refusal,
    StartService,
    configuration_from_json,
    decide,
    event_from_json,
    evolve,
)
from queue_server.ledger import AppendBatch, Head, Ledger
from queue_server.replay import snapshot_of
from queue_server.runner import record

BATCH = 256
STEP = timedelta(milliseconds=10)
CLASSES = ("ordinary", "ordinary", "ordinary", "elderly", "ordinary", "ordinary", "pregnant", "ordinary")
"""In turn, as people come."""
_SYSTEM, _KIOSK = Actor("system", "bench"), Actor("device", "bench-0")


def endless_hall(now: datetime) -> bytes:
    """The sample hall with numbers that do not run out, and a business day that does not end while it is measured."""
    hall = json.loads(bench_hall())
    configuration = configuration_from_json(json.dumps(hall))
    ends_at = now.astimezone(ZoneInfo(configuration.time_zone)) + timedelta(hours=12)
    return json.dumps(hall | {"day_ends_at": f"{ends_at:%H}:00"}, ensure_ascii=False).encode()


class Day:
    """A hall whose clock begins at `at` and moves by 10 ms with each command."""

    def __init__(self, hall: str, configuration: HallConfiguration, at: datetime) -> None:
        self.hall = Hall(hall)
        self.now = at
        self.events: list[Event] = []
        """All that happened, in order."""
        self._numbers = count(1)
        self.do(Configure(by=_SYSTEM, configuration=configuration))

    def do(self, command: Command) -> bool:
        """Decide and apply a command; false where the hall refuses it."""
        self.now += STEP
        outcome = decide(self.hall, command, self.now)
        if isinstance(outcome, Refusal):
            return False
        for event in outcome:
            evolve(self.hall, event)
        self.events += outcome
        return True

    def issue(self, service: str, priority_class: str = "ordinary") -> None:
        """Somebody takes a number. Raises `AssertionError` where the hall refuses it: then the bench is wrong."""
        n = next(self._numbers)
        names: dict[str, Any] = {name: f"{name}-{n}" for name in ("visit", "ticket", "step", "follow_token")}
        done = self.do(Issue(by=_KIOSK, service=service, priority_class=priority_class, device=_KIOSK.id, **names))
        assert done, service

    def fill(self, service: str, people: int) -> None:
        """So many people of several classes wait for one service."""
        for _, priority_class in zip(range(people), cycle(CLASSES), strict=False):
            self.issue(service, priority_class)

    def open_counters(self) -> list[str]:
        """A clerk at every counter; their sessions."""
        sessions = []
        for counter in self.hall.configuration.counters:
            session, person = f"session-{counter.id}", f"clerk-{counter.id}"
            by = Actor("clerk", person)
            if self.do(OpenCounter(by=by, session=session, counter=counter.id, clerk=person)):
                sessions.append(session)
        return sessions

    def serve(self, session: str) -> bool:
        """Call, serve and finish one person; false where nobody waits for this counter."""
        return self.call(session) and self.finish(session)

    def call(self, session: str) -> bool:
        found = self.hall.store.open_session(session)
        by = Actor("clerk", found.clerk)
        return self.do(CallNext(by=by, session=session, seen=found.version, call=f"call-{next(self._numbers)}"))

    def finish(self, session: str) -> bool:
        """Start and complete whoever was called."""
        by = Actor("clerk", self.hall.store.open_session(session).clerk)
        for act in (StartService, Complete):
            self.do(act(by=by, session=session, seen=self.hall.store.open_session(session).version))
        return self.hall.store.open_session(session).ticket is None

    def pass_until(self, events: int) -> None:
        """People of all services come and are served, until so much has happened."""
        sessions = cycle(self.open_counters())
        services: Iterator[str] = cycle(service.id for service in self.hall.configuration.services)
        while len(self.events) < events:
            self.issue(next(services), "ordinary")
            self.serve(next(sessions))


def write(ledger: Ledger, day: Day, *, server: str) -> None:
    """Append a day's events to an empty ledger; the lease is given back."""
    lease = ledger.acquire(day.hall.id, server, 60.0)
    at = 0
    for start in range(0, len(day.events), BATCH):
        rows = tuple(record(event) for event in day.events[start : start + BATCH])
        at = ledger.append(AppendBatch(day.hall.id, lease.epoch, at, rows)).head.seq
    ledger.release(lease)


def save_snapshot(ledger: Ledger, hall: str, tail: int) -> None:
    """The snapshot that a server would have taken `tail` events before the last one of a ledger without any."""
    rows = list(ledger.events(hall))
    last = rows[-1 - tail]
    replayed = Hall(hall)
    for row in rows[: last.seq]:
        evolve(replayed, event_from_json(row.body))
    ledger.save_snapshot(snapshot_of(replayed, Head(last.seq, last.hash)))
