"""A hall's runner driven by hand: each step is a call, so that a test can stop between any two."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from queue_server.hall import Actor, Configure, HallConfiguration, configuration_from_json
from queue_server.hall_port import RequestKey
from queue_server.ledger import AppendBatch, Appended, Ledger, LedgerError, MemoryLedger
from queue_server.replay import load_hall
from queue_server.runner import Ask, Item, Output, Reply, Runner, Turn, Unanswered, failed, keys_of
from queue_server.translator import Edge, translate
from wire.codec import decode, encode
from wire.messages import Message

HALL = "demo-hall"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SERVICE = "social-card"
SAMPLE = Path(__file__).parents[2] / "assets" / "halls" / "sample.json"
SYSTEM = Actor("system", "test")


def sample() -> HallConfiguration:
    return configuration_from_json(SAMPLE.read_bytes())


class Ids:
    """Ids in order, the same in every run."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> str:
        self._last += 1
        return f"id-{self._last:06}"


def item(device: str, n: int, body: Message, edge: Edge, *, now: datetime = NOW, boot: str = "0badcafe") -> Item:
    """What the wire side makes of request `n` of a device."""
    payload = encode(body, message_id=f"{boot}-{n}", at=NOW)
    envelope, decoded = decode(payload)
    assert decoded is not None
    return translate(device, envelope, decoded, now=now, edge=edge)


def edge() -> Edge:
    return Edge("http://hall.example", new_id=Ids(), new_token=Ids())


def key(device: str, request_id: str, content: str) -> RequestKey:
    return RequestKey(device, request_id, sha256(content.encode()).hexdigest())


class Faulty:
    """A ledger that fails when told to: before it writes, or after it wrote and before it could say so."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.fail_before: LedgerError | None = None
        self.fail_after: LedgerError | None = None
        self.appends = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def append(self, batch: AppendBatch) -> Appended:
        self.appends += 1
        if self.fail_before is not None:
            error, self.fail_before = self.fail_before, None
            raise error
        appended = self._ledger.append(batch)
        if self.fail_after is not None:
            error, self.fail_after = self.fail_after, None
            raise error
        return appended


class Engine:
    """Ledger and runner of one server; `restart` is what a crash and a new process come to."""

    def __init__(self, ledger: Ledger | None = None, server: str = "server-1", *, configured: bool = True) -> None:
        self.ledger: Ledger = ledger or MemoryLedger(clock=NOW.timestamp)
        self.server = server
        self.runner = self._lead()
        self.outputs: list[Output] = []
        if configured and not self.runner.hall.configured:
            self.turn([Ask(Configure(by=SYSTEM, configuration=sample()))])
            self.outputs.clear()

    def _lead(self) -> Runner:
        lease = self.ledger.acquire(HALL, self.server, 15.0)
        loaded = load_hall(self.ledger, HALL)
        return Runner(loaded.hall, loaded.head, lease.epoch)

    def restart(self) -> None:
        self.runner = self._lead()

    def decide(self, batch: list[Item], now: datetime = NOW) -> Turn:
        return self.runner.decide(batch, self.ledger.answers(keys_of(batch)), now)

    def turn(self, items: Iterable[Item], now: datetime = NOW) -> list[Output]:
        batch = list(items)
        turn = self.decide(batch, now)
        try:
            appended = self.ledger.append(turn.append) if turn.append else None
        except LedgerError as error:
            outputs = failed(batch, error.code)
            self.restart()
        else:
            outputs = self.runner.committed(turn, appended)
        self.outputs += outputs
        return outputs

    def ask(self, *items: Item, now: datetime = NOW) -> list[bytes | None]:
        """The answers' payloads, in order of the items (None: not answered)."""
        outputs = self.turn(items, now)
        by_item = {id(o.item): o.answer if isinstance(o, Reply) else None for o in outputs if hasattr(o, "item")}
        return [by_item[id(one)] for one in items]

    def rows(self) -> list[tuple[str, str]]:
        return [(row.kind, row.body) for row in self.ledger.events(HALL)]


def body(payload: bytes | None) -> Any:
    """The decoded body of an answer, which says all that its model has, as its model says it."""
    assert payload is not None
    envelope, found = decode(payload)
    assert found is not None
    assert encode(found, message_id=envelope.id, at=envelope.at, epoch=envelope.epoch) == payload
    return found


def batches(items: Sequence[Item], cuts: Sequence[int]) -> list[Sequence[Item]]:
    """`items` cut into runs of the given lengths; the rest is one more run."""
    found, at = [], 0
    for length in cuts:
        found.append(items[at : at + length])
        at += length
    return [*found, items[at:]]


def unanswered(outputs: Iterable[Output]) -> list[Unanswered]:
    return [output for output in outputs if isinstance(output, Unanswered)]


Maker = Callable[[Edge], Item]
