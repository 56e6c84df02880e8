"""The hall that is simulated: small, and with every rule that a fault could break."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from kiosk import bundle as terminal_bundle
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.search import Index, build
from kiosk.profile import Account, Broker, Keys, Profile
from queue_server import bundle
from queue_server.hall import Actor, Configure, HallConfiguration
from queue_server.hall.offline_numbers import LeasedRange
from queue_server.ledger import MemoryLedger, Snapshot
from queue_server.replay import load_hall, snapshot_of
from queue_server.runner import Ask, Runner
from tests.queue_server.engine import sample

HALL = "demo-hall"
URL = "http://hall.example"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""09:00 in the hall."""
HALL_KEY = bytes(range(32))
SERVICES = ("social-card", "fund-withdraw", "id-card")
COUNTERS = ("counter-1", "counter-3", "counter-4")
CLERKS = ("clerk-1", "clerk-2", "clerk-3")
ZONES = ("east",)


@cache
def configuration() -> HallConfiguration:
    """The sample hall, cut down: three services in three queues, blocks of numbers for terminals in one of them."""
    whole = sample()
    services = tuple(replace(s, card="optional") for s in whole.services if s.id in SERVICES)
    ids = {service.queue for service in services}
    queues = tuple(replace(q, zone=ZONES[0]) for q in whole.queues if q.id in ids)
    first = replace(queues[0], last=899, leased=LeasedRange(first=900, last=999, block=4))
    classes = tuple(
        replace(c, queues=tuple(q for q in c.queues if q in ids))
        for c in whole.counter_classes
        if c.id == "social-affairs"
    )
    profiles = tuple(p for p in whole.work_profiles if ids.issuperset(entry.queue for entry in p.queues))
    return replace(
        whole,
        zones=tuple(zone for zone in whole.zones if zone.id in ZONES),
        groups=tuple(g for g in whole.groups if g.id in {service.group for service in services}),
        services=services,
        queues=(first, *queues[1:]),
        counter_classes=classes,
        work_profiles=profiles,
        counters=tuple(c for c in whole.counters if c.id in COUNTERS),
        slot_plans=(),
        rules=replace(whole.rules, recall_interval_s=1),
    )


@cache
def catalogue() -> tuple[Catalogue, Index]:
    """The hall as a terminal has loaded it."""
    found = terminal_bundle.read(bundle.build(HALL, configuration()).body)
    return found, build(found)


@cache
def _first_rows() -> tuple[MemoryLedger, Snapshot]:
    """A ledger in which the hall is configured and nothing else, and its snapshot."""
    ledger = MemoryLedger(clock=START.timestamp)
    epoch = ledger.acquire(HALL, "installer", 1.0).epoch
    loaded = load_hall(ledger, HALL)
    runner = Runner(loaded.hall, loaded.head, epoch)
    installed = Ask(Configure(by=Actor("system", "installer"), configuration=configuration()))
    turn = runner.decide((installed,), {}, START)
    assert turn.append is not None
    runner.committed(turn, ledger.append(turn.append))
    return ledger, snapshot_of(runner.hall, runner.head)


def put_first_rows(ledger: MemoryLedger) -> None:
    """Configure the hall in a new ledger."""
    first, snapshot = _first_rows()
    ledger._rows = {hall: list(rows) for hall, rows in first._rows.items()}
    ledger._leases = {HALL: replace(first._leases[HALL], until=0.0)}
    ledger.save_snapshot(snapshot)


@cache
def profile(terminal: str) -> Profile:
    """A terminal's profile; its files are never read."""
    return Profile(
        terminal=terminal,
        hall=HALL,
        instance=f"machine-{terminal}",
        state_directory=".",
        broker=Broker(account_file="."),
        keys=Keys(hall_key_file=".", technician_secret_file="."),
    )


@cache
def account(name: str) -> Account:
    return Account(username=name, password="none", client_id=name)


@dataclass
class Card:
    """An ID card of nobody."""

    name: str
    number: str

    @property
    def masked_name(self) -> str:
        return f"{self.name[0]}*"

    @property
    def masked_number(self) -> str:
        return f"{self.number[:4]}**********{self.number[-4:]}"

    def wipe(self) -> None:
        self.name = self.number = ""


PEOPLE = tuple((f"甄人物{n}", f"32028319{70 + n}010199{n:02d}") for n in range(8))
"""Names and ID numbers; found anywhere outside a session, they have leaked."""
